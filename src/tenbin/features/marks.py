"""Signs and words that say what a query asks for, in English and Japanese alike: what `surface` counts.

Each string lists what is counted under one name, split at `|`; spaces stand for the edge of a word. Texts are
lower-cased, in NFKC and with plain quotes before they are searched.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from tenbin.features.characters import Codes, Joined
from tenbin.types import Bools, Floats

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

_GRAM = 4
"""Words of at least that many characters are looked for by what they begin with."""
_HASH_BITS = 16
_HASH_FACTORS = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F)


_Words = Mapping[str, list[tuple[str, tuple[int, ...]]]]


@dataclass(frozen=True, slots=True)
class _Index:
    """All words with the numbers of their names: long ones by their first characters, short ones by one they contain.

    `is_begin` [65536] says whether a long word begins with characters of that hash; `ascii` are the short words that
    ASCII texts can have.
    """

    is_begin: Bools
    long: _Words
    short: _Words
    ascii: _Words


def _hashes(codes: Codes) -> Codes:
    """A hash of every `_GRAM` neighbouring characters, [c - 3], below 2 ** 16."""
    last = len(codes) - _GRAM + 1
    mixed = codes[:last] * np.uint32(_HASH_FACTORS[0])
    for i, factor in enumerate(_HASH_FACTORS[1:], 1):
        mixed ^= codes[i : last + i] * np.uint32(factor)
    mixed >>= np.uint32(32 - _HASH_BITS)
    return mixed


@functools.cache
def _index() -> _Index:
    names: dict[str, tuple[int, ...]] = {}
    for i, words in enumerate(MARKS.values()):
        for word in words.split("|"):
            names[word] = (*names.get(word, ()), i)
    long: dict[str, list[tuple[str, tuple[int, ...]]]] = {}
    short: dict[str, list[tuple[str, tuple[int, ...]]]] = {}
    for word, own in names.items():
        if len(word) >= _GRAM:
            long.setdefault(word[:_GRAM], []).append((word, own))
        else:
            rare = next((c for c in word if not c.isalnum() and c != " "), word[0])
            short.setdefault(rare, []).append((word, own))
    is_begin = np.zeros(1 << _HASH_BITS, np.bool_)
    for gram in long:
        is_begin[_hashes(np.array([ord(c) for c in gram], np.uint32))] = True
    return _Index(is_begin, long, short, {rare: words for rare, words in short.items() if rare.isascii()})


def count_marks(joined: Joined, n: int) -> Floats:
    """How often the words of each name stand in each of the first n texts, float64 [n, len(MARKS)].

    Each word counts as `str.count` does in a text between two spaces: a sign is part of at most one of its own kind.
    """
    index, text = _index(), joined.text
    counts = [[0] * len(MARKS) for _ in range(n)]
    codes = joined.codes[: joined.bounds[n]]
    begins = np.flatnonzero(index.is_begin.take(_hashes(codes))) if len(codes) >= _GRAM else np.zeros(0, np.int64)
    ends: dict[str, int] = {}
    for place, owner in zip(begins.tolist(), joined.owners(begins).tolist(), strict=True):
        for word, names in index.long.get(text[place : place + _GRAM], ()):
            if text.startswith(word, place) and place >= ends.get(word, 0):
                ends[word] = place + len(word)
                for name in names:
                    counts[owner][name] += 1
    bounds = joined.bounds.tolist()
    for own, start, stop in zip(counts, bounds, bounds[1:], strict=False):
        padded = text[start:stop]
        for rare, words in (index.ascii if padded.isascii() else index.short).items():
            if rare in padded:
                for word, names in words:
                    count = padded.count(word)
                    for name in names if count else ():
                        own[name] += count
    return np.array(counts, dtype=np.float64).reshape(n, len(MARKS))


__all__ = ["CHARACTERS", "MARKS", "count_marks"]
