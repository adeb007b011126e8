"""`envc completion`: the script that lets a shell complete commands, options and values."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

EPILOG = """Examples:

  source <(envc completion bash)                                    for this shell; in ~/.bashrc for all

  envc completion zsh > ~/.zfunc/_envc                              a folder of fpath

  envc completion fish > ~/.config/fish/completions/envc.fish

  envc completion powershell >> $PROFILE
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
        """Print the completion script of a shell."""
        from importlib import resources

        from envcompile.cli.output import raw

        name = "powershell" if shell == "pwsh" else shell
        scripts = resources.files("envcompile") / "cli" / "completion" / "scripts"
        raw((scripts / f"envc.{name}").read_text(encoding="utf-8"))
