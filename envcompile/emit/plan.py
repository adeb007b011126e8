"""What a build would do to one environment's folder: write, keep, remove, and what stands in the way."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

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
    present = {**files.stat_of, **dict.fromkeys(seen.odd, "")}
    folders_present = {*seen.folders}
    stats_known, digests_known = known.stat_of, known.digest_of

    def untouched_digest(path: str, stat: str) -> str:
        """The digest of a file that has this stat now; empty for one that was touched since."""
        return digests_known.get(path, "") if stats_known.get(path) == stat else ""

    owned = dict.fromkeys(bundle.digests, ()) if own_index and plain == own_index else parse_index(index or b"")

    if former is not None and (strangers := present.keys() - bundle.digests.keys() - owned.keys() - {INDEX_NAME}):
        owned.update(dict.fromkeys(former.joined(strangers), ()))
    if former is not None and (claimed := present.keys() & bundle.digests.keys() - owned.keys()):
        owned.update(dict.fromkeys(former.joined(claimed), ()))

    def written(path: str) -> tuple[str, ...]:
        """The digests of what envc wrote to one of its files."""
        return (*owned.get(path, ()), *(former.written(path) if former is not None and path in owned else ()))

    def look(path: str, stat: str, wanted: str = "") -> tuple[str, bool]:
        """The digest of a file, and whether it may be written anew."""
        if not stat:
            return "", False
        found = untouched_digest(path, stat)
        if found:
            return found, True  # not touched since envc wrote it
        said = written(path)
        data = (folder / path).read_bytes()
        found = digest_of_text(data, (wanted, *said))
        is_ours = found in said
        if not is_ours and found != wanted and path in owned and former is not None:
            is_ours = former.is_disposable(path, data)
        return found, is_ours

    added: list[str] = []
    changed: list[str] = []
    unchanged: list[str] = []
    edited: list[str] = []
    foreign: list[str] = []
    missing: list[str] = []
    removed: list[str] = []
    kept: dict[str, str] = {}
    for path, wanted in bundle.digests.items():
        stat = present.get(path)
        if stat and wanted == untouched_digest(path, stat):
            unchanged.append(path)  # not touched since envc wrote it
            continue
        if stat is None:
            (foreign if path in folders_present else added).append(path)
            if path in owned:
                missing.append(path)
            continue
        found, is_ours = look(path, stat, wanted)
        if found == wanted:
            unchanged.append(path)
        elif path not in owned:
            foreign.append(path)
        elif is_ours:
            changed.append(path)
        else:
            edited.append(path)
    for path in sorted(owned.keys() - bundle.digests.keys()):
        stat = present.get(path)
        if partial:
            found, is_ours = look(path, stat) if stat is not None else ("", False)
            kept[path] = found if is_ours else next(reversed(written(path)), "")
        elif stat is not None:
            (removed if look(path, stat)[1] else edited).append(path)
    parents = {path.rpartition("/")[0] for path in bundle.digests}
    folders = {f"{parent}/"[: end.start()] for parent in parents for end in _SLASH.finditer(f"{parent}/")} - {""}
    foreign += present.keys() & folders
    if INDEX_NAME in folders_present or (INDEX_NAME in present and index is None):
        foreign.append(INDEX_NAME)
    blocked = {path for path in foreign if path in folders_present}
    others = present.keys() - bundle.digests.keys() - folders - {INDEX_NAME}
    if not partial:
        others -= owned.keys()
    if blocked:
        others = {path for path in others if not any(path.startswith(f"{folder}/") for folder in blocked)}
    digests = {**bundle.digests, **kept} if kept else bundle.digests
    if former is None:
        new_index = render_digests(digests)
    else:
        new_index = own_index if digests.keys() == bundle.digests.keys() else render_names(digests)
    is_canonical = index is None if gone else plain == new_index
    return Plan(
        bundle,
        tuple(sorted(added)),
        tuple(sorted(changed)),
        tuple(removed),
        tuple(unchanged),
        tuple(sorted(edited)),
        tuple(sorted(foreign)),
        tuple(sorted(missing)),
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
