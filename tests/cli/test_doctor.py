"""`tenbin doctor` against a real router, a real store and a fake upstream on loopback."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import formatdate
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import Result

from tenbin.cli.doctor_reach import Reached, check_clock
from tenbin.errors import ArtifactError, ConfigError, NetworkError, PriceError, StoreError, TenbinError, UsageError
from tenbin.store.database import Schema, open_database
from tenbin.store.folder import StoreFolder
from tenbin.store.keys import KEYS
from tenbin.store.schema import LEDGER
from tenbin.testing import Answer, FakeUpstream

Tenbin = Callable[..., Result]
SCHEMA = Path(__file__).parents[2] / "docs/reference/json/doctor.schema.json"
KEY = "sk-planted-0123456789abcdef"
TODAY = datetime.now(UTC).date()
MODELS = ("small", "medium", "large")


@pytest.fixture
def upstream() -> Iterator[FakeUpstream]:
    with FakeUpstream(lambda _: Answer(headers={"date": formatdate(usegmt=True)}), models=MODELS) as fake:
        yield fake


class Place:
    """A folder with a configuration that is in order, which tests then damage."""

    def __init__(self, folder: Path, made: Path, upstream: FakeUpstream, tenbin: Tenbin) -> None:
        self.folder = folder
        self.tenbin = tenbin
        self.config = folder / "tenbin.toml"
        self.router = shutil.copytree(made / "router", folder / "router")
        dated = (made / "prices.toml").read_text(encoding="utf-8").replace("\ninput", f"\nsince = {TODAY}\ninput")
        dated = "\n".join(
            line.replace("]", ".prices]]").replace("[", "[[") if "[" in line else line for line in dated.splitlines()
        )
        (folder / "prices.toml").write_text(dated, encoding="utf-8")
        lines = [
            f'[candidates.{name}]\nbase_url = "{upstream.base_url}"\napi_key_env = "UPSTREAM_KEY"' for name in MODELS
        ]
        lines.append('[gateway]\nrouter = "router"\nprices = "prices.toml"\nport = 0\nadmin_port = 0')
        lines.append('[store]\npath = "store"')
        lines.append("[profiles.auto]\ndecision_deadline_ms = 20000")  # a busy machine is not what is checked
        assert tenbin("keys", "create", "client", "--store", folder / "store").exit_code == 0
        self.config.write_text("\n".join(lines), encoding="utf-8")

    def change(self, old: str, new: str) -> None:
        text = self.config.read_text(encoding="utf-8")
        assert old in text
        self.config.write_text(text.replace(old, new), encoding="utf-8")

    def run(self, *words: str) -> Result:
        run = self.tenbin("doctor", self.config, *words)
        assert KEY not in run.output
        assert run.stderr.count("\n") == (run.exit_code != 0)
        return run

    def findings(self, code: int = 0) -> dict[tuple[str, str], dict[str, Any]]:
        run = self.run("--json")
        assert run.exit_code == code, run.output
        found = json.loads(run.stdout)
        jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8"))).validate(found)
        assert found["is_healthy"] is (code == 0)
        return {(row["check"], row["subject"]): row for row in found["findings"]}


@pytest.fixture
def place(tmp_path: Path, made: Path, upstream: FakeUpstream, tenbin: Tenbin, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("UPSTREAM_KEY", KEY)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    return Place(tmp_path, made, upstream, tenbin)


def test_a_gateway_that_would_serve_is_well(place: Place, upstream: FakeUpstream) -> None:
    assert {row["status"] for row in place.findings().values()} == {"ok"}
    (asked,) = upstream.requests  # three candidates behind one address and key: asked once
    assert (asked.method, asked.path) == ("GET", "/v1/models")
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    run = place.run()
    assert run.stdout.splitlines()[-1] == "All is well."


def test_japanese(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    assert place.run("--lang", "ja").stdout.splitlines()[-1] == "すべて正常です。"
    monkeypatch.delenv("UPSTREAM_KEY")
    run = place.run("--lang", "ja")
    assert "設定されていません" in run.stderr
    assert run.stdout.splitlines()[-1].startswith("要修正 1 件")


def test_a_broken_configuration_ends_it(place: Place) -> None:
    place.change("[store]", "[stroe]")
    ((check, _), row), *others = place.findings(ConfigError.exit_code).items()
    assert (check, others) == ("config", [])
    assert '"store"' in row["fix"]


def test_a_metric_that_no_profile_names_is_looked_at(place: Place) -> None:
    place.change("[store]", '[metrics.close]\nkind = "numeric"\nscale = 3\n\n[store]')
    (row,) = place.findings(ConfigError.exit_code).values()
    assert '"scale" is no key of the kind "numeric"' in row["what"]


@pytest.mark.parametrize("value", ["", "  ", f" {KEY}", f'"{KEY}"', f"{KEY}\n"])
def test_a_key_that_is_missing_or_misshapen(place: Place, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("UPSTREAM_KEY", value)
    row = place.findings(ConfigError.exit_code)["environment", "UPSTREAM_KEY"]
    assert row["status"] == "fail"


def test_a_weak_admin_key(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.change("admin_port = 0", 'admin_port = 0\nadmin_key_env = "ADMIN"')
    monkeypatch.setenv("ADMIN", "short-admin-key")
    assert "short-admin-key" not in place.run().output
    assert place.findings(ConfigError.exit_code)["environment", "environment variable ADMIN"]["status"] == "fail"


@pytest.mark.parametrize(
    ("answer", "status", "told"),
    [
        (Answer.error(401), "fail", "refused"),
        (Answer.error(403), "fail", "refused"),
        (Answer.error(404), "warn", "lists no models"),
        (Answer.error(429), "warn", "429"),
        (Answer.error(500), "fail", "500"),
        (Answer(status=302, headers={"location": "http://127.0.0.1:1/"}), "fail", "302"),
        (Answer(body=b"<html>"), "warn", "lists no models"),
        (Answer(body=b'{"data": [{"id": "other"}]}'), "warn", "does not list"),
        (Answer(body=b'{"data": [{"id": "models/small"}]}'), "ok", "knows"),
        (Answer(cut_at=-1, ending="close"), "fail", "broke"),
    ],
)
def test_what_an_upstream_says(place: Place, upstream: FakeUpstream, answer: Answer, status: str, told: str) -> None:
    upstream.script = answer
    row = place.findings(NetworkError.exit_code if status == "fail" else 0)["reach", "small"]
    assert (row["status"], told in row["what"]) == (status, True)
    assert (row["fix"] is None) is (status == "ok")


@pytest.mark.parametrize(("listed", "advice"), [("other", "model"), ("small2", 'model; did you mean "small2"?')])
def test_a_model_is_likened_only_to_one_that_is_near(
    place: Place, upstream: FakeUpstream, listed: str, advice: str
) -> None:
    upstream.script = Answer(body=b'{"data": [{"id": "%s"}]}' % listed.encode())
    assert place.findings()["reach", "small"]["fix"] == f"check the name in {advice}"


def test_an_upstream_that_is_not_there(place: Place, upstream: FakeUpstream) -> None:
    upstream.close()
    row = place.findings(NetworkError.exit_code)["reach", "small"]
    assert "no connection" in row["what"]


def test_a_router_that_is_damaged(place: Place) -> None:
    (place.router / "estimator.npz").write_bytes(b"x")
    rows = place.findings(ArtifactError.exit_code)
    assert [row["status"] for (check, _), row in rows.items() if check == "router"] == ["fail"]


def test_a_certified_profile_without_a_proof(place: Place) -> None:
    place.config.write_text(
        place.config.read_text(encoding="utf-8") + "\n[profiles.safe]\nmin_quality = 0.95\ncertified = true\n", "utf-8"
    )
    found = place.findings()["router", "safe"]
    assert found["status"] == "warn"
    assert "no calibration" in found["what"]
    assert "tenbin certify" in found["fix"]


def test_a_profile_of_a_group_that_the_router_does_not_know(place: Place) -> None:
    place.change("[profiles.auto]", '[profiles.auto]\ngroup = "arithmetik"')
    found = place.findings()["router", "auto"]
    assert found["status"] == "warn"
    assert "knows no group arithmetik" in found["what"]
    assert found["fix"] == 'check group in the profile; did you mean "arithmetic"?'
    place.change("arithmetik", "arithmetic")
    assert place.findings()["router", "auto"]["status"] == "ok"


def test_a_candidate_without_a_price(place: Place) -> None:
    place.change("[gateway]", '[candidates.extra]\nbase_url = "http://127.0.0.1:1/v1"\n[gateway]')
    rows = place.findings(NetworkError.exit_code)
    assert rows["prices", "extra"]["status"] == "fail"


def test_names_that_the_router_does_not_know_beside_some_that_nobody_is_called_by(place: Place) -> None:
    place.change("[candidates.medium]", "[candidates.medium-2]")
    row = place.findings(PriceError.exit_code)["router", "medium"]
    assert row["status"] == "warn"
    assert "medium-2 is a name" in row["what"]
    place.change("[candidates.medium-2]", "[candidates.medium-2]\nembeddings = true")  # a choice: medium is not served
    assert ("router", "medium") not in place.findings(PriceError.exit_code)


def test_an_embedding_model_has_no_price_of_output(place: Place) -> None:
    place.change("[gateway]", '[candidates.vectors]\nbase_url = "http://127.0.0.1:1/v1"\nembeddings = true\n[gateway]')
    with (place.folder / "prices.toml").open("a", encoding="utf-8") as book:
        book.write(
            f"\n[[models.vectors.prices]]\nsince = {TODAY}\ninput_usd_per_mtok = 0.02\noutput_usd_per_mtok = 0\n"
        )
    assert ("prices", "vectors") not in place.findings(NetworkError.exit_code)


def test_an_old_price_and_one_without_a_date(place: Place) -> None:
    book = place.folder / "prices.toml"
    text = book.read_text(encoding="utf-8")
    book.write_text(text.replace(f"since = {TODAY}", "since = 2023-01-01", 1), encoding="utf-8")
    assert "still true" in place.findings()["prices", "small"]["what"]
    book.write_text(text.replace(f"since = {TODAY}\n", ""), encoding="utf-8")
    assert place.findings()["prices", str(book)]["status"] == "warn"


def test_a_price_book_that_is_gone(place: Place) -> None:
    (place.folder / "prices.toml").unlink()
    assert place.run().exit_code == PriceError.exit_code


def test_a_store_that_is_not_there_yet_is_not_made(place: Place) -> None:
    shutil.rmtree(place.folder / "store")
    rows = place.findings()
    assert rows["store", str(place.folder / "store")]["status"] == "ok"
    assert rows["store", str(place.folder / "store" / "keys.sqlite")]["status"] == "warn"
    assert not (place.folder / "store").exists()


def test_a_store_without_a_key_in_use(place: Place) -> None:
    assert place.tenbin("keys", "revoke", "client", "--store", place.folder / "store").exit_code == 0
    assert "tenbin keys create" in place.run().stdout
    place.change("port = 0\nadmin", 'keys = "open"\nport = 0\nadmin')
    assert place.run().stdout.splitlines()[-1] == "All is well."


def test_a_store_that_cannot_be_written(place: Place) -> None:
    shutil.rmtree(place.folder / "store")
    (place.folder / "store").write_text("a file")
    assert place.findings(StoreError.exit_code)["store", str(place.folder / "store")]["status"] == "fail"


def test_a_store_that_the_next_start_brings_up_to_date(place: Place) -> None:
    """It was a failure: who looks before the first start of a new version, as the docs say, never started it."""
    store = StoreFolder(place.folder / "store")
    open_database(store.ledger, Schema(LEDGER.steps[:-1], LEDGER.journal_mode), busy_s=1.0).close()
    row = place.findings()["store", str(store.ledger)]
    assert row["status"] == "warn"
    assert row["what"] == f"the store is of version {len(LEDGER.steps) - 1}, this Tenbin reads {len(LEDGER.steps)}"
    assert "copy the folder first" in row["fix"]
    store.ledger.write_bytes(b"")  # one that was begun and never made says nothing
    assert place.findings()["store", str(store.path)]["status"] == "ok"


@pytest.mark.parametrize("what", ["damaged", "newer"])
def test_keys_that_cannot_be_read(place: Place, what: str) -> None:
    """All was well, and every request would have been refused."""
    keys = StoreFolder(place.folder / "store").keys
    if what == "damaged":
        keys.write_bytes(b"no database " * 500)
    else:
        open_database(keys, Schema((*KEYS.steps, "SELECT 1"), KEYS.journal_mode), busy_s=1.0).close()
    row = place.findings(StoreError.exit_code)["store", str(keys)]
    assert row["status"] == "fail"
    assert ("put a copy in its place" in row["fix"]) == (what == "damaged")


def test_a_store_that_others_may_read_and_journals_of_the_dead(place: Place) -> None:
    journals = place.folder / "store" / "journal"
    journals.mkdir(exist_ok=True)
    (place.folder / "store").chmod(0o755)
    (journals / "0~abc.1.log").write_bytes(b"")
    (journals / "0~abc.2.damaged").write_bytes(b"x")
    rows = place.findings()
    assert rows["store", str(place.folder / "store")]["fix"].startswith("chmod 700")
    assert rows["store", str(journals)]["status"] == "warn"


def test_a_port_in_use(place: Place) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        place.change("\nport = 0", f"\nport = {port}")
        row = place.findings(UsageError.exit_code)["ports", f"127.0.0.1:{port}"]
    assert "in use" in row["what"]


def test_a_gateway_that_runs_is_no_fault(place: Place, upstream: FakeUpstream) -> None:
    upstream.script = Answer(body=b'{"status":"ok"}')
    place.change("\nport = 0", f"\nport = {upstream.port}")
    row = place.findings()["ports", f"127.0.0.1:{upstream.port}"]
    assert (row["status"], "answers" in row["what"]) == ("ok", True)


def test_many_threads(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    assert place.findings()["threads", "OMP_NUM_THREADS=8"]["status"] == "warn"


def test_a_clock_that_is_an_hour_behind(place: Place, upstream: FakeUpstream) -> None:
    upstream.script = Answer(headers={"date": formatdate(2_000_000_000, usegmt=True)})
    assert "behind" in place.findings(TenbinError.exit_code)["clock", "UTC"]["what"]


@pytest.mark.parametrize(
    ("skews", "status", "text"),
    [
        ([], "warn", "clock_unknown"),
        ([1.0, -2.0, 3600.0], "ok", "clock_ok"),
        ([-40.0], "warn", "clock_fast"),
        ([40.0, 50.0], "warn", "clock_slow"),
        ([-400.0], "fail", "clock_fast"),
    ],
)
def test_the_clock_is_held_against_the_middle_one(skews: list[float], status: str, text: str) -> None:
    (found,) = check_clock([Reached(200, skew_s=skew) for skew in skews])
    assert (found.status, found.text) == (status, text)


def test_upstreams_that_answer_and_send_no_time_need_no_mending() -> None:
    assert check_clock([Reached(None), Reached(200)])[0].fix == "clock_by_hand"
    assert check_clock([Reached(None)])[0].fix == "reach_first"
