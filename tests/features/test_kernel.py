"""The compiled kernel: the same bits as without it, and never used where it is not the one of this source."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hatch_build import compile_kernel
from tenbin.compiled.library import FOLDER, LIBRARY, Library, library_fault
from tenbin.features.hashed import HashedEmbedder
from tenbin.features.kernel import Kernel, load_kernel
from tenbin.features.marks import MARKS
from tenbin.features.normal_text import plain_text
from tenbin.features.projection import Projection
from tenbin.features.surface_columns import TOLD
from tenbin.features.surface_counts import count_surface_uncompiled
from tenbin.features.tally import tally

WORDS = sorted({word for listed in MARKS.values() for word in listed.split("|")})
PIECES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            *WORDS,
            " ",
            "  ",
            "\n",
            "A. ",
            "B) ",
            "(c)",
            " 1.",
            "2:",
            " 30、",
            "ア、",
            "イ.",
            "extraordinary",
            "1234567",
            "the cat sat",
            "東京タワー",
            "ไทย",
            '?"+=[x]',
            "\t \x1f",
            "\r\n \v",
            "`x` Ab",
        ]
    ),
    st.sampled_from(["한국어", "𠀀𠀁", "😀", "\ud800", "é", "ß", "１２", "\x00", "“a”", "a" * 70, "()" * 9, "ﬁ"]),
)
TEXTS = st.lists(st.lists(PIECES, max_size=12).map("".join), max_size=5)


def copy_sources(folder: Path) -> None:
    for source in FOLDER.glob("*.c"):
        shutil.copy(source, folder)


@pytest.fixture(scope="module")
def compiled() -> Kernel:
    if (fault := library_fault()) is not None:
        pytest.skip(f"the kernel is not there: {fault}")
    return Kernel(Library(FOLDER / LIBRARY))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Kernel:
    """The same source without what only some processors have."""
    folder = tmp_path_factory.mktemp("plain")
    copy_sources(folder)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("CC", "cc -DTENBIN_PLAIN")
        assert compile_kernel(folder) is None
    return Kernel(Library(folder / LIBRARY))


@pytest.fixture(scope="module")
def projection() -> Projection:
    texts = ["the cat sat on the mat 12", "東京タワーの高さは?", "def f(x): return x", "the cats, A. one B. two"] * 3
    return HashedEmbedder(16, words=60, characters=70).fit(texts).projection_


@settings(max_examples=60)
@given(TEXTS)
def test_what_is_read_is_the_same_to_the_bit(compiled: Kernel, projection: Projection, texts: list[str]) -> None:
    assert load_kernel() is not None
    assert compiled.can_read(projection.lexicon)
    for own, other in zip(projection.read(texts), projection.read_uncompiled(texts), strict=True):
        assert own.dtype == other.dtype
        assert own.tobytes() == other.tobytes()


@settings(max_examples=60)
@given(TEXTS, st.sampled_from([1, 4, 15, 16, 17, 40, 129, 200, 256]), st.integers(0, 2**31))
def test_directions_of_any_number_are_summed_alike(
    compiled: Kernel, plain: Kernel, projection: Projection, texts: list[str], dim: int, seed: int
) -> None:
    of_any_sign = np.random.default_rng(seed).integers(-127, 128, (len(projection.lexicon), dim)).astype(np.int8)
    scale = np.random.default_rng(seed).random(dim).astype(np.float32)
    wide = Projection(projection.lexicon, of_any_sign, scale)
    for kernel_ in (compiled, plain):
        for own, other in zip(
            kernel_.read(texts, kernel_.learnt(wide.lexicon, wide.directions, wide.scale)),
            wide.read_uncompiled(texts),
            strict=True,
        ):
            assert own.tobytes() == other.tobytes()


@settings(max_examples=100)
@given(TEXTS, st.sampled_from([1.0, 1.25, 7.0]), st.integers(0, 2**31))
def test_what_is_counted_is_the_same(compiled: Kernel, texts: list[str], scale: float, seed: int) -> None:
    plain, n = [plain_text(text) for text in texts], len(texts)
    told = np.random.default_rng(seed).integers(0, 9, (n, len(TOLD))).astype(np.float64)
    told[:, TOLD.index("scale")] = scale
    given_ = plain, texts, told
    counted = compiled.count_surface(*given_)
    for own, other in zip(counted, count_surface_uncompiled(*given_), strict=True):
        assert own.tolist() == other.tolist()
    assert compiled.count_events(texts).tolist() == tally(texts).events.tolist()


def test_a_long_text_is_read_alike(compiled: Kernel, projection: Projection) -> None:
    text = "the cat sat on the mat, 東京タワー. " * 2_000
    for own, other in zip(projection.read([text, ""]), projection.read_uncompiled([text, ""]), strict=True):
        assert own.tobytes() == other.tobytes()
    assert np.array_equal(compiled.count_events([text]), tally([text]).events)


def test_more_n_grams_than_the_kernel_holds_are_read_without_it(compiled: Kernel, projection: Projection) -> None:
    lexicon = projection.lexicon
    assert not compiled.can_read(type("Wide", (), {"rows": lexicon.rows.astype(np.uint32)})())
