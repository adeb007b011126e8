"""The commands of `envc`, put together, and the one funnel that turns errors into messages and exit codes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from envcompile import __version__
from envcompile.cli import affected, build, explain, guide, promote, schema, show
from envcompile.errors import EXIT_BUG, EXIT_INTERRUPTED, EXIT_OK, EXIT_USAGE, EnvcError

if TYPE_CHECKING:
    from collections.abc import Sequence

SUMMARY = "Compile one Kubernetes configuration into every environment."


class Context:
    """What the global options say; every command gets it."""

    def __init__(self, project: Path) -> None:
        self.project = project


def _print_version(asked: bool) -> None:  # noqa: FBT001 - the signature of an option's callback
    if asked:
        typer.echo(f"envc {__version__}")
        raise typer.Exit


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

    for command in (build, show, explain, affected, promote, schema, guide):
        command.register(app)
    return app


def run(arguments: Sequence[str]) -> int:
    """Run the command line; every error becomes a message on stderr and an exit code."""
    try:
        result = make_app()(list(arguments), prog_name="envc", standalone_mode=False)
    except EnvcError as error:
        typer.echo(_with_count(error), err=True)
        return error.exit_code
    except typer.Exit as leave:
        return int(leave.exit_code)
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return EXIT_OK
    except Exception as error:  # noqa: BLE001 - the one funnel: a bug must not reach people as a traceback
        return _usage(error) if hasattr(error, "exit_code") and hasattr(error, "format_message") else _bug(error)
    return result if isinstance(result, int) else EXIT_OK


def _with_count(error: EnvcError) -> str:
    text = str(error)
    count = len(error.problems)
    return f"{text}\n\n{count} errors" if count > 1 else text


def _usage(error: Exception) -> int:
    """Print what is wrong with the command line, as the parser found it."""
    show_error = getattr(error, "show", None)
    if callable(show_error):
        show_error()
    return EXIT_USAGE


def _bug(error: Exception) -> int:
    """Write the traceback to a file that can be pasted into a bug report, and say where it is."""
    import os
    import platform
    import tempfile
    import traceback

    text = "".join(traceback.format_exception(error))
    report = (
        f"### envc {__version__}\n\nPython {platform.python_version()}, {platform.platform()}\n\n"
        f"```\n$ envc {' '.join(sys.argv[1:2])}\n\n{text}```\n"
    )
    descriptor, path = tempfile.mkstemp(prefix="envc-bug-", suffix=".md")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(report)
    typer.echo(
        f"error: envc failed: {type(error).__name__}\n"
        f"hint: this is a bug in envc; please report it with the file {path}",
        err=True,
    )
    return EXIT_BUG
