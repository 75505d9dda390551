"""The pilot: from a file of prompts to an outcome table, inside a budget, step by step."""
