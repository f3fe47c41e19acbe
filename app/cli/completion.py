"""`koe completion`: the script with which a shell completes Koe's commands and options."""

import click
from click.shell_completion import get_completion_class

from app.cli.help import examples

_VARIABLE = "_KOE_COMPLETE"
"""Environment variable with which the script calls `koe`, in click's form."""


@click.command(
    epilog=examples(
        'eval "$(koe completion bash)"                            # in ~/.bashrc',
        'eval "$(koe completion zsh)"                             # in ~/.zshrc',
        "koe completion fish > ~/.config/fish/completions/koe.fish",
    )
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of SHELL."""
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(ctx.find_root().command, {}, "koe", _VARIABLE).source())
