"""The recorded streams are what FakeUpstream says, and all of them are there."""

from __future__ import annotations

import pytest

from tests.streams.recorded import FOLDER, RECORDINGS, recorded, said_now

ENDS = {"openai": b"data: [DONE]\n\n", "anthropic": b'{"type":"message_stop"}\n\n', "responses": b"}\n\n"}


@pytest.mark.parametrize("name", RECORDINGS)
def test_it_is_what_the_fake_upstream_says(name: str) -> None:
    assert said_now(name) == recorded(name), "run python -m tests.streams.recorded and read the difference"


@pytest.mark.parametrize("name", RECORDINGS)
def test_only_whole_streams_end_well(name: str) -> None:
    recording = RECORDINGS[name]
    assert recorded(name).endswith(ENDS[recording.dialect]) == recording.is_whole


def test_none_is_left_over() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.sse")) == sorted(RECORDINGS)
