"""`tenbin.toml`: what is read, what the environment changes, and the sentences for what is wrong."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.config import Endpoint, load_document, read_allowed, read_candidates, read_endpoints
from tenbin.errors import ConfigError
from tenbin.types import Candidate

GOOD = """
[candidates."gpt-4.1"]
provider = "openai"
base_url = "https://api.openai.com/v1"
api_key_env = "OPENAI_API_KEY"
max_output_tokens = 4096
context_window_tokens = 1000000
capabilities = ["tools", "vision"]

[candidates.thinker]
provider = "openai"
model = "o3-mini"
reasoning_effort = "high"

[plugins]
allow = ["acme-embedders"]
"""
KEY = "sk-" + "proj-0123456789abcdefghij"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tenbin.toml"


def read_all(path: Path, environ: dict[str, str]) -> None:
    document = load_document(path, environ)
    read_candidates(document)
    read_endpoints(document)


def refusal(path: Path, text: str, environ: dict[str, str] | None = None) -> str:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_all(path, environ or {})
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_nouns_of_a_good_file(path: Path) -> None:
    path.write_text(GOOD, encoding="utf-8")
    document = load_document(path, {})
    assert read_candidates(document) == {
        "gpt-4.1": Candidate("gpt-4.1", "openai", "gpt-4.1", None, 4096, 1_000_000, frozenset({"tools", "vision"})),
        "thinker": Candidate("thinker", "openai", "o3-mini", "high"),
    }
    assert read_endpoints(document)["gpt-4.1"] == Endpoint("https://api.openai.com/v1", "OPENAI_API_KEY")
    assert read_endpoints(document)["thinker"] == Endpoint()
    assert read_allowed(document) == ("acme-embedders",)


def test_no_file_is_an_empty_document() -> None:
    document = load_document(None, {"HOME": "/", "TENBIN_CACHE": "x"})
    assert read_candidates(document) == {}
    assert read_allowed(document) == ()


def test_the_environment_overrides_the_file(path: Path) -> None:
    path.write_text(GOOD, encoding="utf-8")
    environ = {
        "TENBIN_PLUGINS__ALLOW": "one, two",
        "TENBIN_CANDIDATES__GPT_4_1__MAX_OUTPUT_TOKENS": "512",
        "TENBIN_CANDIDATES__THINKER__MODEL": "o4",
    }
    document = load_document(path, environ)
    candidates = read_candidates(document)
    assert read_allowed(document) == ("one", "two")
    assert candidates["gpt-4.1"].max_output_tokens == 512
    assert candidates["thinker"].model == "o4"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[candidate.x]", 'unknown section "candidate"; did you mean "candidates"?'),
        ("[plugins]\nallowed = []", 'unknown key in plugins: "allowed"; did you mean "allow"?'),
        ("[candidates.x]\nmax_tokens = 1", 'unknown key in candidates.x: "max_tokens"; did you mean'),
        ("[candidates.x]\nmodel = 3", "candidates.x.model = 3 is not a text in quotes"),
        ("[candidates.x]\nmodel = ' '", "candidates.x.model is empty; correct candidates.x.model, or take it out"),
        ("[candidates.x]\nbase_url = ''", "candidates.x.base_url is empty"),
        ('[candidates."a.b"]\nmax_output_tokens = "4k"', 'candidates."a.b".max_output_tokens = "4k" is not a whole'),
        ("[candidates.x]\nmax_output_tokens = true", "candidates.x.max_output_tokens = true is not a whole number"),
        ("[candidates.x]\nmax_output_tokens = 0", "is not a whole number above 0"),
        ("[plugins]\nallow = 'all'", 'plugins.allow = "all" is not a list of texts'),
        ("[plugins]\nallow = [1]", "plugins.allow = [1] is not a list of texts"),
        ("plugins = 1", "plugins is not a table; write [plugins]"),
        ("[candidates]\nx = 1", "candidates.x is not a table"),
        ("[candidates.gpt-4.1]\nmodel = 'a'", 'a name with a dot needs quotes: [candidates."gpt-4.1"]'),
        ("[candidates.x]\ncapabilities = ['visoin']", 'unknown "visoin"; did you mean "vision"?'),
        ("[candidates.x]\nbase_url = 'api.openai.com'", "candidates.x.base_url is not an address"),
        ("[candidates.x]\nbase_url = 'file:///etc/passwd'", "candidates.x.base_url is not an address"),
        ("[candidates.x]\nbase_url = 'http://[::1'", "candidates.x.base_url is not an address"),
        ('[candidates.x]\nbase_url = "http://host/v1\\r\\nx-a: b"', "candidates.x.base_url is not an address"),
        ("[candidates.x]\nbase_url = 'http://host/v 1'", "candidates.x.base_url is not an address"),
        ('[candidates."a\\r\\nx-a: b"]\nmodel = "a"', "clients could not call it by this name"),
        ('[candidates.""]\nmodel = "a"', "clients could not call it by this name"),
        ('[candidates."tenbin/auto"]\nmodel = "a"', "clients could not call it by this name"),
        ("[candidates.x]\nbase_url = 'https://u:hunter2@h/v1'", "holds a user"),
        ("[candidates.x]\nbase_url = 'https://h/v1?key=hunter2'", "holds a user, a query"),
        (
            "[candidates.x]\nbase_url = 'https://h/v1/chat/completions/'",
            "candidates.x.base_url is the address of one endpoint: paths like /chat/completions are put behind it; "
            "take /chat/completions off its end",
        ),
        ("[candidates.x]\nbase_url = 'https://h/v1/messages'", "take /messages off its end"),
        ("[plugins", "is not TOML"),
        ("[plugins]\nallow = []\n[plugins]", "is not TOML"),
    ],
)
def test_a_wrong_file_is_refused_in_one_sentence(path: Path, text: str, sentence: str) -> None:
    said = refusal(path, text)
    assert sentence in said
    assert said.startswith(str(path))
    assert "hunter2" not in said


@pytest.mark.parametrize(
    "text",
    [
        f'[candidates.x]\napi_key_env = "{KEY}"',
        f'[candidates.x]\nmodel = "{KEY}"',
        f'[plugins]\nallow = ["{KEY}"]',
        f'[candidates.x]\napi_key = "{KEY}"',
        '[candidates.x]\napi_key_env = "a1B2c3D4e5F6"',
        '[candidates.x]\napi_key_env = "' + "AKIA" + 'ABCDEFGHIJKLMNOP"',
        '[candidates.x]\napi_key_env = "' + "A" * 65 + '"',
    ],
)
def test_a_secret_is_refused_and_never_repeated(path: Path, text: str) -> None:
    said = refusal(path, text)
    value = text.split('"')[1]
    assert value not in said
    assert value[:8] not in said


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("TENBIN_PLUGIN__ALLOW", "x", 'unknown section "plugin"; did you mean "plugins"?'),
        ("TENBIN_PLUGINS__ALOW", "x", 'unknown key in plugins: "alow"; did you mean "allow"?'),
        ("TENBIN_PLUGINS__X__ALLOW", "x", "plugins has no tables inside; write TENBIN_PLUGINS__ALLOW"),
        ("TENBIN_CANDIDATES__GPT_41__MODEL", "x", 'there is no "gpt_41" in candidates; did you mean "gpt_4_1"?'),
        ("TENBIN_CANDIDATES__MODEL", "x", 'there is no "" in candidates'),
        ("TENBIN_CANDIDATES__GPT_4_1__MAX_OUTPUT_TOKENS", "4k", 'max_output_tokens = "4k" is not a whole number'),
        ("TENBIN_CANDIDATES__GPT_4_1__API_KEY_ENV", KEY, "looks like a secret key"),
    ],
)
def test_a_wrong_variable_is_named(path: Path, variable: str, value: str, sentence: str) -> None:
    said = refusal(path, GOOD, {variable: value})
    assert said.startswith(f"environment variable {variable}: ")
    assert sentence in said
    assert KEY not in said


def test_a_variable_that_means_two_candidates_is_refused(path: Path) -> None:
    text = '[candidates."a.b"]\n[candidates.a-b]\n'
    assert 'means "a.b" and "a-b" alike' in refusal(path, text, {"TENBIN_CANDIDATES__A_B__MODEL": "x"})


def test_files_that_cannot_be_read(path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cannot be read .*; check the path, or write one with 'tenbin init'"):
        load_document(path, {})
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is not UTF-8 text"):
        load_document(path, {})


@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text(text, encoding="utf-8", newline="")
    with suppress(ConfigError):
        load_document(path, {})
