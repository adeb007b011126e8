"""The command reference, the overview and the table of completion, made from the commands themselves.

`python -m tests.docs.reference` writes all; a test compares them.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from pathlib import Path
from typing import Any

import typer

from envcompile.cli.app import make_app, run
from envcompile.cli.completion.line import TABLE
from envcompile.cli.grammar import in_brief

ROOT = Path(__file__).parents[2]
OVERVIEW = ROOT / "envcompile" / "cli" / "overview.txt"
REFERENCE = ROOT / "envcompile" / "guide" / "commands.md"

_HEADER = """# Commands

Made from the commands themselves. `envc COMMAND --help` prints the same.

```console
$ envc --version
envc …
```
"""


def help_of(arguments: list[str]) -> str:
    """What `envc ARGUMENTS --help` prints on a terminal of 100 columns; without arguments, of 80."""
    os.environ["COLUMNS"] = "100" if arguments else "80"
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        code = run([*arguments, "--help"])
    if code:
        raise RuntimeError(f"envc {' '.join(arguments)} --help exits with {code}")
    return "\n".join(line.rstrip() for line in printed.getvalue().strip("\n").splitlines()) + "\n"


def commands() -> list[list[str]]:
    """Every command as the words that call it, sorted."""
    root = typer.main.get_command(make_app())

    def below(command: object, words: list[str]) -> list[list[str]]:
        members: dict[str, object] = getattr(command, "commands", {})
        found = [words] if words and not members else []
        for name in sorted(members):
            found += below(members[name], [*words, name])
        return found

    return below(root, [])


def table() -> str:
    """What completion knows of the commands: their arguments and options, with what the help calls the values."""
    lines: list[str] = []

    def add(command: Any, words: list[str]) -> None:
        lines.append(f"command\t{' '.join(words)}\t{in_brief(command.help or '', 70)}")
        for param in command.params:
            metavar = param.metavar or ("" if getattr(param, "is_flag", False) else "N")
            if param.param_type_name == "argument":
                lines.append(f"argument\t{metavar}")
            else:
                lines.append(f"option\t{' '.join(param.opts)}\t{metavar}\t{in_brief(param.help or '', 70)}")
        lines.append("option\t-h --help\t\tShow this message and exit")
        for name, member in sorted(getattr(command, "commands", {}).items()):
            add(member, [*words, name])

    add(typer.main.get_command(make_app()), [])
    return "".join(f"{line}\n" for line in lines)


def overview() -> str:
    """The text of `envc --help`."""
    return help_of([])


def reference() -> str:
    """The text of the guide's page on commands."""
    sections = (f"\n## envc {' '.join(words)}\n\n```text\n{help_of(words)}```\n" for words in commands())
    return _HEADER + "".join(sections)


def main() -> None:
    """Write all files."""
    from tests.docs import manpages

    manpages.PAGE.write_text(manpages.page(), encoding="utf-8")
    TABLE.write_text(table(), encoding="utf-8")
    OVERVIEW.write_text(overview(), encoding="utf-8")
    REFERENCE.write_text(reference(), encoding="utf-8")
    sys.stdout.write(f"{len(commands())} commands\n")


if __name__ == "__main__":
    main()
