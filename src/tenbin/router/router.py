"""Embed, estimate, price, decide: the fitted router."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tenbin.artifact import (
    CARD,
    PRICES,
    Manifest,
    read_calibration,
    read_manifest,
    write_artifact,
    write_calibration,
)
from tenbin.errors import UsageError
from tenbin.policy import listed
from tenbin.prices import PriceBook
from tenbin.reasons import Reason
from tenbin.risk import Anchors, cautious_quality, check_trade_off, losses, name_order
from tenbin.router.baselines import Baselines
from tenbin.router.calibration import Calibration
from tenbin.router.crossfit import Crossfit, DialCurve, Observed, dial_curve
from tenbin.router.deciding import route
from tenbin.router.dials import Dial, spelt_out, turn
from tenbin.router.encoder import Encoder, groups_of
from tenbin.router.estimator import Estimator
from tenbin.router.excess import Excess
from tenbin.router.explain import views
from tenbin.router.glance import Glance
from tenbin.router.leanings import Leanings
from tenbin.router.learning_curve import LearningCurve
from tenbin.router.limits import Limits
from tenbin.router.parts import Parts
from tenbin.router.plugin_predictor import open_predictor
from tenbin.router.pricing import Pricing, TypicalCall
from tenbin.router.roster import Roster
from tenbin.router.routing import Routing
from tenbin.router.scales import Scales
from tenbin.router.seen import SeenPrompts
from tenbin.types import Candidate, Decision, Estimates, Features, Floats, Ints, Query, TradeOff

PARTS_OF_ESTIMATOR = ("estimator", "quality", "input_tokens", "output_tokens", "recorded_cost", "latency", "roster")


class Router:
    """Sends each query to the candidate of least expected loss; made by `fit` or `Router.load`.

    Pure after construction: decisions depend on the query, the trade-off and the prices, on nothing else.
    """

    def __init__(
        self,
        manifest: Manifest,
        encoder: Encoder,
        estimator: Estimator,
        parts: Parts,
        prices: PriceBook,
        card: str,
        at: date | None = None,
        called_as: Mapping[str, Candidate] | None = None,
    ) -> None:
        self.manifest = manifest
        self.candidates = tuple((called_as or {}).get(c.name, c) for c in manifest.candidates)
        self.prices = prices
        self.card = card
        self._encoder = encoder
        self._estimator = estimator
        self._parts = parts
        self._calibration: Calibration | None = None
        rates, typical = prices.rates(manifest.models, at), TypicalCall.load(parts["typical_call"])
        fitted = len(self.roster.kept)
        self._pricing = Pricing(manifest.cost_basis, rates, typical, manifest.rows_of_fit, fitted)
        self._limits = Limits(self.candidates)

    @classmethod
    def load(
        cls,
        folder: Path | str,
        prices: PriceBook | None = None,
        *,
        at: date | None = None,
        allow_plugins: Collection[str] = (),
        called_as: Mapping[str, Candidate] | None = None,
        embed_within_s: float | None = None,
    ) -> Router:
        """The router of a folder, with its own price book or the one given, at today's prices or those `at` a day.

        `allow_plugins` names the packages whose plug-ins may load; `called_as` says by name what candidates can do
        today, where that is not as it was at the fit. `embed_within_s` is for who has no time: an embeddings endpoint
        is asked once, and has so long (None: half a minute, four times). Raises ArtifactError (missing, damaged,
        another format or embedder), PriceError (a candidate without a price), PluginError.
        """
        folder = Path(folder)
        manifest = read_manifest(folder)
        parts = Parts(manifest, folder, {})
        identity = manifest.embedder, manifest.embedder_name
        encoder = Encoder.load(*identity, parts["encoder"], allow_plugins, embed_within_s)
        present = {name: parts[name] for name in PARTS_OF_ESTIMATOR if name in parts}
        estimator = Estimator.load(open_predictor(manifest.predictor, allow_plugins).load, present)
        card = (folder / CARD).read_text("utf-8", "replace") if (folder / CARD).is_file() else ""
        return cls(manifest, encoder, estimator, parts, prices or PriceBook.load(folder / PRICES), card, at, called_as)

    def save(self, folder: Path | str) -> None:
        """Write the router to a folder, beside and renamed (ArtifactError where that cannot be)."""
        held = self.calibration
        self.manifest = write_artifact(
            Path(folder),
            self.manifest,
            self._parts.all(),
            self.prices.dumps(),
            self.card,
            None if held is None else held.save(),
        )
        self.__dict__.pop("_versions", None)  # the hashes of the parts stand in the manifest only now

    @cached_property
    def models(self) -> tuple[str, ...]:
        """The candidates' names, in the order of every array's second axis."""
        return self.manifest.models

    @cached_property
    def rank(self) -> Ints:
        """The rank [M] of every model's name: the last tie-break."""
        return name_order(self.models)

    @cached_property
    def reference(self) -> int:
        """Which of the models is the reference."""
        return self.models.index(self.manifest.reference)

    @cached_property
    def anchors(self) -> Anchors:
        """The reference and the scales of the loss, fixed at fit."""
        seconds = self.manifest.t_ref_s
        return Anchors(self.manifest.reference, self.manifest.c_ref_usd, np.nan if seconds is None else seconds)

    @cached_property
    def scales(self) -> Scales | None:
        """What weighs by the library; None where it is not there, or dollars are more than tokens at their rates."""
        caps = np.array([float(candidate.max_output_tokens or np.inf) for candidate in self.candidates])
        told = self._pricing.rates, caps, self.anchors, self.rank
        return Scales.opened(*told) if self._pricing.is_plain else None

    @cached_property
    def glance(self) -> Glance | None:
        """What reads and looks by the library at once; None where it cannot."""
        return Glance.opened(self._encoder.embedder, self._estimator)

    @cached_property
    def crossfit(self) -> Crossfit:
        """Out-of-fold estimates of the training rows beside what was observed."""
        return Crossfit.load(self._parts["crossfit"])

    @property
    def calibration(self) -> Calibration | None:
        """What certificates rest on; None where there is none.

        Raises ArtifactError where what lies beside the artifact is damaged or was made for another one.
        """
        if self._calibration is None and self._parts.folder is not None:
            arrays = read_calibration(self._parts.folder, self.manifest)
            self._calibration = None if arrays is None else Calibration.load(arrays)
        return self._calibration

    def take_calibration(self, calibration: Calibration | None) -> None:
        """Let certificates rest on this from now on."""
        self._calibration = calibration

    def save_calibration(self, folder: Path | str) -> None:
        """Put the calibration beside the artifact in its folder, which stays as it is (ArtifactError)."""
        if (held := self.calibration) is not None:
            write_calibration(Path(folder), self.manifest, held.save())

    @cached_property
    def baselines(self) -> Baselines:
        """What was learnt to be held against."""
        return Baselines.load(self._parts["baselines"])

    @cached_property
    def learning_curve(self) -> LearningCurve | None:
        """How the cross-fitted curve grew with training rows; None where the fit was told not to measure it."""
        return LearningCurve.load(self._parts["learning_curve"]) if "learning_curve" in self._parts else None

    @cached_property
    def seen(self) -> frozenset[str]:
        """Hashes of the normalised prompts that the router has learnt from."""
        return frozenset(self.seen_prompts.keys)

    @cached_property
    def seen_prompts(self) -> SeenPrompts:
        """The same in order, and which training row each of them is."""
        return SeenPrompts.load(self._parts["seen"])

    @property
    def pricing(self) -> Pricing:
        """The prices of the moment for these candidates."""
        return self._pricing

    @property
    def roster(self) -> Roster:
        """Who is served of those fitted, and who was added."""
        fitted, width = self._estimator, len(self.models)
        whole = np.arange(width, dtype=np.int64)
        none = Leanings.none(width)
        return fitted.roster or Roster(width, whole, none, fitted.gap_correlation, fitted.reference)

    def changed(
        self, manifest: Manifest, roster: Roster, parts: Mapping[str, Mapping[str, NDArray[Any]]], prices: PriceBook
    ) -> Router:
        """This router with other candidates: the same fit behind another roster, some parts replaced, no card yet."""
        estimator = replace(self._estimator, roster=roster)
        kept = {name: part for name, part in self._parts.all().items() if name != "learning_curve"}
        held = Parts(manifest, None, {**kept, **parts, "roster": roster.save()})
        return Router(manifest, self._encoder, estimator, held, prices, "")

    def features(self, queries: Sequence[Query]) -> Features:
        """What the predictors see of n queries; the group is dropped where the router was fitted without groups."""
        return self._encoder.encode(queries, with_groups=self.manifest.uses_groups)

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups of the training prompts, where the router was fitted with groups."""
        return self._estimator.familiarity.means.names if self.manifest.uses_groups else ()

    def estimate(self, features: Features) -> Estimates:
        """What is expected of every candidate, [n, M] each."""
        return self._estimator.estimate(features)

    def expect(self, queries: Sequence[Query]) -> Estimates:
        """`estimate` of the `features` of n queries, few enough to be read at once: the shortest way there is."""
        glance, uses_groups = self.glance, self.manifest.uses_groups
        return self.estimate(self.features(queries)) if glance is None else glance(queries, with_groups=uses_groups)

    def cost_usd(
        self, estimates: Estimates, cached_tokens: Floats | float = 0.0, output_caps: Floats | None = None
    ) -> Floats:
        """Expected dollars [n, M] at the router's prices, `cached_tokens` [n, M] of the input at the cached rates,
        for answers of at most `output_caps` [n, M].
        """
        return self._pricing.expected_cost_usd(estimates, cached_tokens, output_caps)

    @property
    def gap_correlation(self) -> Floats:
        """Correlation [M] of each candidate's errors with the reference's, as learnt out of fold."""
        return self.roster.gap_correlation

    def grounds(self, queries: Sequence[Query], estimates: Estimates) -> list[Reason | None]:
        """What each query's estimates [n] lack (None: nothing)."""
        uses_groups = self.manifest.uses_groups
        return self._estimator.grounds(groups_of(queries, with_groups=uses_groups), estimates, uses_groups)

    def bars(self, queries: Sequence[Query], estimates: Estimates) -> list[list[str | None]]:
        """Why each candidate [n][M] cannot answer a query, None where it can."""
        return self._limits.bars(queries, estimates.input_tokens)

    def check_trade_off(self, trade_off: TradeOff) -> None:
        """Refuse a dial outside its range, or seconds that this router was not fitted on (UsageError)."""
        check_trade_off(trade_off)
        if trade_off.w > 0.0 and self.manifest.t_ref_s is None:
            raise UsageError(
                "w > 0 weighs seconds, and this router was fitted on outcomes without latency_s",
                fix="leave --w out, or fit on outcomes that have latency_s",
            )

    def observed_cost_usd(self, observed: Observed | None = None) -> Floats:
        """What measured calls cost at the router's prices [n, M]; those of the training rows where none are given."""
        return self._pricing.observed_cost_usd(self.crossfit.observed if observed is None else observed)

    def versions(self) -> dict[str, str]:
        """What decided: package, artifact and price book."""
        return dict(self._versions)

    @cached_property
    def _versions(self) -> Mapping[str, str]:
        # Hashes of the whole manifest and the whole book: more work than a decision.
        return {
            "tenbin": self.manifest.version,
            "artifact": self.manifest.artifact_hash[:12],
            "prices": self.prices.version[:12],
        }

    def turn(
        self, dial: Dial, *, allow: Collection[str] | None = None, deny: Collection[str] | None = None
    ) -> TradeOff:
        """The trade-off that a dial asks for, chosen on out-of-fold training rows at today's prices.

        Raises UsageError for a dial that makes no sense, DecisionError for a promise that nothing keeps; without a
        promise, the most that can be had is taken where that is less than 99 %.
        """
        dial.check()
        self.check_trade_off(dial.at(0.0))
        if dial.mu is not None or dial.best:
            return dial.at(dial.mu or 0.0)
        return turn(dial, self.dial_curve(dial, allow=allow, deny=deny))

    def spell_out(
        self, dial: Dial, *, allow: Collection[str] | None = None, deny: Collection[str] | None = None
    ) -> Dial:
        """The dial with the promise that is made where nothing was asked: 99 %, or the most that can be had."""
        return spelt_out(dial, self.dial_curve(dial, allow=allow, deny=deny)) if dial.is_default else dial

    def dial_curve(
        self, dial: Dial | None = None, *, allow: Collection[str] | None = None, deny: Collection[str] | None = None
    ) -> DialCurve:
        """What every mu reached on out-of-fold training rows at today's prices, the rest of the dial held.

        Raises UsageError for a dial that makes no sense.
        """
        dial = dial or Dial()
        dial.check()
        self.check_trade_off(dial.at(0.0))
        return dial_curve(
            self.crossfit,
            self.cost_usd(self.crossfit.estimates),
            self.observed_cost_usd(),
            self.models,
            self.anchors,
            dial.at(0.0),
            listed(self.models, allow, deny),
        )

    def route(
        self,
        queries: Sequence[Query],
        trade_offs: Sequence[TradeOff],
        *,
        allow: Collection[str] | None = None,
        deny: Collection[str] | None = None,
        stranger_budget_usd: float | Sequence[float] | None = None,
        stream: Excess | None = None,
    ) -> Routing:
        """Decide n queries at k trade-offs; without a stranger budget no decision depends on the other queries.

        `allow` names the candidates that may be chosen (None or empty: all), `deny` those that may not.

        With `stranger_budget_usd`, one for all trade-offs or one for each, a text unlike the training prompts goes to
        the reference, and so does every text while those before it are about a new subject (`stream`: what is known of
        the queries before these, and learns of them; None: nothing). The budget bounds what that may cost over the
        cheapest candidate, used in the order of the queries; once it is used up the cheapest answers the former, and
        the dial decides the latter (see `tenbin.strangers`).

        Raises UsageError (a dial out of range), DecisionError (a query that no candidate can answer, by its id).
        """
        return route(
            self,
            queries,
            trade_offs,
            allow=allow,
            deny=deny,
            stranger_budget_usd=stranger_budget_usd,
            stream=stream,
        )

    def decide(
        self,
        query: Query,
        trade_off: TradeOff,
        *,
        allow: Collection[str] | None = None,
        deny: Collection[str] | None = None,
        stranger_budget_usd: float | None = None,
    ) -> Decision:
        """Decide one query and say why, candidate by candidate (the rest as in `route`)."""
        routing = self.route([query], [trade_off], allow=allow, deny=deny, stranger_budget_usd=stranger_budget_usd)
        estimates, chosen = routing.estimates, int(routing.chosen[0, 0])
        weighed = losses(
            cautious_quality(estimates, trade_off), routing.cost_usd, estimates.latency_s, trade_off, self.anchors
        )
        return Decision(
            query_id=query.query_id,
            trade_off=trade_off,
            model=self.models[chosen],
            candidates=views(
                self.models,
                estimates,
                routing.cost_usd,
                weighed,
                routing.barred[0],
                chosen,
                trade_off,
                routing.sent[0][0],
            ),
            reason=routing.reasons[0][0],
            versions=self.versions(),
        )
