"""A project as an editor has it: the files on the disk, and over them the texts that are open and not saved yet.

Whatever is asked is asked of units that are remembered; what an open text changes is compiled, nothing else. After an
edit the project is opened anew, which costs as much as a build with nothing to do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from envcompile.errors import EnvcError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from envcompile.errors import Problem
    from envcompile.model import Document, Pointer, Resource, Step
    from envcompile.sources import ParsedFiles, WorkingTree
    from envcompile.units.environment import LinkedEnvironment
    from envcompile.units.project import Project
    from envcompile.units.snapshot import Look


class Spoken(NamedTuple):
    """A resource that a document speaks of, in one environment."""

    linked: LinkedEnvironment
    resource: Resource
    step: Step
    """The document's own say in it."""

    @property
    def document(self) -> Document:
        """The document."""
        document = self.step.document
        assert document is not None  # ruff: ignore[assert] - who asked for it asked by a document
        return document

    @property
    def root(self) -> Pointer:
        """The way to the resource inside of the document of the stream: through a list, or into a `kind: Patch`."""
        return (*self.document.within, *self.step.within)


class Workspace:
    """The project that an editor has open.

    Args:
        root: its folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._texts: dict[str, str] = {}
        self._project: Project | None = None
        self._linked: dict[str, LinkedEnvironment] = {}
        self._last: dict[str, LinkedEnvironment] = {}
        """What compiled last: an environment that does not compile now is still known by what it was."""
        self._problems: list[tuple[str, Problem]] = []

    @property
    def texts(self) -> Mapping[str, str]:
        """The open texts by their paths."""
        return self._texts

    def put(self, path: str, text: str | None) -> None:
        """Take over an open text, or with None what the disk has."""
        if text is None:
            self._texts.pop(path, None)
        else:
            self._texts[path] = text
        self.forget()

    def forget(self) -> None:
        """Look again: something on the disk changed."""
        self._project = None

    def recall(self) -> None:
        """Compile the environments as they are, to be known when they do not compile any more."""
        self._compile()

    def read(self, path: str) -> str:
        """The text of a file as the editor has it; empty where there is none."""
        if path in self._texts:
            return self._texts[path]
        try:
            return (self.root / path).read_bytes().decode("utf-8")
        except (OSError, ValueError):
            return ""

    def digest_of(self, path: str) -> str:
        """What names the text of a file on the disk; empty for an open text, and for a file that nobody looked at."""
        look = self._project.look if self._project is not None else None
        return look.known_digest(path) if look is not None and path not in self._texts else ""

    def with_texts(self, texts: Mapping[str, str]) -> Workspace:
        """The same project with further texts, to try what becomes of them."""
        other = Workspace(self.root)
        other._texts = {**self._texts, **texts}
        return other

    def open(self) -> Project:
        """The project with the open texts; what is remembered of units holds for it.

        Raises:
            EnvcError: what is wrong with its settings.
        """
        from envcompile.git.blob import id_digits
        from envcompile.sources import ParsedFiles, WorkingTree
        from envcompile.sources.overlaid import OverlaidTree
        from envcompile.units.kept_plans import KeptPlans, KeptRecords
        from envcompile.units.memo import FolderMemo
        from envcompile.units.project import Project
        from envcompile.units.snapshot import Look

        look = Look(str(self.root), f"{self.root}/environments")
        edits = {path: text.encode() for path, text in self._texts.items()}
        disk = WorkingTree(self.root, seen=look.inputs if look.is_plain else None)
        memo = FolderMemo(self.root, look.tool)

        def known(path: str) -> str:
            return "" if path in edits else look.known_digest(path)

        digits = id_digits(self.root)
        parsed = ParsedFiles(known, memo.scans(), digits, seal=look.tool)
        tree = OverlaidTree(disk, edits)
        records = KeptRecords(self.root)
        before = ParsedFiles(look.known_digest, memo.scans(), digits, seal=look.tool)
        kept = KeptPlans.open(records, look, disk, before)
        if kept is not None:
            # A text that speaks of the same resources as its file leaves all plans as they are but for its digest.
            before.scan_apart(disk, self._unknown(look, disk, before))
            kept = kept.with_edits(edits, tree, parsed, before)
        return Project(tree, parsed, memo, look, kept, records)

    def _unknown(self, look: Look, disk: WorkingTree, parsed: ParsedFiles) -> list[tuple[str, str]]:
        """The files below open texts of which nothing is remembered any more, by their layers."""
        from envcompile.sources.environments import layer_of

        places = [(layer_of(path), path) for path in self._texts if disk.is_file(path)]
        known = {place: parsed.scans.get(place) for place in places if place[0]}
        return [place for place, scan in known.items() if scan is None or scan.digest != look.digest_before(place[1])]

    @property
    def problems(self) -> list[tuple[str, Problem]]:
        """Everything that a build would refuse, with the environment it is wrong in; empty for the whole project."""
        self._compile()
        return self._problems

    @property
    def environments(self) -> Mapping[str, LinkedEnvironment]:
        """Every environment as it compiles, or as it compiled last, in promotion order."""
        self._compile()
        return self._linked

    @property
    def project(self) -> Project | None:
        """The project as it is now; None where its settings cannot be read."""
        self._compile()
        return self._project

    @property
    def is_sound(self) -> bool:
        """Tell whether everything compiles."""
        return not self.problems

    def _compile(self) -> None:
        if self._project is not None:
            return
        from envcompile.actions.build import link_each

        self._problems = []
        try:
            project = self.open()
            names = project.environments
        except EnvcError as error:
            self._problems = [("", problem) for problem in error.problems]
            self._linked = dict(self._last)
            return
        self._linked = {}
        for name, found in link_each(project, names):
            if isinstance(found, EnvcError):
                self._problems += [(name, problem) for problem in found.problems]
                if name in self._last:
                    self._linked[name] = self._last[name]
            else:
                self._linked[name] = found
        self._last = dict(self._linked)
        self._project = project

    def spoken_of(self, path: str, index: int) -> Iterator[Spoken]:
        """The resources that a document of a file speaks of, in each environment; only its units are compiled."""
        for linked in self.environments.values():
            numbers = [
                number for number, unit in enumerate(linked.plan.units) if any(part.path == path for part in unit.parts)
            ]
            for resource in (one for number in numbers for _, one in linked.unit_values(number)):
                for step in resource.steps:
                    document = step.document
                    if document is not None and document.source.path == path and document.index == index:
                        yield Spoken(linked, resource, step)
                        break
