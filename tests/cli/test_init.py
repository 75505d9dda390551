from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from tenbin.cli.init import TEMPLATE
from tenbin.config import load_document, read_gateway, read_profiles, read_store
from tenbin.config.schema import SECTIONS
from tenbin.upstream.destination import destinations

Tenbin = Callable[..., Result]


def check(config: Path) -> None:
    document = load_document(config, {})
    assert destinations(document)
    assert read_profiles(document)
    assert read_gateway(document).router == config.parent / "my-router"
    assert read_store(document).path == config.parent / "tenbin-store"


def test_what_it_writes_can_be_served(tenbin: Tenbin, tmp_path: Path) -> None:
    config = tmp_path / "my gateway.toml"
    run = tenbin("init", config)
    assert run.exit_code == 0, run.stderr
    assert f"tenbin serve '{config}'" in run.stdout
    check(config)


def test_every_comment_that_looks_like_a_setting_is_one(tmp_path: Path) -> None:
    text = re.sub(r"^# (?=\[|[a-z_]+ = )", "", TEMPLATE, flags=re.MULTILINE)
    assert text != TEMPLATE
    # Of the dials one may be given.
    text = re.sub(r"^(mu|max_cost_usd|best|deny) = .*\n", "", text, flags=re.MULTILINE)
    config = tmp_path / "tenbin.toml"
    config.write_text(text, encoding="utf-8")
    check(config)
    said = set(re.findall(r"^(?:# )?([a-z_]+) = ", TEMPLATE, flags=re.MULTILINE))
    known = {key for title in ("gateway", "store") for key in SECTIONS[title].keys}
    assert known - said <= {"admin_host", "default_profile"}


def test_a_file_that_is_there_is_left_alone(tenbin: Tenbin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tenbin.toml").write_text("# mine\n", encoding="utf-8")
    run = tenbin("init")
    assert run.exit_code == 2
    assert run.stderr == "tenbin: tenbin.toml: is there already; name another file, or move this one away\n"
    assert Path("tenbin.toml").read_text(encoding="utf-8") == "# mine\n"


def test_a_link_to_nowhere_is_not_followed(tenbin: Tenbin, tmp_path: Path) -> None:
    link = tmp_path / "tenbin.toml"
    link.symlink_to(tmp_path / "elsewhere")
    assert tenbin("init", link).exit_code == 2
    assert not (tmp_path / "elsewhere").exists()
