"""What `tenbin doctor` looks at on this machine before it asks anybody: settings, keys, ports, threads, the store,
the compiled kernel.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tenbin.blas import THREAD_VARIABLES
from tenbin.cli.doctor_finding import Finding, Status
from tenbin.compiled.library import Fault, library_fault
from tenbin.config import (
    GatewaySettings,
    Profile,
    StoreSettings,
    load_document,
    read_gateway,
    read_profiles,
    read_store,
)
from tenbin.config.admin_key import read_admin_key
from tenbin.config.gateway import is_loopback
from tenbin.config.metrics import read_metrics
from tenbin.errors import ConfigError, StoreError, TenbinError, UsageError
from tenbin.gateway.address import bind
from tenbin.store.database import OlderStoreError, open_reader
from tenbin.store.folder import StoreFolder
from tenbin.store.keys import list_keys
from tenbin.store.presence import Presence, lock_of, writers
from tenbin.store.schema import LEDGER
from tenbin.upstream.destination import Destination, destinations

FEW_FREE_BYTES = 1 << 30
BUSY_S = 2.0
MAX_HEALTH_BYTES = 1000


@dataclass(frozen=True, slots=True)
class Setup:
    """What the configuration says."""

    config: Path
    settings: GatewaySettings
    profiles: Mapping[str, Profile]
    destinations: Mapping[str, Destination]
    store: StoreSettings


def read_setup(config: Path, environ: Mapping[str, str]) -> Setup:
    """The configuration, checked section by section (ConfigError); metrics, too, that no profile names yet."""
    document = load_document(config, environ)
    read_metrics(document)
    return Setup(config, read_gateway(document), read_profiles(document), destinations(document), read_store(document))


def check_config(setup: Setup) -> list[Finding]:
    """What the configuration holds."""
    values = {"candidates": str(len(setup.destinations)), "profiles": str(len(setup.profiles))}
    name = str(setup.config)
    if not setup.destinations:
        return [Finding("config", name, "fail", "no_candidates", values, "add_candidates", ConfigError)]
    return [Finding("config", name, "ok", "config_ok", values)]


def check_environment(setup: Setup, environ: Mapping[str, str]) -> list[Finding]:
    """Whether every key is where the configuration says."""
    found = []
    users: dict[str, list[str]] = {}
    for name, destination in setup.destinations.items():
        if destination.api_key_env is not None:
            users.setdefault(destination.api_key_env, []).append(name)
        elif not is_loopback(urlsplit(destination.base_url).hostname or ""):
            found.append(Finding("environment", name, "warn", "keyless", fix="name_variable"))
    found += [_variable(variable, names, environ) for variable, names in users.items()]
    try:
        if read_admin_key(setup.settings, environ) is not None:
            found.append(Finding("environment", setup.settings.admin_key_env or "", "ok", "admin_key"))
    except ConfigError as error:
        found.append(Finding.of_error("environment", error))
    return found


def _variable(variable: str, names: Sequence[str], environ: Mapping[str, str]) -> Finding:
    values = {"variable": variable, "candidates": ", ".join(names)}
    value = environ.get(variable, "")
    if not value.strip():
        return Finding("environment", variable, "fail", "key_missing", values, "set_variable", ConfigError)
    if any(not "!" <= character <= "~" for character in value) or value[0] in "'\"":
        return Finding("environment", variable, "fail", "key_odd", values, "write_again", ConfigError)
    return Finding("environment", variable, "ok", "key", values)


def check_ports(setup: Setup) -> list[Finding]:
    """Whether both ports can be listened on; one in use is named, for it may be this very gateway."""
    settings = setup.settings
    found = []
    for key, host, port in (
        ("port", settings.host, settings.port),
        ("admin_port", settings.admin_host, settings.admin_port),
    ):
        try:
            bind(host, port, flag=f"gateway.{key}").close()
        except UsageError as error:
            serves = port != 0 and _serves(host, port)
            running = Finding("ports", f"{host}:{port}", "ok", "port_serves")
            found.append(running if serves else Finding.of_error("ports", error))
        else:
            found.append(Finding("ports", f"{host}:{port}", "ok", "port_ok"))
    return found


def _serves(host: str, port: int) -> bool:
    """Whether a gateway already answers there."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (compared, not bound)
    connection = http.client.HTTPConnection(host, port, timeout=BUSY_S)
    try:
        connection.request("GET", "/health")
        return bool(json.loads(connection.getresponse().read(MAX_HEALTH_BYTES)) == {"status": "ok"})
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        connection.close()


def check_threads(environ: Mapping[str, str]) -> list[Finding]:
    """Whether a decision stays on one core."""
    many = [f"{name}={value}" for name in THREAD_VARIABLES if (value := environ.get(name, "1")) != "1"]
    if many:
        return [Finding("threads", ", ".join(many), "warn", "threads_many", fix="one_thread")]
    return [Finding("threads", "BLAS", "ok", "threads_ok")]


def check_kernel() -> list[Finding]:
    """Whether decisions are made by compiled code."""
    said: Mapping[Fault, tuple[Status, str]] = {
        "absent": ("ok", "kernel_absent"),
        "foreign": ("warn", "kernel_foreign"),
        "outdated": ("warn", "kernel_outdated"),
    }
    fault = library_fault()
    if fault is None:
        return [Finding("kernel", "compiled code", "ok", "kernel_ok")]
    return [Finding("kernel", "compiled code", *said[fault], fix="compile_kernel")]


def check_store(setup: Setup) -> list[Finding]:
    """Whether the ledger can be written, nothing in its journals waits for a gateway, and the keys can be read."""
    found = _folder(StoreFolder(setup.store.path))
    return found if any(finding.status == "fail" for finding in found) else [*found, *_client_keys(setup)]


def _client_keys(setup: Setup) -> list[Finding]:
    """Whether anybody could call the gateway."""
    if setup.settings.keys == "open":
        return []
    try:
        live = [key for key in list_keys(setup.store.path) if key.revoked_at is None]
    except TenbinError as error:
        return [Finding.of_error("store", error)]
    return (
        [] if live else [Finding("store", str(StoreFolder(setup.store.path).keys), "warn", "no_keys", fix="make_key")]
    )


def _folder(store: StoreFolder) -> list[Finding]:
    name = str(store.path)
    if not store.path.exists():
        above = next(folder for folder in store.path.absolute().parents if folder.exists())
        try:
            _try_writing(above)
        except OSError as error:
            return [_unwritable(name, error)]
        return [Finding("store", name, "ok", "store_new")]
    try:
        _try_writing(store.path)
        older = _ledger(store)
    except OSError as error:
        return [_unwritable(name, error)]
    except TenbinError as error:
        return [Finding.of_error("store", error)]
    return [*older, *_space(store), *_journals(store)] or [Finding("store", name, "ok", "store_ok")]


def _ledger(store: StoreFolder) -> list[Finding]:
    """Whether the ledger can be read, and is of this version: the gateway brings one up to date that is older."""
    if not store.ledger.exists() or not store.ledger.stat().st_size:  # a gateway that died while it made it
        return []
    try:
        open_reader(store.ledger, LEDGER, busy_s=BUSY_S).close()
    except OlderStoreError as older:
        return [Finding("store", str(store.ledger), "warn", "said", {"what": older.what}, "copy_store")]
    return []


def _space(store: StoreFolder) -> list[Finding]:
    free, found = shutil.disk_usage(store.path).free, []
    if free < FEW_FREE_BYTES:
        values = {"megabytes": f"{free / 1e6:,.0f}"}
        found.append(Finding("store", str(store.path), "warn", "disk_low", values, "free_disk"))
    if store.path.stat().st_mode & 0o077:
        found.append(Finding("store", str(store.path), "warn", "store_open", {"path": str(store.path)}, "close_store"))
    return found


def _journals(store: StoreFolder) -> list[Finding]:
    dead = [writer for writer in writers(store) if _is_dead(lock_of(store, writer))]
    damaged = sorted(path.name for path in store.journals.glob("*.damaged"))
    found = []
    if dead:
        values = {"n": str(len(dead))}
        found.append(Finding("store", str(store.journals), "warn", "journal_left", values, "start_gateway"))
    if damaged:
        values = {"files": ", ".join(damaged)}
        found.append(Finding("store", str(store.journals), "warn", "journal_damaged", values, "report_journal"))
    return found


def _is_dead(lock: Path) -> bool:
    """Whether nobody holds this lock: its writer has left rows and will not come back."""
    presence = Presence.take(lock, is_own=False)
    if presence is None:
        return not lock.exists()
    presence.leave(settled=False)
    return True


def _unwritable(name: str, error: OSError) -> Finding:
    values = {"reason": error.strerror or type(error).__name__}
    return Finding("store", name, "fail", "store_unwritable", values, "make_writable", StoreError)


def _try_writing(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"tenbin doctor")
        file.flush()
        os.fsync(file.fileno())
