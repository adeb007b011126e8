"""What a build would do to one environment's folder: write, keep, remove, and what stands in the way."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from envcompile.emit.former import digest_of_text
from envcompile.emit.index import (
    INDEX_NAME,
    digest,
    has_digests,
    is_readable,
    parse_index,
    render_digests,
    render_names,
    render_record,
)
from envcompile.emit.revised import RevisedDigests
from envcompile.errors import Problem, UnavailableError
from envcompile.files import MORE_OPEN_FILES, TOO_MANY_OPEN
from envcompile.record import Record
from envcompile.seenfiles import NO_FILES, Seen

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from envcompile.emit.former import Former
    from envcompile.model import Bundle
    from envcompile.seenfiles import Files


_SLASH = re.compile(r"/")
_DIGITS = 64
"""Of a SHA-256."""


class Plan(Record, frozen=True):
    """The difference between a folder and the bundle that belongs into it; all paths are below the folder.

    `edited` are files of ours that somebody changed by hand, `foreign` are files, folders or symlinks of others in a
    place that the bundle needs, `missing` are files of ours that are gone; `digests` is what envc will have written
    (empty for a file of ours that was not looked into), and `index_now` is the index until then. `gone` means that the
    folder shall not be there any more. Without a `former` the index holds the digests itself.
    """

    bundle: Bundle
    added: Sequence[str]
    changed: Sequence[str]
    removed: tuple[str, ...]
    unchanged: Collection[str]
    edited: tuple[str, ...]
    foreign: tuple[str, ...]
    missing: tuple[str, ...]
    others: tuple[str, ...]
    digests: Mapping[str, str]
    index_now: bytes | None
    index_is_current: bool
    index_is_canonical: bool
    """Byte for byte what envc writes; an index that git merged, or that has digests, is current without being it."""
    gone: bool = False
    former: Former | None = None
    seen: Files | None = None
    """Every file that was there."""
    new_index: bytes = b""
    """The index that belongs into the folder."""

    @property
    def is_current(self) -> bool:
        """Tell whether the folder already holds exactly the bundle."""
        return not (self.added or self.changed or self.removed or self.edited or self.foreign) and self.index_is_current

    def index_between(self, touched: Iterable[str]) -> bytes:
        """The index while files are being swapped: whatever a crash leaves, each of envc's files is listed."""
        if self.former is not None and self.index_is_canonical:
            return self.new_index
        if self.former is not None:
            return render_names({*parse_index(self.index_now or b""), *self.digests})
        new = render_record({path: self.digests[path] for path in touched if path in self.digests})
        return (self.index_now or render_digests({})) + new


def plan(
    folder: Path,
    bundle: Bundle,
    known: Files | None = None,
    *,
    former: Former | None = None,
    gone: bool = False,
    partial: bool = False,
    is_untouched: bool = False,
) -> Plan:
    """Compare a folder with the bundle that belongs into it.

    Args:
        folder: the environment's folder; it need not exist.
        bundle: the files that it should hold.
        known: the files as the last build left them.
        former: what is known of the files there; without it only what the index says.
        gone: the environment is no more: its folder goes with its files, unless others have files there.
        partial: the bundle is not all that belongs there: files of ours that it does not name stay, as does what the
            index says about them.
        is_untouched: whether somebody looked a moment ago, and found the known files there and nothing else.

    Raises:
        UnavailableError: the folder cannot be read.
    """
    try:
        found = None
        if is_untouched and known is not None and former is not None and not (gone or partial):
            index = (folder / INDEX_NAME).read_bytes()
            found = _where_untouched(bundle, known, known, index, former)
        return found or _plan(folder, bundle, known or NO_FILES, former, gone=gone, partial=partial)
    except OSError as error:
        raise unreadable(error, folder) from error


def unreadable(error: OSError, folder: Path) -> UnavailableError:
    """What it means to a person that the output cannot be read."""
    reason = (error.strerror or str(error)).lower()
    what = f"{error.filename or folder} cannot be read: {reason}"
    fix = "make it readable for you, or write elsewhere with `--output DIR`"
    return UnavailableError([Problem(what, MORE_OPEN_FILES if error.errno in TOO_MANY_OPEN else fix)])


def _plan(
    folder: Path,
    bundle: Bundle,
    known: Files,
    former: Former | None,
    *,
    gone: bool,
    partial: bool,
) -> Plan:
    seen = Seen()
    seen.look_below(str(folder), ("",), is_output=True)
    if seen.refused is not None:
        raise seen.refused
    files = seen.files()
    index = (folder / INDEX_NAME).read_bytes() if INDEX_NAME in files else None
    plain = index.replace(b"\r\n", b"\n") if index is not None and b"\r" in index else index
    if former is not None and index is not None and not (gone or partial or seen.odd):
        untouched = _where_untouched(bundle, files, known, index, former)
        if untouched is not None:
            return untouched
    own_index = _index_of(bundle.digests, plain, known) if former is not None else b""
    owned = dict.fromkeys(bundle.digests, ()) if own_index and plain == own_index else parse_index(index or b"")
    present = {**files.stat_of, **dict.fromkeys(seen.odd, "")}
    if former is not None:
        for names in (present.keys() - bundle.digests.keys() - {INDEX_NAME}, present.keys() & bundle.digests.keys()):
            if unknown := names - owned.keys():
                owned.update(dict.fromkeys(former.joined(unknown), ()))
    there = _There(folder, present, frozenset(seen.folders), owned, known.stat_of, known.digest_of, former)
    sides = there.sides(bundle.digests)
    kept = there.of_others(bundle.digests) if partial else {}
    if not partial:
        there.add_left_over(bundle.digests, sides)
    parents = {path.rpartition("/")[0] for path in bundle.digests}
    folders = {f"{parent}/"[: end.start()] for parent in parents for end in _SLASH.finditer(f"{parent}/")} - {""}
    sides.foreign.extend(present.keys() & folders)
    if INDEX_NAME in there.folders or (INDEX_NAME in present and index is None):
        sides.foreign.append(INDEX_NAME)
    others = present.keys() - bundle.digests.keys() - folders - {INDEX_NAME}
    if not partial:
        others -= owned.keys()
    if blocked := {path for path in sides.foreign if path in there.folders}:
        others = {path for path in others if not any(path.startswith(f"{one}/") for one in blocked)}
    digests = {**bundle.digests, **kept} if kept else bundle.digests
    if former is None:
        new_index = render_digests(digests)
    else:
        new_index = own_index if digests.keys() == bundle.digests.keys() else render_names(digests)
    is_canonical = index is None if gone else plain == new_index
    return Plan(
        bundle,
        tuple(sorted(sides.added)),
        tuple(sorted(sides.changed)),
        tuple(sides.removed),
        tuple(sides.unchanged),
        tuple(sorted(sides.edited)),
        tuple(sorted(sides.foreign)),
        tuple(sorted(sides.missing)),
        tuple(sorted(others)),
        digests,
        index,
        index_is_current=is_canonical or (former is not None and is_index_current(index, owned, digests, gone=gone)),
        index_is_canonical=is_canonical,
        gone=gone,
        former=former,
        seen=files,
        new_index=new_index,
    )


class _Sides(NamedTuple):
    """Paths, by what a build would do to them; lists that grow."""

    added: list[str]
    changed: list[str]
    removed: list[str]
    unchanged: list[str]
    edited: list[str]
    foreign: list[str]
    missing: list[str]


class _There(NamedTuple):
    """What is in an environment's folder, and what is known of it."""

    folder: Path
    present: Mapping[str, str]
    """Each file with its stat, which is empty for what is no plain file."""
    folders: frozenset[str]
    owned: Mapping[str, tuple[str, ...]]
    """The files of ours, with the digests that an index of former versions says."""
    stats: Mapping[str, str]
    """The stats of the files as the last build left them."""
    digests: Mapping[str, str]
    """What was in these; empty where it was not read."""
    former: Former | None

    def sides(self, wanted: Mapping[str, str]) -> _Sides:
        """What has to be done to the files that belong here, by their digests."""
        sides = _Sides([], [], [], [], [], [], [])
        for path, digest_wanted in wanted.items():
            stat = self.present.get(path)
            if stat is None:
                (sides.foreign if path in self.folders else sides.added).append(path)
                if path in self.owned:
                    sides.missing.append(path)
                continue
            if stat and self.stats.get(path) == stat and self.digests.get(path) == digest_wanted:
                sides.unchanged.append(path)  # not touched since envc wrote it
                continue
            found, is_ours = self._look(path, stat, digest_wanted)
            if found == digest_wanted:
                sides.unchanged.append(path)
            elif path not in self.owned:
                sides.foreign.append(path)
            elif is_ours:
                sides.changed.append(path)
            else:
                sides.edited.append(path)
        return sides

    def add_left_over(self, wanted: Collection[str], sides: _Sides) -> None:
        """Add the files of ours that belong here no more."""
        for path in sorted(self.owned.keys() - wanted):
            stat = self.present.get(path)
            if stat is not None:
                (sides.removed if self._look(path, stat)[1] else sides.edited).append(path)

    def of_others(self, wanted: Collection[str]) -> dict[str, str]:
        """The digests of the files of ours that a part of a build does not speak of; what is edited has its former."""
        kept = {}
        for path in sorted(self.owned.keys() - wanted):
            stat = self.present.get(path)
            found, is_ours = self._look(path, stat) if stat is not None else ("", False)
            kept[path] = found if is_ours else next(reversed(self._written(path)), "")
        return kept

    def _written(self, path: str) -> tuple[str, ...]:
        """The digests of what envc wrote to one of its files."""
        said = self.former.written(path) if self.former is not None and path in self.owned else ()
        return (*self.owned.get(path, ()), *said)

    def _look(self, path: str, stat: str, wanted: str = "") -> tuple[str, bool]:
        """The digest of a file, and whether it may be written anew."""
        if not stat:
            return "", False
        if self.stats.get(path) == stat and (found := self.digests.get(path, "")):
            return found, True  # not touched since envc wrote it
        said = self._written(path)
        data = (self.folder / path).read_bytes()
        found = digest_of_text(data, (wanted, *said))
        is_ours = found in said
        if not is_ours and found != wanted and path in self.owned and self.former is not None:
            is_ours = self.former.is_disposable(path, data)
        return found, is_ours


def _where_untouched(bundle: Bundle, files: Files, known: Files, index: bytes, former: Former) -> Plan | None:
    """The plan where nobody touched anything since envc wrote it, and no file comes or goes; None elsewhere."""
    if isinstance(bundle.digests, RevisedDigests) and bundle.digests.before is known:
        return _revised(bundle, bundle.digests, index, former) if known is files else None
    if not known.is_same(files) or _index_of(bundle.digests, index, known) != index:
        return None
    digests = known.digest_of
    if digests.keys() ^ bundle.digests.keys() != {INDEX_NAME}:
        return None
    touched = {path for path, _ in bundle.digests.items() - digests.items()}
    if any(len(digests[path]) != _DIGITS for path in touched):
        return None  # it is not known what is in there
    return _revised(bundle, RevisedDigests(known, {path: bundle.digests[path] for path in touched}), index, former)


def _revised(bundle: Bundle, digests: RevisedDigests, index: bytes, former: Former) -> Plan | None:
    """The plan where the last build wrote just these files, most of them as they are; None where its index is gone."""
    if digest(index) != digests.before.digest(INDEX_NAME):
        return None
    none: tuple[str, ...] = ()
    return Plan(
        bundle,
        *(none, tuple(sorted(digests.changed)), none, digests.unchanged, none, none, none, none),
        digests,
        index,
        index_is_current=True,
        index_is_canonical=True,
        former=former,
        seen=digests.before,
        new_index=index,
    )


def _index_of(names: Mapping[str, object], index: bytes | None, known: Files) -> bytes:
    """The index for these names: the one that is there when it is known to be that of just these."""
    is_known = index is not None and len(known) == len(names) + 1 and known.places.keys() >= names.keys()
    if index is not None and is_known and digest(index) == known.digest(INDEX_NAME):
        return index
    return render_names(names)


def is_index_current(
    index: bytes | None, owned: Collection[str], wanted: Collection[str], *, gone: bool = False
) -> bool:
    """Tell whether an environment's index says what it should: names in any order, or digests as of envc 0.1.

    Names of files that are no more do no harm: git leaves some when it joins two indexes.

    Args:
        index: the index; None where there is none.
        owned: the names in it.
        wanted: the names that belong into it.
        gone: the environment is no more.
    """
    if gone or index is None:
        return gone and index is None
    return (is_readable(index) or has_digests(index)) and {*owned}.issuperset(wanted)
