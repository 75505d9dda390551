"""The words of a pilot's status, one TOML catalogue per language; all have the same keys and placeholders."""
