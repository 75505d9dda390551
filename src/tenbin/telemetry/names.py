"""The names under which others' tools look for our figures.

The GenAI semantic conventions of OpenTelemetry are still in development, hence our own constants; what belongs to
routing is `tenbin.*`.
"""

from __future__ import annotations

TOKEN_USAGE = "gen_ai.client.token.usage"  # noqa: S105 (a metric's name)
OPERATION_DURATION = "gen_ai.client.operation.duration"
TIME_TO_FIRST_CHUNK = "gen_ai.client.operation.time_to_first_chunk"

OPERATION_NAME = "gen_ai.operation.name"
PROVIDER_NAME = "gen_ai.provider.name"
REQUEST_MODEL = "gen_ai.request.model"
RESPONSE_MODEL = "gen_ai.response.model"
TOKEN_TYPE = "gen_ai.token.type"  # noqa: S105 (an attribute's name)
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
CACHED_TOKENS = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE_TOKENS = "gen_ai.usage.cache_creation.input_tokens"
ERROR_TYPE = "error.type"
HTTP_STATUS = "http.response.status_code"

ENDPOINT = "tenbin.endpoint"
PROFILE = "tenbin.profile"
DECISION_ID = "tenbin.decision_id"
DECISION_REASON = "tenbin.decision.reason"
DECISION_MU = "tenbin.decision.mu"
EXPECTED_QUALITY = "tenbin.expected.quality"
EXPECTED_COST = "tenbin.expected.cost_usd"
COST = "tenbin.cost_usd"
BASELINE_COST = "tenbin.baseline_cost_usd"
FALLBACKS = "tenbin.fallbacks"
REQUEST_ID = "tenbin.request_id"
