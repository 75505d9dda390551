"""Outcome tables made of answers that others have published: sets that had no say in how the router was made.

    python runs/public_sets.py maths ZEROEVAL OUT       github.com/WildEval/ZeroEval: GSM8K and MATH level 5
    python runs/public_sets.py code ZEROEVAL OUT        the same: CRUXEval, what a program puts out
    python runs/public_sets.py chat ALPACA_EVAL OUT     github.com/tatsu-lab/alpaca_eval: preferred to gpt4_1106_preview
    python runs/public_sets.py tools BFCL_RESULT GORILLA OUT
        github.com/HuanzhiMao/BFCL-Result and ShishirPatil/gorilla: the function-calling leaderboard of August 2024

The names in capitals are folders with checkouts. Writes OUT.parquet, with a column `fold` for `runs/folds.py` (by the
prompt's hash, so that equal prompts share one), and OUT.toml, list prices of 2024, by hand. Tokens are as recorded for
tools, a quarter of the characters elsewhere; o1-mini's without what it thought. Only models that answered every prompt
are kept.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import json
import re
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

FOLDS = 5
Prices = dict[str, tuple[float, float]]
"""Dollars per million input and output tokens, by model."""

ZEROEVAL: Prices = {
    "gpt-4o-2024-05-13": (5, 15), "gpt-4o-2024-08-06": (2.5, 10), "gpt-4o-mini-2024-07-18": (0.15, 0.6),
    "gpt-3.5-turbo-0125": (0.5, 1.5), "o1-mini-2024-09-12": (3, 12), "claude-3-opus-20240229": (15, 75),
    "claude-3-5-sonnet-20241022": (3, 15), "claude-3-5-haiku-20241022": (0.8, 4),
    "claude-3-haiku-20240307": (0.25, 1.25), "gemini-1.5-pro": (1.25, 5), "gemini-1.5-flash": (0.075, 0.3),
    "Mistral-Large-2": (2, 6), "deepseek-v2.5-0908": (0.14, 0.28), "Qwen2-72B-Instruct": (0.9, 0.9),
    "Llama-3.1-405B-Inst@sambanova": (3, 3), "Meta-Llama-3.1-70B-Instruct": (0.88, 0.88),
    "Meta-Llama-3.1-8B-Instruct": (0.18, 0.18), "gemma-2-9b-it": (0.2, 0.2), "Qwen2-7B-Instruct": (0.2, 0.2),
    "Yi-1.5-9B-Chat": (0.2, 0.2), "gemma-2-2b-it": (0.1, 0.1), "Phi-3.5-mini-instruct": (0.1, 0.1),
}  # fmt: skip
CHAT: Prices = {
    "gpt4_1106_preview": (10, 30), "gpt4_0613_concise": (30, 60), "claude-2.1": (8, 24), "claude-2.1_concise": (8, 24),
    "claude-2": (8, 24), "claude": (8, 24), "claude-instant-1.2": (0.8, 2.4), "gpt-3.5-turbo-1106": (1, 2),
    "gpt-3.5-turbo-1106_verbose": (1, 2), "gpt-3.5-turbo-0301": (1.5, 2), "gpt35_turbo_instruct": (1.5, 2),
    "text_davinci_003": (20, 20), "Qwen-14B-Chat": (0.3, 0.3), "gemma-7b-it": (0.2, 0.2), "gemma-2b-it": (0.1, 0.1),
    "vicuna-13b-v1.5": (0.3, 0.3), "humpback-llama2-70b": (0.9, 0.9), "Mixtral-8x7B-Instruct-v0.1_concise": (0.6, 0.6),
    "FuseChat-Gemma-2-9B-Instruct": (0.2, 0.2), "FuseChat-Llama-3.1-8B-Instruct": (0.18, 0.18),
    "FuseChat-Llama-3.2-3B-Instruct": (0.06, 0.06), "FuseChat-Llama-3.2-1B-Instruct": (0.04, 0.04),
    "FuseChat-Qwen-2.5-7B-Instruct": (0.15, 0.15),
}  # fmt: skip
TOOLS: Prices = {
    "claude-3-opus-20240229-FC": (15, 75), "gpt-4-0613-FC": (30, 60), "gpt-4-turbo-2024-04-09-FC": (10, 30),
    "gpt-4o-2024-05-13-FC": (5, 15), "gpt-4o-2024-08-06-FC": (2.5, 10), "claude-3-5-sonnet-20240620-FC": (3, 15),
    "claude-3-haiku-20240307-FC": (0.25, 1.25), "gpt-4o-mini-2024-07-18-FC": (0.15, 0.6),
    "gpt-3.5-turbo-0125-FC": (0.5, 1.5), "gemini-1.5-pro-preview-0514": (1.25, 5),
    "gemini-1.5-flash-preview-0514": (0.075, 0.3), "mistral-large-2407-FC-Auto": (2, 6),
    "open-mistral-nemo-2407-FC-Auto": (0.15, 0.15), "mistral-small-2402-FC-Auto": (1, 3),
    "open-mixtral-8x7b": (0.7, 0.7), "firefunction-v2-FC": (0.9, 0.9), "command-r-plus-FC": (2.5, 10),
    "meta-llama_Meta-Llama-3-70B-Instruct": (0.59, 0.79), "meta-llama_Meta-Llama-3-8B-Instruct": (0.05, 0.08),
    "Salesforce_xLAM-7b-fc-r": (0.2, 0.2), "yi-large-fc": (3, 3),
}  # fmt: skip

RELEASE = "2024-08-11"
NEWEST = "berkeley-function-call-leaderboard/bfcl_eval/data"
QUESTIONS = {
    "simple": "BFCL_v4_simple_python.json",
    "multiple_function": "BFCL_v4_multiple.json",
    "parallel_function": "BFCL_v4_parallel.json",
    "parallel_multiple_function": "BFCL_v4_parallel_multiple.json",
    "relevance": "BFCL_v4_irrelevance.json",
    "java": "BFCL_v4_simple_java.json",
    "javascript": "BFCL_v4_simple_javascript.json",
    "executable_simple": "unused_datasets/question/BFCL_v4_exec_simple.json",
    "executable_multiple_function": "unused_datasets/question/BFCL_v4_exec_multiple.json",
    "executable_parallel_function": "unused_datasets/question/BFCL_v4_exec_parallel.json",
    "executable_parallel_multiple_function": "unused_datasets/question/BFCL_v4_exec_parallel_multiple.json",
    "rest": "unused_datasets/question/BFCL_v4_rest.json",
}
"""Where the texts of each category are, in gorilla; the failures that were published with a score hold theirs, too."""

ANSWER = re.compile(r'"answer"\s*:\s*("(?:[^"\\]|\\.)*"|-?[\d.,]+|\[[^\n]*|\{[^\n]*|true|false|null|[^,}\n]+)', re.I)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Row:
    """One answer, as in an outcome table."""

    query_id: str
    prompt: str
    group: str
    model: str
    quality: float
    input_tokens: int
    output_tokens: int


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("kind", choices=("maths", "code", "chat", "tools"))
    made.add_argument("folders", type=Path, nargs="+", help="one checkout, two for tools")
    made.add_argument("out", type=Path, help="path and name of what is written, without an ending")
    given = made.parse_args()
    if len(given.folders) != (2 if given.kind == "tools" else 1):
        sys.exit("public_sets: tools takes two folders, the others take one")
    if given.kind == "tools":
        prices, rows = TOOLS, tools(*given.folders)
    elif given.kind == "chat":
        prices, rows = CHAT, chat(given.folders[0])
    else:
        prices, rows = ZEROEVAL, zero_eval(given.folders[0], given.kind)
    write(complete(list(rows)), prices, given.out)


def complete(rows: list[Row]) -> list[Row]:
    """The rows of the models that answered every prompt."""
    answered = Counter(row.model for row in rows)
    most = max(answered.values())
    for model, count in answered.items():
        if count < most:
            print(f"left out: {model}, {count} of {most} answers", file=sys.stderr)
    return [row for row in rows if answered[row.model] == most]


def write(rows: list[Row], prices: Prices, out: Path) -> None:
    """The table and the prices of its models."""
    with TemporaryDirectory() as folder:
        lines = Path(folder) / "rows.ndjson"
        with lines.open("w", encoding="utf-8") as stream:
            for row in rows:
                given, told = prices[row.model]
                usd = (row.input_tokens * given + row.output_tokens * told) / 1e6
                stream.write(json.dumps({**asdict(row), "cost_usd": usd, "fold": fold_of(row.prompt)}) + "\n")
        duckdb.sql(
            f"COPY (FROM read_json('{lines}', maximum_object_size=50000000)) TO '{out}.parquet' (FORMAT parquet)"
        )
    with Path(f"{out}.toml").open("w", encoding="utf-8") as stream:
        for model in sorted({row.model for row in rows}):
            given, told = prices[model]
            stream.write(f'[models."{model}"]\ninput_usd_per_mtok = {given}\noutput_usd_per_mtok = {told}\n\n')
    queries, models = {row.query_id for row in rows}, {row.model for row in rows}
    print(f"{out}.parquet: {len(queries)} prompts, {len(models)} models; {out}.toml", file=sys.stderr)


def fold_of(prompt: str) -> int:
    """Equal prompts, whatever their case and signs, are in one fold."""
    same = re.sub(r"\W+", " ", prompt.lower()).strip()
    return int(hashlib.sha256(same.encode()).hexdigest(), 16) % FOLDS


def tokens(text: str) -> int:
    return max(1, round(len(text) / 4))


def zero_eval(checkout: Path, kind: str) -> Iterator[Row]:
    """Answers in JSON, the last `answer` in it against the one that is right."""
    for group in ("crux",) if kind == "code" else ("gsm", "math-l5"):
        for model in ZEROEVAL:
            path = checkout / "result_dirs" / group / f"{model}.json"
            for each in json.loads(path.read_text(encoding="utf-8")) if path.exists() else ():
                said = answered(each["output"][0])
                is_right = same_literal(said, each["answer"]) if kind == "code" else same_number(said, each["answer"])
                yield Row(
                    query_id=f"{group}_{each['session_id']}",
                    prompt=each.get("question") or each["problem"],
                    group=group,
                    model=model,
                    quality=float(is_right),
                    input_tokens=tokens(each["chat_history"][0]),
                    output_tokens=tokens(each["output"][0]),
                )


def answered(text: str) -> str | None:
    """The last answer that a text in JSON, whole or not, gives."""
    found = ANSWER.findall(text)
    if not found:
        return None
    last = found[-1].strip()
    try:
        return str(json.loads(last)) if last.startswith('"') else last
    except ValueError:
        return last.strip('"')


def same_number(said: str | None, right: str) -> bool:
    def number(text: str | None) -> float | None:
        found = NUMBER.findall(re.sub(r"[,$\\%]", "", text or ""))
        return float(found[-1]) if found else None

    one, other = number(said), number(right)
    return one is not None and other is not None and abs(one - other) < 1e-6


def same_literal(said: str | None, right: str) -> bool:
    def literal(text: str) -> str:
        bare = text.strip().strip("`")
        try:
            with warnings.catch_warnings(action="ignore"):  # of text that is no program
                value = ast.literal_eval(bare)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return bare.strip("'\"")
        return value if isinstance(value, str) else repr(value)

    return said is not None and literal(said) == literal(right)


def chat(checkout: Path) -> Iterator[Row]:
    """The judge's weighted preference, 0 to 1; the model that all are compared with scores .5."""
    for model in CHAT:
        path = checkout / "results" / model / "weighted_alpaca_eval_gpt4_turbo" / "annotations.json"
        times: Counter[str] = Counter()
        for each in json.loads(path.read_text(encoding="utf-8")) if path.exists() else ():
            prompt = each["instruction"]
            times[prompt] += 1
            if each["preference"] is not None:
                yield Row(
                    query_id=f"{hashlib.sha256(prompt.encode()).hexdigest()[:16]}_{times[prompt]}",
                    prompt=prompt,
                    group=each["dataset"],
                    model=model,
                    quality=each["preference"] - 1.0,
                    input_tokens=tokens(prompt) + 10,
                    output_tokens=tokens(each["output_2"]),
                )


def tools(results: Path, gorilla: Path) -> Iterator[Row]:
    """Calls that the leaderboard found right: all but those listed as failures beside a score."""
    texts = questions(results, gorilla)
    for model in TOOLS:
        for group in QUESTIONS:
            answers = results / RELEASE / "result" / model / f"gorilla_openfunctions_v1_test_{group}_result.json"
            score = results / RELEASE / "score" / model / f"{group}_score.json"
            if not (answers.exists() and score.exists()):
                continue
            failed = {int(each["id"]) - 1 for each in lines_of(score)[1:]}
            for i, each in enumerate(lines_of(answers)):
                if (group, i) in texts:
                    prompt = texts[group, i]
                    said = each["result"] if isinstance(each["result"], str) else json.dumps(each["result"])
                    yield Row(
                        query_id=f"{group}_{i}",
                        prompt=prompt,
                        group=group,
                        model=model,
                        quality=float(i not in failed),
                        input_tokens=counted(each.get("input_token_count")) or tokens(prompt) + 150,
                        output_tokens=counted(each.get("output_token_count")) or tokens(said),
                    )


def questions(results: Path, gorilla: Path) -> dict[tuple[str, int], str]:
    """The prompt with its functions, by category and place: as failed at the time, else as it is today."""
    found: dict[tuple[str, int], str] = {}
    for group, name in QUESTIONS.items():
        for i, each in enumerate(lines_of(gorilla / NEWEST / name)):
            found[group, i] = asked(each["question"], each.get("function"))
        for score in sorted((results / RELEASE / "score").glob(f"*/{group}_score.json")):
            for each in lines_of(score)[1:]:
                if isinstance(at_the_time := each.get("prompt"), dict) and "question" in at_the_time:
                    found[group, int(each["id"]) - 1] = asked(at_the_time["question"], at_the_time.get("function"))
    return found


def asked(question: object, functions: object) -> str:
    """A question, plain or as turns of messages, and what may be called."""
    if not isinstance(question, str):
        turns = [turn if isinstance(turn, list) else [turn] for turn in question]
        question = "\n".join(message["content"] for turn in turns for message in turn)
    return f"{question}\n\nTools: {json.dumps(functions)}"


def counted(tokens_told: object) -> int:
    """A count of tokens, or the sum of several calls' counts; 0 where nothing was counted."""
    if isinstance(tokens_told, list):
        return int(sum(tokens_told))
    return int(tokens_told) if isinstance(tokens_told, int | float) else 0


def lines_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


if __name__ == "__main__":
    main()
