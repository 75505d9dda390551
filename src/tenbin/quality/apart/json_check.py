"""Whether a value is what a JSON Schema allows: `{"schema", "value", "path"}` in, `{"valid": bool}` out.

Where the schema is to blame, `{"fault": sentence}`. `path` is where packages are found: this needs `jsonschema`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any


def check(task: Mapping[str, Any]) -> dict[str, Any]:
    """Check the value; references of the schema to other addresses are never fetched."""
    sys.path += task["path"]
    from jsonschema import SchemaError, validators  # noqa: PLC0415 (found on that path)
    from jsonschema_specifications import REGISTRY  # noqa: PLC0415

    try:
        schema = json.loads(task["schema"])
        if not isinstance(schema, dict | bool):
            raise ValueError("it is neither an object nor true or false")
        kind = validators.validator_for(schema, default=validators.validator_for(True))
        kind.check_schema(schema)
    except (ValueError, RecursionError, SchemaError) as error:
        first = (str(error).splitlines() or [""])[0][:300]
        return {"fault": f"no JSON Schema ({first})"}
    try:
        # The drafts of JSON Schema themselves are known, and nothing else is.
        return {"valid": kind(schema, registry=REGISTRY).is_valid(task["value"])}
    except RecursionError:
        return {"fault": "the answer is nested too deeply to be checked"}
    except Exception as error:  # a schema that points to somewhere else
        return {"fault": f"the schema cannot be applied ({type(error).__name__}: {str(error)[:300]})"}


if __name__ == "__main__":
    json.dump(check(json.load(sys.stdin)), sys.stdout)
