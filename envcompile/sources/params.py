"""`${{ params.NAME }}`: parameters of an environment put into the strings of its documents."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile import yamlio
from envcompile.errors import PicklableError, Problems, did_you_mean
from envcompile.model import Location
from envcompile.values import dotted
from envcompile.yamlio.places import place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from envcompile.model import Document, Pointer

MARK = b"${{"
"""What a file must contain to be looked at."""

_NEVER_PARAMETRISED = frozenset({"apiVersion", "kind", "abstract", "extends", "params"})
"""Settings of an environment that are needed to know its parameters."""

_TRUTH_WORDS = {"y": "true", "yes": "true", "on": "true", "n": "false", "no": "false", "off": "false"}
"""What YAML 1.1 makes of words that people take for names."""

_PARAMETER = r"\$\{\{\s*params\.([A-Za-z0-9_.-]+)\s*\}\}"


class ParameterUse(NamedTuple):
    """A string that parameters are put into."""

    pointer: Pointer
    names: tuple[str, ...]


class _UnknownError(PicklableError):
    """A parameter that cannot be put in: what is wrong and how to mend it."""

    def __init__(self, what: str, fix: str) -> None:
        self.what = what
        self.fix = fix
        super().__init__(what)


def substitute(document: Document, params: Mapping[str, Any]) -> Document:
    """The document with its parameters put in; the same object when it uses none, unchanged subtrees are shared.

    Raises:
        EnvcError: every unknown or unfit parameter at the place of its string.
    """
    problems = Problems()
    value = _Substitution(document, params, problems).put_in(document.value, ())
    problems.raise_any()
    if value is document.value:
        return document
    return document._replace(value=value)


def parameters_in(value: Any) -> list[ParameterUse]:
    """Every string of a value that uses parameters (keys count as their value's place), in the value's order."""
    return list(_uses(value, ()))


def without_parameters(document: Document) -> Document:
    """The part of an environment.yaml that can be read before the parameters are known.

    The settings that use one have the type they must have only once it is put in.
    """
    value = document.value
    if type(value) is not dict or MARK not in document.source.read():
        return document
    known = {key: item for key, item in value.items() if key in _NEVER_PARAMETRISED or not parameters_in(item)}
    return document._replace(value=known)


def _uses(value: Any, pointer: Pointer) -> Iterator[ParameterUse]:
    if type(value) is str:
        if "${{" in value and (names := re.findall(_PARAMETER, value)):
            yield ParameterUse(pointer, tuple(dict.fromkeys(names)))
    elif type(value) is dict:
        for key, item in value.items():
            yield from _uses(key, (*pointer, key))
            yield from _uses(item, (*pointer, key))
    elif type(value) is list:
        for position, item in enumerate(value):
            yield from _uses(item, (*pointer, position))


class _Substitution:
    __slots__ = ("_document", "_params", "_problems")

    def __init__(self, document: Document, params: Mapping[str, Any], problems: Problems) -> None:
        self._document = document
        self._params = params
        self._problems = problems

    def put_in(self, value: Any, pointer: Pointer) -> Any:
        if type(value) is str:
            return self._text(value, pointer) if "${{" in value else value
        if type(value) is dict:
            return self._map(value, pointer)
        if type(value) is list:
            items = [self.put_in(item, (*pointer, position)) for position, item in enumerate(value)]
            same = all(new is old for new, old in zip(items, value, strict=True))
            return value if same else items
        return value

    def _map(self, value: dict[str, Any], pointer: Pointer) -> dict[str, Any]:
        same = True
        result: dict[str, Any] = {}
        for key, item in value.items():
            name = key
            if "${{" in key:
                name = self._text(key, (*pointer, key), key=True)
                name = name if type(name) is str else _as_text(name, key)
                if name in result or (name != key and name in value):
                    what = f"two keys of the map are `{name}` once parameters are put in"
                    self._report(what, "rename one of them", (*pointer, key), key, 0, key=True)
            new = self.put_in(item, (*pointer, key))
            same = same and new is item and name is key
            result[name] = new
        return value if same else result

    def _text(self, text: str, pointer: Pointer, *, key: bool = False) -> Any:
        whole = re.fullmatch(_PARAMETER, text)
        try:
            if whole and not key:
                return lookup(whole[1], self._params)
        except _UnknownError as error:
            self._report(error.what, error.fix, pointer, text, 0, key=key)
            return text

        def one(match: re.Match[str]) -> str:
            try:
                return _as_text(lookup(match[1], self._params), match[1])
            except _UnknownError as error:
                self._report(error.what, error.fix, pointer, text, match.start(), key=key)
                return match[0]

        return re.sub(_PARAMETER, one, text)

    def _report(self, what: str, fix: str, pointer: Pointer, text: str, offset: int, *, key: bool) -> None:
        document = self._document
        where = place(document, pointer, key=key)
        if document.generated:
            what += f" (at `{dotted((*document.within, *pointer))}` of jsonnet's output)"
        elif "\n" in text[:offset] and not key:
            inside = yamlio.block_lines(document.source.read(), document.index, (*document.within, *pointer))
            if inside is not None:
                line, column = inside
                before = text[:offset]
                where = Location(where.file, line + before.count("\n"), column + offset - before.rfind("\n") - 1)
        self._problems.add(what, fix, where)


def lookup(name: str, params: Mapping[str, Any], asked: tuple[str, ...] = ()) -> Any:
    """The value of a parameter; dots reach into nested maps, and a value may use other parameters itself."""
    if name in asked:
        circle = " -> ".join([*asked[asked.index(name) :], name])
        raise _UnknownError(f"parameters use each other in a circle: {circle}", "give one of them a value of its own")
    found, value = _reach(name, params)
    if not found:
        read_as = _TRUTH_WORDS.get(name.lower())
        if read_as in params:
            fix = f'write it in quotes under `params`, as `"{name}":`: YAML reads the bare word as {read_as}'
            raise _UnknownError(f"there is no parameter `{name}`", fix)
        nested = [key for key, value in params.items() if type(value) is dict]
        known = (*params, *(inner for key in nested for inner in _names(params[key], f"{key}.")))
        fix = did_you_mean(name, known, "") or f"add it to `params` of environment.yaml{_some_of(known)}"
        raise _UnknownError(f"there is no parameter `{name}`", fix)
    return _resolved(value, params, (*asked, name))


def _resolved(value: Any, params: Mapping[str, Any], asked: tuple[str, ...]) -> Any:
    if type(value) is str and "${{" in value:
        if whole := re.fullmatch(_PARAMETER, value):
            return lookup(whole[1], params, asked)
        return re.sub(_PARAMETER, lambda match: _as_text(lookup(match[1], params, asked), match[1]), value)
    if type(value) is dict:
        return {key: _resolved(item, params, asked) for key, item in value.items()}
    if type(value) is list:
        return [_resolved(item, params, asked) for item in value]
    return value


def _reach(name: str, params: Any) -> tuple[bool, Any]:
    """Whether there is such a parameter, and its value; a key that itself has dots is tried first."""
    if type(params) is not dict:
        return False, None
    if name in params:
        return True, params[name]
    for at in range(len(name) - 1, 0, -1):
        if name[at] == "." and name[:at] in params:
            found, value = _reach(name[at + 1 :], params[name[:at]])
            if found:
                return True, value
    return False, None


@lru_cache(maxsize=4)
def _some_of(known: tuple[str, ...]) -> str:
    """The first of the parameters there are, as the end of a sentence; kept, since many may be unknown at once."""
    return f"; known are {', '.join(sorted(known)[:12])}" if known else ""


def _names(params: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for key, value in params.items():
        yield f"{prefix}{key}"
        if type(value) is dict:
            yield from _names(value, f"{prefix}{key}.")


def _as_text(value: Any, name: str) -> str:
    """How a parameter reads inside of a longer string."""
    if type(value) is str:
        return value
    if type(value) in {bool, int, float}:
        import json

        return json.dumps(value)
    kind = "a map" if type(value) is dict else "a list" if type(value) is list else "empty"
    what = f"the parameter `{name}` is {kind}, and cannot stand inside of a longer string"
    raise _UnknownError(what, "name a parameter that holds a string, a number, true or false")


def resolved_params(params: Mapping[str, Any], where: Callable[[Pointer], Location | None]) -> dict[str, Any]:
    """All parameters with the parameters they use put in, as jsonnet gets them.

    Args:
        params: the environment's parameters.
        where: finds the place of a setting.

    Raises:
        EnvcError: parameters that use one that does not exist, or themselves.
    """
    problems = Problems()
    resolved: dict[str, Any] = {}
    for name in params:
        try:
            resolved[name] = lookup(name, params)
        except _UnknownError as error:
            place_of_it = where(("params", name))
            problems.add(error.what, error.fix, *([place_of_it] if place_of_it else []))
    problems.raise_any()
    return resolved
