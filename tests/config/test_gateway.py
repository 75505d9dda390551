"""`[gateway]`, `[store]` and the endpoints: defaults, doors that must stay shut, and the environment."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tenbin.config import (
    Endpoint,
    GatewaySettings,
    StoreSettings,
    is_loopback,
    load_document,
    read_endpoints,
    read_gateway,
    read_profiles,
    read_store,
)
from tenbin.config.document import Document
from tenbin.errors import ConfigError
from tenbin.upstream.destination import PROVIDER_URLS

KEY = "tb-" + "0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"


def document(folder: Path, text: str, environ: dict[str, str] | None = None) -> Document:
    path = folder / "tenbin.toml"
    path.write_text(text, encoding="utf-8")
    return load_document(path, environ or {})


def refusal(folder: Path, text: str, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        read_gateway(document(folder, text, environ))
    return str(caught.value)


def test_the_defaults_listen_on_this_machine_alone_and_ask_for_keys(tmp_path: Path) -> None:
    settings = read_gateway(load_document(None, {}))
    assert settings == GatewaySettings()
    assert (settings.host, settings.admin_host, settings.keys) == ("127.0.0.1", "127.0.0.1", "required")
    assert settings.max_body_bytes == 32 * 2**20
    assert read_store(load_document(None, {})) == StoreSettings(Path("tenbin-store"))
    assert read_store(document(tmp_path, "")).path == tmp_path / "tenbin-store"


def test_paths_start_where_the_file_stands(tmp_path: Path) -> None:
    text = '[gateway]\nrouter = "r"\nprices = "/etc/prices.toml"\n[store]\npath = "../s"\n'
    settings = read_gateway(document(tmp_path, text))
    assert (settings.router, settings.prices) == (tmp_path / "r", Path("/etc/prices.toml"))
    assert read_store(document(tmp_path, text)).path == tmp_path / "../s"


def test_rows_are_kept_for_as_long_as_the_store_says(tmp_path: Path) -> None:
    assert read_store(document(tmp_path, "[store]\nkeep_days = 90\n")).keep_days == 90
    assert read_store(document(tmp_path, "")).keep_days is None


def test_the_environment_sets_each_kind(tmp_path: Path) -> None:
    environ = {
        "TENBIN_GATEWAY__HOST": "gateway.internal",
        "TENBIN_GATEWAY__PORT": " 9000 ",
        "TENBIN_GATEWAY__ADMIN_PORT": "0",
        "TENBIN_GATEWAY__ADMIN_KEY_ENV": "TENBIN_ADMIN_KEY",
        "TENBIN_GATEWAY__LOG_LEVEL": "debug",
        "TENBIN_STORE__PATH": "/var/lib/tenbin",
    }
    read = document(tmp_path, "", environ)
    assert read_gateway(read) == GatewaySettings(
        host="gateway.internal", port=9000, admin_port=0, admin_key_env="TENBIN_ADMIN_KEY", log_level="debug"
    )
    assert read_store(read).path == Path("/var/lib/tenbin")


@pytest.mark.parametrize(
    ("inside", "sentence"),
    [
        ("keys = 'open'\nhost = '0.0.0.0'", 'gateway.keys = "open" would let anybody in through 0.0.0.0'),
        ("keys = 'open'\nhost = '::'", 'gateway.keys = "open" would let anybody in'),
        ("keys = 'open'\nhost = 'example.org'", 'gateway.keys = "open" would let anybody in'),
        ("keys = 'opne'", 'gateway.keys = "opne" is not "required" or "open"; did you mean "open"?'),
        ("keys = true", 'gateway.keys = true is not "required" or "open"'),
        ("admin_host = '0.0.0.0'", "gateway.admin_host = 0.0.0.0 would let anybody at the admin routes"),
        ("port = 8788", "gateway.port and gateway.admin_port are both 8788"),
        ("port = 65536", "gateway.port = 65536 is not a port from 1 to 65535"),
        ("port = -1", "gateway.port = -1 is not a port"),
        ("port = 80.0", "gateway.port = 80.0 is not a port"),
        ("host = '127.0.0.1:80'", 'gateway.host = "127.0.0.1:80" is not the name or address of a machine'),
        ("host = 'http://x'", "is not the name or address of a machine alone"),
        ("host = '127.0.0.300'", "is not the name or address of a machine alone"),
        ("host = 'a_b'", "is not the name or address of a machine alone"),
        ("default_profile = 'cheep'", 'there is no profile "cheep"; did you mean "cheap"?'),
        ("admin_key_env = 'correct horse battery'", "gateway.admin_key_env is not the name of an environment variable"),
        ("max_body_mb = 0", "gateway.max_body_mb = 0 is not a whole number above 0"),
        ("log_level = 'warn'", 'did you mean "warning"?'),
        ("prot = 1", 'unknown key in gateway: "prot"; did you mean "port" or'),
    ],
)
def test_a_wrong_gateway_is_refused_in_one_sentence(tmp_path: Path, inside: str, sentence: str) -> None:
    said = refusal(tmp_path, f"[gateway]\n{inside}\n[profiles.cheap]\n")
    assert sentence in said
    assert said.startswith(str(tmp_path / "tenbin.toml"))
    assert "horse" not in said


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost", "LOCALHOST"])
def test_open_keys_are_fine_on_this_machine(tmp_path: Path, host: str) -> None:
    assert is_loopback(host)
    assert read_gateway(document(tmp_path, f"[gateway]\nkeys = 'open'\nhost = '{host}'")).keys == "open"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "127.0.0.1.example.org", "localhost.example.org"])  # noqa: S104
def test_what_others_reach_is_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_two_free_ports_are_not_one_port(tmp_path: Path) -> None:
    assert read_gateway(document(tmp_path, "[gateway]\nport = 0\nadmin_port = 0")).port == 0


def test_an_admin_key_opens_the_admin_side_to_others(tmp_path: Path) -> None:
    text = "[gateway]\nadmin_host = '0.0.0.0'\nadmin_key_env = 'TENBIN_ADMIN_KEY'"
    assert read_gateway(document(tmp_path, text)).admin_key_env == "TENBIN_ADMIN_KEY"


def test_auto_means_one_profile(tmp_path: Path) -> None:
    profiles = "\n[profiles.auto]\n[profiles.other]\n"
    assert read_gateway(document(tmp_path, "[gateway]\ndefault_profile = 'auto'" + profiles)).default_profile == "auto"
    assert "tenbin/auto would mean both" in refusal(tmp_path, "[gateway]\ndefault_profile = 'other'" + profiles)


def test_our_own_keys_are_known_as_secrets(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="looks like a secret key") as caught:
        document(tmp_path, f'[gateway]\nadmin_key_env = "{KEY}"')
    assert KEY not in str(caught.value)


def test_the_dialect_follows_the_provider_unless_said(tmp_path: Path) -> None:
    text = """
[candidates.a]
provider = "Anthropic"
max_concurrency = 4
requests_per_minute = 50
tokens_per_minute = 40000
[candidates.b]
provider = "anthropic"
dialect = "openai"
responses = true
[candidates.c]
embeddings = true
"""
    assert read_endpoints(document(tmp_path, text)) == {
        "a": Endpoint(dialect="anthropic", max_concurrency=4, requests_per_minute=50, tokens_per_minute=40_000),
        "b": Endpoint(dialect="openai", speaks_responses=True),
        "c": Endpoint(is_embedding=True),
    }
    with pytest.raises(ConfigError, match='dialect = "antropic" is not "openai" or "anthropic"; did you mean "anthr'):
        document(tmp_path, "[candidates.a]\ndialect = 'antropic'")


def test_the_example_of_the_reference_page_is_whole_and_every_key_is_explained(tmp_path: Path) -> None:
    from tenbin.config.schema import SECTIONS

    page = (Path(__file__).parents[2] / "docs/reference/config.md").read_text(encoding="utf-8")
    example = page.split("```toml\n", 1)[1].split("```", 1)[0]
    read = document(tmp_path, example)
    assert read_profiles(read)
    assert read_gateway(read).default_profile in read_profiles(read)
    known = re.search(r"\| `provider` \| text \| Who serves it\. (.*) need no `base_url`", page)
    assert known is not None
    assert re.findall(r"`(\w+)`", known[1]) == sorted(PROVIDER_URLS)
    for title, section in SECTIONS.items():
        for heading, keys in ((title, section.keys), *section.tables.items()):
            path = heading if heading == title else f"{title}.NAME.{heading}"
            opened = f"## `[{path}.NAME]`" if section.named and heading == title else f"## `[{path}]`"
            explained = page.split(opened, 1)[1].split("\n## ", 1)[0]
            assert [key for key in keys if f"\n| `{key}` |" not in explained] == []
