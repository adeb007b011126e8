"""`envc completion`: the script that lets a shell complete commands, options and values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

import typer

EPILOG = """Examples:

  source <(envc completion bash)                                    for this shell

  envc completion zsh > ~/.zfunc/_envc

  envc completion fish > ~/.config/fish/completions/envc.fish
"""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("completion", epilog=EPILOG)
    def command(
        shell: Annotated[
            Literal["bash", "zsh", "fish", "powershell", "pwsh"],
            typer.Argument(metavar="bash|zsh|fish|powershell|pwsh", help="The shell."),
        ],
    ) -> None:
        """Print the completion script of a shell; `envc --install-completion` writes it where the shell finds it."""
        from typer import completion

        from envcompile.cli.output import raw

        # Typer's own, as `--show-completion` prints it for the shell that it believes to be in.
        make: Callable[..., str] = vars(completion)["get_completion_script"]
        raw(f"{make(prog_name='envc', complete_var='_ENVC_COMPLETE', shell=shell)}\n")
