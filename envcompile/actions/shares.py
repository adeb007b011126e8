"""A build in several processes: copies of this one that each read, compile and write a share of the applications.

All of them know all files by what they speak of, so that each plans what any other does. What a copy compiled is told
as bytes; its texts stay where they are until all is known to be right and it is asked to write its files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from envcompile.actions.outputs import Texts
from envcompile.emit.write import write_files
from envcompile.errors import EnvcError
from envcompile.log import decision
from envcompile.seenfiles import Files, outputs_in
from envcompile.sources.scans import FileScan, Head
from envcompile.sources.yamlfiles import JSONNET_ENDING, app_of
from envcompile.units.copies import MOST, Copies, processors
from envcompile.units.memo import FolderMemo, told_of
from envcompile.units.settling import by_application

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from envcompile.actions.outputs import Made
    from envcompile.model import Others
    from envcompile.units.environment import Units
    from envcompile.units.project import Project
    from envcompile.units.unit import CompiledUnit

    Scans = dict[tuple[str, str], FileScan]

_FILES = 150
"""Files that are worth a process: to read and to compile them takes some ten times as long as a copy."""
_FILES_OF_A_UNIT = 3
"""So many files there are for each unit, about."""
_TOGETHER = 64
"""Units that are told of at a time."""
_SCANS_TOGETHER = 2_000
"""Files that are told of at a time: what is on its way lies in memory several times."""


class _Read(NamedTuple):
    """Asks a copy to read its share of the sources."""


class _Learn(NamedTuple):
    """Tells a copy what some files speak of that others read."""

    scans: bytes


class _Compile(NamedTuple):
    """Asks a copy to compile its share of the units."""


class _Write(NamedTuple):
    """Asks a copy to write files."""

    environment: str
    folder: str
    units: tuple[tuple[int, tuple[str, ...]], ...]
    """Numbers of units, with the path of each resource's file; empty for one that is not written."""


class _Look(NamedTuple):
    """Asks a copy to look at folders that were written."""

    folders: tuple[str, ...]


class _Told(NamedTuple):
    """What a copy tells of a unit."""

    environment: str
    number: int
    exports: bytes
    made: Made | None = None
    texts: bytes | None = None
    """All texts of the unit, where they do not stay with the copy."""
    values: list[Any] | None = None
    """The values of its resources, where they are wanted; what units of one application share stays one on the way."""
    compiled: CompiledUnit | None = None
    """The unit itself, where others may do something to its resources."""


class Shares:
    """The processes of one build; close them after use.

    Args:
        project: what is built.
        environments: those that are built.
        texts: takes what the units come to.
        wanted: processes, this one included; by the size of the work when left out.
        with_values: let copies tell the values of resources, too.
    """

    def __init__(
        self,
        project: Project,
        environments: Sequence[str],
        texts: Texts,
        wanted: int | None,
        *,
        with_values: bool = False,
    ) -> None:
        self._project = project
        self._environments = environments
        self._texts = texts
        self._wanted = wanted
        self._with_values = with_values
        self._keeps_texts = isinstance(project.memo, FolderMemo) and project.settings.layout == "resource"
        self._unknown: Sequence[tuple[str, str]] = ()
        """Layer and path of each source of which nothing is known."""
        self._common: dict[str, str] = {}
        """Texts that many scans have."""
        self._share_of: dict[str, int] = {}
        """Application -> the number of its process; this one is 0."""
        self._copies: Copies | None = None
        self._units: dict[str, Units] = {}
        self._holders: dict[tuple[str, int], int] = {}
        """Environment and number of a unit -> the copy that holds its texts."""
        self._is_collected = False

    def _processes(self, count: int) -> int:
        """How many processes some files or units are worth."""
        least = 1 if self._wanted is not None else _FILES
        return min(self._wanted or min(processors(), MOST), count // least)

    def read(self) -> None:
        """Read the sources of which nothing is known, where they are worth it, and let copies begin to compile.

        Raises:
            EnvcError: the sources hold more than they may.
        """
        project, parsed, tree = self._project, self._project.parsed, self._project.tree
        if project.kept is not None:
            return
        layers = project.sources.layers_of(self._environments)
        places = [(layer, path) for layer, files in layers.items() for path in parsed.resource_files(layer, files)]
        if any(path.endswith(JSONNET_ENDING) for _, path in places):
            return  # whatever evaluates them does not survive in a copy
        unknown = [place for place in places if place not in parsed.scans]
        count = self._processes(len(unknown))
        if count < 2:
            return
        weights: dict[str, int] = {}
        for layer, path in unknown:
            app = app_of(path, layer)
            weights[app] = weights.get(app, 0) + 1
        self._unknown = unknown
        copies = self._start(count, weights)
        decision("units", "%s files are read by %s processes, which compile what they say", len(unknown), count)
        copies.ask(dict.fromkeys(range(1, count), _Read()))
        found = [(0, scans) for scans, _ in self._read_share(0)]
        for number, (scans, size) in copies.answers(wait=True):
            parsed.take_scans(tree, self._unpacked(scans), size)
            found += [(number, scans)] if count > 2 else []  # of two processes each other one told this
        while found:
            reader, scans = found.pop()
            copies.ask({number: _Learn(scans) for number in range(1, count) if number != reader})
            list(copies.answers(wait=True))
        copies.ask(dict.fromkeys(range(1, count), _Compile()))
        self._unknown, self._common = (), {}

    def begin(self, units: Sequence[Units]) -> None:
        """Let copies begin with what is not remembered of the units of all environments."""
        self._units = {one.plan.environment: one for one in units}
        if self._copies is not None or self._project.memo is None:
            return
        weights: dict[str, int] = {}
        for app, places in by_application(units).items():
            missing = len([at for one, at in places if not one.is_remembered(at)])
            if missing:
                weights[app] = missing
        missing = sum(weights.values())
        count = self._processes(missing * _FILES_OF_A_UNIT)
        if count < 2:
            return
        decision("units", "%s units are compiled by %s processes", missing, count)
        self._start(count, weights).ask(dict.fromkeys(range(1, count), _Compile()))

    @property
    def are_begun(self) -> bool:
        """Whether there is enough to do for copies."""
        return self._copies is not None

    def has(self, app: str) -> bool:
        """Tell whether the units of an application are a copy's for now."""
        return not self._is_collected and self._copies is not None and self._share_of.get(app, 0) != 0

    def collect(self, *, wait: bool) -> None:
        """Adopt what copies compiled: what is there, or all that will come."""
        for holder, part in self._copies.answers(wait=wait) if self._copies is not None else ():
            for told in part:
                one = self._units[told.environment]
                if told.compiled is not None:
                    one.adopt(told.number, told.compiled, has_values=True)
                    continue
                one.take_told(told.number, told.exports)
                self._texts.take_made(told.environment, told.number, told.made, told.texts)
                if told.values is not None:
                    self._texts.values[told.environment, told.number] = told.values
                if told.texts is None:
                    self._holders[told.environment, told.number] = holder
        self._is_collected = wait

    def writer(self, environment: str, places: Sequence[tuple[str, ...]]) -> Others | None:
        """Who writes files of an environment whose texts copies hold; None where they hold none.

        Args:
            environment: its name.
            places: for each unit the files of its resources.
        """
        if self._copies is None or not any(name == environment for name, _ in self._holders):
            return None
        return _Writer(self._copies, environment, places, self._holders)

    def look(self, folders: Sequence[str]) -> None:
        """Let copies look at some of these folders while this process does something else; `seen` tells what they saw.

        Args:
            folders: their paths.
        """
        count = self._copies.count if self._copies is not None else 0
        if self._copies is not None and count:
            theirs = folders[len(folders) // (count + 2) :]  # copies have nothing else to do
            self._copies.ask({number + 1: _Look(tuple(theirs[number::count])) for number in range(count)})

    def seen(self) -> dict[str, Files]:
        """The files in the folders that copies looked at, by their paths; waits for them."""
        answers = self._copies.answers(wait=True) if self._copies is not None else ()
        return {folder: Files(names, stats) for _, (folder, names, stats) in answers}

    def close(self) -> None:
        """End the copies."""
        if self._copies is not None:
            self._copies.close()

    def _start(self, count: int, weights: Mapping[str, int]) -> Copies:
        """Copy this process, so that each has about as much to do.

        Args:
            count: processes, this one included.
            weights: what there is to do for each application.
        """
        total, before = sum(weights.values()), 0
        for app in sorted(weights):
            self._share_of[app] = before * count // total
            before += weights[app]
        import envcompile.check.refused  # ruff: ignore[unused-import] - all will ask it: loaded once for all of them

        self._copies = Copies(count - 1, self._answer)
        return self._copies

    def _answer(self, number: int, request: _Read | _Learn | _Compile | _Write | _Look) -> Iterator[Any]:
        """What a copy does: it is this very object, in another process."""
        if isinstance(request, _Read):
            self._texts = Texts()
            yield from list(self._read_share(number))  # all of it, before it waits for somebody to listen
        elif isinstance(request, _Learn):
            self._project.parsed.take_scans(self._project.tree, self._unpacked(request.scans), 0)
        elif isinstance(request, _Compile):
            self._texts = Texts()
            yield from self._compile_share(number)
        elif isinstance(request, _Look):
            for folder in request.folders:
                found = outputs_in(folder)
                if found.is_readable:
                    yield folder, found.names, found.stats
        else:
            files = (
                (path, text)
                for unit, paths in request.units
                for path, text in zip(paths, self._texts.texts_of(request.environment, unit), strict=True)
                if path
            )
            write_files(request.folder, files)
            yield True

    def _read_share(self, number: int) -> Iterator[tuple[bytes, int]]:
        """What the files of one's share speak of, packed some at a time, and how many bytes they hold."""
        parsed = self._project.parsed
        own = [at for at, (layer, path) in enumerate(self._unknown) if self._share_of[app_of(path, layer)] == number]
        for start in range(0, len(own), _SCANS_TOGETHER):
            before = parsed.total
            some = {self._unknown[at]: at for at in own[start : start + _SCANS_TOGETHER]}
            scans = parsed.scan_apart(self._project.tree, some)
            packed = msgspec.msgpack.encode([(some[place], scan) for place, scan in scans.items()])
            yield packed, parsed.total - before

    def _unpacked(self, scans: bytes) -> Scans:
        """What files speak of that were read elsewhere; texts that many of them have are held once."""
        found: Scans = {}
        texts = self._common
        for at, scan in _SCANS.decode(scans):
            place = self._unknown[at]
            heads = tuple([
                Head(
                    texts.setdefault(head.api_version, head.api_version),
                    texts.setdefault(head.kind, head.kind),
                    texts.setdefault(head.namespace, head.namespace),
                    texts.setdefault(head.name, head.name),
                    head.holds_literals,
                )
                for head in scan.heads
            ])
            found[place] = scan._replace(path=place[1], app=texts.setdefault(scan.app, scan.app), heads=heads)
        return found

    def _compile_share(self, number: int) -> Iterator[list[_Told]]:
        """Compile the units of one's share; what is wrong with one is told by who compiles it again."""
        project = self._project
        self._unknown, self._common = (), {}
        told: list[_Told] = []
        units = [project.units_of(environment) for environment in self._environments]
        project.release_scans()
        for app, places in by_application(units).items():
            if self._share_of.get(app, 0) != number:
                continue
            for one, at in places:
                found = self._told_of(one, at)
                told += [found] if found is not None else []
            for one, at in places:
                project.parsed.forget([part.path for part in one.plan.units[at].parts])
            if len(told) >= _TOGETHER:
                yield told
                told = []
        yield told

    def _told_of(self, one: Units, at: int) -> _Told | None:
        """What is told of a unit; None where that is nothing."""
        environment = one.plan.environment
        if one.is_remembered(at) or not one.plan.units[at].may_be_remembered:
            return None
        try:
            compiled = one.compile(at)
        except EnvcError:
            return None
        del one.compiled[at]
        if compiled.refused or not compiled.is_sound:
            return None
        if one.plan.is_joined:
            return _Told(environment, at, b"", compiled=compiled)
        values = [resource.value for resource in compiled.resources] if self._with_values else None
        self._texts.take(environment, at, compiled)
        texts = None if self._keeps_texts else b"".join(self._texts.texts_of(environment, at))
        made = self._texts.made(environment, at)
        made = made._replace(ends=()) if texts is None else made
        return _Told(environment, at, told_of(compiled.exports), made, texts, values)


class _Writer:
    """Lets copies write the files of one environment.

    Args:
        copies: those that hold texts.
        environment: its name.
        places: for each unit the files of its resources.
        holders: the copy that holds the texts of a unit, by environment and number.
    """

    def __init__(
        self,
        copies: Copies,
        environment: str,
        places: Sequence[tuple[str, ...]],
        holders: Mapping[tuple[str, int], int],
    ) -> None:
        self._copies = copies
        self._environment = environment
        self._places = places
        self._holders = holders
        self._asked: dict[int, list[tuple[int, tuple[str, ...]]]] = {}

    def begin(self, folder: str, paths: Sequence[str]) -> Sequence[str]:
        """Let others write files below a folder; the paths of those that nobody else has."""
        wanted, theirs = {*paths}, set[str]()
        self._asked = {}
        for number, own in enumerate(self._places):
            holder = self._holders.get((self._environment, number))
            if holder is not None and not wanted.isdisjoint(own):
                chosen = tuple([path if path in wanted else "" for path in own])
                self._asked.setdefault(holder, []).append((number, chosen))
                theirs.update(chosen)
        self._copies.ask({
            holder: _Write(self._environment, folder, tuple(units)) for holder, units in self._asked.items()
        })
        return [path for path in paths if path not in theirs]

    def finish(self) -> Sequence[str]:
        """Wait until they are written; the paths of those that are not, or not whole."""
        done = {holder for holder, _ in self._copies.answers(wait=True)}
        left = [units for holder, units in self._asked.items() if holder not in done]
        return [path for units in left for _, own in units for path in own if path]


_SCANS = msgspec.msgpack.Decoder(list[tuple[int, FileScan]])
