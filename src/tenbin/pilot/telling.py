"""A status as it is told in one language, on a terminal and on its page: figures written out, sentences filled in."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tenbin.evaluate.verdict import LEAST_TEST
from tenbin.pilot.believed import LEAST_LABELS
from tenbin.pilot.field import LEAST_PROMPTS
from tenbin.pilot.measure import KEPT, single_of
from tenbin.pilot.status import Proof, Status
from tenbin.pilot.tally import CandidateTally
from tenbin.pilot.verdict import SURE, WORTH, yearly_usd
from tenbin.report.catalogue import Catalogue, load_catalogue
from tenbin.report.numbers import MISSING, Numbers
from tenbin.types import Figure

TEXTS = "tenbin.pilot.texts"
FINE = 200
"""From this many prompts on a percentage gets a decimal: before, it would only pretend to be known."""
FEW = 50


@dataclass(frozen=True, slots=True)
class Telling:
    """One status, the words and the numbers of one language."""

    status: Status
    words: Catalogue
    numbers: Numbers

    @classmethod
    def of(cls, status: Status, lang: str) -> Telling:
        """The telling in "en" or "ja" (UsageError for another language)."""
        return cls(status, load_catalogue(lang, TEXTS), Numbers(lang))

    def share(self, figure: Figure, *, n: int | None = None) -> str:
        """A share and its interval, with no more digits than n prompts (those of the field) bear."""
        value = self.percent(figure.value, n)
        if value == MISSING or not (math.isfinite(figure.low) or math.isfinite(figure.high)):
            return value
        return f"{value} [{self.percent(figure.low, n)}, {self.percent(figure.high, n)}]"

    def interval(self, found: Figure) -> str:
        """A mean of few labels and its interval, in whole percentages."""
        return self.share(found, n=0)

    def percent(self, value: float, n: int | None = None) -> str:
        """A share with no more digits than n prompts (those of the field) bear."""
        return self.numbers.percent(value, 1 if (self.status.n_measured if n is None else n) >= FINE else 0)

    def points(self, figure: Figure) -> str:
        """A difference of qualities in points, and its interval."""
        value, low, high = (self.numbers.points(v) for v in _ends(figure))
        return value if low == MISSING else f"{value} [{low}, {high}]"

    @property
    def kept(self) -> str:
        """The target as a percentage."""
        return self.numbers.percent(KEPT, 0)

    def headline(self) -> str:
        """The verdict in one sentence."""
        status, words, verdict = self.status, self.words, self.status.verdict
        usd = self.numbers.usd(verdict.usd)
        stage = self.numbers.plain(verdict.stage)
        if verdict.kind in ("run", "check"):
            left, reference = self.numbers.plain(status.tally.left), status.settings.reference
            return words(f"verdict.{verdict.reason}", stage=stage, left=left, usd=usd, reference=reference)
        if verdict.kind == "buy":
            return words("verdict.nothing" if verdict.reason == "no_answers" else "verdict.buy", stage=stage, usd=usd)
        if verdict.kind == "live" and status.proof is not None:
            finest = math.isnan(status.proof.ratio)
            return words("verdict.live_finest" if finest else "verdict.live", **self.proved(status.proof))
        if verdict.kind == "prompts":
            return words("verdict.prompts", n=self.numbers.plain(sum(status.prompts.values())))
        model = verdict.model or status.settings.reference
        if verdict.reason == "no_money":
            left = self.numbers.usd(max(status.budget_left_usd, 0.0))
            return words("verdict.no_money", model=model, stage=stage, usd=usd, left=left)
        return words("verdict.single", model=model)

    def reasons(self) -> list[str]:
        """Why, and what to do meanwhile."""
        status, words = self.status, self.words
        said = [*self._evidence(), *self._following(), *self._meanwhile()]
        if status.singles and status.n_measured < FEW:
            said.append(words("why.few", n=self.numbers.plain(status.n_measured)))
        return said

    def _evidence(self) -> list[str]:
        """What the hold-out says where it says anything, else what the training prompts say."""
        status, words, proof = self.status, self.words, self.status.proof
        if status.verdict.kind == "check":
            return []
        if proof is None:
            return [self._beyond()] if status.singles else []
        said = words("why.proof_finest" if math.isnan(proof.ratio) else "why.proof", **self.proved(proof))
        open_still = [words("why.undecided_proof")] if proof.kind == "collect" else []
        # The headline and what is said above stand first in those of "route"; the last is the gain over blind mixtures.
        further = proof.sentences[words.lang][-1:] if proof.kind == "route" else proof.sentences[words.lang][1:]
        return [said, *further, *open_still]

    def _beyond(self) -> str:
        """What reading the prompts adds, and whether that is worth another stage."""
        status, words, numbers = self.status, self.words, self.numbers
        saving, reference = status.saving, status.settings.reference
        least = numbers.plain(LEAST_TEST)
        if saving is None:
            return words("why.too_few", n=numbers.plain(status.n_measured), least=least)
        beyond = self.share(saving.beyond)
        if saving.beyond.high < WORTH:
            worth = numbers.percent(WORTH, 0)
            said = words("why.nothing_left", beyond=beyond, reference=reference, worth=worth)
            if status.verdict.reason != "unsure":
                return said
            unsure = words("why.unsure", model=str(status.verdict.model), sure=numbers.percent(SURE, 0))
            return f"{said} {unsure}" if words.lang == "en" else f"{said}{unsure}"
        if status.verdict.reason == "not_worth":
            per_day = status.settings.queries_per_day or 0.0
            yearly = yearly_usd(saving.beyond, single_of(status.singles, reference), per_day)
            return words("why.not_worth", queries=numbers.plain(per_day), yearly=numbers.usd(yearly))
        if saving.beyond.low > 0.0:
            return words("why.unproven", kept=self.kept, reference=reference, beyond=beyond, least=least)
        return words("why.undecided", kept=self.kept, reference=reference, beyond=beyond)

    def _following(self) -> list[str]:
        """What the next stage would buy, where that is what to do."""
        stage, numbers = self.status.next_stage, self.numbers
        if stage is None or self.status.verdict.kind != "buy":
            return []
        return [
            self.words(
                "why.next",
                pairs=numbers.plain(stage.pairs),
                prompts=numbers.plain(stage.prompts),
                held_out=numbers.plain(stage.held_out),
                low=numbers.usd(stage.low_usd),
                high=numbers.usd(stage.high_usd),
            )
        ]

    def _meanwhile(self) -> list[str]:
        """How the single candidate does that is to be used now."""
        status, words, verdict = self.status, self.words, self.status.verdict
        reference = status.settings.reference
        single = single_of(status.singles, verdict.model)
        if single is None or verdict.kind == "live":
            return []
        ratio, saving = self.share(single.quality_ratio), self.share(single.saving)
        if single.model == reference:
            return [words("why.reference", reference=reference, kept=self.kept)] if verdict.kind != "single" else []
        if verdict.kind == "single":
            return [words("why.single", ratio=ratio, reference=reference, saving=saving)]
        return [words("why.best", model=single.model, ratio=ratio, reference=reference, saving=saving)]

    def scope(self) -> str:
        """What the pilot is about and how far it is."""
        status, numbers = self.status, self.numbers
        return self.words(
            "page.scope",
            profile=status.settings.profile,
            metric=status.metric,
            reference=status.settings.reference,
            asked=numbers.plain(status.asked),
            prompts=numbers.plain(sum(status.prompts.values())),
            spent=numbers.usd(status.tally.spent_usd),
            budget=numbers.usd(status.settings.budget_usd),
        )

    def reference_usd(self) -> float:
        """What the reference costs per query; NaN where it has too few answers."""
        reference = single_of(self.status.singles, self.status.settings.reference)
        return math.nan if reference is None else reference.cost_usd.value

    def grades(self) -> list[str]:
        """How far the grades are to be believed, in sentences; empty where nothing calls for any."""
        check, words, numbers = self.status.judge, self.words, self.numbers
        said = []
        if check.n_labels:
            every = check.agreement[0]
            many = words("judge.many_people", n=numbers.plain(check.n_people))
            people = words("judge.one_person") if check.n_people == 1 else many
            said.append(
                words(
                    "judge.people",
                    n=numbers.plain(check.n_labels),
                    people=people,
                    same=numbers.percent(every.same, 0),
                    kappa=numbers.plain(every.kappa.value, 2),
                    bias=self.points(every.bias),
                )
            )
            least = numbers.plain(LEAST_LABELS)
            said.append(words("judge.applied") if check.is_applied else words("judge.too_few", least=least))
        elif self.status.is_judged:
            said.append(words("judge.none", name=self.status.name))
        if math.isfinite(check.noise.label_sd.value):
            label, grading = check.noise.label_sd.value, check.noise.grading_sd.value
            said.append(words("judge.noise", label=numbers.plain(label, 2), grading=numbers.plain(grading, 2)))
        elif said:
            said.append(words("judge.no_noise"))
        return said

    def head_room(self) -> str:
        """What a perfect router could add, or why that cannot be known, in one sentence."""
        found, words = self.status.head_room, self.words
        if found.value is None:
            why = words(f"room.{found.reason}", n=self.numbers.plain(found.n_repeats))
            return words("room.unknown", reason=why)
        return words("room.value", room=self.points(found.value), n=self.numbers.plain(found.n_repeats))

    def payback(self) -> str:
        """The payback in one sentence; empty where no saving is known."""
        found, numbers = self.status.payback, self.numbers
        if found is None:
            return ""
        spent = numbers.usd(found.spent_usd)
        if not math.isfinite(found.queries.value):
            return self.words("payback.never", spent=spent, kept=self.kept)
        days = ""
        if math.isfinite(found.days.value):
            per_day = numbers.plain(self.status.settings.queries_per_day)
            days = self.words("payback.in_days", days=self.span(found.days, 1), per_day=per_day)
        return self.words("payback.line", spent=spent, kept=self.kept, queries=self.span(found.queries), days=days)

    def span(self, figure: Figure, decimals: int = 0) -> str:
        """A count and its interval; an end without bound is left open."""
        value, low, high = (self.count(v, decimals) for v in _ends(figure))
        return f"{value} [{low}, {high}]"

    def within(self, figure: Figure, decimals: int = 0) -> str:
        """The interval of a count as a range; empty where neither end has a bound."""
        return self.numbers.range(self.count(figure.low, decimals), self.count(figure.high, decimals))

    def share_within(self, figure: Figure, n: int | None = None) -> str:
        """The interval of a share as a range; empty where neither end is known."""
        return self.numbers.range(self.percent(figure.low, n), self.percent(figure.high, n))

    def count(self, value: float, decimals: int = 0) -> str:
        """A large number to two digits that count: more would only pretend to be known."""
        return self.numbers.plain(float(f"{value:.2g}") if math.isfinite(value) else value, decimals)

    def pace(self) -> str:
        """The forecast in one sentence; empty where there is none."""
        forecast = self.status.pace.forecast
        if forecast is None:
            return ""
        today = self.status.pace.points[-1]
        now = max(today.saving.high - today.saving.value, today.saving.value - today.saving.low)
        said = {
            "usd": self.numbers.usd(forecast.spent_usd - today.spent_usd),
            "half": self.numbers.points_of(forecast.half_width, 0),
            "now": self.numbers.points_of(now, 0),
        }
        if forecast.is_trend:
            return self.words("pace.trend", saving=self.share(forecast.saving), **said)
        return self.words("pace.flat", **said)

    def proof(self) -> str:
        """What the hold-out says, in one sentence; empty where it says nothing yet."""
        proof = self.status.proof
        if proof is None:
            return ""
        if math.isnan(proof.ratio):
            return self.words("found.proof_finest", **self.proved(proof))
        word = self.words("found.kept_word" if proof.kept else "found.missed_word")
        return self.words("found.proof", word=word, **self.proved(proof))

    def proved(self, proof: Proof) -> dict[str, str]:
        """What the sentences on the hold-out are filled with."""
        return {
            "n": self.numbers.plain(proof.n_prompts),
            "saving": self.share(proof.saving, n=proof.n_prompts),
            "times": self.numbers.plain(1.0 - proof.saving.value, 2),
            "ratio": self.share(proof.quality_ratio, n=proof.n_prompts),
            "reference": self.status.settings.reference,
            "kept": self.numbers.percent(proof.ratio, 0),
        }

    def spending(self) -> str:
        """What was spent on what, in one sentence."""
        counted, numbers = self.status.tally, self.numbers
        unknown = ""
        if counted.unknown_calls:
            unknown = self.words("bought.unknown", usd=numbers.usd(counted.unknown_usd))
        return self.words(
            "bought.spent",
            spent=numbers.usd(counted.spent_usd),
            budget=numbers.usd(self.status.settings.budget_usd),
            answers=numbers.usd(sum(one.answers_usd for one in counted.candidates)),
            grading=numbers.usd(sum(one.grading_usd for one in counted.candidates)),
            failures=numbers.usd(sum(one.failures_usd for one in counted.candidates)),
            unknown=unknown,
        )

    def oddities(self) -> list[str]:
        """Everything that went wrong, one sentence each; empty where nothing did."""
        counted, words = self.status.tally, self.words
        said = []
        metric, other = self.status.metric, self.status.other_metric
        if other is not None:
            said.append(words("odd.other_metric", metric=metric, other=other, name=self.status.name))
        if counted.unknown_calls:
            n, usd = self.numbers.plain(counted.unknown_calls), self.numbers.usd(counted.unknown_usd)
            said.append(words("odd.unknown", n=n, usd=usd))
        for one in counted.candidates:
            said += self._oddities_of(one)
        return [
            *said,
            *(
                words("odd.note", model=note.model, n=self.numbers.plain(note.times), note=note.text)
                for note in counted.notes
                if note.text
            ),
        ]

    def _oddities_of(self, one: CandidateTally) -> list[str]:
        words, plain = self.words, self.numbers.plain
        kinds = ", ".join(f"{kind} {plain(times)}" for kind, times in one.failures.items())
        said = []
        if one.only_fails:
            said.append(words("odd.only_fails", model=one.model, kinds=kinds))
        elif one.failures:
            n = plain(sum(one.failures.values()))
            said.append(words("odd.failures", model=one.model, n=n, kinds=kinds))
        if one.is_down:
            said.append(words("odd.down", model=one.model, n=plain(one.planned - one.bought - one.given_up)))
        counts = (
            ("odd.given_up", one.given_up),
            ("odd.refusals", one.refusals),
            ("odd.empty", one.empty),
            ("odd.cut_off", one.cut_off),
            ("odd.not_told", one.not_told),
            ("odd.ungraded", one.ungraded),
        )
        return said + [words(key, model=one.model, n=plain(times)) for key, times in counts if times]

    def unmeasured(self) -> str:
        """Why a table of savings, or even of candidates, is not there yet; empty where both are."""
        n, words = self.numbers.plain(self.status.n_measured), self.words
        if not self.status.singles:
            return words("singles.none", least=self.numbers.plain(LEAST_PROMPTS))
        return "" if self.status.savings else words("found.none", n=n, least=self.numbers.plain(LEAST_TEST))


def _ends(figure: Figure) -> tuple[float, float, float]:
    return figure.value, figure.low, figure.high
