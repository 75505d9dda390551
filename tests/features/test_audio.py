from __future__ import annotations

import base64
import io
import struct
import wave

import pytest

from tenbin.features.audio import BYTES_PER_SECOND, seconds_of, tokens_per_second


def wav(seconds: float, *, rate: int = 16_000, channels: int = 1, width: int = 2) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(width)
        sound.setframerate(rate)
        sound.writeframes(bytes(int(seconds * rate) * channels * width))
    return file.getvalue()


def packed(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.mark.parametrize(("rate", "channels", "width"), [(16_000, 1, 2), (44_100, 2, 2), (8_000, 1, 1), (48_000, 6, 3)])
def test_a_wav_is_as_long_as_its_head_says(rate: int, channels: int, width: int) -> None:
    assert seconds_of(packed(wav(3.5, rate=rate, channels=channels, width=width))) == pytest.approx(3.5, abs=0.01)


@pytest.mark.parametrize(
    "head",
    [
        b"ID3\x04" + bytes(60),  # MP3
        b"fLaC" + bytes(60),
        wav(0)[:12] + b"JUNK" + bytes(60),  # a WAV whose format comes later
        wav(0)[:28] + struct.pack("<I", 0) + bytes(60),  # torn
        b"RIFF",
        b"",
    ],
)
def test_any_other_is_guessed_by_its_size(head: bytes) -> None:
    data = head + bytes(BYTES_PER_SECOND * 3 * 5 - len(head)) if head else b""
    assert seconds_of(packed(data)) == len(data) / BYTES_PER_SECOND


def test_what_is_no_base64_is_guessed_too() -> None:
    assert seconds_of("é" * 4 * BYTES_PER_SECOND) == 3.0


def test_each_provider_has_its_rate() -> None:
    rates = {"gpt-audio": 10.0, "openai/gpt-4o-audio-preview": 10.0, "voxtral-small-2507": 12.5, "gemini-3-pro": 32.0}
    assert {name: tokens_per_second(name) for name in rates} == rates
    assert tokens_per_second("nobody-knows") == 32.0
