"""The files of a chart: their digests now, their texts when somebody asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from envcompile.chart.memory import Trace, digest_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from envcompile.chart.assembly import Assembled, JoinedFile
    from envcompile.chart.memory import Recollection
    from envcompile.chart.parts import Part


class PlainText(msgspec.Struct, frozen=True):
    """A file that is one resource as it is."""

    trace: Trace
    make: Callable[[], str]


class _Pieces(msgspec.Struct, frozen=True, array_like=True):
    """Where the sections of a joined file are: the digest of each, its first byte and the one behind it."""

    places: dict[str, tuple[int, int]]


class ChartFiles(Mapping[str, str]):
    """The files of a chart, path below its folder -> text.

    Args:
        parts: what each service is.
        assembled: the files that are not one service's alone.
        plain: those that are one resource as it is.
        known: what is remembered.
    """

    def __init__(
        self, parts: Sequence[Part], assembled: Assembled, plain: Mapping[str, PlainText], known: Recollection
    ) -> None:
        self._parts = parts
        self._files = assembled.files
        self._joined = assembled.joined
        self._plain = plain
        self._known = known
        self._written: dict[str, tuple[bytes, _Pieces]] = {}
        self._owners: dict[str, Part] = {}
        found = {path: Trace.of(text).digest for path, text in assembled.files.items()}
        found |= {path: one.trace.digest for path, one in plain.items()}
        for part in parts:
            for path, trace in part.head.files.items():
                found[path] = trace.digest
                self._owners[path] = part
        found |= {path: self._digest_of(path, one) for path, one in assembled.joined.items()}
        self.digests: Mapping[str, str] = dict(sorted(found.items()))
        """The SHA-256 of every file."""

    def __getitem__(self, path: str) -> str:
        if path in self._owners:
            return self._owners[path].file(path)
        if path in self._joined:
            return self._text_of(path, self._joined[path])
        return self._plain[path].make() if path in self._plain else self._files[path]

    def starts(self) -> list[list[int]]:
        """For each file that is joined where the section of each service begins, in bytes; -1 for none."""
        found = []
        for one in sorted(self._joined.values(), key=lambda one: one.number):
            at, own = 0, [-1] * len(self._parts)
            for segment in one.segments:
                if isinstance(segment, str):
                    at += len(segment.encode("utf-8", "surrogatepass"))
                else:
                    own[segment.part] = at
                    at += segment.trace.length
            found.append(own)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self.digests)

    def __len__(self) -> int:
        return len(self.digests)

    def _digest_of(self, path: str, file: JoinedFile) -> str:
        key = digest_of([one if isinstance(one, str) else [one.trace.digest] for one in file.segments])
        trace = self._known.get(f"joined {key}", Trace)
        if trace is None:
            text = self._text_of(path, file)
            trace = Trace.of(text)
            self._known.put(f"joined {key}", trace)
            self._known.put(f"pieces {trace.digest}", self._pieces_of(file))
        else:
            self._known.get(f"pieces {trace.digest}", _Pieces)
        return trace.digest

    @staticmethod
    def _pieces_of(file: JoinedFile) -> _Pieces:
        places: dict[str, tuple[int, int]] = {}
        at = 0
        for one in file.segments:
            if isinstance(one, str):
                at += len(one.encode("utf-8", "surrogatepass"))
            else:
                places[one.trace.digest] = (at, at + one.trace.length)
                at += one.trace.length
        return _Pieces(places)

    def _text_of(self, path: str, file: JoinedFile) -> str:
        """A joined file, of sections that are made, or that stand in the file of the last build."""
        data, pieces = self._written_pieces(path)
        found: list[bytes] = []
        for one in file.segments:
            if isinstance(one, str):
                found.append(one.encode("utf-8", "surrogatepass"))
            elif one.trace.digest in pieces.places:
                start, end = pieces.places[one.trace.digest]
                found.append(data[start:end])
            else:
                text = self._parts[one.part].fragment.section.texts[file.number]
                found.append(text.encode("utf-8", "surrogatepass"))
        return b"".join(found).decode("utf-8", "surrogatepass")

    def _written_pieces(self, path: str) -> tuple[bytes, _Pieces]:
        if path not in self._written:
            memo = self._known.memo
            data = (memo.written(path) if memo is not None else None) or b""
            digest = Trace.of_bytes(data).digest
            self._written[path] = data, self._known.get(f"pieces {digest}", _Pieces) or _Pieces({})
        return self._written[path]
