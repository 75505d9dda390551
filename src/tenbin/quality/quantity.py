"""Numbers as people and models write them: separators, fractions, powers of ten, 3万, 2.5 million, 35 %, 1.5 km."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

PERCENT = "ratio"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number as written, and its unit where it is a known one: `dimension`, and `factor` to the base of it."""

    number: float
    dimension: str | None = None
    factor: float = 1.0
    start: int = 0


# Every repetition that may fail at its end has a bound: a long answer must not take for ever.
_ALONE = r"(?!\d|[.,]\d)"
_PAIR = r"(?!(?<=[(\[{])\d+,\d+[)\]}])"
"""Two numbers in brackets, without a blank: a point, an interval, a set."""
_DECIMAL_COMMA = (
    rf"(?<!\d[.,])(?:\d{{1,3}}(?:[. ]\d{{3}}){{1,9}},\d{{1,9}}{_ALONE}|\d{{1,3}}(?:\.\d{{3}}){{2,9}}{_ALONE}"
    rf"|{_PAIR}(?:0,\d{{1,9}}|\d{{1,15}},(?:\d{{1,2}}|\d{{4,9}})){_ALONE})"
)
"""1.234,56 and 1.200.000 and 3,5: what no thousands separator can mean, a comma in front of three digits aside."""
_NUMBER = (
    rf"{_DECIMAL_COMMA}|" r"(?:\d{1,3}(?:,\d{3}){1,9}(?![\d,])|\d{1,3}(?: \d{3}){1,9}(?! ?\d)|\d+)(?:\.\d+)?|\.\d+"
)
# A minus with a space behind it is one at the beginning, in brackets and behind an equals sign; else it is a dash.
_SIGN = r"(?:(?<![\w)\].])[-+]|[▲△]|(?:\A\s?|(?<=[=≈<>({\[$])|(?<=[=≈<>] ))[-+] )?"
_MINUS = ("-", "▲", "△")
"""In front of a number; the triangles are those of Japanese accounts."""
_CURRENCY = r"(?:[$€£¥]\s?)?"
_POWER = r"(?:[eE][-+]?\d{1,3}(?!\w)|\s?(?:x|×|\*|\\times|\\cdot)\s?10\s?(?:\^|\*\*)\s?\{?[-+]?\d{1,3}\}?)"
_KANJI = rf"(?:(?:{_NUMBER})[千百十]?[兆億万]|(?:{_NUMBER})[千百])"
_FOUND = re.compile(
    rf"(?P<sign>{_SIGN}{_CURRENCY})(?:"
    rf"(?P<kanji>{_KANJI}{{1,9}}(?:{_NUMBER})?)"
    rf"|\\[dt]?frac\s?(?:\{{(?P<above>-?(?:{_NUMBER}))\}}|(?P<upper>\d))"
    rf"\s?(?:\{{(?P<below>-?(?:{_NUMBER}))\}}|(?P<lower>\d))"
    r"|(?P<base>\d{1,6})\s?(?:\^|\*\*)\s?(?P<exponent>\{[-+]?\d{1,3}\}|[-+]?\d{1,3}(?![\d.]))"
    rf"|(?P<whole>\d+)\s(?P<top>\d+)/(?P<bottom>\d+)"
    rf"|(?P<plain>{_NUMBER})(?P<power>{_POWER})?(?:\s?/\s?(?P<over>{_NUMBER}))?"
    r")(?P<words>\s?-?(?:hundred|thousand|million|billion|trillion)\b)?"
    r"(?:\s?(?P<unit>%|percent\b|°?[A-Za-zµμ]+\b|[秒分時日週円個人回]間?|キロメートル|メートル|センチ|ミリ|キログラム|グラム|トン|パーセント))?",
    re.IGNORECASE,
)
_BEFORE = re.compile(r"[A-Za-z_.]$")
_IS_DECIMAL_COMMA = re.compile(_DECIMAL_COMMA)
_POWER_OF_TEN = re.compile(r"[-+]?\d+(?=\}?$)")
_KANJI_PART = re.compile(rf"({_NUMBER})([千百十]?)([兆億万]?)")
_SCALES: Mapping[str, float] = MappingProxyType(
    {"": 1.0, "十": 10.0, "百": 1e2, "千": 1e3, "万": 1e4, "億": 1e8, "兆": 1e12}
    | {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
)
_UNITS: Mapping[str, tuple[str, float]] = MappingProxyType(
    {
        spelled: (dimension, factor)
        for dimension, factor, spellings in (
            (PERCENT, 0.01, "% percent パーセント"),
            ("length", 1e3, "km kilometer kilometers kilometre kilometres キロメートル"),
            ("length", 1.0, "m meter meters metre metres メートル"),
            ("length", 1e-2, "cm centimeter centimeters centimetre centimetres センチ"),
            ("length", 1e-3, "mm millimeter millimeters millimetre millimetres ミリ"),
            ("length", 1609.344, "mile miles mi"),
            ("length", 0.3048, "ft foot feet"),
            ("length", 0.0254, "inch inches"),
            ("mass", 1e3, "kg kilogram kilograms キログラム"),
            ("mass", 1.0, "g gram grams グラム"),
            ("mass", 1e-3, "mg milligram milligrams"),
            ("mass", 1e6, "tonne tonnes トン"),
            ("mass", 453.59237, "lb lbs pound pounds"),
            ("time", 1e-3, "ms millisecond milliseconds"),
            ("time", 1.0, "s sec secs second seconds 秒 秒間"),
            ("time", 60.0, "min mins minute minutes 分 分間"),
            ("time", 3600.0, "h hr hrs hour hours 時間"),
            ("time", 86400.0, "day days 日 日間"),
            ("time", 604800.0, "week weeks 週 週間"),
            ("volume", 1.0, "l liter liters litre litres"),
            ("volume", 1e-3, "ml milliliter milliliters millilitre millilitres"),
        )
        for spelled in spellings.split()
    }
)
"""What is converted; a unit that is not here says nothing, and numbers are compared as they stand."""


def quantities(text: str) -> Iterator[Quantity]:
    """The numbers of a plain text (`tenbin.quality.plain`) in order; digits inside words and codes are none.

    >>> [round(found.number, 3) for found in quantities("-1,234.5, 3/4, 1 1/2, 2.5 million, 3万5千, x=1.2e-3")]
    [-1234.5, 0.75, 1.5, 2500000.0, 35000.0, 0.001]
    """
    for found in _FOUND.finditer(text):
        if _BEFORE.search(text, max(found.start() - 1, 0), found.start()):
            continue
        number = _number(found)
        if number is None or not math.isfinite(number):
            continue
        words = (found["words"] or "").strip(" -").lower()
        number *= _SCALES[words] * (-1.0 if found["sign"].lstrip().startswith(_MINUS) else 1.0)
        dimension, factor = _UNITS.get((found["unit"] or "").lower(), (None, 1.0))
        yield Quantity(number, dimension, factor, found.start())


def _number(found: re.Match[str]) -> float | None:
    """The value without sign, words and unit; None for a fraction over 0."""
    if found["kanji"]:
        return sum(
            _float(digits) * _SCALES[small] * _SCALES[large]
            for digits, small, large in _KANJI_PART.findall(found["kanji"])
        )
    above, below = found["above"] or found["upper"], found["below"] or found["lower"]
    if above:
        return _ratio(_float(above), _float(below))
    if found["base"]:
        return _power(int(found["base"]), int(found["exponent"].strip("{}")))
    if found["whole"]:
        part = _ratio(_float(found["top"]), _float(found["bottom"]))
        return None if part is None else _float(found["whole"]) + part
    exponent = _POWER_OF_TEN.search(found["power"] or "")
    number = _float(found["plain"], exponent[0] if exponent else "0")
    return _ratio(number, _float(found["over"])) if found["over"] else number


def _ratio(above: float, below: float) -> float | None:
    return above / below if below else None


def _power(base: int, exponent: int) -> float | None:
    try:
        return float(base) ** exponent
    except (OverflowError, ZeroDivisionError):
        return None


def _float(digits: str, exponent: str = "0") -> float:
    if _IS_DECIMAL_COMMA.fullmatch(digits):
        digits = digits.replace(".", "").replace(",", ".")
    return float(f"{digits.replace(',', '').replace(' ', '')}e{exponent}")
