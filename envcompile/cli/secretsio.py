"""What the secrets commands take and how they print: environments, keys and values in, rows out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from envcompile.model import Resource
    from envcompile.secrets.backends import Surroundings
    from envcompile.secrets.identity import IdentityKey
    from envcompile.secrets.plaintext import Plaintext
    from envcompile.secrets.seal import Result
    from envcompile.secrets.secret_set import Scene
    from envcompile.units.project import Project

Env = Annotated[str, typer.Argument(metavar="ENV", help="The environment.")]
Envs = Annotated[
    list[str] | None, typer.Argument(metavar="[ENV]...", help="Environments; default: all.", show_default=False)
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The Secret's name.")]
Key = Annotated[str, typer.Argument(metavar="KEY", help="The key in the Secret.")]
Names = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME]...", help="Names of Secrets; default: all.", show_default=False)
]
PrivateKeys = Annotated[
    list[Path] | None,
    typer.Option("--private-key", metavar="FILE", help="PEM key, or the controller's backup; can be repeated."),
]
Format = Annotated[str, typer.Option("--format", metavar="text|json", help="How to print.")]
StripNewline = Annotated[
    bool, typer.Option("--strip-newline", help="Take one newline off the end of the value on stdin.")
]


def open_project(context: typer.Context) -> Project:
    """The repository that the global options name."""
    from envcompile.units.project import Project

    return Project.open(context.obj.project)


def git_folder(context: typer.Context) -> Path:
    """The project's folder; else the one the user is in: any repository can be scanned."""
    from envcompile.errors import EnvcError

    try:
        return open_project(context).root
    except EnvcError:
        return Path(context.obj.project)


def folders_in_clear(context: typer.Context) -> list[str]:
    """Sources and outputs of environments whose Secrets are throw-away; none for a project that does not compose."""
    from envcompile.errors import EnvcError

    clear = {"plaintext"}
    try:
        project = open_project(context)
        backends = {name: project.compose(name).sources.settings.secret_backend for name in project.environments}
    except EnvcError:
        return []
    return [
        f"{folder}/{name}" for name in backends if backends[name] in clear for folder in ("overlays", "environments")
    ]


def scenes_of(project: Project, wanted: Sequence[str]) -> list[Scene]:
    """The environments a command line names, composed; what is wrong in any of them is reported together."""
    from envcompile.errors import EnvcError, Problems, UsageError
    from envcompile.git.ignore import IgnoreRules
    from envcompile.secrets.secret_set import Composed, gather
    from envcompile.units.seal import where_of

    ignored, problems, found = IgnoreRules(project.root), Problems(), []
    for name in project.choose(wanted):
        try:
            composed = project.compose(name)
            resources = [
                Composed(resource.value, where_of(resource), _files_of(resource)) for resource in composed.resources
            ]
            certificate = getattr(composed.sources, "certificate", None)
            found.append(gather(project.root, name, composed.sources.settings, resources, ignored, certificate))
        except UsageError:
            raise
        except EnvcError as error:
            problems.extend(error)
    problems.raise_any()
    return found


def _files_of(resource: Resource) -> tuple[str, ...]:
    return tuple(step.document.source.path for step in resource.steps if step.document is not None)


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


def days_of(text: str | None) -> int | None:
    """The days that `90d` stands for."""
    from envcompile.errors import Problem, UsageError

    if text is None:
        return None
    number = text.removesuffix("d")
    if not number.isdigit():
        raise UsageError([Problem(f"`{text}` is no age", "write days, such as 90d")])
    return int(number)


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


def show_result(result: Result, output_format: str, **further: Any) -> None:
    """Print what a sealing command did; warnings and counts are for people."""
    from envcompile.cli.output import data, tell

    rows = [
        {"environment": row.environment, "value": str(row.id), "action": row.action, "note": row.note}
        for row in result.rows
    ]
    if output_format == "json":
        show_json({"rows": rows, "changed": list(result.changed), **further}, output_format)
    else:
        for row in result.rows:
            data(f"{row.action:<10} {row.environment} {row.id}" + (f"  ({row.note})" if row.note else ""))
        for reader in further.get("readBy", ()):
            how = (
                "restarts by itself"
                if reader["restartsByItself"]
                else "restart it, or set `rollout:` in environment.yaml"
            )
            data(f"read by    {reader['kind']}/{reader['name']}  ({how})")
    for warning in result.warnings:
        tell(f"warning: {warning}")
    tell(f"wrote {', '.join(result.changed)}" if result.changed else "nothing changed")


def show_table(rows: Sequence[dict[str, Any]], output_format: str) -> None:
    """Print rows as columns or as JSON."""
    from envcompile.cli.output import data

    if output_format != "text":
        show_json(list(rows), output_format)
        return
    texts = [["-" if cell is None or cell == "" else _word(cell) for cell in row.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for line in texts:
        data("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip())


def _word(cell: Any) -> str:
    return {True: "yes", False: "no"}[cell] if isinstance(cell, bool) else str(cell)


def show_json(value: Any, output_format: str) -> None:
    """Print JSON."""
    import json

    from envcompile.cli.options import check_format
    from envcompile.cli.output import data

    check_format(output_format, "text", "json")
    data(json.dumps(value, indent=2, ensure_ascii=False))
