"""The first steps of the `envc` command."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
"""Type checkers take it for true; importing `typing` would double the time of the quick answers."""

if TYPE_CHECKING:
    from collections.abc import Sequence


def entry() -> None:
    """Run the command line and leave with its exit code."""
    try:
        code = main()
    except OSError as error:  # of a quick answer, which has no funnel of its own
        from envcompile.cli.error_handler import refused

        code = refused(error)
    if "typer" not in sys.modules:
        _leave_at_once(code)
    raise SystemExit(code)


def _leave_at_once(code: int) -> None:
    """Leave without taking the interpreter apart: a quick build has closed all its files, and it saves a tenth."""
    import os

    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except OSError as error:
        from envcompile.cli.error_handler import refused

        code = refused(error)
    os._exit(code)


def main(argv: Sequence[str] | None = None) -> int:
    """Run `envc` with these arguments (those of the process when left out).

    Four frequent calls are answered before anything heavy is imported: the version, the overview of commands, a build
    with nothing to do, and the recording of a commit.

    Returns:
        The exit code: 0 fine, 1 configuration wrong, 2 usage, 3 a bug in envc, 4 something outside is unavailable,
        16 differences, 130 interrupted.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments == ["--version"]:
        from envcompile import __version__
        from envcompile.cli.output import raw

        raw(f"envc {__version__}\n")
        return 0
    if arguments in ([], ["--help"]):
        return _overview(usage_error=not arguments)
    if "build" in arguments[:3]:
        from envcompile.cli.fastpath import quick_build

        code = quick_build(arguments)
        if code is not None:
            return code
    if "record" in arguments[:4]:
        from envcompile.cli.fastpath import quick_record

        code = quick_record(arguments)
        if code is not None:
            return code
    from envcompile.cli.app import run

    return run(arguments)


def _overview(*, usage_error: bool) -> int:
    """Print the overview of commands, which is generated from the commands themselves and kept beside this file."""
    import os

    with open(os.path.join(os.path.dirname(__file__), "overview.txt"), encoding="utf-8") as file:
        text = file.read()
    if usage_error:
        sys.stderr.write(text)
        return 2
    from envcompile.cli.output import raw

    raw(text)
    return 0
