"""Where candidates are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenbin.config import load_document
from tenbin.errors import ConfigError
from tenbin.upstream.destination import Destination, base_url, destinations

TOML = """
[candidates."gpt-4.1"]
provider = "openai"
model = "gpt-4.1-2025-04-14"
api_key_env = "OPENAI_API_KEY"
responses = true
max_concurrency = 7
requests_per_minute = 500
tokens_per_minute = 30000

[candidates.claude]
provider = "anthropic"

[candidates.local]
base_url = "http://127.0.0.1:8000/v1/"

[candidates.local-claude]
base_url = "http://127.0.0.1:8001"
dialect = "anthropic"

[candidates.vectors]
provider = "mistral"
embeddings = true
"""


def read(tmp_path: Path, text: str) -> dict[str, Destination]:
    path = tmp_path / "tenbin.toml"
    path.write_text(text, encoding="utf-8")
    return destinations(load_document(path, {}))


def test_every_candidate_has_its_destination(tmp_path: Path) -> None:
    found = read(tmp_path, TOML)
    shown = {name: (d.dialect, d.base_url, d.model, d.family) for name, d in found.items()}
    assert shown == {
        "gpt-4.1": ("openai", "https://api.openai.com/v1", "gpt-4.1-2025-04-14", "openai"),
        "claude": ("anthropic", "https://api.anthropic.com/v1", "claude", "anthropic"),
        "local": ("openai", "http://127.0.0.1:8000/v1", "local", "openai"),
        "local-claude": ("anthropic", "http://127.0.0.1:8001/v1", "local-claude", "anthropic"),
        "vectors": ("openai", "https://api.mistral.ai/v1", "vectors", "mistral"),
    }
    gpt = found["gpt-4.1"]
    assert (gpt.api_key_env, gpt.speaks_responses, gpt.max_concurrency) == ("OPENAI_API_KEY", True, 7)
    assert (gpt.requests_per_minute, gpt.tokens_per_minute) == (500, 30_000)
    assert found["vectors"].is_embedding


def test_a_candidate_without_an_address(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'candidates\."my\.model" has no base_url; add base_url'):
        read(tmp_path, '[candidates."my.model"]\nprovider = "somebody"\n')


def test_a_provider_that_is_misspelt_is_recognised(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r'did you mean "openai"\? Otherwise add base_url'):
        read(tmp_path, '[candidates.small]\nprovider = "opnai"\n')


def test_both_ways_of_writing_the_address_of_anthropic() -> None:
    assert base_url("https://h/anthropic/", "anthropic") == base_url("https://h/anthropic/v1", "anthropic")
    assert base_url("https://h/", "openai") == "https://h"
