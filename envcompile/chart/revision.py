"""A chart after a few applications changed: what the last build kept of the whole stands, wherever that holds still.

Every part is made by the functions that make it in a whole chart. What they are given is compared piece by piece with
what the last build gave them: where all of it is the same but for the values and texts of a few services, the rest of
the chart is what it was. In all other cases there is no revision, and the chart is made as a whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from envcompile.chart.arrangement import Planned
from envcompile.chart.concealment import Revealer, names_of_joined
from envcompile.chart.memory import Recollection, digest_of, unpacked
from envcompile.chart.parts import Chartwide, Head, Part
from envcompile.chart.portions import Note
from envcompile.chart.shared import (
    Shared,
    Term,  # ruff: ignore[typing-only-first-party-import] - records are read by their types
)
from envcompile.chart.size import Stream, bytes_of, bytes_of_files, kind_of, pieces_of, pieces_of_part
from envcompile.errors import Problem, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from envcompile.chart.emission import Emitted
    from envcompile.chart.memory import Memo, Trace
    from envcompile.chart.portions import Portion
    from envcompile.chart.shapes import ChartFacts

_FEW = 32
"""Services that are revised at most; where more changed the chart is made as a whole."""
_RECENT = 4096
"""So many small records are kept beside the rest, for who comes back to them."""


class Kept(msgspec.Struct, array_like=True):
    """What a build kept of a chart, in columns: of the applications of all environments, and of the services."""

    chart: str
    """The digest of how it is made."""
    units: tuple[int, ...]
    """So many applications each environment has."""
    sizes: list[int]
    """How long all resources of each are as JSON."""
    notes: list[bytes]
    """Of each application what is known of its resources, as digests."""
    plain: tuple[int, ...]
    """The numbers of those of which a resource stands in the chart as it is."""
    plain_files: tuple[str, ...]
    """The paths of these."""
    given: str
    """The digest of what all services are given."""
    terms: tuple[Term, ...]
    """The values that many services share."""
    portions: list[tuple[int, ...]]
    """Of each service the numbers of the applications that hold its resources."""
    planned: list[bytes]
    outlines: list[str]
    """The digest of what each tells the whole."""
    answers: list[bytes]
    heads: list[bytes]
    starts: list[list[int]]
    """Of each file that is joined where the section of each service begins, in bytes; -1 for none."""
    lengths: list[int]
    """Of the pieces of a release."""
    digests: list[str]
    has_crds: bool
    recent: dict[str, bytes]


class _Recent:
    """A memo before which lies what was asked for lately; what is learnt is kept there, too.

    Args:
        recent: that.
        memo: the memo.
    """

    def __init__(self, recent: dict[str, bytes], memo: Memo) -> None:
        self.recent = recent
        self._memo = memo
        self.text = memo.text
        self.put_text = memo.put_text
        self.written = memo.written

    def get(self, key: str) -> bytes | None:
        """What was kept under a key; None when it is nothing."""
        found = self.recent.pop(key, None)
        if found is None:
            found = self._memo.get(key)
        if found is not None:
            self.recent[key] = found
        return found

    def put(self, key: str, data: bytes) -> None:
        """Keep something."""
        self.recent.pop(key, None)
        self.recent[key] = data


class RevisedFiles(Mapping[str, str]):
    """The files of a chart that are others than in the last build; those that are not are as it left them.

    Args:
        parts: the services that are others.
        joined: the files that are joined of all services, as far as they are others.
        changed: the SHA-256 of each that is another one.
        written: one of them as the last build left it.
    """

    def __init__(
        self,
        parts: Collection[Part],
        joined: Mapping[str, str],
        changed: Mapping[str, str],
        written: Callable[[str], bytes | None],
    ) -> None:
        self._owners = {path: part for part in parts for path in part.head.files}
        self._joined = joined
        self.changed = changed
        self._written = written

    def __getitem__(self, path: str) -> str:
        if path in self._joined:
            return self._joined[path]
        if path in self._owners:
            return self._owners[path].file(path)
        data = self._written(path)
        if data is None:
            raise UnavailableError([Problem(f"somebody took {path} out of the chart meanwhile", "build again")])
        return data.decode("utf-8", "surrogatepass")

    def __iter__(self) -> Iterator[str]:
        return iter(self.changed)

    def __len__(self) -> int:
        return len(self.changed)


class Revision(NamedTuple):
    """A chart of which a few services are others than in the last build."""

    files: RevisedFiles
    """Those that differ."""
    made: tuple[str, ...]
    """The keys of the services whose parts were made."""
    kept: Kept
    """To be kept in the place of what was."""
    stream: Stream
    """The pieces of its release."""
    memo: Memo
    """What was asked for lately before what is remembered."""


def kept_of(chart: ChartFacts, emitted: Emitted) -> Kept | None:
    """What is worth to be kept of a chart that was made as a whole; None of one that cannot be revised."""
    whole = emitted.whole
    arrangement, parts, portions = whole.arrangement, emitted.parts, whole.portions
    if not arrangement.key or arrangement.table is not None or chart.options.split:
        return None
    if not all(portion.key for portion in portions):
        return None
    lengths, digests = pieces_of(emitted)
    return Kept(
        _chart_digest(chart),
        whole.units,
        list(whole.sizes),
        [msgspec.msgpack.encode(portion.note) for portion in portions],
        tuple(sorted({one.portion for one in arrangement.crds})),
        tuple(emitted.plain),
        whole.given,
        arrangement.terms,
        [part.planned.portions for part in parts],
        [msgspec.msgpack.encode(part.planned) for part in parts],
        [part.outline_digest for part in parts],
        list(whole.answers),
        [msgspec.msgpack.encode(part.head) for part in parts],
        emitted.files.starts(),
        lengths,
        digests,
        emitted.has_crds,
        {},
    )


def revise(
    chart: ChartFacts,
    kept: Kept,
    units: tuple[int, ...],
    changed: Collection[int],
    portion_at: Callable[[int], Portion],
    memo: Memo,
) -> Revision | None:
    """The chart after some applications changed; None where it has to be made as a whole.

    Args:
        chart: how it is made.
        kept: what the last build kept of it.
        units: so many applications each environment has.
        changed: the numbers of those that changed, the environments one behind the other.
        portion_at: makes one of them, or of those that did not change.
        memo: what is remembered.
    """
    if kept.chart != _chart_digest(chart) or kept.units != units or not {*changed}.isdisjoint(kept.plain):
        return None
    owners = [at for at, own in enumerate(kept.portions) if any(number in own for number in changed)]
    if len(owners) > _FEW or {*changed} - {number for at in owners for number in kept.portions[at]}:
        return None
    recent = _Recent(kept.recent, memo)
    known = Recollection(recent)
    portions = _Portions(portion_at)
    if not _are_alike(kept, changed, portions, known):
        return None
    revealer = Revealer(memo.written, chart.environments)
    is_tested = chart.options.test_image is not None
    chartwide = Chartwide(
        chart.environments, portions, Shared(kept.terms), None, is_tested=is_tested, digest=kept.given
    )

    def part_at(at: int) -> Part:
        part = Part(msgspec.msgpack.decode(kept.planned[at], type=Planned), chartwide, known, revealer)
        if not part.has_outline:
            part.take_outline(part.work(b""))
        part.answer(kept.answers[at])
        return part

    parts = {at: part_at(at) for at in owners}
    if any(part.outline_digest != kept.outlines[at] for at, part in parts.items()):
        return None
    found = _changes(chart, kept, parts, memo)
    if found is None:
        return None
    changes, joined = found
    stream = _stream(kept, parts, part_at, memo)
    for number in changed:
        portions[number].keep(known)
    while len(kept.recent) > _RECENT:
        del kept.recent[next(iter(kept.recent))]
    files = RevisedFiles(parts.values(), joined, changes, memo.written)
    made = tuple([part.planned.key for part in parts.values() if part.is_made])
    return Revision(files, made, kept, stream, recent)


class _Portions(dict[int, "Portion"]):  # ruff: ignore[subclass-builtin] - made when asked for
    def __init__(self, make: Callable[[int], Portion]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, number: int) -> Portion:
        found = self[number] = self._make(number)
        return found


def _are_alike(kept: Kept, changed: Collection[int], portions: Mapping[int, Portion], known: Recollection) -> bool:
    """Tell whether all that decides where everything belongs is what it was; notes what applications are now."""
    ends, largest = [*accumulate(kept.units)], kept.sizes.index(max(kept.sizes))
    for number in changed:
        portion = portions[number]
        portion.recall(known)
        before = unpacked(kept.notes[number], Note)
        if before is None:
            return False
        portion.asked = before.asked
        now = portion.note
        if not portion.key or (now.digest, now.uses_digest) != (before.digest, before.uses_digest):
            return False
        kept.notes[number] = msgspec.msgpack.encode(now)
        kept.sizes[next(at for at, end in enumerate(ends) if number < end)] += now.size - before.size
    return kept.sizes.index(max(kept.sizes)) == largest


def _changes(
    chart: ChartFacts, kept: Kept, parts: Mapping[int, Part], memo: Memo
) -> tuple[dict[str, str], dict[str, str]] | None:
    """The SHA-256 of each file that is another one, and the texts of those that are joined; None for other files."""
    changes: dict[str, str] = {}
    sections: dict[int, dict[int, tuple[Trace, Trace]]] = {}
    for at, part in parts.items():
        before, now = unpacked(kept.heads[at], Head), part.head
        if before is None or before.files.keys() != now.files.keys():
            return None
        changes |= {path: trace.digest for path, trace in now.files.items() if trace != before.files[path]}
        for number, (old, new) in enumerate(zip(before.sections, now.sections, strict=True)):
            if old != new:
                sections.setdefault(number, {})[at] = old, new
        kept.heads[at] = msgspec.msgpack.encode(now)
    joined: dict[str, str] = {}
    names = names_of_joined(chart.environments)
    for number, own in sections.items():
        data = _spliced(memo.written(names[number]) or b"", number, own, kept, parts)
        if data is None:
            return None
        changes[names[number]] = hashlib.sha256(data).hexdigest()
        joined[names[number]] = data.decode("utf-8", "surrogatepass")
    return changes, joined


def _spliced(
    data: bytes, number: int, own: Mapping[int, tuple[Trace, Trace]], kept: Kept, parts: Mapping[int, Part]
) -> bytes | None:
    """A file that is joined with some other sections; None where one comes, goes, or is not where it was."""
    starts = kept.starts[number]
    for at, (old, new) in own.items():
        start = starts[at]
        if start < 0 or not new.length or not old.is_of(data[start : start + old.length]):
            return None
        text = parts[at].fragment.section.texts[number].encode("utf-8", "surrogatepass")
        data = data[:start] + text + data[start + old.length :]
        starts[:] = [other + new.length - old.length if other > start else other for other in starts]
    return data


def _stream(kept: Kept, parts: Mapping[int, Part], part_at: Callable[[int], Part], memo: Memo) -> Stream:
    """The pieces of the release, most of which are what they were."""
    count = len(kept.planned)
    for at, part in parts.items():
        for number, piece in zip((at, count + at, 2 * count + 1 + at), pieces_of_part(part), strict=True):
            kept.lengths[number], kept.digests[number] = piece

    def make(number: int) -> bytes:
        if number == 2 * count:
            plain = {path: memo.written(path) or b"" for path in kept.plain_files}
            return bytes_of_files({path: data.decode("utf-8", "surrogatepass") for path, data in plain.items()})
        kind, at = kind_of(number, count)
        return bytes_of(parts[at] if at in parts else part_at(at), kind)

    return Stream(kept.lengths, kept.digests, make)


def _chart_digest(chart: ChartFacts) -> str:
    options = chart.options
    return digest_of([
        chart.name,
        chart.environments,
        chart.default,
        msgspec.to_builtins(options),
    ])
