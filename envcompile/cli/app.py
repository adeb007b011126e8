"""The commands of `envc`, put together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from envcompile import __version__
from envcompile.cli import (
    affected,
    argocd,
    build,
    chart,
    compare,
    diff,
    explain,
    guide,
    history,
    hook,
    init,
    notify,
    owners,
    pr,
    promote,
    schema,
    secrets,
    show,
)
from envcompile.cli.funnel import run_safely
from envcompile.errors import EXIT_OK

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMANDS = (
    init,
    build,
    show,
    explain,
    affected,
    diff,
    compare,
    promote,
    secrets,
    chart,
    pr,
    owners,
    notify,
    argocd,
    history,
    hook,
    schema,
    guide,
)
"""In the order in which `envc --help` lists them."""

SUMMARY = "Compile one Kubernetes configuration into every environment."


class Context(NamedTuple):
    """What the global options say; every command gets it."""

    project: Path


def make_app() -> typer.Typer:
    """The command line with all its commands."""
    app = typer.Typer(
        name="envc",
        help=SUMMARY,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )

    @app.callback()
    def options(
        context: typer.Context,
        *,
        project: Annotated[
            Path, typer.Option("--project", metavar="DIR", help="A folder of the repository; default: the current one.")
        ] = Path(),
        version: Annotated[
            bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
        ] = False,
    ) -> None:
        del version
        context.obj = Context(project)

    for command in _COMMANDS:
        command.register(app)
    return app


def _print_version(asked: bool) -> None:  # ruff: ignore[boolean-type-hint-positional-argument] - the signature of an option's callback
    if asked:
        typer.echo(f"envc {__version__}")
        raise typer.Exit


def run(arguments: Sequence[str]) -> int:
    """Run the command line; every error becomes a message on stderr and an exit code."""

    def action() -> int:
        try:
            result = make_app()(list(arguments), prog_name="envc", standalone_mode=False)
        except typer.Exit as leave:
            return int(leave.exit_code)
        except typer.Abort:
            raise KeyboardInterrupt from None
        except SystemExit as leave:
            # typer leaves with 1 when the reader of stdout is gone; `envc show prod | head` is no mistake
            if isinstance(leave.__context__, BrokenPipeError):
                raise leave.__context__ from None
            raise
        except Exception as error:
            show_error = getattr(error, "show", None)
            if not callable(show_error):
                raise
            show_error()
            return int(getattr(error, "exit_code", 2))
        return result if isinstance(result, int) else EXIT_OK

    return run_safely(action)
