"""The recipe runs to its end, on labels that a fit takes."""

from __future__ import annotations

import json

import pytest

from runs.noisy_labels import main


def test_every_draw_is_fitted_without_and_with_the_noise(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["noisy_labels.py", "--rows", "60", "--draws", "2"])
    main()
    *draws, last = map(json.loads, capsys.readouterr().out.splitlines())
    assert [draw["draw"] for draw in draws] == [0, 1]
    assert all(draw["without"] != draw["with"] for draw in draws)
    assert last["gain"] == pytest.approx(sum(draw["with"] - draw["without"] for draw in draws) / 2, abs=1e-4)
