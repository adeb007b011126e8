"""The files of one linked environment: their places and digests now, their bytes when somebody asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from envcompile.emit.filenames import place_files, refuse_alike_applications
from envcompile.emit.index import digest
from envcompile.emit.manifests import built_in_kinds, render
from envcompile.emit.spool import Spool
from envcompile.errors import EnvcError
from envcompile.model import Bundle
from envcompile.yamlio import Renderer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from envcompile.emit.filenames import Placed
    from envcompile.emit.plan import Plan
    from envcompile.errors import Problems
    from envcompile.model import ResourceId
    from envcompile.units.environment import LinkedEnvironment
    from envcompile.units.unit import CompiledUnit


class Texts:
    """The texts of resources, each made when its unit is compiled, or when somebody asks for it."""

    def __init__(self) -> None:
        self._spool = Spool()
        self._digests: dict[tuple[str, int], tuple[str, ...]] = {}
        self._renderer = Renderer()
        self._app = ""

    def take(self, environment: str, number: int, unit: CompiledUnit) -> None:
        """Render the resources of a unit, as they are while no other unit does anything to them."""
        app = unit.resources[0].app if unit.resources else ""
        if app != self._app:
            self._app = app
            self._renderer = Renderer()  # what environments have in common is rendered once, and given up then
        digests = []
        for position, resource in enumerate(unit.resources):
            text = render(resource, self._renderer).encode()
            self._spool.put((environment, number, position), text)
            digests.append(digest(text))
        self._digests[environment, number] = tuple(digests)

    def take_texts(self, environment: str, number: int, texts: Sequence[bytes]) -> None:
        """Take the texts of a unit that somebody else rendered, as they are while no other unit does anything to them.

        Args:
            environment: the unit's.
            number: the unit's.
            texts: one a resource.
        """
        for position, text in enumerate(texts):
            self._spool.put((environment, number, position), text)
        self._digests[environment, number] = tuple(map(digest, texts))

    def digests(self, environment: str, number: int) -> Sequence[str] | None:
        """The digests of the texts of a unit when they are at hand."""
        return self._digests.get((environment, number))

    def keep(self, digest_of_text: str, text: bytes) -> None:
        """Keep a text that others made."""
        self._spool.put(digest_of_text, text)

    def kept(self, environment: str, number: int, position: int, known: str) -> bytes | None:
        """A text that is at hand; None for others.

        Args:
            environment: the resource's.
            number: its unit's.
            position: its own in there.
            known: the digest of the text, by which others' are kept.
        """
        found = self._spool.get((environment, number, position))
        return found if found is not None and digest(found) == known else self._spool.get(known)

    def text(self, linked: LinkedEnvironment, identity: ResourceId, known: str) -> bytes:
        """The text of a resource; its unit is compiled when it is not at hand.

        Args:
            linked: the environment.
            identity: the resource.
            known: the digest of the text where that is known.
        """
        place = linked.place_in_units(identity)
        found = self._spool.get((linked.environment, *place)) if place is not None else None
        if found is None and known:
            found = self._spool.get(known)
        if found is None:
            found = render(linked.resource(identity), Renderer()).encode()
            if place is not None:
                self._spool.put((linked.environment, *place), found)
        return found


class Outputs(Mapping[str, bytes]):
    """The files of an environment, path below its folder -> bytes; a unit that is remembered is compiled for them.

    Args:
        linked: the environment.
        texts: the resources' texts, as far as they are at hand.

    Raises:
        EnvcError: two applications' folders would be one on some file system.
    """

    def __init__(self, linked: LinkedEnvironment, texts: Texts) -> None:
        self.linked = linked
        self._texts = texts
        self._placed: dict[str, Placed] | None = None
        self._places: dict[str, tuple[int, int]] | None = None
        if linked.paths is None:
            refuse_alike_applications({
                **{one.app: "" for one in linked.linked.further},
                **{one.app: one.origin[1] for one in linked.exported()},
            })
            paths = {one.id: path for path, one in self.placed.items()}
            self.paths: Sequence[tuple[str, ...]] = [
                tuple([paths[one.id] for one in unit.resources]) for unit in linked.exports
            ]
        else:
            self.paths = linked.paths
        digests = self._digests = dict[str, str]()
        for number, own in enumerate(self.paths):
            known = linked.known_digests(number)
            if known is None and not linked.imports_digest(number):
                known = texts.digests(linked.environment, number)
            digests.update(zip(own, known or [digest(self[path]) for path in own], strict=True))
        for one in linked.linked.further if linked.paths is None else ():
            path = paths[one.id]
            digests[path] = digest(self[path])
        self.bundle = Bundle(linked.environment, self, digests)

    @property
    def placed(self) -> dict[str, Placed]:
        """The resource of every file."""
        if self._placed is None:
            linked = self.linked
            resources: list[Placed] = [*linked.exported(), *linked.linked.further]
            self._placed = place_files(resources, linked.namespace, built_in_kinds(linked.plan.api))
        return self._placed

    def id_of(self, path: str) -> ResourceId:
        """The resource of one file; where files are remembered only its unit is looked at."""
        if self.linked.paths is None:
            return self.placed[path].id
        if self._places is None:
            self._places = {
                each: (number, position) for number, own in enumerate(self.paths) for position, each in enumerate(own)
            }
        return self.linked.id_at(*self._places[path])

    def __getitem__(self, path: str) -> bytes:
        return self._texts.text(self.linked, self.id_of(path), self._digests.get(path, ""))

    def __iter__(self) -> Iterator[str]:
        return iter(self.bundle.digests)

    def __len__(self) -> int:
        return len(self.bundle.digests)

    def take_shared(self, wanted: Iterable[str]) -> None:
        """Take the bytes of files from the memo that a team shares, where it has them, instead of compiling.

        Args:
            wanted: the paths of the files that will be written.
        """
        memo = self.linked.memo
        if memo is None:
            return
        wanted_now = frozenset(wanted)
        units = [
            number
            for number, own in enumerate(self.paths)
            if self._texts.digests(self.linked.environment, number) is None and not wanted_now.isdisjoint(own)
        ]
        for digest_of_file, text in memo.texts(self.linked, units, self.digests).items():
            self._texts.keep(digest_of_file, text)

    def digests(self, number: int) -> list[str]:
        """The SHA-256 of every file of a unit."""
        return [self.bundle.digests[path] for path in self.paths[number]]

    def texts_at_hand(self, number: int, folder: Path) -> list[bytes] | None:
        """The bytes of a unit's files without compiling: those that were made, or those that were written.

        Args:
            number: the unit's.
            folder: the environment's folder. What is read from it must be compared with the digests.
        """
        found = []
        for position, path in enumerate(self.paths[number]):
            text = self._texts.kept(self.linked.environment, number, position, self.bundle.digests[path])
            if text is None:
                try:
                    text = (folder / path).read_bytes()
                except OSError:
                    return None
            found.append(text)
        return found

    def report_refused(self, plan: Plan, folder: Path, problems: Problems) -> None:
        """Note what the API server would refuse to make of what the last build wrote.

        Args:
            plan: what changes in the environment's folder.
            folder: the folder.
            problems: takes what is wrong.
        """
        for path in plan.changed:
            if self.id_of(path).kind != "SealedSecret":
                continue
            from envcompile.secrets.resolve import refused_changes
            from envcompile.units.seal import where_of
            from envcompile.yamlio import load_all

            try:
                before = load_all((folder / path).read_bytes(), path)
            except (EnvcError, OSError):
                continue  # somebody's merge conflict, or a file that is gone: nothing can be told from it
            after = self.linked.resource(self.id_of(path))
            for what, fix in refused_changes(before[0] if before else None, after.value):
                title = f"environment {self.linked.environment}: Secret/{after.id.name}"
                is_written = any(step.document is not None for step in after.steps)
                problems.add(f"{title} {what}", fix, *([where_of(after)(())] if is_written else []))

    def remember(self) -> None:
        """Put what is not remembered yet into the memo."""
        self.linked.remember(self.paths, self.bundle.digests)
