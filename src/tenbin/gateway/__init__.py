"""The gateway: one OpenAI-compatible endpoint that decides every request and never loses an answer."""
