"""Prompts from files and from the ledger: every format, and what is no prompt named by its place."""

from __future__ import annotations

import asyncio
import gzip
import json
from hashlib import sha256
from pathlib import Path

import pytest

from tenbin.errors import DataError
from tenbin.pilot.plan.ledger import read_ledger
from tenbin.pilot.plan.read import hash_of, read_csv, read_json_lines, read_prompts, read_text, reader_of
from tenbin.pilot.prompt import PilotPrompt
from tests.store.made import intent, running, settled

TURNS = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "天秤?"}]


def put(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    raw = text.encode(errors="surrogateescape")
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "p.jsonl",
            '{"prompt": "a, b", "query_id": "x", "group": "g", "golden_answer": "4"}\n\n'
            + json.dumps({"messages": TURNS}),
        ),
        (
            "p.csv.gz",
            '\ufeffgroup,prompt,messages,query_id,reference,other\ng,"a, b",,x,4,-\n\n,,"'
            + json.dumps(TURNS).replace('"', '""')
            + '",3,,-\n',
        ),
    ],
)
def test_the_same_prompts_come_from_every_format(tmp_path: Path, name: str, text: str) -> None:
    first, second = read_prompts(put(tmp_path, name, text))
    assert first == PilotPrompt("x", "a, b", group="g", reference="4")
    assert (second.query_id, second.messages) == ("3", tuple(TURNS))


def test_what_a_file_holds_is_told_by_its_suffix_and_else_it_is_text() -> None:
    readers = {
        read_json_lines: (".jsonl", ".ndjson", ".JSON"),
        read_csv: (".csv", ".tsv"),
        read_text: (".txt", ".md", ""),
    }
    for reader, suffixes in readers.items():
        assert [reader_of(Path(f"a.b{suffix}{gz}")) for suffix in suffixes for gz in ("", ".gz")] == [reader] * (
            2 * len(suffixes)
        )


def test_a_record_keeps_its_line_breaks_and_a_header_may_have_spaces(tmp_path: Path) -> None:
    (prompt,) = read_prompts(put(tmp_path, "p.csv", ' prompt , group \r\n"a\r\nb",g\r\n'))
    assert (prompt.prompt, prompt.group) == ("a\r\nb", "g")


def test_a_text_holds_a_prompt_a_line_or_a_block_where_blank_lines_stand_between(tmp_path: Path) -> None:
    lines = list(read_prompts(put(tmp_path, "a.txt", "\n one \r\ntwo\n\n")))
    assert lines == [PilotPrompt("2", "one"), PilotPrompt("3", "two")]
    blocks = list(read_prompts(put(tmp_path, "b.md", "one\n  more\n\n \ntwo")))
    assert blocks == [PilotPrompt("1", "one\n  more"), PilotPrompt("5", "two")]


def test_a_block_of_many_lines_is_read_at_once_and_one_that_is_too_long_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = "\n".join(f"question {i}" for i in range(100_000))  # took minutes, when each line counted all before it
    assert [p.prompt for p in read_prompts(put(tmp_path, "a.txt", f"{many}\n\nlast"))] == [many, "last"]
    monkeypatch.setattr("tenbin.pilot.plan.read.MAX_LINE_BYTES", 8)
    full = put(tmp_path, "b.txt", "four\nfour\n\nfour\nfour\n")
    assert len(list(read_prompts(full))) == 2
    full.write_text("four\nfour\n\nfour\nfour\n5\n")
    with pytest.raises(DataError, match=r"b\.txt:4: is a block of more than"):
        list(read_prompts(full))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("p.jsonl", '{"prompt": "a"}\n{"prompt": 3}', r"p\.jsonl:2:2: prompt is a number"),
        ("p.jsonl", '{"prompt": "a", "reference": 3}', r"p\.jsonl:1:17: reference is a number"),
        ("p.jsonl", '{"prompt": "a", "reference": "x", "golden_answer": "y"}', r"p\.jsonl:1:35: has both"),
        ("p.jsonl", '{"prompt": "a"', r"p\.jsonl:1:15: is not JSON"),
        ("p.jsonl", '{"prompt": "a", "query_id": "1"}\n{"prompt": "b", "query_id": "1"}', "already given"),
        ("p.csv", "text\na\n", r"p\.csv:1: has neither a column prompt nor messages"),
        ("p.csv", "prompt,prompt\na,b\n", r"p\.csv:1: has two columns"),
        ("p.csv", 'prompt,group\n"a\nb",g\nc\n', r"p\.csv:4: has 1 field where the header has 2"),
        ("p.csv", 'prompt\n"a\n', r"p\.csv:2: a quoted field"),
        ("p.csv", 'prompt\na\n"b"c\n', r"p\.csv:3: a quoted field that starts here does not close"),
        ("p.csv", "prompt\na\udce9\n", r"p\.csv:2: is not UTF-8 text"),
        ("p.txt", "a\n\udce9\n", r"p\.txt:2: is not UTF-8 text"),
        ("p.csv", "messages\nx\n", r"p\.csv:2, column messages: is not JSON"),
        ("p.tsv", "prompt\tgroup\n \tg\n", r"p\.tsv:2: has neither prompt nor messages"),
        ("p.txt.gz", "", "no whole file"),
    ],
)
def test_what_is_no_prompt_is_named_by_its_place(tmp_path: Path, name: str, text: str, said: str) -> None:
    path = put(tmp_path, name, text)
    if name.endswith(".gz"):
        path.write_bytes(b"\x1f\x8b broken")
        said = "not a whole gzip file"
    with pytest.raises(DataError, match=said):
        list(read_prompts(path))


def test_the_hash_of_a_file_is_that_of_what_it_holds(tmp_path: Path) -> None:
    text = "prompt " * 1_000_000  # of several chunks
    for name in ("p.txt", "p.txt.gz"):
        assert hash_of(put(tmp_path, name, text)) == sha256(text.encode()).hexdigest()


def test_a_file_that_is_not_there_is_said_to_be_none(tmp_path: Path) -> None:
    for read in (hash_of, lambda path: list(read_prompts(path))):
        with pytest.raises(DataError, match="cannot be read"):
            read(tmp_path / "none.txt")


def test_the_ledger_gives_what_was_asked_once_and_says_why_it_has_nothing(tmp_path: Path) -> None:
    async def write() -> None:
        async with running(tmp_path) as ledger:
            chat = json.dumps({"messages": TURNS[1:]}).encode()
            whole = json.dumps({"system": "Be brief.", "messages": TURNS[1:]}).encode()
            ledger.post(intent("r1", at=1.0, profile="kept", prompt=chat))
            ledger.post(settled("r1", status="failed"))
            ledger.post(intent("r1", at=2.5, profile="kept", prompt=chat, call_no=1))  # after r2 came
            ledger.post(intent("r2", at=2.0, profile="kept", prompt=whole))
            ledger.post(
                intent("r3", at=3.0, profile="kept", prompt=b'{"input": [{"role": "user", "content": "x"}, 2]}')
            )
            said = json.dumps({"input": "天秤?", "instructions": "Be brief."}).encode()
            ledger.post(intent("r4", at=3.5, profile="kept", prompt=said))
            for name in ("r5", "r6"):
                ledger.post(intent(name, at=4.0, profile="bare"))

    asyncio.run(write())
    found = list(read_ledger(tmp_path, "kept"))
    whole = tuple(TURNS)
    assert [(prompt.query_id, prompt.messages) for prompt in found] == [("r1", whole[1:]), ("r2", whole), ("r4", whole)]
    none = r"holds no prompt of its 2 requests: the profile did not store prompts .* \(2 of them\)"
    with pytest.raises(DataError, match=none):
        list(read_ledger(tmp_path, "bare"))
    with pytest.raises(DataError, match='no request of the profile "other"'):
        list(read_ledger(tmp_path, "other"))
