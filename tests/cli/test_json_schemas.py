"""Every `--json` document keeps to its schema in docs/reference/json, and every schema has its document."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import Result

Tenbin = Callable[..., Result]
SCHEMAS = Path(__file__).parents[2] / "docs/reference/json"
COMMANDS: Mapping[str, str] = {
    "fit": "fit {made}/train.jsonl --prices {made}/prices.toml --predictor constant --out {tmp}/r",
    "evaluate": "evaluate {made}/router {made}/test.jsonl",
    "certify": "certify {tmp}/router {made}/test.jsonl --min-quality 0.9 --by-group",
    "route": "route {made}/router prompt --mu 0.3",
    "route-sweep": "route {made}/router prompt --sweep 5",
    "route-batch": "route {made}/router --batch {tmp}/in --out {tmp}/out",
    "router-list": "router list {made}",
    "router-show": "router show {made}/router",
    "router-diff": "router diff {made}/router {made}/router",
    "router-add-model": "router add-model {made}/router {tmp}/fresh --model fresh --prices {tmp}/prices --out {tmp}/r",
    "router-add-model-suggest": "router add-model {made}/router --suggest 4 --prompts {made}/train.jsonl --out {tmp}/a",
    "router-retire-model": "router retire-model {made}/router small --out {tmp}/r",
}


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", COMMANDS)
def test_the_document_keeps_to_its_schema(name: str, made: Path, tenbin: Tenbin, tmp_path: Path) -> None:
    if name == "router-add-model":
        lines = (made / "train.jsonl").read_text(encoding="utf-8").splitlines()[:24:3]
        (tmp_path / "fresh").write_text("".join(line.replace('"small"', '"fresh"') + "\n" for line in lines))
        (tmp_path / "prices").write_text("[models.fresh]\ninput_usd_per_mtok = 9\noutput_usd_per_mtok = 9\n")
    if name == "certify":
        shutil.copytree(made / "router", tmp_path / "router")  # which keeps the proof
    if name == "route-batch":
        (tmp_path / "in").write_text('{"prompt": "a"}\n')
    words = [word.format(made=made, tmp=tmp_path) for word in COMMANDS[name].split()]
    run = tenbin(*words, "--json")
    assert run.exit_code == 0, run.stderr
    jsonschema.Draft202012Validator(schema(name)).validate(json.loads(run.stdout))


def test_batch_lines_keep_to_their_schema(made: Path, tenbin: Tenbin) -> None:
    run = tenbin("route", made / "router", "--batch", "-", "--sweep", "3", stdin='{"prompt": "a"}\n{"prompt": "b"}')
    validator = jsonschema.Draft202012Validator(schema("route-batch-line"))
    for line in run.stdout.splitlines():
        validator.validate(json.loads(line))


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.schema.json")), ids=lambda path: path.name)
def test_every_schema_is_one(path: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(path.read_text(encoding="utf-8")))
