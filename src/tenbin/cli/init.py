"""`tenbin init`: a commented tenbin.toml to start from."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from tenbin.cli.flags import FILE
from tenbin.cli.open_router import CONFIG
from tenbin.cli.output import faint, say, strong
from tenbin.cli.whole_file import whole_file
from tenbin.errors import UsageError

TEMPLATE = """\
# What 'tenbin pilot' asks and 'tenbin serve' serves. docs/reference/config.md explains every key; what stands behind
# a # here is optional.
# Paths are relative to this file. Keys never stand in it: name the environment variable that holds one.

# The models that may be called. NAME is what your outcome table, prices and router call the model.
[candidates."gpt-4.1"]
provider = "openai"
api_key_env = "OPENAI_API_KEY"
context_window_tokens = 1000000
capabilities = ["tools", "vision", "json_schema"]

[candidates."gpt-4.1-mini"]
provider = "openai"
api_key_env = "OPENAI_API_KEY"
context_window_tokens = 1000000
capabilities = ["tools", "vision", "json_schema"]

# [candidates."claude-sonnet"]
# provider = "anthropic"                  # spoken to in Anthropic's dialect, whatever your clients speak
# model = "claude-sonnet-4-5"             # its name at the provider, where it is not NAME
# api_key_env = "ANTHROPIC_API_KEY"
# capabilities = ["tools", "vision", "reasoning"]

# [candidates.local]
# base_url = "http://127.0.0.1:8000/v1"   # anything that speaks OpenAI's dialect
# max_concurrency = 8                     # calls at a time
# max_output_tokens = 4096                # the cap on its answers; a pilot caps at 4,096 where nothing is said
# requests_per_minute = 500               # what its provider allows; 'tenbin pilot run' keeps to both
# tokens_per_minute = 200000

# [candidates.judge]
# provider = "anthropic"
# model = "claude-sonnet-4-5"
# api_key_env = "ANTHROPIC_API_KEY"
# judge = true                            # it grades the others' answers, and nothing is routed to it

# A profile is one business use. Clients ask for the model "tenbin/NAME", or "tenbin/auto" for the default profile.
[profiles.auto]
min_quality = 0.97                        # the least cost that keeps 97 % of the best model's quality; or one of:
# mu = 0.5                                # the weight of cost against quality, 0 to 1
# max_cost_usd = 0.002                    # mean dollars per request
# best = true                             # the best expected quality, whatever it costs
# day_budget_usd = 50                     # beside any of these: what a day (UTC) may cost
# stranger_day_budget_usd = 1             # what a key's odd prompts may cost a day over the cheapest
# deny = ["gpt-4.1"]                      # or allow = [...]
# safe_default = "gpt-4.1"                # who answers when deciding fails or is late (default: the best in training)
# store_prompts = true                    # prompts and answers are not kept unless you say so
# retention_days = 30
# metric = "helpful"                      # how a pilot measures answers: one of [metrics], or a kind, as "exact"

# [profiles.auto.sla]                     # what is missed ends routing until you resume: docs/gateway.md
# deadline_s = 60
# first_token_s = 5
# min_quality = 0.95
# availability = 0.995
# max_spend_usd = 100                     # per day (UTC)

# What a good answer is, as your business means it. docs/reference/quality.md says which kind to use when.
# [metrics.helpful]
# kind = "judge"                          # or exact, numeric, choice, contains, regex, json_schema, sql, code, ...
# judge = "judge"                         # of another family than the candidates it grades
# rubric = "correct, complete, polite, and no longer than needed"

[gateway]
router = "my-router"                      # the folder that 'tenbin fit' wrote
host = "127.0.0.1"
port = 8787
admin_port = 8788                         # metrics and admin routes, on this machine only unless admin_host says else
keys = "required"                         # make them with 'tenbin keys create'; "open" lets anybody on this machine in
# prices = "prices.toml"                  # instead of the router's own; a pilot needs it ('tenbin prices import')
# admin_key_env = "TENBIN_ADMIN_KEY"
# max_body_mb = 32
# max_concurrency = 1024
# log_level = "info"

[store]
path = "tenbin-store"                     # ledger, keys and budgets
# keep_days = 400                         # then rows of calls and decisions leave it; sums by key and day stay
"""


@click.command()
@click.argument("config", type=FILE, default=CONFIG)
def init(config: Path) -> None:
    """Write a commented tenbin.toml to start from.

    CONFIG is tenbin.toml unless named; a file that is there already is left alone.
    """
    if config.exists() or config.is_symlink():
        raise UsageError("is there already", where=str(config), fix="name another file, or move this one away")
    with whole_file(config) as stream:
        stream.write(TEMPLATE)
    named = "" if config == Path(CONFIG) else f" {shlex.quote(str(config))}"
    say(f"wrote {strong(str(config))}: put your models and your router into it, then run")
    say(strong(f"  tenbin doctor{named}"))
    say(strong(f"  tenbin serve{named}"))
    say(faint("No router yet? 'tenbin pilot plan' begins with your own prompts, 'tenbin fit' with a"))
    say(faint("table of outcomes; 'tenbin serve --demo' shows a gateway at once."))
