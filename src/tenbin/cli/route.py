"""`tenbin route ROUTER PROMPT`: which model, and why; or a whole file of prompts with --batch."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tenbin.cli.flags import FILE, config_option, lang_option
from tenbin.cli.open_router import open_router
from tenbin.cli.output import emit_json, json_option, prose, results, say, words_of
from tenbin.errors import UsageError, near_or_known

if TYPE_CHECKING:
    from tenbin.report.catalogue import Catalogue
    from tenbin.router.dials import Dial
    from tenbin.router.router import Router
    from tenbin.types import Query, TradeOff


@dataclass(frozen=True, slots=True)
class Asked:
    """What the flags ask for; `short`: nothing was, and the candidates cannot keep the usual promise.

    `proved` is the setting of a certificate, which then decides (its candidates are in `allow`); with `alone` it is the
    reference's, for nothing could be proved.
    `stranger_budget_usd` None: the dial decides for strangers, too.
    """

    dial: Dial
    sweep: int | None
    allow: tuple[str, ...]
    deny: tuple[str, ...]
    short: bool = False
    lang: str = "en"
    proved: TradeOff | None = None
    alone: bool = False
    stranger_budget_usd: float | None = None

    def trade_offs(self, router: Router) -> list[TradeOff]:
        """One trade-off, or those of the sweep."""
        from tenbin.risk import mu_grid  # noqa: PLC0415 (numpy only when routing)

        if self.sweep is not None:
            return [self.dial.at(mu) for mu in mu_grid(self.sweep).tolist()]
        if self.proved is not None:
            return [self.proved]
        return [router.turn(self.dial, allow=self.allow, deny=self.deny)]

    def setting(self, mu: float | None = None) -> str:
        """What the dial was set to, in words."""
        from tenbin.cli.decision_text import dial_text  # noqa: PLC0415

        if self.alone:
            return self.words("decision.alone", model=self.allow[0])
        setting = dial_text(self.dial, self.words, mu)
        if self.proved is not None:
            return self.words("decision.certified", setting=setting)
        return self.words("decision.most_reached", setting=setting) if self.short else setting

    @property
    def words(self) -> Catalogue:
        """The words in the language asked for."""
        return words_of(self.lang)


def asked_of(
    router: Router,
    dial: Dial,
    sweep: int | None,
    allow: tuple[str, ...],
    deny: tuple[str, ...],
    lang: str,
    *,
    quiet: bool,
) -> Asked:
    """What the flags ask of this router: the default promise in figures, told on stderr where it had to be less."""
    from tenbin.router.dials import DEFAULT_MIN_QUALITY  # noqa: PLC0415

    if sweep is not None:
        return Asked(dial, sweep, allow, deny, lang=lang)
    spelt = router.spell_out(dial, allow=allow, deny=deny)
    short = dial.is_default and (spelt.best or (spelt.min_quality or 0.0) < DEFAULT_MIN_QUALITY)
    asked = Asked(spelt, sweep, allow, deny, short, lang)
    if short and quiet:
        say(f"tenbin: {asked.setting()}", err=True)
    return asked


def certified_of(router: Router, dial: Dial, allow: tuple[str, ...], deny: tuple[str, ...], lang: str) -> Asked:
    """What a certificate of the dial's promise says, told on stderr where nothing could be proved."""
    from tenbin.certify.certify import certify  # noqa: PLC0415 (only where a certificate is asked for)

    if dial.min_quality is None:
        raise UsageError("--certified certifies a --min-quality", fix="give one, e.g. --min-quality 0.97")
    found = certify(router, dial.min_quality, trade_off=dial.at(0.0), allow=allow, deny=deny)
    asked = Asked(dial, None, found.allow, (), lang=lang, proved=found.trade_off, alone=not found.step)
    if asked.alone:
        why = "decision.uncertified" if found.finding == "too_few" else "decision.no_choice"
        say(f"tenbin: {asked.words(why, model=found.reference)}", err=True)
    return asked


@click.command()
@click.argument("router", type=FILE)
@click.argument("prompt", required=False)
@click.option("--batch", "source", metavar="IN", help="Route every line of this JSONL file ('-': standard input).")
@click.option("--out", metavar="OUT", help="Write the decisions of --batch here ('-': standard output, the default).")
@click.option("--mu", type=float, metavar="MU", help="Weigh cost against quality: 0 is quality only, 1 is cost only.")
@click.option(
    "--min-quality", type=float, metavar="R", help="Keep this share of the reference's quality at the least cost: 0.97."
)
@click.option("--certified", is_flag=True, help="Keep that share with 95 % confidence, as 'tenbin certify' proves it.")
@click.option("--max-cost", type=float, metavar="USD", help="Spend at most these dollars per query on average.")
@click.option("--best", is_flag=True, help="Ask for the best expected quality, whatever it costs (mu = 0).")
@click.option("--sweep", type=int, metavar="N", help="Decide at N settings of the dial from mu = 0 to 1.")
@click.option("--w", type=float, default=0.0, show_default=True, help="Weigh seconds against dollars, 0 to 1.")
@click.option(
    "--caution", type=float, default=0.0, show_default=True, help="Standard deviations by which to doubt each estimate."
)
@click.option("--minimax", is_flag=True, help="Count each quality at the lower end of its credible set (95 %).")
@click.option(
    "--stranger-budget-usd",
    type=float,
    metavar="USD",
    help="Send prompts unlike training to the reference while this lasts, then to the cheapest (default: by the dial).",
)
@click.option("--allow", multiple=True, metavar="MODEL", help="Choose among these models only (repeatable).")
@click.option("--deny", multiple=True, metavar="MODEL", help="Never choose this model (repeatable).")
@click.option("--prices", type=FILE, metavar="FILE", help="Decide at the prices of this TOML file.")
@click.option("--group", metavar="NAME", help="The group that the prompt belongs to, one that the router knows.")
@lang_option
@config_option
@json_option
def route(
    router: Path,
    prompt: str | None,
    source: str | None,
    out: str | None,
    mu: float | None,
    min_quality: float | None,
    certified: bool,
    max_cost: float | None,
    best: bool,
    sweep: int | None,
    w: float,
    caution: float,
    minimax: bool,
    stranger_budget_usd: float | None,
    allow: tuple[str, ...],
    deny: tuple[str, ...],
    prices: Path | None,
    group: str | None,
    lang: str,
    config: Path | None,
    as_json: bool,
) -> None:
    """Choose the model for one prompt or a file of them.

    PROMPT '-' reads the prompt from standard input. Without a dial, the least cost that keeps 99 % of the quality of
    the reference (the best single model in training) is chosen. Each line of --batch is a JSON object with "prompt"
    or "messages", and optionally "query_id", "group", "input_tokens", "max_output_tokens".

    \b
    tenbin route my-router "Prove that there are infinitely many primes." --min-quality 0.97
    tenbin route my-router --batch prompts.jsonl --out decisions.jsonl --mu 0.3
    """
    from tenbin.router.dials import Dial  # noqa: PLC0415 (numpy and the router only when routing)

    dials = {"--mu": mu, "--min-quality": min_quality, "--max-cost": max_cost, "--best": best or None, "--sweep": sweep}
    check_flags(dials, prompt, source, out, group, as_json)
    dial = Dial(mu=mu, min_quality=min_quality, max_cost_usd=max_cost, best=best, w=w, caution=caution, minimax=minimax)
    dial.check()
    query = None if source is not None else single_query(prompt or "", group)
    loaded = open_router(router, prices, config)
    if group is not None:
        check_group(loaded, group)
    if certified and stranger_budget_usd is not None:
        what = "--certified proves the dial alone, and --stranger-budget-usd sends some prompts elsewhere"
        raise UsageError(what, fix="leave one of them out")
    if certified:
        asked = certified_of(loaded, dial, allow, deny, lang)
    else:
        asked = asked_of(loaded, dial, sweep, allow, deny, lang, quiet=as_json or query is None)
    asked = replace(asked, stranger_budget_usd=stranger_budget_usd)
    if query is None:
        route_batch(loaded, asked, source or "-", out or "-", as_json)
    elif sweep is not None:
        route_sweep(loaded, asked, query, as_json)
    else:
        route_one(loaded, asked, query, as_json)


def check_flags(
    dials: dict[str, Any], prompt: str | None, source: str | None, out: str | None, group: str | None, as_json: bool
) -> None:
    """Refuse flags that contradict each other (UsageError)."""
    given = [name for name, value in dials.items() if value is not None]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} are two dials for one thing", fix="give one of them")
    if (prompt is None) == (source is None):
        what = "neither a PROMPT nor --batch was given" if prompt is None else "a PROMPT and --batch were both given"
        raise UsageError(what, fix="give one of them; see 'tenbin route --help'")
    if source is None and out is not None:
        raise UsageError("--out belongs to --batch", fix="leave it out, or redirect the output with '>'")
    if source is not None and group is not None:
        raise UsageError("--group belongs to a single PROMPT", fix='write "group" into the lines of --batch')
    if source is not None and as_json and out in (None, "-"):
        raise UsageError("--json sums up a batch, whose decisions already go to stdout", fix="name a file with --out")


def check_group(router: Router, group: str) -> None:
    """Refuse a group that no training prompt had (UsageError): it would be taken for none, which a slip never says."""
    if not router.groups:
        raise UsageError("the router was fitted without group labels, so --group tells it nothing", fix="leave it out")
    if group not in router.groups:
        raise UsageError(f'the router knows no group "{group}"', fix=near_or_known(group, router.groups))


def single_query(prompt: str, group: str | None) -> Query:
    """The query of a PROMPT argument, read from standard input where it is `-` (UsageError where it is empty)."""
    from tenbin.types import Query  # noqa: PLC0415

    where = "PROMPT"
    if prompt == "-":
        where = "standard input"
        raw = sys.stdin.buffer.read()
        try:
            prompt = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            fix = "save the prompt as UTF-8"
            raise UsageError(f"is not UTF-8 (byte 0x{raw[error.start]:02x})", where=where, fix=fix) from None
    if not prompt.strip():
        raise UsageError("is empty", where=where, fix="give the text that the model would get")
    try:
        prompt.encode()
    except UnicodeEncodeError:
        raise UsageError("is not UTF-8", where=where, fix="check the encoding of your terminal") from None
    return Query("1", prompt, group=group)


def route_one(router: Router, asked: Asked, query: Query, as_json: bool) -> None:
    """Decide one prompt and show every candidate."""
    from tenbin.cli.decision_text import decision_json, decision_text  # noqa: PLC0415
    from tenbin.cli.promise_text import promise_line, promise_of  # noqa: PLC0415

    decision = router.decide(
        query,
        asked.trade_offs(router)[0],
        allow=asked.allow,
        deny=asked.deny,
        stranger_budget_usd=asked.stranger_budget_usd,
    )
    promise = promise_of(router, decision.trade_off, asked.allow, asked.deny)
    if as_json:
        emit_json({**decision_json(decision), "promise": promise})
    else:
        say(decision_text(decision, asked.setting(decision.trade_off.mu), asked.words))
        say(f"\n{prose(promise_line(promise, router, asked.words))}")


def route_sweep(router: Router, asked: Asked, query: Query, as_json: bool) -> None:
    """Decide one prompt along the dial."""
    from tenbin.cli.batch import rows  # noqa: PLC0415
    from tenbin.cli.decision_text import sweep_text  # noqa: PLC0415

    routing = router.route(
        [query],
        asked.trade_offs(router),
        allow=asked.allow,
        deny=asked.deny,
        stranger_budget_usd=asked.stranger_budget_usd,
    )
    decisions = list(rows([query], routing))
    if as_json:
        emit_json({"decisions": decisions, "versions": router.versions()})
    else:
        say(sweep_text(decisions, asked.words))


def route_batch(router: Router, asked: Asked, source: str, out: str, as_json: bool) -> None:
    """Decide every line of a file and sum up."""
    from tenbin.cli.batch import BatchSummary, route_lines  # noqa: PLC0415
    from tenbin.cli.progress import TerminalProgress  # noqa: PLC0415
    from tenbin.cli.whole_file import spare, whole_file  # noqa: PLC0415

    spare(Path(out), Path(source))
    trade_offs = asked.trade_offs(router)
    summary = BatchSummary()
    quiet = source == "-" or (out == "-" and results().isatty())
    with whole_file(Path(out)) as sink, TerminalProgress(quiet=quiet) as progress:
        for routed in route_lines(
            router, source, trade_offs, asked.allow, asked.deny, progress, asked.stranger_budget_usd
        ):
            sink.write(routed.text)
            summary.add(routed)
    if out == "-":
        return
    if as_json:
        emit_json({"out": out, "versions": router.versions(), **summary.fields()})
    else:
        say(summary.text(out, asked.words))
