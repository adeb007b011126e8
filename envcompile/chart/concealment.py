"""How a service with Secrets in clear is remembered: without their texts, which the written chart itself holds.

A memo never holds a value in clear. It keeps lengths and digests of the texts that show one; whoever asks gets them
back from the chart's files of the last build, if they still stand there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from envcompile.chart.scalars import key_text
from envcompile.chart.values import Section

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from envcompile.chart.fragments import Fragment
    from envcompile.chart.memory import Trace

VALUES: Final = "values.yaml"
SCHEMA: Final = "values.schema.json"
_ROOT: Final = re.compile(rb"^[^\s#].*$", re.MULTILINE)
_ROOT_OF_SCHEMA: Final = re.compile(rb'^ {4}(".*"): \{', re.MULTILINE)


def names_of_joined(environments: Sequence[str]) -> tuple[str, ...]:
    """The files to which every service has a section, in the order of a section's texts."""
    return (VALUES, *(f"values-{name}.yaml" for name in environments), SCHEMA)


def conceal(fragment: Fragment) -> Fragment:
    """Take out of a part what shows values in clear."""
    return msgspec.structs.replace(
        fragment,
        files={path: "" if path in fragment.clear else text for path, text in fragment.files.items()},
        section=Section("", ("",) * len(fragment.section.patches), ""),
    )


class Revealer:
    """Finds texts in the chart's files as the last build left them.

    Args:
        written: one of them by its path below the chart's folder; None when there is none.
        environments: their names.
    """

    def __init__(self, written: Callable[[str], bytes | None], environments: Sequence[str]) -> None:
        self._written = written
        self._names = names_of_joined(environments)
        self._roots: dict[str, tuple[bytes, dict[bytes, int]]] = {}

    def reveal(
        self, concealed: Fragment, files: Mapping[str, Trace], sections: Sequence[Trace], key: str
    ) -> Fragment | None:
        """Put the texts back; None when one of them is not there any more.

        Args:
            concealed: what is remembered of a service.
            files: what its files are like.
            sections: what its sections of the joined files are like.
            key: that of the service at the root of the values.
        """
        shown = {**concealed.files}
        for path in concealed.clear:
            data = self._written(path)
            if data is None or path not in files or not files[path].is_of(data):
                return None
            shown[path] = data.decode("utf-8", "surrogatepass")
        texts = [self._below(name, key, trace) for name, trace in zip(self._names, sections, strict=True)]
        found = [text.decode("utf-8", "surrogatepass") for text in texts if text is not None]
        if len(found) < len(texts):
            return None
        section = Section(found[0], tuple(found[1:-1]), found[-1])
        return msgspec.structs.replace(concealed, files=shown, section=section)

    def _below(self, name: str, key: str, trace: Trace) -> bytes | None:
        """What stands below a key of a file; None when it is not there."""
        if not trace.length:
            return b""
        if name not in self._roots:
            data = self._written(name) or b""
            self._roots[name] = data, dict(_schemas(data) if name == SCHEMA else _sections(data))
        data, roots = self._roots[name]
        start = roots.get(msgspec.json.encode(key) if name == SCHEMA else f"{key_text(key, 0)}:".encode())
        if start is None:
            return None
        start -= name not in {SCHEMA, VALUES}  # a patch begins with the end of the line before it
        found = data[start : start + trace.length]
        return found if trace.is_of(found) else None


def _sections(data: bytes) -> Iterator[tuple[bytes, int]]:
    return ((found[0].removesuffix(b" {}"), found.start()) for found in _ROOT.finditer(data))


def _schemas(data: bytes) -> Iterator[tuple[bytes, int]]:
    return ((found[1], found.end() - 1) for found in _ROOT_OF_SCHEMA.finditer(data))
