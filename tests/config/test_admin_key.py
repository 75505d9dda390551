"""The admin key: weak ones are refused, good ones pass, none is repeated."""

from __future__ import annotations

import random
import string

import pytest

from tenbin.config import GatewaySettings, check_admin_key, read_admin_key
from tenbin.errors import ConfigError

WEAK = (
    "",
    "hunter2",
    "correct-horse-battery",
    "a" * 40,
    "abcabcabcabcabcabcabcabcabc",
    "password-password-password",
    "abcdefghijklmnopqrstuvwxyz",
    "0123456789012345678901234",
    "with spaces inside of it, yes",
    "Xk3-nine_Qw8rTz0Lp5vBm2\n",
    "Xk3-nïne_Qw8rTz0Lp5vBm2yy",
)


@pytest.mark.parametrize("value", WEAK)
def test_a_weak_key_is_refused_and_not_repeated(value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_admin_key(value)
    assert "admin key" in str(caught.value)
    assert not value or value not in str(caught.value)


@pytest.mark.parametrize("alphabet", [string.hexdigits.lower()[:16], string.ascii_letters + string.digits + "-_"])
@pytest.mark.parametrize("length", [24, 32, 43])
def test_random_keys_pass(alphabet: str, length: int) -> None:
    draw = random.Random(length)  # noqa: S311 (a seed for a test, not a secret)
    for _ in range(500):
        check_admin_key("".join(draw.choices(alphabet, k=length)))


def test_the_environment_holds_it() -> None:
    settings = GatewaySettings(admin_key_env="TENBIN_ADMIN_KEY")
    key = "Xk3-nine_Qw8rTz0Lp5vBm2yc"
    assert read_admin_key(GatewaySettings(), {"TENBIN_ADMIN_KEY": "x"}) is None
    assert read_admin_key(settings, {"TENBIN_ADMIN_KEY": key}) == key
    with pytest.raises(ConfigError, match="environment variable TENBIN_ADMIN_KEY: is not set"):
        read_admin_key(settings, {})
    with pytest.raises(ConfigError, match="environment variable TENBIN_ADMIN_KEY: the admin key is shorter than 24"):
        read_admin_key(settings, {"TENBIN_ADMIN_KEY": "hunter2"})
