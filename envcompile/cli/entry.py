"""The first steps of the `envc` command."""

from __future__ import annotations

import sys

from envcompile.cli.signals import TerminatedError, leave_at_once

TYPE_CHECKING = False
"""Type checkers take it for true; importing `typing` would double the time of the quick answers."""

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.cli.flags import Globals


_VARIABLES = ("ENVC_PAGER", "ENVC_QUIET", "NO_COLOR", "FORCE_COLOR")
"""What `main` sets for its time alone."""


def entry() -> None:
    """Run the command line and leave with its exit code."""
    leave_at_once()
    _name_files_in_utf8()
    _open_what_is_closed()
    left: list[object] = []
    code = main(left=left)
    _flush()
    if "typer" not in sys.modules:
        _leave(code)
    raise SystemExit(code)


def _name_files_in_utf8() -> None:
    """Start again with UTF-8 for the names of files where a locale says otherwise: git's names are bytes, mostly UTF-8.

    Python does so by itself for the locale C unless it is told not to (PEP 540).
    """
    if sys.getfilesystemencoding() != "utf-8" and not sys.flags.utf8_mode and sys.executable:
        import os

        os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])  # ruff: ignore[start-process-with-no-shell] - itself


def _open_what_is_closed() -> None:
    """Give standard streams that the caller closed a place, and let all of them write UTF-8.

    A file that is opened later would otherwise get the number of stdout, and what is printed would go into it. To
    write to a closed stdout stays an error; nobody wants to read a closed stderr. Manifests and JSON are UTF-8 whatever
    the locale says (RFC 8259, YAML 1.2 section 5.2), and so is everything else, as with git, kubectl and helm.
    """
    import os

    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            try:
                os.fstat(number)
            except OSError:
                # Descriptors are given from below: the one that is opened now is `number`.
                os.open(os.devnull, os.O_WRONLY if number == 2 else os.O_RDONLY)
            stream = open(number, mode, encoding="utf-8", errors="backslashreplace", closefd=False)  # ruff: ignore[open-file-with-context-handler] - it stays open
            setattr(sys, name, stream)
    for stream in (sys.stdout, sys.stderr):
        if stream.encoding != "utf-8" or stream.errors != "backslashreplace":
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]  # text streams


def _flush() -> None:
    """Hand over what was printed; a stream that cannot take it was told of, or there is nobody to tell."""
    import os

    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _leave(code: int) -> None:
    """Leave without taking the interpreter apart: a quick build has closed all its files, and it saves a tenth."""
    import os

    os._exit(code)


def main(argv: Sequence[str] | None = None, left: list[object] | None = None) -> int:
    """Run `envc` with these arguments (those of the process when left out).

    Args:
        argv: the arguments.
        left: takes what a build leaves in memory: a process that ends with it need not take it apart.

    Returns:
        The exit code: 0 fine, 1 configuration wrong, 2 usage, 3 a bug in envc, 4 something outside is unavailable,
        16 differences, 130 interrupted, 143 terminated.
    """
    import os

    from envcompile.cli.flags import Globals

    given = Globals(list(sys.argv[1:] if argv is None else argv))
    here = os.getcwd() if given.folders and argv is not None else ""
    before = {name: os.environ.get(name) for name in _VARIABLES}
    try:
        code = _prepare(given) or _answer(given, left)
        sys.stdout.flush()
    except (OSError, KeyboardInterrupt, TerminatedError) as error:
        from envcompile.cli.error_handler import code_of

        return code_of(error)
    finally:
        if here:
            os.chdir(here)
        for name, value in before.items():
            if value is not None:
                os.environ[name] = value
            else:
                os.environ.pop(name, None)
    return code


def _prepare(given: Globals) -> int:
    """Go to the folder, and note what is told and how, also for the programs that this one starts; 2 for a mistake."""
    import os

    for folder in given.folders:
        if not os.path.isdir(folder):
            return _refuse(f"there is no folder `{folder}`", "-C goes to a folder before all else")
        os.chdir(folder)
    if given.quiet:
        os.environ["ENVC_QUIET"] = "1"
    if given.no_pager:
        os.environ["ENVC_PAGER"] = ""
    if given.color not in {"", "auto", "always", "never"}:
        return _refuse(f"--color cannot be `{given.color}`", "it is one of auto, always, never")
    if given.color in {"always", "never"}:
        chosen, other = ("FORCE_COLOR", "NO_COLOR") if given.color == "always" else ("NO_COLOR", "FORCE_COLOR")
        os.environ[chosen] = "1"
        os.environ.pop(other, None)
    return 0


def _refuse(what: str, fix: str) -> int:
    from envcompile.cli.error_handler import code_of
    from envcompile.errors import Problem, UsageError

    return code_of(UsageError([Problem(what, fix)]))


def _answer(given: Globals, left: list[object] | None) -> int:
    """Answer frequent calls before anything heavy is imported, and leave all others to the whole command line.

    They are a shell's completion, the version, the overview of commands, a build with nothing to do, and the recording
    of a commit.
    """
    import os

    if "_ENVC_COMPLETE" in os.environ:
        from envcompile.cli.completion.answer import answer

        sys.stdout.write(answer(os.environ))
        return 0
    arguments = ["--project", given.project, *given.rest]
    if given.rest == ["--version"]:
        from envcompile import __version__

        sys.stdout.write(f"envc {__version__}\n")
        return 0
    if given.rest in ([], ["--help"], ["-h"]):
        return _overview(usage_error=not given.rest)
    _listen(given)
    if given.rest[0] == "build":
        from envcompile.cli.fastpath import quick_build

        code = quick_build(arguments, left)
        if code is not None:
            return code
    if given.rest[:2] == ["history", "record"]:
        from envcompile.cli.fastpath import quick_record

        code = quick_record(arguments)
        if code is not None:
            return code
    from envcompile.cli.app import run

    return run(arguments)


def _listen(given: Globals) -> None:
    """Let decisions be told where `-v` or `ENVC_LOG` asks for them."""
    import os

    if "ENVC_LOG" in os.environ or given.verbose:
        from envcompile.cli.logs import listen

        listen(given)


def _overview(*, usage_error: bool) -> int:
    """Print the overview of commands, which is generated from the commands themselves and kept beside this file."""
    import os

    with open(os.path.join(os.path.dirname(__file__), "overview.txt"), encoding="utf-8") as file:
        text = file.read()
    (sys.stderr if usage_error else sys.stdout).write(text)
    return 2 if usage_error else 0
