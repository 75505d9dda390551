"""The files of C under the compiler's watch: every access and overflow checked, and every race of the pen.

Run as `python checks/kernel.py [TEXTS]` (needs gcc with its sanitizers): compiles them with AddressSanitizer and
UndefinedBehaviorSanitizer into a copy of the package, starts itself anew with their libraries loaded, compares what the
kernel makes of random texts with what NumPy makes of them, and runs `TESTS` on the copy; pen.c beside this file runs
under ThreadSanitizer. The first fault ends it, with its place in C.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from tenbin.compiled.library import FOLDER, LIBRARY, SOURCES, library_fault

ROOT = Path(__file__).parent.parent
FLAGS = "-std=c11 -O1 -g -ffp-contract=off -fsanitize=address,undefined -fno-sanitize-recover=undefined -shared -fPIC"
LIBRARIES = ("libasan.so", "libubsan.so")
TESTS = (
    *("tests/predictors/test_sight.py", "tests/router/test_outlook.py", "tests/router/test_scales.py"),
    "tests/store/test_pen.py",
)
LENGTHS = (*range(12), 9_000)
"""So many pieces make a text; the last is one for which the interpreter's lock is given up."""
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
    """Compile and start anew; or, where that was done, compare."""
    texts = int(sys.argv[1]) if len(sys.argv) > 1 else TEXTS
    if watched := os.environ.get("TENBIN_CHECKED"):
        if library_fault() or not FOLDER.is_relative_to(watched):
            sys.exit(f"what is compiled for this check is not used: {FOLDER}, {library_fault()}")
        compare(FOLDER / LIBRARY, texts)
        return
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "src"
        shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("_kernel.*", "__pycache__"))
        for more in ("-DTENBIN_PLAIN", ""):
            compile_watched(source / "tenbin/compiled", more)
            run_watched(source, __file__, str(texts))
        run_watched(source, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--capture=sys", *TESTS)
        race = f"gcc -std=c11 -O1 -g -fsanitize=thread -o {folder}/pen {ROOT}/checks/pen.c -lpthread"
        subprocess.run(race.split(), check=True)
        sys.exit(subprocess.run([f"{folder}/pen", f"{folder}/file"], check=False).returncode)


def compile_watched(folder: Path, more: str) -> None:
    """Compile the files of this folder with the sanitizers, as installation does without."""
    sources = [folder / name for name in SOURCES]
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    flags = [*FLAGS.split(), *more.split(), f'-DTENBIN_SOURCE="{digest}"']
    subprocess.run(["gcc", *flags, "-o", str(folder / LIBRARY), *map(str, sources), "-lm"], check=True)


def run_watched(source: Path, *arguments: str) -> None:
    """Run Python on the package of this folder with the sanitizers' libraries loaded; exit where it fails."""
    asked = [["gcc", f"-print-file-name={name}"] for name in LIBRARIES]
    found = [subprocess.run(each, check=True, capture_output=True, text=True).stdout.strip() for each in asked]
    watched = {"LD_PRELOAD": " ".join(found), "ASAN_OPTIONS": "detect_leaks=0", "TENBIN_CHECKED": str(source)}
    watched |= {"PYTHONPATH": str(source), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    watched["PYTHONMALLOC"] = "malloc"  # Python's own would hide what lies behind a small object
    done = subprocess.run([sys.executable, *arguments], check=False, cwd=ROOT, env={**os.environ, **watched})
    if done.returncode:
        sys.exit(done.returncode)


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
        some = [
            "".join(rng.choices(PIECES, k=rng.choices(LENGTHS, [100] * 12 + [1])[0])) for _ in range(rng.randrange(6))
        ]
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
    print(f"kernel: {texts} texts alike, no fault")


if __name__ == "__main__":
    main()
