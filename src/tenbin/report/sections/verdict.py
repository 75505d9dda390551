"""The top of the page: the verdict in words, with its figures before it says anything else."""

from __future__ import annotations

import math
import re

from tenbin.report.edition import Edition
from tenbin.report.markup import Markup, el, join, name
from tenbin.report.sections.part import fact
from tenbin.types import Figure

INTERVAL = re.compile(r"(\[(?=[^\[\]]*(?:, |up to | or more))[^\[\]]*\d[^\[\]]*\]|[(（][^()（）]*区間[^()（）]*[)）])")
"""An interval as the verdict writes it; a name in brackets is none."""


def verdict(edition: Edition, title: str) -> Markup:
    """Masthead, headline, the figures it rests on, and the sentences that follow."""
    found = edition.evaluation.verdict
    sentences = found.sentences.get(edition.words.lang) or found.sentences.get("en") or ("",)
    return el(
        "header",
        masthead(title, sentences[0]),
        el("dl", *_facts(edition), class_="facts"),
        el("div", *(el("p", sentence) for sentence in sentences[1:]), class_="prose"),
        _scope(edition),
        class_=f"verdict {found.kind}",
    )


def masthead(title: str, sentence: str) -> Markup:
    """Whose page it is, what it is about, and its headline, intervals set small so that the figures stand out."""
    pieces = INTERVAL.split(sentence)
    headline = join(*(el("span", piece, class_="ci") if k % 2 else piece for k, piece in enumerate(pieces)))
    return join(
        el("p", el("span", "天秤", class_="mark", lang="ja"), el("span", "Tenbin"), class_="brand"),
        el("p", title, class_="eyebrow"),
        el("h1", headline),
    )


def _facts(edition: Edition) -> list[Markup]:
    found, reference = edition.evaluation.verdict, edition.evaluation.reference
    is_compared = found.kind == "route" or (found.kind == "single" and found.model != reference)
    if is_compared and found.saving.value < 0.0:
        facts = _dearer(edition)
    elif is_compared and math.isfinite(found.saving.value):
        facts = _cheaper(edition)
    else:
        facts = _alone(edition)
    gain = next((d.aiq_log for d in edition.evaluation.differences if d.baseline == "z_test"), None)
    if gain is not None:
        facts.append(_points(edition, gain))
    return facts


def _cheaper(edition: Edition) -> list[Markup]:
    """What is saved and what quality is kept, both against the reference."""
    found, facts = edition.evaluation.verdict, []
    for key, figure in (("saving", found.saving), ("kept", found.quality_ratio)):
        value, interval = edition.share_of(figure)
        label = edition.words(f"verdict.{key}", reference=edition.evaluation.reference)
        facts.append(fact(value, label, _within(edition, interval)))
    return facts


def _dearer(edition: Edition) -> list[Markup]:
    """What quality is reached for more than the reference costs, and how many times as much."""
    found, reference, plain = edition.evaluation.verdict, edition.evaluation.reference, edition.numbers.plain
    value, interval = edition.share_of(found.quality_ratio)
    low, high = (plain(1.0 - end, 2) for end in (found.saving.high, found.saving.low))
    return [
        fact(value, edition.words("verdict.reached", reference=reference), _within(edition, interval)),
        fact(
            edition.words("verdict.multiple", n=plain(1.0 - found.saving.value, 2)),
            edition.words("verdict.times_cost", reference=reference),
            _within(edition, edition.numbers.range(low, high)),
        ),
    ]


def _alone(edition: Edition) -> list[Markup]:
    """What one model gives, and how many prompts are missing where the evidence does not suffice."""
    found, words, numbers = edition.evaluation.verdict, edition.words, edition.numbers
    facts: list[Markup] = []
    if found.n_more is not None:
        facts.append(fact(numbers.plain(found.n_more), words("verdict.more")))
    model = edition.single(found.model) if found.model in edition.evaluation.models else edition.best
    value, interval = edition.share_of(model.quality)
    facts.append(fact(value, words("verdict.model_quality", model=model.model), _within(edition, interval)))
    facts.append(fact(numbers.per_thousand_usd(model.cost_usd.value), words("verdict.model_cost", model=model.model)))
    return facts


def _points(edition: Edition, gain: Figure) -> Markup:
    interval = edition.numbers.range(edition.numbers.points(gain.low), edition.numbers.points(gain.high))
    return fact(edition.numbers.points(gain.value), edition.words("verdict.gain"), _within(edition, interval))


def _within(edition: Edition, interval: str) -> str:
    return edition.words("verdict.interval", interval=interval) if interval else ""


def _scope(edition: Edition) -> Markup:
    data = edition.evaluation.data
    key = "verdict.queries" if data.n_clusters == data.n_test else "verdict.alike"
    sentence = edition.words(
        "verdict.scope",
        test=edition.words(key, n=edition.numbers.plain(data.n_test), units=edition.numbers.plain(data.n_clusters)),
        train=edition.numbers.plain(data.n_train),
        models=str(len(edition.evaluation.models)),
        level=edition.numbers.percent(edition.evaluation.level, 0),
    )
    basis = join(edition.words("verdict.best_is"), name(edition.best.model), edition.words("sign.stop"))
    return el("p", sentence, edition.words.between_sentences, basis, class_="scope")
