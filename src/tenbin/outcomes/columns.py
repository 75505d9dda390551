"""The column names of the outcome table, how others call them, and what to say when one is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tenbin.errors import DataError, UsageError, did_you_mean

NUMBERS = ("quality", "input_tokens", "output_tokens", "cost_usd", "latency_s", "label_propensity", "label_noise_sd")
TEXTS = ("query_id", "prompt", "messages", "group", "model", "split")
COLUMNS = (*TEXTS, *NUMBERS, "observed_at", "judge")
"""Every name that `mapping` may rename. `observed_at` and `judge` stay in the file: a Panel does not hold them."""
LEAST_PROPENSITY = 1e-9
"""No draw was made with less: such a row would stand for thousands of millions of others, and sums would overflow."""
MOST_AMOUNT = 1e12
"""No call takes more tokens, dollars or seconds: a time stamp in nanoseconds does, and squares of such overflow."""

OTHERS_NAMES: Mapping[str, tuple[str, ...]] = {
    "query_id": ("id", "qid", "question_id", "sample_id", "prompt_id", "key", "uid"),
    "prompt": ("question", "input", "text", "query", "instruction"),
    "messages": ("conversation", "chat", "turns"),
    "model": ("model_name", "model_id", "llm", "candidate", "arm"),
    "quality": ("score", "reward", "correct", "accuracy", "rating", "label", "is_correct", "grade"),
    "input_tokens": ("prompt_tokens", "num_input_tokens", "tokens_in"),
    "output_tokens": ("completion_tokens", "num_output_tokens", "tokens_out"),
    "cost_usd": ("cost", "price", "total_cost", "usd", "dollars"),
    "latency_s": ("latency", "seconds", "duration", "duration_s"),
}


def listed(names: Sequence[str], most: int = 12) -> str:
    """Names for a sentence, cut after `most`."""
    shown = ", ".join(name[:60] for name in names[:most])
    return f"{shown}, ... ({len(names)} columns)" if len(names) > most else shown


def resolve(mapping: Mapping[str, str] | None, present: Sequence[str], where: str) -> dict[str, str]:
    """Our name -> their column for every documented column that the file has (UsageError, DataError)."""
    renames = dict(mapping or {})
    for ours, theirs in renames.items():
        if ours not in COLUMNS:
            hint = did_you_mean(ours, COLUMNS) or f"Tenbin's columns are {', '.join(COLUMNS)}"
            raise UsageError(f'the mapping {ours}={theirs} renames an unknown column "{ours}"', fix=hint)
        if theirs not in present:
            hint = did_you_mean(theirs, present) or f"its columns are {listed(present)}"
            raise DataError(f'has no column "{theirs}", which the mapping {ours}={theirs} names', where=where, fix=hint)
    found = {name: name for name in COLUMNS if name in present and name not in renames.values()}
    found.update(renames)
    for ours, other in (("prompt", "messages"), ("messages", "prompt")):
        if ours in renames and other not in renames:
            found.pop(other, None)  # a query is one of the two, and this one was named
    if "prompt" not in found and "messages" not in found:
        raise _missing("prompt", present, where)
    for name in ("model", "quality"):
        if name not in found:
            raise _missing(name, present, where)
    _refuse_nearly(found, present, where)
    return found


def _refuse_nearly(found: Mapping[str, str], present: Sequence[str], where: str) -> None:
    # A column that is not needed goes missing without a word: a "Split" passed over fits a router on its test rows.
    optional = [name for name in (*TEXTS, *NUMBERS) if name not in found and name not in ("prompt", "messages")]
    nearly = {theirs.strip().lower(): theirs for theirs in reversed(present) if theirs not in found.values()}
    for ours in optional:
        if ours in nearly:
            theirs = nearly[ours]
            fix = f'write "{ours}", add --map "{ours}={theirs}", or give the column another name if it is none'
            raise DataError(f'has no column "{ours}", but one "{theirs}"', where=where, fix=fix)


def _missing(name: str, present: Sequence[str], where: str) -> DataError:
    lowered = {column.strip().lower(): column for column in reversed(present)}
    theirs = next((lowered[other] for other in (name, *OTHERS_NAMES.get(name, ())) if other in lowered), None)
    what = 'has neither a "prompt" nor a "messages" column' if name == "prompt" else f'has no column "{name}"'
    if theirs is not None:
        named = f"{name}={theirs}" if theirs.split() == [theirs] else f'"{name}={theirs}"'
        fix = f'if "{theirs}" is it, add --map {named}'
    elif len(present) == 1 and any(sign in present[0] for sign in ";\t|"):
        fix = "separate the columns by commas, or by tabs in a file called .tsv"
    else:
        fix = f"add it, or name it with --map {name}=THEIR_COLUMN (its columns are {listed(present)})"
    return DataError(what, where=where, fix=fix)
