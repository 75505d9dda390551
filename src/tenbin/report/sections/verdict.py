"""The top of the page: the verdict in words, with its figures before it says anything else."""

from __future__ import annotations

import math

from tenbin.report.edition import Edition
from tenbin.report.markup import Markup, el, join, name
from tenbin.report.sections.part import fact


def verdict(edition: Edition, title: str) -> Markup:
    """Masthead, headline, the figures it rests on, and the sentences that follow."""
    found = edition.evaluation.verdict
    sentences = found.sentences.get(edition.words.lang) or found.sentences.get("en") or ("",)
    return el(
        "header",
        el("p", el("span", "天秤", class_="mark", lang="ja"), el("span", "Tenbin"), class_="brand"),
        el("p", title, class_="eyebrow"),
        el("h1", sentences[0]),
        el("dl", *_facts(edition), class_="facts"),
        el("div", *(el("p", sentence) for sentence in sentences[1:]), class_="prose"),
        _scope(edition),
        class_=f"verdict {found.kind}",
    )


def _facts(edition: Edition) -> list[Markup]:
    found, words, numbers = edition.evaluation.verdict, edition.words, edition.numbers
    facts: list[Markup] = []
    if found.kind == "route" and math.isfinite(found.saving.value):
        value, interval = edition.share_of(found.saving)
        facts.append(
            fact(value, words("verdict.saving", reference=edition.evaluation.reference), _within(edition, interval))
        )
        value, interval = edition.share_of(found.quality_ratio)
        facts.append(
            fact(value, words("verdict.kept", reference=edition.evaluation.reference), _within(edition, interval))
        )
    else:
        if found.kind == "collect" and found.n_more is not None:
            facts.append(fact(numbers.plain(found.n_more), words("verdict.more")))
        model = edition.single(found.model) if found.model in edition.evaluation.models else edition.best
        value, interval = edition.share_of(model.quality)
        facts.append(fact(value, words("verdict.model_quality", model=model.model), _within(edition, interval)))
        facts.append(
            fact(numbers.per_thousand_usd(model.cost_usd.value), words("verdict.model_cost", model=model.model))
        )
    gain = next((d.aiq_log for d in edition.evaluation.differences if d.baseline == "z_test"), None)
    if gain is not None:
        interval = numbers.between(numbers.points(gain.low), numbers.points(gain.high))
        facts.append(fact(numbers.points(gain.value), words("verdict.gain"), _within(edition, interval)))
    return facts


def _within(edition: Edition, interval: str) -> str:
    return edition.words("verdict.interval", interval=interval) if interval != "–" else ""


def _scope(edition: Edition) -> Markup:
    data = edition.evaluation.data
    sentence = edition.words(
        "verdict.scope",
        test=edition.numbers.plain(data.n_test),
        train=edition.numbers.plain(data.n_train),
        models=str(len(edition.evaluation.models)),
        level=edition.numbers.percent(edition.evaluation.level, 0),
    )
    basis = join(edition.words("verdict.best_is"), name(edition.best.model), edition.words("sign.stop"))
    return el("p", sentence, " ", basis, class_="scope")
