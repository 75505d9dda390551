"""How fast the product is, beside CARROT-kNN on the same embedding: the fit, one decision, a batch as a whole process.

    python runs/speed.py [--prompts 40000] [--models 14] [--repeats 3] [--folder DIR]

Prompts and outcomes are made up (see made_outcomes.py). Every measurement is a process of its own, so that its seconds
and its peak memory are its own; each runs with the default BLAS threads and with one. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from made_outcomes import CHARACTERS, book, simulated, write_batch, written

from tenbin.blas import THREAD_VARIABLES
from tenbin.features import open_embedder
from tenbin.features.token_count import count_tokens
from tenbin.prices import PriceBook
from tenbin.risk import choose, losses, name_order
from tenbin.router.baselines import learn_baselines
from tenbin.router.choose_embedder import Opening, choose_embedder
from tenbin.router.fit import FitSettings, fit
from tenbin.router.router import Router
from tenbin.router.train import observe
from tenbin.router.training_rows import near_folds
from tenbin.router.weighing import Ask, weigh
from tenbin.types import Panel, Query, TradeOff

SERVED = (8_000, 16)
BATCH = 5_000
DECISIONS = 2_000
BATCHES = (16, 64)
LONG_CHARACTERS = 800_000
MIDDLE = TradeOff(0.3)


def main() -> None:
    arguments = parser().parse_args()
    if arguments.stage:
        json.dump(STAGES[arguments.stage](arguments), sys.stdout)
        return
    with tempfile.TemporaryDirectory() as made:
        folder = arguments.folder or Path(made)
        router = fit(simulated(*SERVED), book(SERVED[1]), FitSettings(embedder="base", learning_curve=False))
        router.save(folder / "router")
        write_batch(folder / "batch.jsonl", BATCH)
        write_batch(folder / "one.jsonl", 1)
        found = {"cores": os.cpu_count(), "load_average": [os.getloadavg()]}
        found["mean_tokens"] = [
            count_tokens(written(1_000, 1)).mean(),
            count_tokens(written(1_000, 3, CHARACTERS)).mean(),
        ]
        found |= {"fitted": [arguments.prompts, arguments.models], "served": SERVED, "batch": BATCH}
        for threads in ("default", "1"):
            for name in ("fit", "knn_fit", "decide"):
                found[f"{name}, threads {threads}"] = stage(name, arguments, folder, threads)
            found[f"batch, threads {threads}"] = batch(folder, threads, arguments.repeats)
            print(f"threads {threads}: done", file=sys.stderr, flush=True)
        found["load_average"].append(os.getloadavg())
    json.dump(found, sys.stdout, indent=1)
    print()


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--prompts", type=int, default=40_000, help="training prompts of the timed fit")
    made.add_argument("--models", type=int, default=14, help="models of the timed fit")
    made.add_argument("--repeats", type=int, default=3, help="runs of each batch; the median is printed")
    made.add_argument("--folder", type=Path, help="keep the router and the batch here")
    made.add_argument("--stage", choices=sorted(STAGES), help=argparse.SUPPRESS)
    return made


def stage(name: str, arguments: argparse.Namespace, folder: Path, threads: str) -> dict[str, object]:
    """What a stage prints in a process of its own."""
    size = ["--prompts", str(arguments.prompts), "--models", str(arguments.models), "--folder", str(folder)]
    command = [sys.executable, __file__, "--stage", name, *size]
    done = subprocess.run(command, env=environment(threads), stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def environment(threads: str) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key not in THREAD_VARIABLES}
    return kept if threads == "default" else kept | dict.fromkeys(THREAD_VARIABLES, threads)


def whole(arguments: argparse.Namespace, work) -> dict[str, float]:
    """Seconds of `work` on the simulated panel and the peak memory of this process."""
    panel, prices = simulated(arguments.prompts, arguments.models), book(arguments.models)
    before, start, cpu = peak_gb(), time.perf_counter(), time.process_time()
    work(panel, prices)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    return {"seconds": seconds, "cpu_seconds": cpu, "peak_gb": peak_gb(), "peak_gb_before": before}


def fit_stage(arguments: argparse.Namespace) -> dict[str, float]:
    """The product's fit with default settings."""
    return whole(arguments, lambda panel, prices: fit(panel, prices, FitSettings(embedder="base")))


def knn_fit_stage(arguments: argparse.Namespace) -> dict[str, float]:
    """CARROT-kNN for quality and tokens on the same embedding, and the group table, which costs nothing here."""

    def work(panel: Panel, _prices: PriceBook) -> None:
        folds = near_folds(panel)
        choice = choose_embedder("base", panel, folds, Opening(), lambda _what, _done: None)
        learn_baselines(choice.encoder.encode(panel.queries), observe(panel), folds)

    return whole(arguments, work)


def decide_stage(arguments: argparse.Namespace) -> dict[str, object]:
    """Milliseconds of one decision: after embedding, and with it; the same by CARROT-kNN."""
    router = Router.load(arguments.folder / "router")
    queries = [Query(str(i), p) for i, p in enumerate(written(DECISIONS, 3, most=CHARACTERS))]
    rows = [router.features([query]) for query in queries]
    rank, knn, rates = name_order(router.models), router.baselines, router.prices.rates(router.models)

    def rule(quality, cost, seconds) -> None:
        choose(losses(quality, cost, seconds, MIDDLE, router.anchors), cost, rank)

    def ours(row) -> None:
        estimates = router.estimate(row)
        rule(estimates.quality, router.cost_usd(estimates), estimates.latency_s)

    def nearest(row) -> None:
        quality, amounts = knn.knn(row)
        rule(quality, rates.cost_usd(amounts["input_tokens"], amounts["output_tokens"]), quality)

    return serving(router, queries) | {
        "after embedding": timed(ours, rows),
        "route, with embedding": timed(lambda query: router.route([query], [MIDDLE]), queries),
        "decide, with embedding and reasons": timed(lambda query: router.decide(query, MIDDLE), queries),
        "knn after embedding": timed(nearest, rows[:500]),
        "knn with embedding": timed(lambda query: nearest(router.features([query])), queries[:500]),
    }


def serving(router: Router, queries: list[Query]) -> dict[str, object]:
    """Milliseconds of one request as the gateway weighs it: alone, in batches, and as a 200,000-token conversation."""
    free = (None,) * len(router.models)
    asks = [Ask(query, MIDDLE, free) for query in queries]
    found: dict[str, object] = {"weigh 1": timed(lambda ask: weigh(router, [ask]), asks)}
    for size in BATCHES:
        parts = [asks[i : i + size] for i in range(0, len(asks) - size + 1, size)]
        each = timed(lambda part: weigh(router, part), parts)
        found[f"weigh {size}, each"] = {name: ms / size for name, ms in each.items()}
    turns = written(LONG_CHARACTERS // CHARACTERS, 5, most=CHARACTERS)
    messages = tuple({"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(turns))
    long = Ask(Query("long", messages=messages), MIDDLE, free)
    characters = sum(map(len, turns))
    found[f"weigh a conversation of {characters} characters"] = timed(lambda ask: weigh(router, [ask]), [long] * 20)
    if importlib.util.find_spec("wordllama") is not None:
        light = open_embedder("wordllama")
        found["embed 1 with wordllama"] = timed(lambda query: light.embed([query.prompt]), queries[:500])
    found["features 1"] = timed(lambda query: router.features([query]), queries[:500])
    return found


def timed(work, items) -> dict[str, float]:
    """Median and 95th percentile of milliseconds, after a warm-up."""
    taken, warm_up = [], items[:50]
    for item in [*warm_up, *items]:
        start = time.perf_counter()
        work(item)
        taken.append(1e3 * (time.perf_counter() - start))
    taken = taken[len(warm_up) :]
    return {"median_ms": float(np.median(taken)), "p95_ms": float(np.quantile(taken, 0.95))}


def knn_batch_stage(arguments: argparse.Namespace) -> dict[str, object]:
    """CARROT-kNN's decisions for the batch."""
    router = Router.load(arguments.folder / "router")
    rates, rank = router.prices.rates(router.models), name_order(router.models)
    lines = (arguments.folder / "batch.jsonl").read_text().splitlines()
    queries = [Query(str(i), json.loads(line)["prompt"]) for i, line in enumerate(lines)]
    quality, amounts = router.baselines.knn(router.features(queries))
    cost = rates.cost_usd(amounts["input_tokens"], amounts["output_tokens"])
    choose(losses(quality, cost, quality, MIDDLE, router.anchors), cost, rank)
    return {"prompts": len(queries)}


def batch(folder: Path, threads: str, repeats: int) -> dict[str, float]:
    """Prompts per second of `tenbin route --batch` as a whole process, and without what a single prompt takes."""
    route = [sys.executable, "-m", "tenbin", "route", str(folder / "router"), "--mu", "0.3", "--out"]
    commands = {
        "batch": [*route, str(folder / "out.jsonl"), "--batch", str(folder / "batch.jsonl")],
        "one": [*route, str(folder / "out1.jsonl"), "--batch", str(folder / "one.jsonl")],
        "knn": [sys.executable, __file__, "--stage", "knn_batch", "--folder", str(folder)],
    }
    median = {name: float(np.median([clock(c, threads) for _ in range(repeats)])) for name, c in commands.items()}
    return {
        "seconds": median["batch"],
        "seconds_for_one_prompt": median["one"],
        "prompts_per_s": BATCH / median["batch"],
        "prompts_per_s_without_start": (BATCH - 1) / (median["batch"] - median["one"]),
        "knn_prompts_per_s": BATCH / median["knn"],
    }


def clock(command: list[str], threads: str) -> float:
    """Seconds of a command from start to exit."""
    start = time.perf_counter()
    subprocess.run(command, env=environment(threads), capture_output=True, check=True)
    return time.perf_counter() - start


def peak_gb() -> float:
    """Peak resident memory of this process in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024**2 if sys.platform != "darwin" else 1024**3)


STAGES = {"fit": fit_stage, "knn_fit": knn_fit_stage, "decide": decide_stage, "knn_batch": knn_batch_stage}

if __name__ == "__main__":
    main()
