"""Signs and words that say what a query asks for, in English and Japanese alike: what `surface` counts.

Each string lists what is counted under one name, split at `|`; spaces stand for the edge of a word. Texts are
lower-cased, in NFKC and with plain quotes before they are searched.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from tenbin.features.characters import Codes, Joined
from tenbin.types import Bools, Ints

MARKS: Mapping[str, str] = MappingProxyType(
    {
        "log_code_marks": (
            "'''|def |class |return|import |function|();|){|) {|};|==|!=|->|=>|()|#include|public |void |const |var "
            "|let |print(|select |</|/>|for (|if (|self.|python|javascript|java|sql|code|コード|関数|プログラム|変数"
        ),
        "log_formula_marks": (
            "\\frac|\\sqrt|\\sum|\\int|\\(|\\[|$|^|_{|√|∫|∑|π|≤|≥|×|÷|sin(|cos(|log(|theorem|equation|polynomial|integral"
            "|derivative|matrix|probability|prove |定理|方程式|関数|積分|微分|行列|確率|証明"
        ),
        "log_json_marks": '":|{"|"}|[{|}]|json|schema|スキーマ|xml|yaml|csv',
        "log_constraints": (
            " must| at most| at least| exactly| no more than| no less than| only| should| without| fewer than"
            "| less than| more than| within| required| format| limit|以内|以下|以上|未満"
            "|必ず|のみ|だけ|ちょうど|禁止|しないで|なければ|形式|条件"
        ),
        "log_negations": (
            " not |n't | except| never| no | none| neither| false|incorrect|ない|以外|除く|ません|誤って|誤り|間違"
        ),
        "log_reasoning_words": (
            "step by step|explain|reason| why|show your|prove|justify|how many|how much|calculate|compute|determine"
            "|solve| find |説明|理由|なぜ|段階|計算|求め|解いて|いくつ|いくら|証明"
            "|何個|何人|何本|何枚|何回|何日|何年|何時間|何分|何円|何ドル|何歳|何冊|何匹|何台|何メートル|どれだけ|どのくらい|どれくらい"
        ),
        "log_brevity_words": (
            "briefly|one word|one sentence|concise|short answer|letter only|only the|just the|correct letter"
            "|correct option|answer:|yes or no|true or false|簡潔|一言|短く|答えのみ|だけ答え|答え:|はいまたはいいえ"
        ),
        "log_writing_words": (
            "write |create |generate|compose|draft|essay|story|poem|list |describe|design|implement|書いて|作成"
            "|生成|作って|物語|一覧|挙げて|述べ|実装"
        ),
        "log_source_words": (
            "summar|translat|rewrite|paraphras|classify|extract|passage|context|following|according to|document|article"
            "|要約|翻訳|言い換え|分類|抽出|次の|以下の|文章|記事|本文|よると"
        ),
        "log_supposition_words": (
            " if |suppose|assume|given that|let |then |because|therefore|もし|仮定|とする|場合|ならば|したがって|なので"
        ),
    }
)

CHARACTERS: Mapping[str, str] = MappingProxyType(
    {
        "operators_share": "+-*/=<>%^",
        "brackets_share": "(){}[]",
    }
)

_BEGINNINGS = (1, 2, 4)
"""Words are looked for by so many of their first characters, the most that they have."""
HASH_BITS = 12
_HASH_FACTORS = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F)


@dataclass(frozen=True, slots=True, eq=False)
class WordIndex:
    """All words by the hash of their beginning; a word of two names is there twice.

    `groups` [beginnings, 4096] is the group of each hash, 0 where no word begins so. The words of a group are `counts`
    ones from `firsts` on: `codes` [W, longest] are their characters, `is_behind` what lies behind the last one, `names`
    [W] who counts them; `sizes` [W] are their lengths where one may begin before another of its kind ends, otherwise 0.
    `steps` [longest] lead from a word's first character to all.
    """

    groups: NDArray[np.uint16]
    firsts: Ints
    counts: Ints
    codes: Codes
    is_behind: Bools
    names: Ints
    sizes: Ints
    steps: Ints


def _hashes(codes: Codes) -> Iterator[Codes]:
    """For each of `_BEGINNINGS` a hash of so many neighbouring characters, below 2 ** 12; fewer at the end."""
    shift = np.uint32(32 - HASH_BITS)
    mixed = codes * np.uint32(_HASH_FACTORS[0])
    for count in range(1, max(_BEGINNINGS) + 1):
        if count > 1:
            mixed = mixed[:-1] ^ codes[count - 1 :] * np.uint32(_HASH_FACTORS[count - 1])
        if count in _BEGINNINGS:
            yield mixed >> shift


def _codes(word: str) -> Codes:
    return np.array([ord(c) for c in word], np.uint32)


@functools.cache
def word_index() -> WordIndex:
    """All words of `MARKS`; built once."""
    grouped: dict[tuple[int, int], list[tuple[str, int]]] = {}
    for name, words in enumerate(MARKS.values()):
        for word in words.split("|"):
            hashes = [int(own[0]) for own in _hashes(_codes(word)) if len(own)]
            grouped.setdefault((len(hashes) - 1, hashes[-1]), []).append((word, name))
    groups = np.zeros((len(_BEGINNINGS), 1 << HASH_BITS), np.uint16)
    for number, place in enumerate(grouped, 1):
        groups[place] = number
    ordered = [one for group in grouped.values() for one in group]
    codes = np.zeros((len(ordered), max(len(word) for word, _ in ordered)), np.uint32)
    for own, (word, _) in zip(codes, ordered, strict=True):
        own[: len(word)] = _codes(word)
    counts = np.array([0, *map(len, grouped.values())])
    return WordIndex(
        groups,
        np.cumsum(counts) - counts,
        counts,
        codes,
        codes == 0,
        np.array([name for _, name in ordered]),
        np.array([len(word) * any(word.startswith(word[i:]) for i in range(1, len(word))) for word, _ in ordered]),
        np.arange(codes.shape[1]),
    )


def _found(index: WordIndex, codes: Codes) -> tuple[Ints, Ints]:
    """Where words stand, and which ones; places rise for each word."""
    begun = np.zeros((len(_BEGINNINGS), len(codes)), index.groups.dtype)
    for own, groups, hashes in zip(begun, index.groups, _hashes(codes), strict=True):
        groups.take(hashes, out=own[: len(hashes)], mode="clip")
    at = (begun > 0).ravel().nonzero()[0]
    groups = begun.ravel().take(at)
    counts = index.counts.take(groups)
    ends = np.add.accumulate(counts)
    words = (index.firsts.take(groups) - ends + counts).repeat(counts)
    words += np.arange(len(words))
    places = (at % len(codes)).repeat(counts)
    same = codes.take(places[:, None] + index.steps, mode="clip") == index.codes.take(words, axis=0)
    same |= index.is_behind.take(words, axis=0)
    is_there = same.all(axis=1).nonzero()[0]
    return places.take(is_there), words.take(is_there)


def _overlapping(index: WordIndex, places: Ints, words: Ints) -> list[int]:
    """Which of the words found begin before another one of their kind has ended."""
    sizes = index.sizes.take(words)
    found: list[int] = []
    ends: dict[int, int] = {}
    for i in sizes.nonzero()[0].tolist():
        place, word = int(places[i]), int(words[i])
        if place < ends.get(word, 0):
            found.append(i)
        else:
            ends[word] = place + int(sizes[i])
    return found


def count_marks(joined: Joined, n: int) -> Ints:
    """How often the words of each name stand in each of the first n texts, [n, len(MARKS)].

    Each word counts as `str.count` does in a text between two spaces: a sign is part of at most one of its own kind.
    """
    index = word_index()
    places, words = _found(index, joined.codes[: joined.bounds[n]])
    cells = joined.owners(places) * len(MARKS) + index.names.take(words)
    if overlapping := _overlapping(index, places, words):
        cells = np.delete(cells, overlapping)
    return np.bincount(cells, minlength=n * len(MARKS)).reshape(n, len(MARKS))


__all__ = ["CHARACTERS", "HASH_BITS", "MARKS", "WordIndex", "count_marks", "word_index"]
