"""Planning a pilot: which prompts, which pairs to buy next, what they will cost, and what certainty they buy."""
