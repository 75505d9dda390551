"""`tenbin completion SHELL`: the script that completes commands and flags in your shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from tenbin.cli.output import say


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of your shell.

    \b
    bash: tenbin completion bash > ~/.local/share/bash-completion/completions/tenbin
    zsh:  tenbin completion zsh  > "${fpath[1]}/_tenbin"
    fish: tenbin completion fish > ~/.config/fish/completions/tenbin.fish
    """
    from tenbin.cli.commands import COMPLETION_VARIABLE, cli  # noqa: PLC0415 (main loads this file when called)

    found = get_completion_class(shell)
    assert found is not None, f"click knows {shell}"  # noqa: S101 (the choice above admits click's own names only)
    shown = found(cli, {}, "tenbin", COMPLETION_VARIABLE)
    say(shown.source_template % shown.source_vars())
