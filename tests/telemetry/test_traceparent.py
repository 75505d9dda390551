from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenbin.telemetry.traceparent import child_traceparent, read_traceparent, request_id

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
HEX = "0123456789abcdef"


@given(st.text(HEX, min_size=32, max_size=32), st.text(HEX, min_size=16, max_size=16), st.integers(0, 255))
def test_a_valid_trace_goes_on_with_a_span_of_ours(trace: str, span: str, flags: int) -> None:
    child = child_traceparent(f"00-{trace}-{span}-{flags:02x}")
    found = read_traceparent(child)
    assert found is not None
    if trace.strip("0") and span.strip("0"):
        assert (found[0], found[2]) == (trace, flags & 1)
        assert found[1] != span


@given(st.one_of(st.none(), st.text(max_size=80)))
def test_whatever_comes_a_valid_header_goes_on(header: str | None) -> None:
    assert read_traceparent(child_traceparent(header)) is not None


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "garbage",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-01\r\nx-evil: 1",
        f"0-{TRACE}-{SPAN}-01",
    ],
)
def test_an_invalid_header_is_replaced(header: str | None) -> None:
    assert read_traceparent(header) is None
    assert TRACE not in child_traceparent(header)


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    assert read_traceparent(f"01-{TRACE}-{SPAN}-01-more") == (TRACE, SPAN, 1)


@pytest.mark.parametrize("header", ["a", "abc-123_x", "build.17/step:3", "x" * 128])
def test_a_harmless_request_id_is_kept(header: str) -> None:
    assert request_id(header) == header


@pytest.mark.parametrize("header", [None, "", "x" * 129, "a b", "a\nb", "ä", '"', "<script>"])
def test_another_is_made_anew(header: str | None) -> None:
    made = request_id(header)
    assert made.startswith("req_")
    assert made != request_id(header)
