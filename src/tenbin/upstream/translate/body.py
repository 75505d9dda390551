"""Reading decoded JSON that anybody may have written: the right type, or an error that names the field."""

from __future__ import annotations

from typing import Any, NoReturn

import msgspec

from tenbin.errors import RequestError

Json = dict[str, Any]


def refuse(param: str, expected: str) -> NoReturn:
    """Raise the RequestError for a field of the wrong type."""
    raise RequestError(400, "invalid_type", f"{param} must be {expected}", param=param)


def objects(value: Any, param: str) -> list[Json]:
    """A list of JSON objects; None counts as empty."""
    if value is None:
        return []
    if not isinstance(value, list):
        refuse(param, "a list of objects")
    for at, item in enumerate(value):
        if not isinstance(item, dict):
            refuse(f"{param}[{at}]", "an object")
    return value


def mapping(value: Any, param: str) -> Json:
    """A JSON object; None counts as empty."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        refuse(param, "an object")
    return value


def string(value: Any, param: str) -> str:
    """A string; None counts as empty."""
    if value is None:
        return ""
    if not isinstance(value, str):
        refuse(param, "a string")
    return value


def parts(content: Any, param: str) -> list[Json]:
    """The parts of a message's content; plain text is one text part, None is none."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return objects(content, param)


def call_input(arguments: str) -> Json:
    """The arguments of an OpenAI tool call as an object; none are {}.

    What the model wrote wrongly, or was cut off in, is kept as text under "arguments": an answer is never lost for it.
    """
    if not arguments.strip():
        return {}
    try:
        value = msgspec.json.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        value = arguments
    return value if isinstance(value, dict) else {"arguments": value}
