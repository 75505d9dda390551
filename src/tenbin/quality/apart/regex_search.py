"""Whether a pattern is found in a text: `{"pattern", "text"}` in, `{"found": bool}` out."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from typing import Any


def search(task: Mapping[str, Any]) -> dict[str, Any]:
    """Search once; the caller has seen to it that the pattern compiles."""
    return {"found": re.search(task["pattern"], task["text"]) is not None}


if __name__ == "__main__":
    json.dump(search(json.load(sys.stdin)), sys.stdout)
