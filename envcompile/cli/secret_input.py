"""What the secrets commands take: names, private keys, and values by a hidden prompt or stdin."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from envcompile.secrets.backends import Surroundings
    from envcompile.secrets.identity import IdentityKey
    from envcompile.secrets.plaintext import Plaintext
    from envcompile.secrets.secret_set import SecretSet
    from envcompile.units.project import Project

Name = Annotated[str, typer.Argument(metavar="SECRET", help="The Secret's name.")]
Key = Annotated[str, typer.Argument(metavar="KEY", help="The key in the Secret.")]
Names = Annotated[
    list[str] | None, typer.Argument(metavar="[SECRET]...", help="Names of Secrets; default: all.", show_default=False)
]
PrivateKeys = Annotated[
    list[Path] | None,
    typer.Option("--private-key", metavar="FILE", help="PEM key, or the controller's backup; can be repeated."),
]
StripNewline = Annotated[
    bool, typer.Option("--strip-newline", help="Take one newline off the end of the value on stdin.")
]


def open_project(context: typer.Context) -> Project:
    """The repository that the global options name."""
    from envcompile.units.project import Project

    return Project.open(context.obj.project)


def secret_sets(context: typer.Context, wanted: Sequence[str] = ()) -> list[SecretSet]:
    """The environments that a command line names, all when it names none, with their declared Secrets.

    Raises:
        EnvcError: everything that is wrong with them.
    """
    from envcompile.actions.secrets import secret_sets_of

    return secret_sets_of(open_project(context), wanted)


def git_folder(context: typer.Context) -> Path:
    """The project's folder; else the one the user is in: any repository can be scanned."""
    from envcompile.errors import EnvcError

    try:
        return open_project(context).root
    except EnvcError:
        return Path(context.obj.project)


def now() -> datetime:
    """The present moment; the only clock of the secrets commands."""
    from datetime import UTC, datetime

    return datetime.now(UTC)


def identity_key(*, create: bool = False) -> IdentityKey | None:
    """This machine's identity key; made when one is needed and there is a home to keep it in."""
    import os

    from envcompile.cli.output import tell
    from envcompile.secrets.identity import create_identity, load_identity

    found = load_identity(os.environ)
    if found is None and create and (made := create_identity(os.environ)) is not None:
        found, file = made
        tell(f"made an identity key in {file}: it tells changed values apart; share it with your team, never in git")
    return found


def surroundings_of(root: Path, *, ask: bool = True) -> Surroundings:
    """What resolvers may look at; a person is asked only at a terminal."""
    import os
    import sys

    from envcompile.secrets.backends import Surroundings

    return Surroundings(root, os.environ, _ask if ask and sys.stdin.isatty() else None)


def _ask(question: str) -> str:
    from getpass import getpass

    return getpass(f"value of {question} (hidden): ")


def typed_or_piped(question: str, *, strip_newline: bool) -> Plaintext:
    """A value from a hidden prompt at a terminal, else from stdin."""
    import sys

    from envcompile.cli.output import tell
    from envcompile.secrets.plaintext import Plaintext
    from envcompile.secrets.seal import text_value

    if sys.stdin.isatty():
        return Plaintext(_ask(question).encode())
    value, warnings = text_value(sys.stdin.buffer.read(), strip_newline=strip_newline)
    tell(f"read {value.size} bytes from stdin")
    for warning in warnings:
        tell(f"warning: {warning}")
    return value


def private_keys_of(files: Sequence[Path] | None) -> list[Any]:
    """Every private key in the files."""
    from envcompile.secrets.privatekeys import read_private_keys

    return [key for file in files or () for key in read_private_keys(bytes_of(file), str(file))]


def bytes_of(file: Path) -> bytes:
    """The bytes of a file that the user names."""
    from envcompile.errors import Problem, UsageError

    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError([
            Problem(f"{file} cannot be read ({error.strerror})", "give the path of a readable file")
        ]) from None


def refuse_output_in(root: Path) -> None:
    """Refuse to reveal into a file of the repository: it would be committed one day."""
    import os
    import stat
    import sys

    from envcompile.errors import Problem, UsageError

    try:
        output = os.fstat(sys.stdout.fileno())
    except (OSError, ValueError):
        return
    if not stat.S_ISREG(output.st_mode):
        return
    for folder, _, files in os.walk(root):
        for file in files:
            path = Path(folder, file)
            if not path.is_symlink() and os.path.samestat(path.stat(), output):
                raise UsageError([
                    Problem("stdout is a file of this repository", "pipe the Secrets, or write outside of it")
                ])
