"""The process in which rules in Python run: it gets a file's text and resources as JSON, and answers in JSON.

It is started isolated, without env vars, in an empty folder. What a rule prints is no answer.
"""

from __future__ import annotations

import inspect
import json
import os
import traceback
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_PARTS: Final[Mapping[str, type | tuple[type, ...]]] = {
    "what": str,
    "fix": str,
    "field": (str, list, tuple),
    "grade": str,
    "resource": dict,
}


def main() -> None:
    """Answer requests, one a line, until there are no more."""
    source, target = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    first = json.loads(source.readline())
    path = first["path"]
    try:
        _bound(first["memory"])
        names: dict[str, Any] = {"__name__": "checks", "__file__": path}
        # The very bytes that somebody allowed: the file is not read again.
        exec(compile(first["text"], path, "exec", dont_inherit=True), names)  # ruff: ignore[exec-builtin] - allowed by name
    except BaseException as error:  # ruff: ignore[blind-except] - told to who asked
        _answer(target, {"failed": _told(error, path)})
        return
    _answer(target, {})
    for line in source:
        _answer(target, _asked(names, json.loads(line), path))


def _answer(target: IO[bytes], value: Mapping[str, Any]) -> None:
    target.write(json.dumps(value).encode() + b"\n")
    target.flush()


def _bound(memory: int) -> None:
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _asked(names: Mapping[str, Any], request: Mapping[str, Any], path: str) -> dict[str, Any]:
    """What one rule finds: each with the number of its resource."""
    function, resources = names[request["function"]], request["resources"]
    wants = inspect.signature(function).parameters
    given = {"environment": request["environment"]} if "environment" in wants else {}
    found: list[dict[str, Any]] = []
    if request["together"]:
        try:
            found += [_finding(item, resources, None) for item in _items(function(resources, **given))]
        except BaseException as error:  # ruff: ignore[blind-except] - told as a finding
            found.append({"at": 0, "failed": _told(error, path)})
        return {"found": found}
    for at, one in enumerate(resources):
        try:
            found += [_finding(item, resources, at) for item in _items(function(one, **given))]
        except BaseException as error:  # ruff: ignore[blind-except] - told as a finding
            found.append({"at": at, "failed": _told(error, path)})
    return {"found": found}


def _items(returned: Any) -> list[Any]:
    if returned is None:
        return []
    return [returned] if isinstance(returned, str | dict) else list(returned)


def _finding(item: Any, resources: list[Any], at: int | None) -> dict[str, Any]:
    said = {"what": item} if isinstance(item, str) else item
    if not isinstance(said, dict) or not isinstance(said.get("what"), str):
        raise TypeError("a finding is a text, or a dict with `what`")
    for name, value in said.items():
        if name not in _PARTS or not isinstance(value, _PARTS[name]):
            raise TypeError(f"`{name}` of a finding cannot be {value!r:.40}")
    if said.get("grade", "error") not in {"error", "warning", "info"}:
        raise TypeError("`grade` of a finding is error, warning or info")
    if at is None:
        about = said.get("resource")
        same = [number for number, one in enumerate(resources) if one is about or one == about]
        if not same:
            raise TypeError("`resource` of a finding is one of the resources that the rule was given")
        at = same[0]
    return {"at": at, **{name: value for name, value in said.items() if name != "resource"}}


def _told(error: BaseException, path: str) -> str:
    """An error in one line, with the last line of the file that it came through."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
    line = lines[-1] if lines else getattr(error, "lineno", None)
    words = " ".join(str(error).split())[:300]
    return f"{type(error).__name__}{f': {words}' if words else ''} ({path}{f':{line}' if line else ''})"
