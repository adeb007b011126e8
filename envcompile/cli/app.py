"""The commands of `envc`, put together."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from envcompile import __version__
from envcompile.cli.error_handler import run_safely
from envcompile.cli.flags import Globals
from envcompile.cli.output import data
from envcompile.errors import EXIT_OK, Problem, UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMANDS = (
    "init",
    "build",
    "show",
    "explain",
    "affected",
    "check",
    "rule",
    "crds",
    "fix",
    "diff",
    "compare",
    "promote",
    "secrets",
    "chart",
    "pr",
    "owners",
    "notify",
    "argocd",
    "history",
    "hook",
    "completion",
    "schema",
    "guide",
)
"""Command, or group of commands, and the module that has it, in the order in which `envc --help` lists them."""

SUMMARY = "Compile one Kubernetes configuration into every environment."


class Context(NamedTuple):
    """What the global options say; every command gets it."""

    project: Path


def make_app(arguments: Sequence[str] = ()) -> typer.Typer:
    """The command line with all its commands; with only the one that arguments call, where they call one.

    Describing every command to the command-line library takes longer than many a command itself.
    """
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
        verbose: Annotated[
            bool, typer.Option("--verbose", "-v", help="Tell what is decided, and why; ENVC_LOG=debug tells more.")
        ] = False,
        version: Annotated[
            bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
        ] = False,
    ) -> None:
        del verbose, version  # read before anything is imported
        context.obj = Context(project)

    called = Globals(arguments).rest[:1]
    for name in called if called and called[0] in _COMMANDS else _COMMANDS:
        import_module(f"envcompile.cli.commands.{name}").register(app)
    return app


def _print_version(asked: bool) -> None:  # ruff: ignore[boolean-type-hint-positional-argument] - the signature of an option's callback
    if asked:
        data(f"envc {__version__}")
        raise typer.Exit


def run(arguments: Sequence[str]) -> int:
    """Run the command line; every error becomes a message on stderr and an exit code."""

    def action() -> int:
        try:
            result = make_app(arguments)(list(arguments), prog_name="envc", standalone_mode=False)
        except typer.Exit as leave:
            return int(leave.exit_code)
        except typer.Abort:
            raise KeyboardInterrupt from None
        except SystemExit as leave:
            # typer leaves with 1 when the reader of stdout is gone; `envc show prod | head` is no mistake
            if isinstance(leave.__context__, BrokenPipeError):
                raise leave.__context__ from None
            if isinstance(leave.code, int):  # what completion leaves with
                return leave.code
            raise
        except Exception as error:
            show_error = getattr(error, "show", None)
            if not callable(show_error):
                raise
            if (ours := _wrong_choice(error)) is not None:
                raise ours from None
            show_error()
            return int(getattr(error, "exit_code", 2))
        return result if isinstance(result, int) else EXIT_OK

    return run_safely(action)


def _wrong_choice(error: Exception) -> UsageError | None:
    """The error for a word that is none of an option's choices, with the nearest one; None for any other mistake."""
    parameter = getattr(error, "param", None)
    choices = [str(choice) for choice in getattr(getattr(parameter, "type", None), "choices", ())]
    found = re.match(r"'(.*)' is not one of ", str(getattr(error, "message", "")), re.DOTALL)
    if not choices or found is None:
        return None
    declared = [name for name in getattr(parameter, "opts", ()) if name.startswith("--")]
    option = declared[0] if declared else str(getattr(parameter, "metavar", "") or getattr(parameter, "name", ""))
    advice = did_you_mean(found[1], choices, f"it is one of {', '.join(choices)}")
    return UsageError([Problem(f"{option} cannot be `{found[1]}`", advice)])
