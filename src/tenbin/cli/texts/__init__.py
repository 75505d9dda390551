"""What commands say, by language: one TOML file each, with the same keys and {placeholders}."""
