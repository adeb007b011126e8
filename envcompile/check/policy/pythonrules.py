"""Rules in Python of `checks/`: what a file says of them is read without running it."""

from __future__ import annotations

import ast
import inspect
import textwrap
import warnings
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import msgspec

from envcompile.check.finding import Hit
from envcompile.check.hiding import NOT_SHOWN, hidden
from envcompile.check.policy.failures import failing
from envcompile.check.policy.ownrules import Match, is_about
from envcompile.check.reading import there
from envcompile.check.rule import Rule
from envcompile.errors import PicklableError
from envcompile.model import without_values
from envcompile.settings import Model

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.check.policy.pythonprocess import PythonProcess
    from envcompile.model import Pointer

_ALONE: Final = "resource"
_TOGETHER: Final = "resources"
_MOST: Final = 1 << 18
"""Bytes of one file."""


class Said(Model, frozen=True, kw_only=True):
    """What `@rule(…)` says of a function."""

    name: str = ""
    grade: Literal["error", "warning", "info"] = "error"
    kinds: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    field: str = ""
    fix: str = ""
    fires: str = ""
    silent: str = ""


class Function(NamedTuple):
    """A function that is a rule."""

    name: str
    id: str
    line: int
    alone: bool
    """True for one that is asked about each resource."""
    summary: str
    why: str
    said: Said


class UnreadableError(PicklableError):
    """A file is no Python, or a rule in it cannot be used.

    Args:
        line: where.
        what: what is wrong.
        fix: what to do.
    """

    def __init__(self, line: int, what: str, fix: str) -> None:
        super().__init__(what)
        self.line = line
        self.what = what
        self.fix = fix


def functions_in(data: bytes) -> list[Function]:
    """The rules of a file; nothing of it is run.

    Raises:
        UnreadableError: what is wrong with it.
    """
    if len(data) > _MOST:
        raise UnreadableError(1, f"it has more than {_MOST:,} bytes", "write less")
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(data.decode())
    except SyntaxError as error:
        raise UnreadableError(error.lineno or 1, f"it is no Python: {error.msg}", "correct it") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise UnreadableError(1, f"it is no Python: {type(error).__name__}", "correct it") from error
    found = [_function(node) for node in tree.body if isinstance(node, ast.FunctionDef)]
    return [one for one in found if one is not None]


def _function(node: ast.FunctionDef) -> Function | None:
    marks = [mark for mark in node.decorator_list if _is_mark(mark)]
    parameters = [one.arg for one in (*node.args.posonlyargs, *node.args.args)]
    first = parameters[0] if parameters else ""
    if first not in {_ALONE, _TOGETHER} or (node.name.startswith("_") and not marks):
        if not marks:
            return None
        what = f"the first parameter of `{node.name}` is neither `{_ALONE}` nor `{_TOGETHER}`"
        raise UnreadableError(node.lineno, what, "name it so: a rule is asked about one resource, or about all")
    try:
        options = {one.arg: ast.literal_eval(one.value) for mark in marks for one in _options(mark)}
        said = msgspec.convert(options, Said)
    except (ValueError, TypeError, RecursionError, msgspec.ValidationError) as error:
        what = f"what `@rule` says of `{node.name}` cannot be read: {error}"
        raise UnreadableError(node.lineno, what, "write literals: the file is not run to read them") from error
    said = msgspec.structs.replace(said, fires=_example(said.fires), silent=_example(said.silent))
    summary, _, why = inspect.cleandoc(ast.get_docstring(node) or "").partition("\n")
    name = said.name or node.name.strip("_").replace("_", "-")
    why = " ".join(why.split())
    return Function(node.name, name, node.lineno, first == _ALONE, summary.strip() or name, why, said)


def _example(text: str) -> str:
    """An example without the indentation that it has in the file."""
    return textwrap.dedent(text).strip() + "\n" if text.strip() else ""


def _is_mark(mark: ast.expr) -> bool:
    called = mark.func if isinstance(mark, ast.Call) else mark
    return (isinstance(called, ast.Name) and called.id == "rule") or (
        isinstance(called, ast.Attribute) and called.attr == "rule"
    )


def _options(mark: ast.expr) -> list[ast.keyword]:
    return mark.keywords if isinstance(mark, ast.Call) else []


def as_rule(function: Function, path: str, process: PythonProcess | None) -> Rule:
    """The rule that a function becomes.

    Args:
        function: as it is written.
        path: its file.
        process: runs it; None where nobody allowed that, so that it is never asked.
    """
    said = function.said
    return Rule(
        function.id, said.grade, function.summary, f"{path}:{function.line}", _finder(function, process),
        alone=function.alone, whole=not function.alone, why=function.why, fix=said.fix, fires=said.fires,
        silent=said.silent,
    )  # fmt: skip


def _finder(function: Function, process: PythonProcess | None) -> Callable[[CheckInput], Iterator[Hit]]:
    said = function.said
    match = Match(kinds=said.kinds, groups=said.groups, environments=said.environments)

    def find(inputs: CheckInput) -> Iterator[Hit]:
        about = [one for one in inputs.resources if process is not None and is_about(match, inputs.environment, one)]
        if process is None or not about:
            return
        values = [without_values(one, NOT_SHOWN, hidden).value for one in about]
        for found in process.ask(function.name, inputs.environment, values, together=not function.alone):
            at = found["at"]
            what = found.get("what") or failing(function.summary, found["failed"])
            way = there(_way(found.get("field") or said.field), values[at])
            yield Hit(about[at].id, way, what, found.get("fix") or said.fix, found.get("grade"), [function.id, what])

    return find


def _way(field: Any) -> Pointer:
    """`spec.containers.0` and `spec.containers[0]` lead to the first container."""
    if isinstance(field, list):
        return tuple(part if isinstance(part, int) else str(part) for part in field)
    parts = field.replace("[", ".").replace("]", "").split(".") if field else []
    return tuple(int(part) if part.isdecimal() else part for part in parts)
