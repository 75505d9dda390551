"""Signs and words that say what a query asks for, in English and Japanese alike: what `surface` counts.

Each string lists what is counted under one name, split at `|`; spaces stand for the edge of a word. Texts are
lower-cased, in NFKC and with plain quotes before they are searched.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

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

__all__ = ["CHARACTERS", "MARKS"]
