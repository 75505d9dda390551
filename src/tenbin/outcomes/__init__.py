"""Outcomes in: which model answered which query how well, from the files in which people keep it."""

from tenbin.outcomes.identity import fold_of, prompt_key
from tenbin.outcomes.read import FORMATS, read_outcomes

__all__ = ["FORMATS", "fold_of", "prompt_key", "read_outcomes"]
