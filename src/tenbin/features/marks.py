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
from tenbin.types import Bools, Floats, Ints

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


@dataclass(frozen=True, slots=True)
class _Index:
    """All words with the number of their name: long ones by their first characters, short ones by one they contain.

    `is_begin` [65536] says whether a long word begins with characters of that hash.
    """

    is_begin: Bools
    long: Mapping[str, tuple[tuple[str, int], ...]]
    short: Mapping[str, tuple[tuple[str, int], ...]]


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
    long: dict[str, list[tuple[str, int]]] = {}
    short: dict[str, list[tuple[str, int]]] = {}
    for i, words in enumerate(MARKS.values()):
        for word in words.split("|"):
            if len(word) >= _GRAM:
                long.setdefault(word[:_GRAM], []).append((word, i))
            else:
                rare = next((c for c in word if not c.isalnum() and c != " "), word[0])
                short.setdefault(rare, []).append((word, i))
    is_begin = np.zeros(1 << _HASH_BITS, np.bool_)
    for gram in long:
        is_begin[_hashes(np.array([ord(c) for c in gram], np.uint32))] = True
    return _Index(is_begin, *({key: tuple(words) for key, words in found.items()} for found in (long, short)))


def count_marks(joined: Joined, n: int) -> Floats:
    """How often the words of each name stand in each of the first n texts, float64 [n, len(MARKS)].

    Each word counts as `str.count` does in a text between two spaces: a sign is part of at most one of its own kind.
    """
    index, text = _index(), joined.text
    stops = [*(joined.starts[1:] - 1).tolist(), len(text)][:n]
    codes = joined.codes[: stops[-1] if stops else 0]
    places: list[int] = []
    names: list[int] = []
    ends: dict[tuple[str, int], int] = {}
    begins = np.flatnonzero(index.is_begin[_hashes(codes)]).tolist() if len(codes) >= _GRAM else []
    for place in begins:
        for mark in index.long.get(text[place : place + _GRAM], ()):
            if text.startswith(mark[0], place) and place >= ends.get(mark, 0):
                ends[mark] = place + len(mark[0])
                places.append(place)
                names.append(mark[1])
    cells = joined.owners(np.array(places, np.int64)) * len(MARKS) + np.array(names, np.int64)
    counts: Ints = np.bincount(cells, minlength=n * len(MARKS)).reshape(n, len(MARKS))
    for own, start, stop in zip(counts, joined.starts[:n].tolist(), stops, strict=True):
        padded = text[start - 1 : stop]
        for rare, words in index.short.items():
            if rare in padded:
                for word, name in words:
                    own[name] += padded.count(word)
    return counts.astype(np.float64)


__all__ = ["CHARACTERS", "MARKS", "count_marks"]
