"""The kernel under the compiler's watch: random texts, with every access and overflow in C checked.

Run as `python checks/kernel.py [TEXTS]` (needs gcc with its sanitizers): compiles its sources with AddressSanitizer and
UndefinedBehaviorSanitizer into a temporary folder, starts itself anew with their libraries loaded, and compares what
the kernel gives with what NumPy gives. The first fault ends it, with its place in C.
"""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

SOURCES = sorted((Path(__file__).parent.parent / "src/tenbin/compiled").glob("*.c"))
FLAGS = "-std=c11 -O1 -g -ffp-contract=off -fsanitize=address,undefined -fno-sanitize-recover=undefined -shared -fPIC"
LIBRARIES = ("libasan.so", "libubsan.so")
TEXTS = 3_000
PIECES = (
    *(" ", "  ", "\n", "a. ", "(b)", " 1.", "12:", " 30、", "ア、", ")", "a", "9", "12345", "x" * 70, "extraordinary"),
    *(
        "東京",
        "タワー",
        "ไทย",
        "한국",
        "\U00020000",
        "\U0010ffff",
        "\ud800",
        "\x00",
        "def ",
        "\\frac",
        "not ",
        "no no ",
    ),
)


def main() -> None:
    """Compile and start anew; or, with a library named in the environment, compare."""
    texts = int(sys.argv[1]) if len(sys.argv) > 1 else TEXTS
    if library := os.environ.get("TENBIN_CHECKED_KERNEL"):
        compare(Path(library), texts)
        return
    sys.exit(watch(texts, "") or watch(texts, "-DTENBIN_PLAIN"))


def watch(texts: int, more: str) -> int:
    """The exit status of a comparison under the sanitizers, of a kernel compiled with `more`."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "kernel.so"
        flags = [*FLAGS.split(), *more.split(), '-DTENBIN_SOURCE="checked"']
        subprocess.run(["gcc", *flags, "-o", str(made), *map(str, SOURCES), "-lm"], check=True)
        found = [
            subprocess.run(
                ["gcc", f"-print-file-name={name}"], check=True, capture_output=True, text=True
            ).stdout.strip()
            for name in LIBRARIES
        ]
        watched = {"LD_PRELOAD": " ".join(found), "ASAN_OPTIONS": "detect_leaks=0", "TENBIN_CHECKED_KERNEL": str(made)}
        watched["PYTHONMALLOC"] = "malloc"  # Python's own would hide what lies behind a small object
        done = subprocess.run([sys.executable, __file__, str(texts)], check=False, env={**os.environ, **watched})
    return done.returncode


def compare(library: Path, texts: int) -> None:
    """Read so many random texts with the kernel of the library and without, and look; exit with 1 where they differ."""
    from tenbin.compiled.library import Library  # noqa: PLC0415 (only in the watched process)
    from tenbin.features.hashed import HashedEmbedder  # noqa: PLC0415 (only in the watched process)
    from tenbin.features.kernel import Kernel  # noqa: PLC0415
    from tenbin.features.normal_text import plain_text  # noqa: PLC0415
    from tenbin.features.projection import Projection  # noqa: PLC0415
    from tenbin.features.surface_columns import TOLD  # noqa: PLC0415
    from tenbin.features.surface_counts import count_surface_uncompiled  # noqa: PLC0415
    from tenbin.features.tally import tally  # noqa: PLC0415

    kernel, rng = Kernel(Library(library)), random.Random(0)  # noqa: S311 (texts, no secrets)
    learnt = ["the cat sat on the mat 12", "東京タワーの高さは?", "def f(x): return x", "the cats, a. one b. two"]
    projections = [
        HashedEmbedder(16, words=words, characters=characters).fit(learnt * 3).projection_
        for words, characters in ((60, 70), (64, 0), (1, 0), (4096, 2048))
    ]
    # More directions than so few texts have.
    any_sign = np.random.default_rng(0)
    projections += [
        Projection(
            own.lexicon,
            any_sign.integers(-127, 128, (len(own.lexicon), dim)).astype(np.int8),
            any_sign.random(dim, np.float32),
        )
        for own, dim in zip(projections, (16, 17, 31, 64), strict=True)
    ]
    left = texts
    while left > 0:
        some = ["".join(rng.choices(PIECES, k=rng.randrange(12))) for _ in range(rng.randrange(6))]
        left -= max(len(some), 1)
        projection, plain = projections[left % len(projections)], [plain_text(text) for text in some]
        told = any_sign.integers(0, 9, (len(some), len(TOLD))).astype(np.float64)
        told[:, TOLD.index("scale")] = 1.5
        queries = plain, some, told
        learnt_ = kernel.learnt(projection.lexicon, projection.directions, projection.scale)
        read = kernel.read(some, learnt_)
        pairs: list[tuple[Any, Any]] = [*zip(read, projection.read_uncompiled(some), strict=True)]
        counted = kernel.count_surface(*queries)
        pairs += zip(counted, count_surface_uncompiled(*queries), strict=True)
        pairs.append((kernel.count_events(some), tally(some).events))
        if not all(np.array_equal(a, b) for a, b in pairs):
            sys.exit(f"the kernel and NumPy differ on {some!r}")
    looked = compare_sights(Library(library))
    glance_at_anything(Library(library))
    weigh_anything(Library(library))
    asyncio.run(write_anything(Library(library)))
    print(f"kernel: {texts} texts and {looked} looks alike, no fault")


def compare_sights(library: Any) -> int:
    """Look at random features with the library and without, rows few and many; how many looks were alike."""
    from tenbin.predictors.lengths import LengthHead  # noqa: PLC0415
    from tenbin.predictors.sight import Sight  # noqa: PLC0415 (only in the watched process)
    from tenbin.predictors.stack import StackPredictor  # noqa: PLC0415
    from tenbin.router.likeness import Likeness  # noqa: PLC0415
    from tenbin.router.novelty import Novelty  # noqa: PLC0415
    from tenbin.router.outlook import Learnt, Outlook  # noqa: PLC0415
    from tenbin.types import Features  # noqa: PLC0415

    rng, looks = np.random.default_rng(0), 0

    def features(n: int, dim: int) -> Features:
        numbers = rng.normal(size=(n, dim)).astype(np.float32)
        count = np.ones(n)
        return Features(numbers, numbers[:, :3], (None,) * n, count, count, count, count)

    for rows, dim, models in ((7, 3, 2), (40, 8, 3), (100, 13, 17)):
        stack = StackPredictor()
        stack.fit(features(rows, dim), rng.random((rows, models)), np.ones((rows, models)), np.arange(rows) % 5)
        parts = stack.design_, stack.landmarks_, stack.posterior_, [stack.coefficients_] * 2
        head, likeness = LengthHead(), Likeness.learn(rng.random(rows), rng.random(rows))
        novelty = Novelty.learn(rng.random(rows), rng.random((rows, dim), np.float32))
        head.stack_, head.range_, head.scale_ = stack, np.array([-1.0, 1.0]), np.ones(models)
        for n in (0, 1, 3, 4, 9, 40):
            fresh = features(n, dim)
            one, other = (Sight(*parts, which).look(fresh) for which in (library, None))
            sight = Sight(*parts[:3], [stack.coefficients_] * 2, library)
            if stack.map_ is not None and sight.compiled_at is not None:
                # Whether it keeps within its arrays: tests/router compares what it says.
                of_stacks = sight, stack.map_, stack.factors_.means, (None, head, None), None
                learnt = Learnt(*of_stacks, likeness, novelty, np.ones(models), models - 1)
                Outlook(learnt, sight.compiled_at, library)(fresh)
            pairs = zip((*one.sums, one.variance), (*other.sums, other.variance), strict=True)
            if not all(np.allclose(a, b, rtol=1e-9, atol=1e-12) for a, b in pairs):
                sys.exit(f"the library and NumPy see differently: {n} rows, {dim} columns, {rows} rows learnt")
            looks += 1
    return looks


def glance_at_anything(library: Any) -> None:
    """Read and look at once; whether it keeps within its arrays: tests/router compares what it says."""
    from tenbin.features.hashed import HashedEmbedder  # noqa: PLC0415 (only in the watched process)
    from tenbin.features.kernel import Kernel  # noqa: PLC0415
    from tenbin.predictors.input_tokens import InputTokens  # noqa: PLC0415
    from tenbin.predictors.sight import Sight  # noqa: PLC0415
    from tenbin.predictors.stack import StackPredictor  # noqa: PLC0415
    from tenbin.router.encoder import Encoder  # noqa: PLC0415
    from tenbin.router.estimator import Estimator, Familiarity  # noqa: PLC0415
    from tenbin.router.glance import Glance  # noqa: PLC0415
    from tenbin.router.likeness import Likeness  # noqa: PLC0415
    from tenbin.router.novelty import Novelty  # noqa: PLC0415
    from tenbin.router.outlook import Learnt, Outlook  # noqa: PLC0415
    from tenbin.types import Query  # noqa: PLC0415

    rng, n, models = np.random.default_rng(0), 60, 3
    texts = ["".join(rng.choice(PIECES[:-3], rng.integers(40))) for _ in range(n)]
    queries = [Query(str(i), text, group="abc"[i % 3]) for i, text in enumerate(texts)]
    embedder = HashedEmbedder(16, words=60, characters=70).fit(texts)
    features = Encoder(embedder).encode(queries)
    stack, tokens, quality, weight = StackPredictor(), InputTokens(), rng.random((n, models)), np.ones((n, models))
    stack.fit(features, quality, weight, np.arange(n) % 5)
    tokens.fit(features, 100.0 * quality, weight, np.arange(n) % 5)
    likeness, novelty = Likeness.learn(rng.random(n), rng.random(n)), Novelty.learn(rng.random(n), features.vectors)
    sight = Sight(stack.design_, stack.landmarks_, stack.posterior_, [stack.coefficients_], library)
    familiarity = Familiarity(likeness, tokens.offset_, np.ones(models))
    if stack.map_ is None or sight.compiled_at is None:
        return
    for counted in (tokens, None):
        estimator = Estimator(stack, counted, None, None, None, familiarity, np.ones(models), 0, novelty)
        of_stacks = sight, stack.map_, stack.factors_.means, (None, None, None), counted
        outlook = Outlook(Learnt(*of_stacks, likeness, novelty, np.ones(models), 0), sight.compiled_at, library)
        glance = Glance(embedder, estimator, outlook, Kernel(library), library)
        for some in ([], queries[:1], queries[:7], queries):
            for with_groups in (False, True):
                glance(some, with_groups=with_groups)


def weigh_anything(library: Any) -> None:
    """Lay random figures on the scales; whether they keep within their arrays: tests/router compares what they say."""
    from tenbin.prices import Rates  # noqa: PLC0415 (only in the watched process)
    from tenbin.risk import Anchors, name_order  # noqa: PLC0415
    from tenbin.router.scales import Dials, Scales  # noqa: PLC0415
    from tenbin.types import Estimates, Price  # noqa: PLC0415

    rng = np.random.default_rng(0)
    for models in (1, 2, 17):
        rates = Rates.of([str(m) for m in range(models)], [Price(1.0, 2.0, long_context_tokens=3)] * models)
        told = rates, np.full(models, 4.0), Anchors("0", 1.0, 1.0), name_order(rates.models)
        scales = Scales(*told, library)
        for n in (1, 3, 40):
            figures = rng.choice([0.0, 1.0, 5.0, np.nan], (6, n, models))
            for cached in (None, rng.random((n, models))):
                scales(Estimates(*figures), [Dials(0.5, 0.5, 1.0, n == 3, np.inf, 2)] * n, cached)


async def write_anything(library: Any) -> None:
    """Hand a pen pieces of any length, a few pens one after the other; whether all of it came down."""
    from tenbin.store.pen import CompiledPen, Outcome  # noqa: PLC0415 (only in the watched process)

    outcomes: asyncio.Queue[Outcome] = asyncio.Queue()
    with tempfile.TemporaryFile() as file:
        for pieces in (0, 1, 300):
            pen, at = CompiledPen(asyncio.get_running_loop(), outcomes.put_nowait, library), 0
            for length in range(pieces):
                pen.write(file.fileno(), b"x" * length, at)
                at += length
                if await outcomes.get() != (length, 0):
                    sys.exit("the pen did not write all that it was handed")
            pen.close()
            if os.fstat(file.fileno()).st_size != at:
                sys.exit("the pen wrote elsewhere")


if __name__ == "__main__":
    main()
