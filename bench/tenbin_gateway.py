"""Tenbin with all that it has to do: sixteen candidates to decide among, a key with a budget, the ledger on.

The router is fitted on made-up outcomes (see runs/made_outcomes.py): what is measured is time, never quality.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from bench.served import ROOT, Served, free_port, serve
from runs.made_outcomes import book, names, simulated
from tenbin.router.fit import FitSettings, fit
from tenbin.store.keys import create_key

CANDIDATES = 16
PROMPTS = 3_000
AUTO_MODEL = "tenbin/auto"
PINNED_MODEL = "model-07"
UPSTREAM_KEY = "BENCH_UPSTREAM_KEY"
CONFIG = """\
[profiles.auto]
mu = 0.3

[gateway]
port = {port}
admin_port = {admin_port}
router = "{router}"
default_profile = "auto"
log_level = "warning"

[store]
path = "{store}"
"""
CANDIDATE = """
[candidates."{name}"]
provider = "openai"
base_url = "http://127.0.0.1:{upstream}/v1"
api_key_env = "{key}"
context_window_tokens = 1000000
capabilities = ["tools", "json_schema"]
"""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running gateway, the key to call it with, its files."""

    served: Served
    key: str
    store: Path
    admin_port: int


def fitted(folder: Path, embedder: str) -> Path:
    """The folder of a router for sixteen candidates, fitted if it is not there yet."""
    router = folder / f"router-{embedder}"
    if not router.exists():
        panel, prices = simulated(PROMPTS, CANDIDATES), book(CANDIDATES)
        fit(panel, prices, FitSettings(embedder=embedder, learning_curve=False)).save(router)
    return router


def write_config(folder: Path, upstream: Served, embedder: str) -> tuple[Path, int, int]:
    """The configuration beside its router and store; its path and its two ports."""
    port, admin_port = free_port(), free_port()
    router, store = fitted(folder, embedder), folder / "store"
    text = CONFIG.format(port=port, admin_port=admin_port, router=router, store=store)
    text += "".join(CANDIDATE.format(name=n, upstream=upstream.port, key=UPSTREAM_KEY) for n in names(CANDIDATES))
    config = folder / "tenbin.toml"
    config.write_text(text, encoding="utf-8")
    return config, port, admin_port


def start_tenbin(
    folder: Path, upstream: Served, *, embedder: str = "base", workers: int = 1, checkout: Path | None = None
) -> Gateway:
    """The gateway in front of the upstream, with a key of its own; `checkout` is another one, with its `.venv`."""
    config, port, admin_port = write_config(folder, upstream, embedder)
    store = folder / "store"
    secret, _ = create_key(store, f"bench-{port}", day_usd=1e6, month_usd=1e7)
    python = sys.executable if checkout is None else str(checkout / ".venv/bin/python")
    command = [python, "-m", "tenbin", "serve", str(config)]
    if workers != 1:
        command += ["--workers", str(workers)]
    environ = {UPSTREAM_KEY: "sk-upstream"}
    served = serve("tenbin", command, port, folder, ready_below=300, environ=environ, checkout=checkout or ROOT)
    return Gateway(served, secret, store, admin_port)
