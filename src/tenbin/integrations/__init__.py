"""Tenbin's policy inside other people's gateways."""
