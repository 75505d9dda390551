"""`pilot run`: ask the candidates what was planned, grade what they say, never spend more than the budget."""
