"""The anchors scale the loss, so none may be zero."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tenbin.outcomes import read_outcomes
from tenbin.prices import PriceBook
from tenbin.router.fit import FitSettings, fit


def test_seconds_that_are_all_zero_are_no_anchor(tmp_path):
    lines = [
        f'{{"query_id": "{i}", "prompt": "alpha {i}", "model": "{model}", "quality": {(i + k) % 2}, "latency_s": 0,'
        f' "input_tokens": 5, "output_tokens": {10 * (k + 1)}}}'
        for i in range(24)
        for k, model in enumerate("ab")
    ]
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    rates = "input_usd_per_mtok = 1\noutput_usd_per_mtok = 2\n"
    book = PriceBook.loads("".join(f"[models.{model}]\n{rates}" for model in "ab"))
    panel = read_outcomes(tmp_path / "t.jsonl")
    assert fit(panel, book, FitSettings(embedder="base")).manifest.t_ref_s is None
    seconds = replace(panel, latency_s=np.full_like(panel.latency_s, 2.0))
    assert fit(seconds, book, FitSettings(embedder="base")).manifest.t_ref_s == 2.0
