"""How long 100,000 prompts x 14 models take to load, and in how much memory: Parquet, JSONL, CSV.

Run: python runs/load_outcomes.py [--prompts 100000] [--models 14] [--folder DIR]

The table is made up (its prompts have the lengths of real ones, 300 characters on average); each file is read in a
process of its own, so that its peak memory is its own. "imports" is that peak after the imports alone.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

from tenbin.outcomes import read_outcomes

FORMATS = {"parquet": "FORMAT parquet", "jsonl": "FORMAT json", "csv": "FORMAT csv, HEADER"}


def make(folder: Path, kind: str, prompts: int, models: int) -> Path:
    """Write the made table, unless it is there already; the rows are in no order of query."""
    path = folder / f"outcomes-{prompts}x{models}.{kind}"
    if not path.exists():
        text = """repeat(': how far is it, and "why" so?', 20)"""
        query = f"""
            SELECT 'query-' || q AS query_id,
                   left('Question ' || q || {text}, 100 + (q * 7919) % 400) AS prompt,
                   'group-' || q % 20 AS "group", 'provider/model-' || m AS model,
                   ((q * 31 + m * 17) % 101) / 100.0 AS quality, 50 + (q * 7919) % 400 // 4 AS input_tokens,
                   1 + (q * 13 + m * 101) % 900 AS output_tokens, ((q * 13 + m * 101) % 900) * 1e-6 AS cost_usd,
                   ((q + m) % 50) / 10.0 AS latency_s, CASE WHEN q % 10 < 7 THEN 'train' ELSE 'test' END AS split
            FROM range({models}) t(m), range({prompts}) s(q)"""  # noqa: S608
        duckdb.connect().execute(f"COPY ({query}) TO '{path}' ({FORMATS[kind]})")
    return path


def peak_mb() -> float:
    """Peak resident memory of this process in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)


def load(path: Path) -> None:
    """Read one file and print what it took."""
    imports, start, cpu = peak_mb(), time.perf_counter(), time.process_time()
    panel = read_outcomes(path)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu
    print(
        f"{path.suffix[1:]:8} {path.stat().st_size / 1e6:7.0f} MB  {len(panel)} x {len(panel.models)}"
        f"  {seconds:6.1f} s ({cpu_seconds:.1f} s CPU)  peak {peak_mb():5.0f} MB (imports {imports:.0f} MB)"
        f"  hash {panel.data_hash[:12]}",
        flush=True,
    )


def main() -> None:
    """Make the three files, then read each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--prompts", type=int, default=100_000)
    parser.add_argument("--models", type=int, default=14)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "tenbin-load-outcomes")
    parser.add_argument("--read", type=Path, help="read this one file here (used for the child processes)")
    args = parser.parse_args()
    if args.read:
        load(args.read)
        return
    args.folder.mkdir(parents=True, exist_ok=True)
    for kind in FORMATS:
        path = make(args.folder, kind, args.prompts, args.models)
        subprocess.run([sys.executable, __file__, "--read", str(path)], check=True)


if __name__ == "__main__":
    main()
