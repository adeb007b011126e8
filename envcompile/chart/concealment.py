"""How a service with Secrets in clear is remembered: without their texts, which the written chart itself holds.

A memo never holds a value in clear. It keeps lengths and digests of the texts that show one; whoever asks gets them
back from the chart's files of the last build, if they still stand there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from envcompile.chart.scalars import key_text
from envcompile.chart.values import Section

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from envcompile.chart.fragments import Fragment
    from envcompile.chart.memory import Trace

VALUES: Final = "values.yaml"
SCHEMA: Final = "values.schema.json"


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
        self._roots: dict[str, bytes] = {}

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
            self._roots[name] = b"\n" + (self._written(name) or b"")
        data = self._roots[name]
        # A key of the root stands at the beginning of a line, and nothing else there looks like it.
        line = b"\n    %s: {" % msgspec.json.encode(key) if name == SCHEMA else f"\n{key_text(key, 0)}".encode()
        at = data.find(line)
        if at < 0:
            return None
        start = at + len(line) - 1 if name == SCHEMA else at + (name == VALUES)  # a patch begins with the line break
        found = data[start : start + trace.length]
        return found if trace.is_of(found) else None
