"""Answers at the prices of today, whatever they cost on their day."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from tenbin.pilot.results import Answer, Results
from tenbin.prices import PriceBook


def repriced(results: Results, prices: PriceBook | None) -> Results:
    """The results with the dollars that every answer would be billed at today; as they are without a price book.

    Decisions are made at the prices of the moment, and so savings are told: of dollars of several days no candidate is
    the cheaper one. An answer of a candidate without a price, or without tokens, keeps what was booked for it.
    """
    models = [] if prices is None else [model for model in results.models if model in prices.entries]
    if prices is None or not models:
        return results
    rates, column = prices.rates(models), {model: m for m, model in enumerate(models)}

    def today(answer: Answer) -> Answer:
        usage, m = answer.bought.usage, column.get(answer.bought.model)
        if m is None or not (usage.input_tokens or usage.output_tokens):
            return answer
        return replace(answer, bought=msgspec.structs.replace(answer.bought, cost_usd=rates.bill_usd(m, usage)))

    return replace(results, answers={key: today(answer) for key, answer in results.answers.items()})
