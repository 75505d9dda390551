"""The verdict in words, English and Japanese; the first sentence is the headline."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tenbin.evaluate.result import VerdictKind
from tenbin.types import Figure

Finding = Literal["gain", "finer", "luck", "nothing", "unknown"]
"""Of the gain over blind mixtures: beyond chance, only above the best single model's quality, within the reach of
chance, not above 0 by its interval, not looked at."""


@dataclass(frozen=True, slots=True)
class Wording:
    """What the sentences are filled with; `ratio` NaN means the point of best quality (mu 0).

    `alone` is the cheapest single model that is about as good as the best, with what it saves and keeps of the
    `reference`; `blind_note` says by language why there is no `blind_saving`; `chance` is the p-value of the gain,
    `limit` what it may be at most; `beyond` so many times the prompts would not tell a small gain from none.
    """

    kind: VerdictKind
    model: str | None
    against: str
    reference: str
    n_more: int | None
    n_test: int
    n_models: int
    finding: Finding
    chance: float
    limit: float
    beyond: int | None
    ratio: float
    saving: Figure
    quality_ratio: Figure
    alone: str
    alone_saving: Figure
    alone_ratio: Figure
    blind_saving: Figure
    blind_note: Mapping[str, str]
    gain: Figure
    gain_log: Figure


def sentences(wording: Wording) -> Mapping[str, tuple[str, ...]]:
    """The verdict's sentences by language."""
    return {"en": tuple(_english(wording)), "ja": tuple(_japanese(wording))}


def _english(w: Wording) -> list[str]:
    if w.kind == "collect":
        said = [f"Collect about {w.n_more:,} more prompts to test on before deciding."]
    elif w.kind == "single":
        said = [f"Just use {w.model}."]
    elif math.isnan(w.ratio):
        said = [
            f"Route: it reaches {_percent(w.quality_ratio)} of {w.against}'s quality at {_cost(w.saving)} its cost."
        ]
    else:
        said = [
            f"Route: it saves {_percent(w.saving)} of the cost of {w.against} at {_percent(w.quality_ratio)} of its "
            f"quality ({w.ratio:.0%} was asked for)."
        ]
    if w.kind == "route" and not math.isnan(w.blind_saving.value):
        said.append(f"Mixing models without reading the prompts would save {_percent(w.blind_saving)} at that quality.")
    elif "en" in w.blind_note:
        said.append(w.blind_note["en"])
    if w.kind == "route" and w.alone != w.against:
        said.append(_alone(w))
    if w.n_models > 1 and w.kind != "route":
        said += [*_compared(w), *_finding(w)]
    elif w.finding == "finer":
        said.append(
            "That gain costs more than the best single model; up to its dollars, where AIQ looks, none is sure."
        )
    if w.n_models > 1 and not math.isnan(w.gain.low):
        said.append(
            f"Over blind mixtures of single models the gain in mean quality is {_signed(w.gain)} (AIQ) and "
            f"{_signed(w.gain_log)} (AIQ-log) on {w.n_test:,} unseen prompts."
        )
    elif w.n_models > 1:
        said.append(f"Only {w.n_test:,} unseen prompts were there to test on.")
    return said


def _alone(w: Wording) -> str:
    """What one model would do instead, held against the same model as routing is."""
    if w.alone_saving.value >= 0.0:
        return (
            f"Just using {w.alone} would save {_percent(w.alone_saving)} of the cost of {w.against} at "
            f"{_percent(w.alone_ratio)} of its quality."
        )
    ratio = _percent(w.alone_ratio)
    return f"Just using {w.alone} would reach {ratio} of {w.against}'s quality at {_cost(w.alone_saving)} its cost."


def _compared(w: Wording) -> list[str]:
    """What the one model to use is beside the best one on the test queries, and beside the router's reference."""
    said = []
    if w.kind == "single" and w.model != w.against:
        said.append(
            f"It has {_percent(w.quality_ratio)} of the quality of {w.against} and saves {_percent(w.saving)} "
            "of its cost."
        )
    if w.kind == "single" and w.reference not in (w.model, w.against):
        said.append(
            f"It has {_percent(w.alone_ratio)} of the quality of {w.reference}, the router's reference, at "
            f"{_cost(w.alone_saving)} its cost."
        )
    return said


def _finding(w: Wording) -> list[str]:
    """What the gain is worth where it is no reason to route."""
    match w.finding:
        case "nothing" if w.kind == "single":
            return [
                "The prompts say nothing about which model to use: choosing per prompt is no better than mixing."
                if w.beyond is None
                else f"The prompts say nothing about which model to use, as far as {w.n_test:,} of them can tell: to "
                f"see a small gain from choosing per prompt would take more than {w.beyond} times as many."
            ]
        case "nothing":
            return ["So far the prompts say nothing certain about which model to use."]
        case "luck" if w.kind == "single":
            return [
                "The prompts say nothing about which model to use: the same choices, dealt out at random, gain as much "
                f"with a chance of {w.chance:.1%}."
            ]
        case "luck":
            return [
                f"The gain could still be luck: the same choices, dealt out to the prompts at random, reach it with a "
                f"chance of {w.chance:.1%} (at most {w.limit:.0%} is asked for)."
            ]
        case "gain" | "finer":
            return ["The prompts say something, but no promise was kept at a saving that no single model matches."]
    return []


def _japanese(w: Wording) -> list[str]:
    if w.kind == "collect":
        said = [f"判断の前に、検証用のプロンプトをあと約{w.n_more:,}件集めてください。"]
    elif w.kind == "single":
        said = [f"{w.model} だけを使えば十分です。"]
    elif math.isnan(w.ratio):
        said = [
            f"ルーティングは有効です。{w.against} の{_percent_ja(w.quality_ratio)}の品質を、"
            f"{_cost_ja(w.saving)}の費用で達成します。"
        ]
    else:
        said = [
            f"ルーティングは有効です。{w.against} の{_percent_ja(w.quality_ratio)}の品質（目標{w.ratio:.0%}）で、"
            f"費用を{_percent_ja(w.saving)}削減します。"
        ]
    if w.kind == "route" and not math.isnan(w.blind_saving.value):
        said.append(f"プロンプトを読まずに混ぜるだけなら、同じ品質での削減は{_percent_ja(w.blind_saving)}です。")
    elif "ja" in w.blind_note:
        said.append(w.blind_note["ja"])
    if w.kind == "route" and w.alone != w.against:
        said.append(_alone_ja(w))
    if w.n_models > 1 and w.kind != "route":
        said += [*_compared_ja(w), *_finding_ja(w)]
    elif w.finding == "finer":
        said.append(
            "この品質には、最良の単独モデルより高い費用がかかります。"
            "AIQ が対象とするそれ以下の費用では、確かな差はありません。"
        )
    if w.n_models > 1 and not math.isnan(w.gain.low):
        said.append(
            f"単独モデルを無作為に混ぜた場合に対する平均品質の差は、未学習の{w.n_test:,}件で"
            f"AIQ {_signed_ja(w.gain)}、AIQ-log {_signed_ja(w.gain_log)}です。"
        )
    elif w.n_models > 1:
        said.append(f"検証に使えた未学習のプロンプトは{w.n_test:,}件だけでした。")
    return said


def _alone_ja(w: Wording) -> str:
    if w.alone_saving.value >= 0.0:
        return (
            f"{w.alone} だけを使う場合は、{w.against} の{_percent_ja(w.alone_ratio)}の品質で"
            f"費用を{_percent_ja(w.alone_saving)}削減します。"
        )
    return (
        f"{w.alone} だけを使う場合は、{w.against} の{_percent_ja(w.alone_ratio)}の品質に、"
        f"{_cost_ja(w.alone_saving)}の費用がかかります。"
    )


def _compared_ja(w: Wording) -> list[str]:
    said = []
    if w.kind == "single" and w.model != w.against:
        said.append(f"{w.against} の{_percent_ja(w.quality_ratio)}の品質で、費用を{_percent_ja(w.saving)}削減します。")
    if w.kind == "single" and w.reference not in (w.model, w.against):
        said.append(
            f"ルーターの基準モデル {w.reference} と比べると、品質は{_percent_ja(w.alone_ratio)}、"
            f"費用は{_cost_ja(w.alone_saving)}です。"
        )
    return said


def _finding_ja(w: Wording) -> list[str]:
    match w.finding:
        case "nothing" if w.kind == "single":
            return [
                "プロンプトからは、どのモデルを使うべきか分かりません。個別に選んでも、混ぜて使うのと変わりません。"
                if w.beyond is None
                else f"この{w.n_test:,}件のプロンプトからは、どのモデルを使うべきか分かりません。個別に選ぶ場合の"
                f"小さな差を見分けるには、この{w.beyond}倍を超える件数が必要です。"
            ]
        case "nothing":
            return ["今のところ、どのモデルを使うべきかについて、プロンプトから確かなことは言えません。"]
        case "luck" if w.kind == "single":
            return [
                "プロンプトからは、どのモデルを使うべきか分かりません。同じ選択をプロンプトに無作為に割り当てても、"
                f"{w.chance:.1%}の確率で同じ差が出ます。"
            ]
        case "luck":
            return [
                f"この差は、まだ偶然かもしれません。同じ選択をプロンプトに無作為に割り当てても、{w.chance:.1%}の確率で"
                f"同じ差が出ます（基準は{w.limit:.0%}以下）。"
            ]
        case "gain" | "finer":
            return [
                "プロンプトに手がかりはありますが、約束を守りながら、単独モデルより有利に費用を削減できる設定がありません。"
            ]
    return []


def _percent(f: Figure) -> str:
    return f"{f.value:.1%}" + (f" [{between}]" if (between := _between(f)) else "")


def _percent_ja(f: Figure) -> str:
    return f"{f.value:.1%}" + (f"（95%信頼区間 {between}）" if (between := _between_ja(f)) else "")


def _between(f: Figure) -> str:
    """The interval; an end that is not known is left open, and not the figure shown as certain."""
    if math.isnan(f.low):
        return "" if math.isnan(f.high) else f"up to {f.high:.1%}"
    return f"{f.low:.1%} or more" if math.isnan(f.high) else f"{f.low:.1%}, {f.high:.1%}"


def _between_ja(f: Figure) -> str:
    if math.isnan(f.low):
        return "" if math.isnan(f.high) else f"最大{f.high:.1%}"
    return f"{f.low:.1%}以上" if math.isnan(f.high) else f"{f.low:.1%}〜{f.high:.1%}"


def _cost(saving: Figure) -> str:
    return "an unknown share of" if math.isnan(saving.value) else f"{1.0 - saving.value:.2f} times"


def _cost_ja(saving: Figure) -> str:
    return "不明な割合" if math.isnan(saving.value) else f"{1.0 - saving.value:.2f}倍"


def _signed(f: Figure) -> str:
    return f"{f.value:+.4f} [{f.low:+.4f}, {f.high:+.4f}]"


def _signed_ja(f: Figure) -> str:
    return f"{f.value:+.4f}（95%信頼区間 {f.low:+.4f}〜{f.high:+.4f}）"
