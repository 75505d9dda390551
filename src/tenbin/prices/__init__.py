"""What a call costs: `rates` is the bill, `book` the dated prices behind it, `genai` where to get them from."""

from tenbin.prices.book import PriceBook, PriceChange
from tenbin.prices.check import PriceFinding
from tenbin.prices.rates import Rates

__all__ = ["PriceBook", "PriceChange", "PriceFinding", "Rates"]
