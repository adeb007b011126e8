"""The commands of `envc`, put together."""

from __future__ import annotations

from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from envcompile import __version__
from envcompile.cli.error_handler import run_safely
from envcompile.cli.flags import Globals
from envcompile.cli.grammar import SETTINGS, CommandLine, Group, in_our_words
from envcompile.cli.output import data
from envcompile.cli.pager import paged
from envcompile.cli.render.progress import shown_progress
from envcompile.errors import EXIT_OK

if TYPE_CHECKING:
    from collections.abc import Sequence

GROUPS = {
    "Begin": ("init", "new", "eject", "guide", "completion", "lsp", "hook"),
    "Write and build": ("list", "build", "show", "explain", "check", "fix", "rule", "crds", "charts", "schema"),
    "Review and promote": (
        "affected",
        "diff",
        "compare",
        "matrix",
        "graph",
        "cost",
        "simulate",
        "recommend",
        "predict",
        "promote",
        "pr",
        "owners",
        "notify",
    ),
    "Secrets": ("secrets",),
    "Deliver": ("argocd", "chart", "convert"),
    "Look at clusters": ("watch", "live", "drift"),
    "Look back": ("history", "compliance", "report", "ui", "db", "version"),
}
"""Commands, and groups of commands, by what they are for, as `envc --help` lists them."""
_ELSEWHERE = {"convert": "chart"}
"""Command -> the module that has it, where that has another name."""

_LONG = frozenset({
    "show",
    "explain",
    "check",
    "rule",
    "affected",
    "diff",
    "compare",
    "matrix",
    "compliance",
    "cost",
    "drift",
    "guide",
    "history",
    "live",
})
"""Commands whose output may fill more than a screen."""

SUMMARY = "Compile one Kubernetes configuration into every environment."


class _Overview(Group):
    """The top of all commands, which lists them by what they are for."""

    titles = GROUPS


class Context(NamedTuple):
    """What the global options say; every command gets it."""

    project: Path


def make_app(arguments: Sequence[str] = ()) -> typer.Typer:
    """The command line with all its commands; with only the one that arguments call, where they call one.

    Describing every command to the command-line library takes longer than many a command itself.
    """
    app = CommandLine(
        name="envc",
        cls=_Overview,
        help=SUMMARY,
        add_completion=False,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings=SETTINGS,
    )

    @app.callback()
    def options(
        context: typer.Context,
        *,
        project: Annotated[
            Path,
            typer.Option(
                "--project", metavar="DIR", help="A folder of the repository; default: here.", show_default=False
            ),
        ] = Path(),
        folder: Annotated[
            list[str] | None, typer.Option("-C", metavar="DIR", help="Go to this folder first, as git and make do.")
        ] = None,
        verbose: Annotated[
            bool, typer.Option("--verbose", "-v", help="Tell what is decided, and why; ENVC_LOG=debug tells more.")
        ] = False,
        quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Tell errors and warnings, nothing else.")] = False,
        color: Annotated[
            str, typer.Option("--color", metavar="auto|always|never", help="NO_COLOR, FORCE_COLOR say it for good.")
        ] = "",
        no_pager: Annotated[bool, typer.Option("--no-pager", help="Print long output at once; see PAGER.")] = False,
        version: Annotated[
            bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
        ] = False,
    ) -> None:
        del color, folder, no_pager, verbose, quiet, version  # read before anything is imported
        context.obj = Context(project)

    modules = dict.fromkeys(_ELSEWHERE.get(name, name) for names in GROUPS.values() for name in names)
    called = [_ELSEWHERE.get(name, name) for name in Globals(arguments).rest[:1]]
    for name in called if called and called[0] in modules else modules:
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
            with shown_progress(), paged() if {*Globals(arguments).rest[:1]} & _LONG else nullcontext():
                result = make_app(arguments)(list(arguments), prog_name="envc", standalone_mode=False)
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
            from envcompile.cli.completion.values import Values

            if (ours := in_our_words(error, Values(Globals(arguments).project).environments())) is not None:
                raise ours from None
            show_error()
            return int(getattr(error, "exit_code", 2))
        return result if isinstance(result, int) else EXIT_OK

    return run_safely(action)
