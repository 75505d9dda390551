"""`tenbin pilot ...`: from a file of prompts to an outcome table, one command per file."""

from __future__ import annotations

from collections.abc import Mapping

import click

from tenbin.cli.lazy import LazyCommand, LazyGroup

COMMANDS: Mapping[str, LazyCommand] = {
    "plan": LazyCommand("tenbin.cli.pilot_plan:plan", "Choose what to buy next; say what it costs and brings."),
    "run": LazyCommand("tenbin.cli.pilot_run:run", "Buy the planned answers and grade them, inside the budget."),
    "label": LazyCommand("tenbin.cli.pilot_label:label", "Label some answers yourself: how far is the metric right?"),
    "status": LazyCommand("tenbin.cli.pilot_status:status", "Say what was found so far, and what to do next."),
    "merge": LazyCommand("tenbin.cli.pilot_merge:merge", "Merge the outcomes of several pilots into one table."),
    "export": LazyCommand("tenbin.cli.pilot_export:export", "Write the outcome table of a pilot, with its data card."),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def pilot() -> None:
    """Buy outcomes of your own prompts, inside a budget."""
