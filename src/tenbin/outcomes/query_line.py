"""One line of JSON that says a query: checked, and named by file:line:column where it is wrong."""

from __future__ import annotations

import json
from typing import Any

from tenbin.errors import DataError
from tenbin.outcomes.bytescan import MAX_LINE_BYTES
from tenbin.outcomes.columns import MOST_AMOUNT
from tenbin.outcomes.repeated_key import RepeatedKeyError, no_repeats
from tenbin.types import Query


class QueryLine:
    """One input line on its way to a Query."""

    def __init__(self, raw: bytes, name: str, number: int) -> None:
        self.raw, self.name, self.number = raw, name, number
        self.text = ""

    def query(self) -> Query:
        """The query of this line (DataError where it is none)."""
        return self.query_of(self.parse())

    def query_of(self, record: dict[str, Any]) -> Query:
        """The query of this line's object (DataError where it is none)."""
        prompt, messages = record.get("prompt"), record.get("messages")
        if (prompt is None) == (messages is None):
            what = "has both prompt and messages" if prompt is not None else "has neither prompt nor messages"
            raise self.wrong(what, "give one of them")
        if messages is not None:
            self.check_messages(messages)
        elif not isinstance(prompt, str) or not prompt.strip():
            what = "is empty" if isinstance(prompt, str) else f"is {kind(prompt)}, not text"
            raise self.wrong(f"prompt {what}", "give the text that the model would get", "prompt")
        return Query(
            query_id=self.query_id(record.get("query_id")),
            prompt=prompt or "",
            messages=None if messages is None else tuple(messages),
            group=self.text_of(record, "group", "give the group's name"),
            input_tokens=self.tokens(record, "input_tokens", least=0.0),
            max_output_tokens=self.tokens(record, "max_output_tokens", least=1.0),
        )

    def parse(self) -> dict[str, Any]:
        """The line as a JSON object; `text` is set on the way. Errors: DataError."""
        if len(self.raw) > MAX_LINE_BYTES:
            raise self.wrong(f"is longer than {MAX_LINE_BYTES // 1024**2} MB", "write one JSON object per line")
        try:
            self.text = self.raw.decode("utf-8-sig" if self.number == 1 else "utf-8")
            record = json.loads(self.text, object_pairs_hook=no_repeats)
            if b"\\u" in self.raw:
                json.dumps(record, ensure_ascii=False).encode()
        except UnicodeDecodeError as error:
            column = len(self.raw[: error.start].decode("utf-8", "replace")) + 1
            raise self.wrong(f"is not UTF-8 (byte 0x{self.raw[error.start]:02x})", "save it as UTF-8", column) from None
        except RepeatedKeyError as error:
            key = error.args[0]
            raise self.wrong(f'the key "{key}" stands twice in one object', "keep one of them", key) from None
        except UnicodeEncodeError:
            raise self.wrong("holds half of a surrogate pair", "write the whole character") from None
        except json.JSONDecodeError as error:
            hint = "write one JSON object per line"
            raise self.wrong(f"is not JSON ({error.msg[0].lower()}{error.msg[1:]})", hint, error.colno) from None
        except (ValueError, RecursionError):
            raise self.wrong("is JSON beyond all measure", "write one plain JSON object per line") from None
        if not isinstance(record, dict):
            raise self.wrong(f"is {kind(record)}, not an object", 'write e.g. {"prompt": "..."}')
        return record

    def query_id(self, given: Any) -> str:
        """The id as text; the number of the line where none is given. Errors: DataError."""
        if given is None:
            return str(self.number)
        if isinstance(given, bool) or not isinstance(given, str | int) or given == "":
            raise self.wrong(f"query_id is {kind(given)}, not text or a whole number", "give an id", "query_id")
        return str(given)

    def text_of(self, record: dict[str, Any], key: str, fix: str) -> str | None:
        """A field that is text where it is given at all."""
        given = record.get(key)
        if given is not None and not isinstance(given, str):
            raise self.wrong(f"{key} is {kind(given)}, not text", fix, key)
        return given

    def tokens(self, record: dict[str, Any], key: str, *, least: float) -> float | None:
        """A count of tokens of `least` or more; None where it is not given. Errors: DataError."""
        given = record.get(key)
        if given is None:
            return None
        if isinstance(given, bool) or not isinstance(given, int | float):
            raise self.wrong(f"{key} is {kind(given)}, not a number", "give the count of tokens", key)
        if not least <= given <= MOST_AMOUNT:
            shown = f"{given:.6g}" if isinstance(given, float) else str(given)[:24]  # a whole number may be no float
            raise self.wrong(f"{key} is {shown}, not a count of {least:g} or more", "give the count of tokens", key)
        return float(given)

    def check_messages(self, messages: Any) -> None:
        """Check for a list of objects with a role, and with text, parts or nothing as content. Errors: DataError."""
        fix = 'write e.g. [{"role": "user", "content": "..."}]'
        if not isinstance(messages, list) or not messages:
            raise self.wrong("messages is no list of messages", fix, "messages")
        for message in messages:
            if not isinstance(message, dict) or not isinstance(message.get("role"), str):
                raise self.wrong("messages holds an entry without a role", fix, "messages")
            if not isinstance(message.get("content"), str | list | None):
                raise self.wrong("messages holds a content that is neither text nor parts", fix, "messages")

    def wrong(self, what: str, fix: str, at: str | int = 1) -> DataError:
        """The error, at a column or at a field of this line."""
        column = at if isinstance(at, int) else max(self.text.find(json.dumps(at)), 0) + 1
        return DataError(what, where=f"{self.name}:{self.number}:{column}", fix=fix)


def kind(value: Any) -> str:
    """What a JSON value is, in words."""
    names = {str: "a text", bool: "true or false", dict: "an object", list: "a list", type(None): "null"}
    return "an empty text" if value == "" else names.get(type(value), "a number")
