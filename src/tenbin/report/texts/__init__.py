"""The report's words, one TOML catalogue per language; all catalogues have the same keys and placeholders."""
