"""How a prompt was typed and dressed: the share of decisions that stay the same under noise that changes no meaning.

    python runs/paraphrases.py OUTCOMES PRICES [--rows 2500] [--prompts 400] [--min-quality 0.97]

Fits on random rows, routes other prompts as they are and with noise (two typing errors, case, white space, quotes and
dashes, a polite frame around the prompt), at the trade-off of the dial. Prints one JSON document: for each kind of
noise the share of equal decisions with its standard error, Cohen's kappa beside it (one candidate that is nearly always
chosen agrees with itself), the shares of strangers and of new texts, and under `served` the share of equal decisions
where a stranger budget that does not end sends strangers, and new subjects, to the reference.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np

from tenbin.outcomes import read_outcomes
from tenbin.prices import PriceBook
from tenbin.router.dials import Dial
from tenbin.router.fit import FitSettings, fit
from tenbin.router.new_subject import is_new
from tenbin.strangers import STRANGER

FRAMES = (
    ("Please answer the following. ", ""),
    ("Could you help me with this question? ", " Thank you!"),
    ("", "\n\nPlease explain your answer."),
    ("I have a question: ", ""),
)


def main() -> None:
    arguments = parser().parse_args()
    panel = replace(read_outcomes(arguments.outcomes), split=None)
    order = np.random.default_rng(0).permutation(len(panel))
    inside, outside = np.sort(order[: arguments.rows]), order[arguments.rows :][: arguments.prompts]
    settings = FitSettings(embedder=arguments.embedder, groups=False, learning_curve=False)
    router = fit(panel.take(inside), PriceBook.load(arguments.prices), settings)
    trade_off = router.turn(Dial(min_quality=arguments.min_quality))
    queries = [panel.queries[i] for i in outside]
    plain = router.route(queries, [trade_off])
    plain_served = router.route(queries, [trade_off], stranger_budget_usd=np.inf)
    noises = {}
    for name, noise in NOISES.items():
        draw = Random(name)  # noqa: S311 (noise, no secret)
        dressed = [replace(q, prompt=noise(q.prompt, draw)) for q in queries]
        noisy = router.route(dressed, [trade_off])
        served = router.route(dressed, [trade_off], stranger_budget_usd=np.inf)
        noises[name] = agreement(plain.chosen[0], noisy.chosen[0], len(router.models)) | {
            **odd(router, dressed, noisy.estimates),
            "served": agreement(plain_served.chosen[0], served.chosen[0], len(router.models)),
        }
    shares = np.bincount(plain.chosen[0], minlength=len(router.models)) / len(queries)
    document = {
        "data_hash": panel.data_hash,
        "rows": arguments.rows,
        "prompts": len(queries),
        "mu": trade_off.mu,
        **odd(router, queries, plain.estimates),
        "shares": {name: float(share) for name, share in zip(router.models, shares, strict=True) if share},
        "noise": noises,
    }
    json.dump(document, sys.stdout, indent=1)
    print()


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("outcomes", type=Path)
    made.add_argument("prices", type=Path)
    made.add_argument("--rows", type=int, default=2_500)
    made.add_argument("--prompts", type=int, default=400)
    made.add_argument("--min-quality", type=float, default=0.97)
    made.add_argument("--embedder", default="base")
    return made


def odd(router, queries: list, estimates) -> dict[str, float]:
    """The shares of strangers and of new texts."""
    new = is_new(router.estimate(router.features(queries)).novelty)
    return {"strangers": float((estimates.likeness <= STRANGER).mean()), "new_texts": float(np.mean(new))}


def agreement(before: np.ndarray, after: np.ndarray, models: int) -> dict[str, float]:
    """The share of equal decisions, its standard error, and Cohen's kappa."""
    same = before == after
    shares = [np.bincount(chosen, minlength=models) / len(chosen) for chosen in (before, after)]
    chance = float((shares[0] * shares[1]).sum())
    kappa = (same.mean() - chance) / (1.0 - chance) if chance < 1.0 else 1.0
    return {
        "same": float(same.mean()),
        "se": float(same.std() / np.sqrt(len(same))),
        "kappa": float(kappa),
    }


def typed_badly(text: str, draw: Random) -> str:
    """Two letters are swapped with their neighbours."""
    letters = list(text)
    for _ in range(2):
        i = draw.randrange(max(len(letters) - 1, 1))
        letters[i : i + 2] = reversed(letters[i : i + 2])
    return "".join(letters)


def in_other_quotes(text: str, _draw: Random) -> str:
    """Curly quotes and long dashes."""
    return text.replace("'", "’").replace('"', "”").replace(" - ", " — ")


def spaced(text: str, draw: Random) -> str:
    """Spaces doubled here and there, blank lines between lines, and around the whole."""
    words = "".join(letter * 2 if letter == " " and draw.random() < 0.3 else letter for letter in text)
    return f"\n  {words.replace(chr(10), chr(10) * 2)} \n"


def framed(text: str, draw: Random) -> str:
    """A polite frame."""
    before, after = draw.choice(FRAMES)
    return before + text + after


NOISES = {
    "typing errors": typed_badly,
    "upper case": lambda text, _draw: text.upper(),
    "lower case": lambda text, _draw: text.lower(),
    "white space": spaced,
    "quotes": in_other_quotes,
    "frame": framed,
}


if __name__ == "__main__":
    main()
