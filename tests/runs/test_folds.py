"""The recipe of the routing figures runs to its end, and what it joins of the folds is all that they know."""

from __future__ import annotations

import json
import random
from pathlib import Path

import duckdb
import numpy as np
import pytest

from runs.folds import joined_estimates, main
from tenbin.types import Estimates
from tests.router.made import PRICES


def outcomes(prompts: int) -> str:
    drawn, lines = random.Random(0), []  # noqa: S311 (no secrets)
    for i in range(prompts):
        prompt = " ".join(drawn.choices(["sum", "proof", "poem", "river", "lemma", "verse", "list", "tide"], k=12))
        for model in ("small", "large"):
            knows = model == "large" or "proof" not in prompt
            tokens = drawn.randint(20, 90)
            row = {"query_id": str(i), "prompt": prompt, "group": prompt[:4], "fold": i % 2, "model": model}
            row |= {"quality": float(knows), "input_tokens": 30, "output_tokens": tokens}
            lines.append(row | {"cost_usd": (30 + 3 * tokens) * (1e-5 if model == "large" else 1e-7)})
    return "\n".join(map(json.dumps, lines))


def test_a_table_with_folds_gives_all_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "outcomes.jsonl").write_text(outcomes(120))
    (tmp_path / "prices.toml").write_text(PRICES)
    made = tmp_path / "outcomes.parquet"
    duckdb.execute(f"COPY (FROM read_json('{tmp_path / 'outcomes.jsonl'}')) TO '{made}'")
    monkeypatch.setattr("sys.argv", ["folds.py", str(made), str(tmp_path / "prices.toml")])
    main()
    document = json.loads(capsys.readouterr().out)
    for groups in ("without groups", "with groups"):
        assert document[groups]["n_test"] == 120
        assert {"quality_r2", "output_tokens", "dollars"} <= set(document[groups]["calibration"])
        assert document[groups]["gain over z_test"]["aiq"]["value"] > 0.0


def test_what_one_fold_does_not_know_is_not_known() -> None:
    whole = Estimates(*np.arange(6.0 * 4).reshape(6, 2, 2), likeness=np.ones(2), novelty=np.zeros(2))
    lacking = Estimates(*np.ones((6, 1, 2)), likeness=np.zeros(1))
    found = joined_estimates([whole, lacking])
    assert found.recorded_cost_usd is None
    assert found.novelty is None
    assert found.likeness is not None
    assert found.likeness.tolist() == [1.0, 1.0, 0.0]
    assert found.quality.tolist() == [[0.0, 1.0], [2.0, 3.0], [1.0, 1.0]]
