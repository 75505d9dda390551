"""Why something was decided: sentences that can be said in every language, their words in one place."""

from tenbin.reasons.count import counted, filled
from tenbin.reasons.reason import LANGUAGES, Reason

__all__ = ["LANGUAGES", "Reason", "counted", "filled"]
