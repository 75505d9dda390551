"""An evaluation read back from its JSON: the types of `Evaluation` are the schema, and every fault is named."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from tenbin.errors import DataError
from tenbin.evaluate.result import SCHEMA_VERSION, Evaluation

FIX = "give a file that 'tenbin evaluate --out FILE.json' wrote"


def read_evaluation(path: Path) -> Evaluation:
    """The evaluation saved at `path`; DataError names the file and the field that is not as it should be."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"cannot be read ({error.strerror})", where=str(path), fix=FIX) from error
    except (ValueError, RecursionError) as error:
        raise DataError("is not JSON in UTF-8", where=str(path), fix=FIX) from error
    try:
        return evaluation_from_json(document)
    except DataError as error:
        where = f"{path}: {error.where}" if error.where else str(path)
        raise DataError(error.what, where=where, fix=error.fix) from error


def evaluation_from_json(document: object) -> Evaluation:
    """The evaluation of `Evaluation.to_json()`; null becomes NaN where a number stood. DataError names the field."""
    if not isinstance(document, Mapping) or "schema_version" not in document:
        raise DataError("this is not a saved evaluation (no schema_version)", fix=FIX)
    version = document["schema_version"]
    if version != SCHEMA_VERSION:
        fix = "use the Tenbin that wrote it, or evaluate again"
        raise DataError(f"schema_version is {json.dumps(version)} and this Tenbin reads {SCHEMA_VERSION}", fix=fix)
    evaluation: Evaluation = _read(Evaluation, document, "")
    _check(evaluation)
    return evaluation


def _read(kind: Any, value: Any, where: str) -> Any:
    origin = get_origin(kind)
    if is_dataclass(kind):
        return _read_object(kind, value, where)
    if origin is tuple:
        return _read_tuple(get_args(kind), value, where)
    if origin is Mapping:
        if not isinstance(value, Mapping):
            raise _fault(where, "an object", value)
        return {str(key): _read(get_args(kind)[1], item, f"{where}.{key}") for key, item in value.items()}
    if origin is UnionType:
        return None if value is None else _read(get_args(kind)[0], value, where)
    if origin is Literal:
        if value not in get_args(kind):
            raise _fault(where, f"one of {', '.join(map(json.dumps, get_args(kind)))}", value)
        return value
    return _read_plain(kind, value, where)


def _read_plain(kind: type, value: Any, where: str) -> Any:
    if kind is float:
        if value is None:
            return math.nan
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _fault(where, "a number", value)
        try:
            return float(value)
        except OverflowError:  # a whole number of hundreds of digits
            raise _fault(where, "a number", value) from None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise _fault(where, {"int": "a whole number", "str": "a text", "bool": "true or false"}[kind.__name__], value)
    return value


def _read_object(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise _fault(where, "an object", value)
    hints = get_type_hints(kind)
    found = {}
    for field in fields(kind):
        place = f"{where}.{field.name}" if where else field.name
        if field.name not in value:
            if (field.default, field.default_factory) != (MISSING, MISSING):  # it came later: older files are read
                continue
            raise DataError("is missing", where=place, fix=FIX)
        found[field.name] = _read(hints[field.name], value[field.name], place)
    return kind(**found)


def _read_tuple(kinds: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise _fault(where, "a list", value)
    if kinds[-1] is Ellipsis:
        return tuple(_read(kinds[0], item, f"{where}[{k}]") for k, item in enumerate(value))
    if len(value) != len(kinds):
        raise _fault(where, f"a list of {len(kinds)}", value)
    return tuple(_read(kind, item, f"{where}[{k}]") for k, (kind, item) in enumerate(zip(kinds, value, strict=True)))


def _fault(where: str, wanted: str, value: Any) -> DataError:
    shown = json.dumps(value, ensure_ascii=False)
    return DataError(f"should be {wanted} and is {shown[:40]}{'…' if len(shown) > 40 else ''}", where=where, fix=FIX)


def _check(evaluation: Evaluation) -> None:
    """What the types cannot say: names that point somewhere, and shares in the order of the models."""
    known = {single.model for single in evaluation.singles}
    for field in ("best_single", "reference"):
        if getattr(evaluation, field) not in known:
            raise DataError(f'"{getattr(evaluation, field)}" is not among the single models', where=field, fix=FIX)
    if set(evaluation.models) != known:
        raise DataError("are not the models of singles", where="models", fix=FIX)
    if not evaluation.curves or not any(math.isfinite(point.mu) for point in evaluation.curves[0].points):
        raise DataError("hold no point of the router's dial", where="curves", fix=FIX)
    for k, curve in enumerate(evaluation.curves):
        if any(len(point.shares) != len(evaluation.models) for point in curve.points):
            raise DataError("has shares that do not fit the models", where=f"curves[{k}]", fix=FIX)
