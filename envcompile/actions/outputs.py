"""The files of one linked environment: their places and digests now, their bytes when somebody asks."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from hashlib import sha256
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from envcompile.emit.columns import PlaceColumns, in_columns
from envcompile.emit.fetched import FetchedFiles
from envcompile.emit.filenames import place_files, refuse_alike_applications
from envcompile.emit.index import digest
from envcompile.emit.layout import arrange, file_of, join, said_by, take_apart
from envcompile.emit.manifests import built_in_kinds, render
from envcompile.emit.revised import RevisedDigests
from envcompile.errors import EnvcError
from envcompile.files import Spool
from envcompile.model import Bundle
from envcompile.record import Record
from envcompile.sources.scans import combined_digest
from envcompile.units.joined_paths import JoinedPaths
from envcompile.yamlio import Renderer

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from envcompile.actions.shares import Shares
    from envcompile.emit.filenames import Placed
    from envcompile.emit.layout import Said
    from envcompile.emit.plan import Plan
    from envcompile.errors import Problems
    from envcompile.model import Others, Resource, ResourceId
    from envcompile.seenfiles import Files
    from envcompile.units.environment import LinkedEnvironment
    from envcompile.units.unit import CompiledUnit


_BOUND = 4_000_000
"""Bytes of texts that are kept in memory: some thousand manifests."""
_BITS = 20
"""Bits of a number that hold a resource's own number in its unit; those above hold the unit's."""
_BYTES = 32
"""Of a SHA-256."""
_FEW_OF = 4
"""Where one of so many units or less is another one, the digests of all others are those of the last build."""


class Made(Record, frozen=True):
    """The texts of one unit, packed: there are many units."""

    digests: bytes
    """The SHA-256 of each text."""
    ends: Sequence[int]
    """Where each text ends in all of them together; none where they are elsewhere."""


class Texts:
    """The texts of resources, each made when its unit is compiled, or when somebody asks for it."""

    def __init__(self) -> None:
        self._spool = Spool(_BOUND)
        self._made: dict[str, dict[int, Made]] = {}
        self._renderer = Renderer()
        self._app = ""
        self.values: dict[tuple[str, int], list[Any]] = {}
        """The values of the resources of units that were compiled elsewhere, as far as they were asked for."""
        self.elsewhere: Shares | None = None
        """Who holds some of them, in other processes."""

    @property
    def is_shared(self) -> bool:
        """Whether copies of this process hold some of them, or held some."""
        return self.elsewhere is not None and self.elsewhere.are_begun

    def take(self, environment: str, number: int, unit: CompiledUnit) -> None:
        """Render the resources of a unit, as they are while no other unit does anything to them."""
        self.take_texts(environment, number, [self._rendered(one) for one in unit.resources])

    def _rendered(self, resource: Resource) -> bytes:
        """The text of a resource; what environments have in common is rendered once an application."""
        if resource.app != self._app:
            self._app = resource.app
            self._renderer = Renderer()
        return render(resource, self._renderer).encode()

    def take_texts(self, environment: str, number: int, texts: Sequence[bytes]) -> None:
        """Take the texts of a unit, as they are while no other unit does anything to them.

        Args:
            environment: the unit's.
            number: the unit's.
            texts: one a resource.
        """
        digests = b"".join([sha256(text).digest() for text in texts])
        made = Made(digests, array("Q", accumulate(map(len, texts))))
        self.take_made(environment, number, made, b"".join(texts))

    def take_made(self, environment: str, number: int, made: Made, together: bytes | None) -> None:
        """Take what is known of the texts of a unit.

        Args:
            environment: the unit's.
            number: the unit's.
            made: what is known of them.
            together: the texts one behind the other; None where others hold them.
        """
        if together is not None:
            self._spool.put((environment, number), together)
        self._made.setdefault(environment, {})[number] = made

    def made(self, environment: str, number: int) -> Made:
        """What is known of the texts of a unit that were taken."""
        return self._made[environment][number]

    def texts_of(self, environment: str, number: int) -> list[bytes]:
        """The texts of a unit that were taken, and that nobody else holds."""
        together = self._spool.get((environment, number)) or b""
        ends = self._made[environment][number].ends
        return [together[start:end] for start, end in zip((0, *ends), ends, strict=False)]

    def digests(self, environment: str, number: int) -> Sequence[str] | None:
        """The digests of the texts of a unit when they are at hand."""
        made = self._made.get(environment, {}).get(number)
        if made is None:
            return None
        return [made.digests[at : at + _BYTES].hex() for at in range(0, len(made.digests), _BYTES)]

    def keep(self, digest_of_text: str, text: bytes) -> None:
        """Keep a text that others made."""
        self._spool.put(digest_of_text, text)

    def kept(self, environment: str, number: int, position: int, known: str) -> bytes | None:
        """A text that is at hand; None for others.

        Args:
            environment: the resource's.
            number: its unit's.
            position: its own in there.
            known: the digest of the text.
        """
        made = self._made.get(environment, {}).get(number)
        if made is not None and made.digests[_BYTES * position : _BYTES * (position + 1)].hex() == known:
            together = self._spool.get((environment, number))
            if together is not None:
                return together[made.ends[position - 1] if position else 0 : made.ends[position]]
        return self._spool.get(known)

    def text(self, linked: LinkedEnvironment, identity: ResourceId, known: str) -> bytes:
        """The text of a resource; its unit is compiled when it is not at hand.

        Args:
            linked: the environment.
            identity: the resource.
            known: the digest of the text where that is known.
        """
        place = linked.place_in_units(identity)
        found = None
        if known:
            found = self.kept(linked.environment, *place, known) if place is not None else self._spool.get(known)
        if found is None:
            found = self._rendered(linked.resource(identity))
            if place is not None:
                self._spool.put(digest(found), found)
        return found


class Outputs(Mapping[str, bytes]):
    """The files of an environment, path below its folder -> bytes; a unit that is remembered is compiled for them.

    Args:
        linked: the environment.
        texts: the resources' texts, as far as they are at hand.
        before: the files as the last build left them, where they are there untouched, and all plans are of that build.

    Raises:
        EnvcError: two applications' folders would be one on some file system.
    """

    def __init__(self, linked: LinkedEnvironment, texts: Texts, before: Files | None = None) -> None:
        self.linked = linked
        self._texts = texts
        self._placed: dict[str, Placed] | None = None
        self.layout = linked.plan.layout
        self._positions: dict[str, int] | None = None
        self._fetched: list[int] = []
        """The numbers of units whose texts were taken from the memo of a team."""
        if linked.paths is None:
            refuse_alike_applications({
                **{one.app: "" for one in linked.linked.further},
                **{one.app: one.origin[1] for one in linked.exported()},
            })
            paths = {one.id: path for path, one in self.placed.items()}
            self.places: Sequence[tuple[str, ...]] = [
                tuple([paths[one.id] for one in unit.resources]) for unit in linked.exports
            ]
            """For each unit the places of its resources."""
        else:
            self.places = linked.paths
        self.digests_of_texts: Mapping[str, str] = {}
        """The SHA-256 of each resource's text, by its place."""
        revised = self._revised(before) if before is not None else None
        if revised is not None:
            self.digests_of_texts = revised
            self._arranged: Mapping[str, Sequence[str]] = {}
            self.bundle = Bundle(linked.environment, self, revised)
            return
        found = self.digests_of_texts = dict[str, str]()
        for number, own in enumerate(self.places):
            found.update(zip(own, self._digests_of(number), strict=True))
        for one in linked.linked.further if linked.paths is None else ():
            place = paths[one.id]
            found[place] = digest(self.text(place))
        self._arranged = arrange(found, self.layout) if self.layout != "resource" else {}
        digests = found if self.layout == "resource" else self._wholes()
        self.bundle = Bundle(linked.environment, self, digests, self._others())

    def _digests_of(self, number: int) -> Sequence[str]:
        """The SHA-256 of every text of a unit."""
        linked = self.linked
        known = linked.known_digests(number)
        if known is None and not linked.imports_digest(number):
            known = self._texts.digests(linked.environment, number)
        return known or [digest(self.text(place)) for place in self.places[number]]

    def _revised(self, before: Files) -> RevisedDigests | None:
        """What differs from the last build, where only what a few units hold does; None where more may."""
        paths, unknown = self.linked.paths, self.linked.plan.units.unknown
        is_alike = isinstance(paths, JoinedPaths) and len(before) == paths.resources + 1 and before.are_all_read
        if not is_alike or self.layout != "resource" or len(unknown) * _FEW_OF > len(self.places):
            return None
        changed: dict[str, str] = {}
        for number in unknown:
            changed.update(zip(self.places[number], self._digests_of(number), strict=True))
        return RevisedDigests(before, changed) if all(path in before for path in changed) else None

    def _wholes(self) -> dict[str, str]:
        """The SHA-256 of each file that holds several resources."""
        memo, name = self.linked.memo, self.linked.environment
        known = memo.wholes(name) if memo is not None else {}
        keys = {
            file: combined_digest([self.layout, *(self.digests_of_texts[place] for place in places)])
            for file, places in self._arranged.items()
        }
        found = {file: known.get(key) or digest(self[file]) for file, key in keys.items()}
        if memo is not None and self.linked.plan.units.may_all_be_remembered:
            memo.put_wholes(name, {key: found[file] for file, key in keys.items()})
        return found

    @property
    def placed(self) -> dict[str, Placed]:
        """The resource at every place."""
        if self._placed is None:
            linked = self.linked
            resources: list[Placed] = [*linked.exported(), *linked.linked.further]
            self._placed = place_files(resources, linked.namespace, built_in_kinds(linked.plan.api))
        return self._placed

    def held(self, file: str) -> Sequence[str]:
        """The places of the resources in a file, in its order; of a file of others the file itself."""
        return self._arranged.get(file) or (file,)

    def count(self, files: Collection[str]) -> int:
        """How many resources files hold."""
        return sum(len(self.held(file)) for file in files) if self._arranged else len(files)

    def id_of(self, place: str) -> ResourceId:
        """The resource at a place; where places are remembered only its unit is looked at."""
        position = self._position_of(place) if self.linked.paths is not None else None
        return self.placed[place].id if position is None else self.linked.id_at(*position)

    def _position_of(self, place: str) -> tuple[int, int] | None:
        """The number of a resource's unit and its own in there; None when no unit has it."""
        if isinstance(self.digests_of_texts, RevisedDigests) and isinstance(self.places, JoinedPaths):
            return self.places.place_of(place)
        if isinstance(self.places, PlaceColumns):
            return self.places.find(place)[0]
        if self._positions is None:
            self._positions = {
                each: number << _BITS | position
                for number, own in enumerate(self.places)
                for position, each in enumerate(own)
            }
        found = self._positions.get(place)
        return (found >> _BITS, found & ((1 << _BITS) - 1)) if found is not None else None

    def text(self, place: str) -> bytes:
        """The text of one resource."""
        if isinstance(self.places, PlaceColumns):
            position, known = self.places.find(place)
        else:
            known, position = self.digests_of_texts.get(place, ""), self._position_of(place)
        found = self._texts.kept(self.linked.environment, *position, known) if known and position is not None else None
        return found if found is not None else self._texts.text(self.linked, self.id_of(place), known)

    def _others(self) -> Others | None:
        """Who writes files whose texts are not made here."""
        environment, elsewhere = self.linked.environment, self._texts.elsewhere
        copies = elsewhere.writer(environment, self.places) if elsewhere is not None else None
        if copies is not None or self.layout != "resource":
            return copies
        return FetchedFiles(self.places, self._fetched, partial(self._texts.texts_of, environment))

    def release_places(self) -> None:
        """Give up which resource is at which place, once files are written."""
        self._positions = None

    def release(self, plan: Plan) -> Plan:
        """Give up what writing files does not need as long as their texts are at hand.

        Args:
            plan: what changes in the environment's folder.

        Returns:
            The same plan; of many files it holds columns.
        """
        self._placed = None
        self.linked.release()
        found = in_columns(plan) if self.layout == "resource" and plan.bundle is self.bundle else None
        if found is None:
            return plan
        plan, digests = found
        self.digests_of_texts, self.places = digests, PlaceColumns(self.places, digests)
        self._positions = None
        self.bundle = plan.bundle._replace(others=self._others())
        return plan._replace(bundle=self.bundle)

    def __getitem__(self, path: str) -> bytes:
        return join([self.text(place) for place in self.held(path)], self.layout)

    def __iter__(self) -> Iterator[str]:
        return iter(self.bundle.digests)

    def __len__(self) -> int:
        return len(self.bundle.digests)

    def resources_in(self, files: Iterable[str]) -> Iterator[ResourceId]:
        """The resources that files hold."""
        return (self.id_of(place) for file in files for place in self.held(file))

    def take_known(self, wanted: Iterable[str], folder: Path) -> None:
        """Take what is known of files instead of compiling: from what lies there, and from the memo of a team.

        Args:
            wanted: the paths of the files that will be written.
            folder: the environment's folder; what is read from it is compared with the digests.
        """
        files = list(wanted)
        if self.layout != "resource":
            known = {*self.digests_of_texts.values()}
            for file in files:
                for text in _texts_of(folder / file):
                    if (found := digest(text)) in known:
                        self._texts.keep(found, text)
        memo = self.linked.memo
        if memo is None:
            return
        places = {place for file in files for place in self.held(file)}
        is_revised = isinstance(self.digests_of_texts, RevisedDigests)
        units = [
            number
            for number in (self.linked.plan.units.unknown if is_revised else range(len(self.places)))
            if self._texts.digests(self.linked.environment, number) is None
            and not places.isdisjoint(self.places[number])
        ]
        for number, texts in memo.texts(self.linked, units, self.digests):
            self._texts.take_texts(self.linked.environment, number, texts)
            self._fetched.append(number)

    def digests(self, number: int) -> list[str]:
        """The SHA-256 of every text of a unit."""
        if isinstance(self.places, PlaceColumns):
            return self.places.digests(number)
        return [self.digests_of_texts[place] for place in self.places[number]]

    def texts_at_hand(self, number: int, folder: Path) -> list[bytes] | None:
        """The texts of a unit's resources without compiling: those that were made, or those that were written.

        Args:
            number: the unit's.
            folder: the environment's folder. What is read from it must be compared with the digests.
        """
        found = []
        for position, place in enumerate(self.places[number]):
            known = self.digests_of_texts[place]
            text = self._texts.kept(self.linked.environment, number, position, known)
            if text is None and self.layout != "resource":
                for written in _texts_of(folder / file_of(place, self.layout)):
                    self._texts.keep(digest(written), written)
                text = self._texts.kept(self.linked.environment, number, position, known)
            elif text is None:
                text = next(iter(_bytes_of(folder / place)), None)
            if text is None:
                return None
            found.append(text)
        return found

    def report_refused(
        self, plan: Plan, folder: Path, problems: Problems, wanted: Collection[ResourceId] | None = None
    ) -> None:
        """Note what the API server would refuse to make of what the last build wrote.

        Args:
            plan: what changes in the environment's folder.
            folder: the folder.
            problems: takes what is wrong.
            wanted: the resources that are written; all when left out.
        """
        if not (plan.changed or plan.removed):
            return
        sealed = [
            place
            for file in (*plan.changed, *plan.added)
            for place in self.held(file)
            if (identity := self.id_of(place)).kind == "SealedSecret" and (wanted is None or identity in wanted)
        ]
        if not sealed:
            return
        from envcompile.secrets.resolve import refused_changes
        from envcompile.units.seal import where_of
        from envcompile.yamlio import load_all

        before: dict[Said, dict[str, Any]] = {}
        unchanged: set[str] = set()
        for file in (*plan.changed, *plan.removed):
            for text in _texts_of(folder / file):
                if b"\nkind: SealedSecret\n" in text:
                    unchanged.add(digest(text))
                    with suppress(EnvcError):  # a merge conflict: nothing can be told from it
                        before.update({said_by(value): value for value in load_all(text, file) if value})
        for identity in [self.id_of(place) for place in sealed if self.digests_of_texts[place] not in unchanged]:
            after = self.linked.resource(identity)
            for what, fix in refused_changes(before.get(said_by(after.value)), after.value):
                title = f"environment {self.linked.environment}: Secret/{after.id.name}"
                is_written = any(step.document is not None for step in after.steps)
                problems.add(f"{title} {what}", fix, *([where_of(after)(())] if is_written else []))

    def remember(self) -> None:
        """Put what is not remembered yet into the memo."""
        self.linked.remember(self.places, self.digests)


def _bytes_of(file: Path) -> Iterator[bytes]:
    """The bytes of a file, if it can be read."""
    with suppress(OSError):
        yield file.read_bytes()


def _texts_of(file: Path) -> list[bytes]:
    """The texts of the resources in a file; none when it cannot be read."""
    return [text for data in _bytes_of(file) for text in take_apart(data)]
