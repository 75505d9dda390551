"""Predictors of quality, tokens, dollars and seconds, one per file, all behind the `Predictor` door."""
