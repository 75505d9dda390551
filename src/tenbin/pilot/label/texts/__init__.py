"""The words of the label page, one TOML catalogue per language; all have the same keys and placeholders."""
