"""How a number is written in each language; a missing one is an en dash, a negative one has a real minus sign."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date

MISSING = "–"
MINUS = "−"
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers in one language, `lang` "en" or "ja"; dollars are US dollars in both."""

    lang: str

    def plain(self, value: float | None, decimals: int = 0, *, sign: bool = False) -> str:
        """1234.5 as 1,234.5 with that many decimals; `sign` writes the plus as well."""
        if value is None or not math.isfinite(value):
            return MISSING
        body = f"{abs(value):,.{decimals}f}"
        if not any(digit in "123456789" for digit in body):
            return body
        return (MINUS if value < 0 else "+" if sign else "") + body

    def percent(self, share: float | None, decimals: int = 1) -> str:
        """A share such as .625 as 62.5%."""
        body = self.plain(None if share is None else share * 100.0, decimals)
        return body if body == MISSING else f"{body}%"

    def points(self, difference: float | None, decimals: int = 1) -> str:
        """A difference of two shares in signed percentage points, without the unit."""
        return self.plain(None if difference is None else difference * 100.0, decimals, sign=True)

    def usd(self, value: float | None) -> str:
        """Dollars with two decimals from 1 to 1,000, none above, three significant digits below."""
        body = self.plain(value, dollar_decimals(value))
        if body == MISSING:
            return body
        if self.lang == "ja":
            return f"{body}ドル"
        return f"{MINUS}${body[1:]}" if body.startswith(MINUS) else f"${body}"

    def usd_in(self, sentence: str) -> str:
        """A sentence with its dollars as this language writes them: +$0.0047 is +0.0047ドル in Japanese."""
        return re.sub(r"\$(\d[\d,]*(?:\.\d+)?)", r"\1ドル", sentence) if self.lang == "ja" else sentence

    def per_thousand_usd(self, usd_per_query: float | None) -> str:
        """Dollars of one query as the dollars of a thousand."""
        return self.usd(None if usd_per_query is None else usd_per_query * 1000.0)

    def tick_usd(self, value: float) -> str:
        """Dollars under an axis: no more digits than the round number needs."""
        return f"${value:,.8f}".rstrip("0").rstrip(".") if value < 1000.0 else f"${value:,.0f}"

    def tick_percent(self, share: float, decimals: int) -> str:
        """A share under an axis, where `decimals` write the share exactly: the percentage needs two fewer."""
        return self.percent(share, max(decimals - 2, 0))

    def mu(self, value: float | None) -> str:
        """A setting of the dial: up to four digits that count, so that both ends can be told apart."""
        if value is None or not math.isfinite(value):
            return MISSING
        if value in (0.0, 1.0):
            return f"{value:.0f}"
        written = f"{value:.4f}" if value > 0.5 else f"{value:.3f}" if value >= 0.01 else f"{value:.2g}"
        return written.rstrip("0") if "e" not in written else written

    def points_of(self, share: float | None, decimals: int = 1) -> str:
        """A share in percentage points without sign or unit."""
        return self.plain(None if share is None else share * 100.0, decimals)

    def between(self, low: str, high: str) -> str:
        """Two written numbers as a range, `a to b`; a unit behind both is written once, an unknown end left open."""
        if low == MISSING == high:
            return MISSING
        if low == MISSING:
            return f"最大{high}" if self.lang == "ja" else f"up to {high}"
        if high == MISSING:
            return f"{low}以上" if self.lang == "ja" else f"{low} or more"
        unit = next((unit for unit in ("%", "ドル") if low.endswith(unit) and high.endswith(unit)), "")
        first = low.removesuffix(unit) if unit else low
        return f"{first}〜{high}" if self.lang == "ja" else f"{first} to {high}"

    def range(self, low: str, high: str) -> str:
        """The same as a note beside a figure: empty where neither end is known."""
        return "" if low == MISSING == high else self.between(low, high)

    def day(self, iso: str) -> str:
        """A day from its ISO text (2026-11-23, a time after it is dropped); anything else is returned as it is."""
        try:
            day = date.fromisoformat(iso[:10])
        except ValueError:
            return iso
        if self.lang == "ja":
            return f"{day.year}年{day.month}月{day.day}日"
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def dollar_decimals(value: float | None) -> int:
    """How many decimals an amount deserves."""
    if value is None or not math.isfinite(value) or value == 0.0 or abs(value) >= 1000.0:
        return 0
    if abs(value) >= 1.0:
        return 2
    return min(8, 2 - math.floor(math.log10(abs(value))))
