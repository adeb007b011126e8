"""What commands take: arguments and options that several share, and the flags of `cli.flags` as typer reads them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from envcompile.cli.flags import UNTRUSTED, Flag, Options
from envcompile.cli.grammar import SETTINGS, CommandLine, Group
from envcompile.cli.render import diff
from envcompile.errors import Problem, UsageError

if TYPE_CHECKING:
    from envcompile.actions.past import Past
    from envcompile.units.project import Project

Env = Annotated[str, typer.Argument(metavar="ENV", help="The environment.")]
Envs = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ENV]...", help="Default: every environment.", show_default=False),
]
Resource = Annotated[str, typer.Argument(metavar="KIND/NAME", help="The resource.")]
OneResource = Annotated[
    str | None,
    typer.Argument(
        metavar="[KIND/NAME]",
        help="One resource; default: all of them.",
        show_default=False,
    ),
]
TextOrJson = Literal["text", "json"]
Format = Annotated[TextOrJson, typer.Option("--format", "-o", metavar="text|json", help="How to print.")]
ManifestFormats = Literal["text", "json", "html"]
DiffFormats = StrEnum("DiffFormats", {name: name for name in diff.formats()})  # type: ignore[misc]  # modules say
TERMINAL = DiffFormats("terminal")
DiffFormat = Annotated[
    DiffFormats,
    typer.Option("--format", "-o", metavar="|".join(diff.formats()), help="How to print."),
]


Untrusted = Annotated[bool, typer.Option("--untrusted", help=UNTRUSTED)]


@contextmanager
def project_of(
    context: typer.Context, *, untrusted: bool = False, staged: bool = False, at: str | None = None
) -> Generator[Project]:
    """The project that the command is for, compiled within the limits that hold for it.

    Args:
        context: the command's.
        untrusted: whether anybody may have written it.
        staged: as the next commit will hold it, instead of the folder.
        at: as this commit holds it.

    Raises:
        UsageError: both are asked for.
    """
    import os

    from envcompile.limits import bounded, limits_for
    from envcompile.units.project import Project

    limits = limits_for(os.environ, is_trusted=not untrusted)
    folder = context.obj.project
    if staged and at is not None:
        raise UsageError([Problem("--staged and --at exclude each other", "give one of them")])
    with bounded(limits):
        if staged:
            yield Project.of_index(folder, limits)
        elif at is not None:
            yield Project.of_commit(folder, at, limits)
        else:
            yield Project.open(folder, limits=limits)


def wants_manifest(output_format: ManifestFormats, field: str | None, *, yaml: bool) -> bool:
    """Tell whether a whole manifest is asked for.

    Raises:
        UsageError: together with something that a manifest cannot be, or html without it.
    """
    if not yaml:
        if output_format == "html":
            raise UsageError([Problem("html is of a whole manifest", "add --yaml, or choose text or json")])
        return False
    if field:
        raise UsageError([Problem("--yaml shows all of a resource", "leave the field out")])
    if output_format == "json":
        raise UsageError([Problem("--yaml is text or html", "leave --yaml out: json has every field")])
    return True


def history_of(context: typer.Context) -> AbstractContextManager[Past]:
    """The history of the project that the command is for, closed at the end."""
    from contextlib import closing

    from envcompile.actions.past import open_past

    return closing(open_past(context.obj.project))


def days_of(text: str | None) -> int | None:
    """The days that `90d` stands for.

    Raises:
        UsageError: the text is no number of days.
    """
    if text is None:
        return None
    number = text.removesuffix("d")
    if not number.isdecimal():
        raise UsageError([Problem(f"`{text}` is no age", "write days, such as 90d")])
    return int(number)


def make_group(name: str, text: str) -> CommandLine:
    """A group of commands, `envc NAME …`, that says what it is for when it is called without one."""
    group = CommandLine(
        name=name, cls=Group, help=text, no_args_is_help=True, rich_markup_mode=None, context_settings=SETTINGS
    )
    group.callback()(lambda: None)  # a group of one command stays a group
    return group


def takes(table: type[Options]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the flags of a table; it gets them as one value, its argument `options`.

    Args:
        table: the class that declares the flags.
    """

    def described(command: Callable[..., Any]) -> Callable[..., Any]:
        own = inspect.signature(command, eval_str=True).parameters
        names = [found.name for found in table.flags()]

        def run(**given: Any) -> Any:
            options = table(**{name: _value(given.pop(name)) for name in names})
            if excluding := options.conflict():
                listed = f"{', '.join(excluding[:-1])} and {excluding[-1]}"
                raise UsageError([Problem(f"{listed} exclude each other", "give one of them")])
            return command(**given, options=options)

        parameters = [parameter for name, parameter in own.items() if name != "options"]
        parameters += [_parameter(table, found) for found in table.flags()]
        run.__doc__ = command.__doc__
        run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what inspect asks first
        return run

    return described


def _value(given: Any) -> Any:
    return tuple(given) if isinstance(given, list) else given


def _parameter(table: type[Options], found: Flag) -> inspect.Parameter:
    """A flag as the parameter of a function that typer makes an option of."""
    kind: Any = bool
    default: Any = False
    if found.metavar:
        declared = table.kind(found)
        kind = (
            list[str] | None
            if declared.startswith("tuple")
            else int | None
            if declared.startswith("int")
            else str | None
        )
        default = None
    option = typer.Option(
        *filter(None, (found.option, found.short)),
        metavar=found.metavar or None,
        min=found.least,
        help=found.help,
    )
    return inspect.Parameter(
        found.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option]
    )
