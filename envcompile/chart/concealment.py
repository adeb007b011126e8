"""How a service with Secrets in clear is remembered: without their texts, which the written chart itself holds.

A memo never holds a value in clear. It keeps lengths and digests in place of the texts that show one; whoever asks
gets them back from the chart's files of the last build, if they still stand there.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

import msgspec

from envcompile.chart.fragments import (
    Fragment,  # ruff: ignore[typing-only-first-party-import] - records are read by their types
)
from envcompile.chart.scalars import key_text
from envcompile.chart.values import Section

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_VALUES: Final = "values.yaml"
_SCHEMA: Final = "values.schema.json"
_ROOT: Final = re.compile(r"^[^\s#].*$", re.MULTILINE)
_ROOT_OF_SCHEMA: Final = re.compile(r'^ {4}(".*"): \{', re.MULTILINE)


class Trace(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What tells a text apart without saying it."""

    length: int
    digest: str


class Concealed(msgspec.Struct, frozen=True, array_like=True):
    """One service's part of the chart without the texts that show values in clear."""

    fragment: Fragment
    """With empty texts in their place."""
    files: dict[str, Trace]
    """By path below the chart's folder."""
    values: tuple[Trace, ...]
    """In values.yaml, and in the file of each environment."""
    schema: Trace
    """In values.schema.json: the lines of a text may be keys there."""


def conceal(fragment: Fragment) -> Concealed:
    """Take out of a part what shows values in clear."""
    files = {path: _trace(fragment.files[path]) for path in fragment.clear}
    section = fragment.section
    shown = msgspec.structs.replace(
        fragment,
        files={path: "" if path in files else text for path, text in fragment.files.items()},
        section=Section("", ("",) * len(section.patches), ""),
    )
    return Concealed(shown, files, tuple(map(_trace, (section.values, *section.patches))), _trace(section.schema))


class Revealer:
    """Finds texts in the chart's files as the last build left them.

    Args:
        written: the text of one of them by its path below the chart's folder; None when there is none.
        environments: their names.
    """

    def __init__(self, written: Callable[[str], str | None], environments: Sequence[str]) -> None:
        self._written = written
        self._names = (_SCHEMA, _VALUES, *(f"values-{name}.yaml" for name in environments))
        self._roots: dict[str, tuple[str, dict[str, int]]] = {}

    def reveal(self, concealed: Concealed, key: str) -> Fragment | None:
        """Put the texts back; None when one of them is not there any more.

        Args:
            concealed: what is remembered of a service.
            key: that of the service at the root of the values.
        """
        files = {**concealed.fragment.files}
        for path, trace in concealed.files.items():
            text = self._written(path)
            if text is None or _trace(text) != trace:
                return None
            files[path] = text
        traces = (concealed.schema, *concealed.values)
        found = []
        for name, trace in zip(self._names, traces, strict=True):
            text = self._below(name, key, trace)
            if text is None:
                return None
            found.append(text)
        section = Section(found[1], tuple(found[2:]), found[0])
        return msgspec.structs.replace(concealed.fragment, files=files, section=section)

    def _below(self, name: str, key: str, trace: Trace) -> str | None:
        """What stands below a key of a file; None when it is not there."""
        if not trace.length:
            return ""
        if name not in self._roots:
            text = self._written(name) or ""
            self._roots[name] = text, dict(_schemas(text) if name == _SCHEMA else _sections(text))
        text, roots = self._roots[name]
        start = roots.get(_written_key(key) if name == _SCHEMA else f"{key_text(key, 0)}:")
        if start is None:
            return None
        start -= name not in {_SCHEMA, _VALUES}  # a patch begins with the end of the line before it
        found = text[start : start + trace.length]
        return found if _trace(found) == trace else None


def _sections(text: str) -> Iterator[tuple[str, int]]:
    return ((found[0].removesuffix(" {}"), found.start()) for found in _ROOT.finditer(text))


def _schemas(text: str) -> Iterator[tuple[str, int]]:
    return ((found[1], found.end() - 1) for found in _ROOT_OF_SCHEMA.finditer(text))


def _written_key(key: str) -> str:
    return msgspec.json.encode(key).decode()


def _trace(text: str) -> Trace:
    return Trace(len(text), hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest())
