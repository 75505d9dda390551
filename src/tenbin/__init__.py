"""Tenbin weighs quality against cost and sends every query to the model of least expected loss."""
