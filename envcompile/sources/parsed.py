"""What was read and parsed so far, so that several environments read each file once."""

from __future__ import annotations

from collections import ChainMap
from typing import TYPE_CHECKING, Any

from envcompile import yamlio
from envcompile.errors import EnvcError, Problem, Problems, UnavailableError
from envcompile.git.blob import SHA1_DIGITS, blob_id
from envcompile.limits import too_much
from envcompile.model import Layer, Location
from envcompile.record import Record
from envcompile.sources.facts import EnvironmentFacts, LayerContents
from envcompile.sources.heldfiles import HeldFiles
from envcompile.sources.packedscans import PackedScans
from envcompile.sources.params import MARK, substitute
from envcompile.sources.scans import combined_digest, scan_of
from envcompile.sources.yamlfiles import (
    JSONNET_ENDING,
    app_of,
    is_resource_file,
    sort_documents,
    split_file,
    without_foreign_files,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from envcompile.model import Document, PatchDocument
    from envcompile.sources.jsonnetfiles import Evaluations
    from envcompile.sources.scans import FileScan
    from envcompile.sources.tree import File, FileEntry, Tree
    from envcompile.sources.yamlfiles import FileDocuments


GENERATE_MARK = b"Generate"
"""Stands in every file with a `kind: Generate`."""


class _Said(Record, frozen=True):
    """What a file says, and what it was computed from besides itself."""

    documents: FileDocuments
    imports: frozenset[str]
    import_digests: tuple[str, ...]
    varies: bool


class _LayerFiles(Record, frozen=True):
    """The resource files of a layer in order, and what is wrong with its folder."""

    paths: tuple[str, ...]
    trouble: EnvcError | None


class ParsedFiles:  # ruff: ignore[too-many-public-methods] - every question that is asked of the files of a tree
    """The files of one tree as they were first read: bytes, YAML values, documents, scans.

    Values that do not depend on the environment are the same objects in all environments.

    Args:
        digest_of: gives git's name of a file's content where it is known without reading; else an empty text.
        scans: scans of earlier runs by layer and path.
        seal: what only this machine knows; results of evaluations are kept under it, and not at all without it.
        digits: hexadecimal digits of the names that git gives to contents here.
    """

    __slots__ = (
        "_digest_of",
        "_digests",
        "_digits",
        "_evaluations",
        "_held",
        "_kept",
        "_layers",
        "_lent",
        "_rescanned",
        "_said",
        "_scanned",
        "_scans",
        "_seal",
        "_total",
        "computed",
    )

    def __init__(
        self,
        digest_of: Callable[[str], str] | None = None,
        scans: Mapping[tuple[str, str], FileScan] | None = None,
        digits: int = SHA1_DIGITS,
        *,
        seal: str = "",
    ) -> None:
        self._digits = digits
        self._held = HeldFiles()
        self._layers: dict[str, _LayerFiles] = {}
        self._said: dict[tuple[str, str], _Said | EnvcError] = {}
        self._digest_of = digest_of
        self._digests: dict[str, str] = {}
        self._kept: Mapping[tuple[str, str], FileScan] = scans if scans is not None else {}
        self._scans = PackedScans()
        self._rescanned: dict[tuple[str, str], FileScan] = {}
        self._scanned: dict[str, tuple[FileScan, ...]] = {}
        self._lent: set[tuple[str, str]] = set()
        self._evaluations: Evaluations | None = None
        self._total = 0
        self._seal = seal
        self.computed: dict[tuple[str, str], dict[str, str]] = {}
        """What files are computed from, themselves included, by path and facts (none if they do not matter)."""

    def forget(self, paths: Iterable[str]) -> None:
        """Give up the contents of files that were read, to be read again when somebody asks; their digests stay.

        What was evaluated stays, as does what is said differently to each environment.
        """
        for path in paths:
            said = self._said.get((path, ""))
            if isinstance(said, _Said) and not said.imports:
                del self._said[path, ""]
                self._held.drop(path)

    def file(self, tree: Tree, path: str) -> File:
        """The file with its bytes.

        Raises:
            EnvcError: it cannot be read.
            UnavailableError: somebody changed it since its digest was taken.
        """
        if path not in self._held.files:
            self._held.take_up(path)
        file = self._held.files.get(path)
        if file is None:
            file = self._held.add(path, tree.read(path))
            self._count(tree, len(file.data), path)
            known = self._digests.get(path)
            if known is not None and known != blob_id(file.data, len(known)):
                what = f"`{path}` was changed while it was compiled"
                raise UnavailableError([Problem(what, "run the command again", (Location(path, 1, 1),))])
        return file

    def digest(self, tree: Tree, path: str) -> str:
        """Git's name of the content of a file.

        Raises:
            EnvcError: it cannot be read.
        """
        known = self._digests.get(path)
        if known is None:
            known = self._digest_of(path) if self._digest_of is not None and path not in self._held.files else ""
            known = self._digests[path] = known or blob_id(self.file(tree, path).data, self._digits)
        return known

    @property
    def digests(self) -> Mapping[str, str]:
        """The files whose content is known by its digest."""
        return self._digests

    def resource_files(self, name: str, entries: Iterable[FileEntry]) -> tuple[str, ...]:
        """The resource files of a layer; what is wrong with its folder is told when it is read."""
        return self._paths(name, entries, Problems())

    def imports(self) -> dict[str, frozenset[str]]:
        """For each file the files that it was computed from besides itself, in any environment so far."""
        found: dict[str, frozenset[str]] = {}
        for (path, _), said in self._said.items():
            if not isinstance(said, EnvcError) and said.imports:
                found[path] = found.get(path, _NOTHING) | said.imports
        return found

    def lend(self, layer: str, scans: Iterable[FileScan]) -> None:
        """Take scans from somewhere else; when such a file is read after all, it must say the same.

        Args:
            layer: whose files they are.
            scans: of files whose digests are right.
        """
        for scan in scans:
            self._scans[layer, scan.path] = scan
            self._lent.add((layer, scan.path))

    @property
    def scans(self) -> Mapping[tuple[str, str], FileScan]:
        """The scans that hold for every environment, by layer and path."""
        return ChainMap(self._scans, self._kept)  # type: ignore[arg-type]  # nobody writes into it

    @property
    def new_scans(self) -> Mapping[tuple[str, str], FileScan]:
        """Those of them that earlier runs did not make."""
        return self._scans

    def values(self, tree: Tree, path: str) -> list[Any]:
        """Every document of a YAML or JSON file, None for an empty one.

        Raises:
            EnvcError: the file cannot be read, or is no YAML.
        """
        if path not in self._held.values:
            self._held.take_up(path)
        values = self._held.values.get(path)
        if values is None:
            try:
                values = yamlio.load_all(self.file(tree, path).data, path)
            except EnvcError as error:
                values = error
            self._held.values[path] = values
        if isinstance(values, EnvcError):
            raise values
        return values

    def _put_aside(self, scan: FileScan) -> None:
        """Put a file and its values aside as bytes; one that may hold a Secret in clear is read again later."""
        path, held = scan.path, self._held
        values, file = held.values.get(path), held.files.get(path)
        if file is None or not isinstance(values, list) or not isinstance(self._said.get((path, "")), _Said):
            return
        if not scan.targets and not any(head.holds_literals for head in scan.heads):
            if not held.put_aside(path):
                return
        else:
            self._total -= len(file.data)
            held.drop(path)
        del self._said[path, ""]

    def layer(self, tree: Tree, name: str, entries: Iterable[FileEntry], facts: EnvironmentFacts) -> LayerContents:
        """Read a layer for one environment.

        Args:
            tree: where its files are.
            name: `base` or the overlay's folder.
            entries: every file below it.
            facts: what parameters and jsonnet may ask for.

        Raises:
            EnvcError: everything that is wrong with the layer's files.
        """
        problems = Problems()
        documents: list[Document] = []
        patches: list[PatchDocument] = []
        dependencies: dict[str, frozenset[str]] = {}
        for path in self._paths(name, entries, problems):
            try:
                said = self._say(tree, name, path, facts)
            except EnvcError as error:
                problems.extend(error)
                continue
            dependencies[path] = said.imports
            documents += said.documents.documents
            patches += said.documents.patches
        problems.raise_any()
        apps = {path: app_of(path, name) for path in dependencies}
        return LayerContents(Layer(name, tuple(documents), tuple(patches), apps), dependencies)

    def scan(
        self, tree: Tree, name: str, entries: Iterable[FileEntry], facts: EnvironmentFacts
    ) -> tuple[FileScan, ...]:
        """What the files of a layer speak of in one environment; only what is not known yet is read.

        Raises:
            EnvcError: everything that is wrong with the layer's files.
        """
        whole = self._scanned.get(name)
        if whole is not None:
            return whole
        problems = Problems()
        found: list[FileScan] = []
        is_whole = True
        for path in self._paths(name, entries, problems):
            try:
                known = self._scans.get((name, path)) or self._kept.get((name, path))
                if known is not None and known.digest == self.digest(tree, path):
                    found.append(known)
                    continue
                scan, is_everywhere = self._scan(tree, name, path, facts)
                if is_everywhere:
                    self._scans[name, path] = scan
                    if self._held.is_full:
                        self._put_aside(scan)
                else:
                    is_whole = False
                found.append(scan)
            except EnvcError as error:
                problems.extend(error)
        problems.raise_any()
        whole = tuple(found)
        if is_whole:
            self._scanned[name] = whole  # which says the same to all environments
        return whole

    def _scan(self, tree: Tree, name: str, path: str, facts: EnvironmentFacts) -> tuple[FileScan, bool]:
        """What a file speaks of in one environment, and whether that is the same in all of them."""
        said = self._say(tree, name, path, facts)
        digest = self.digest(tree, path)
        if said.varies:
            digest = combined_digest([digest, facts.digest, *said.import_digests])
        elif said.import_digests:
            digest = combined_digest([digest, *said.import_digests])
        scan = scan_of(path, app_of(path, name), digest, said.documents, varies=said.varies)
        return scan, not said.varies and not said.import_digests

    def scan_alone(self, tree: Tree, name: str, path: str, facts: EnvironmentFacts) -> FileScan:
        """What one file speaks of in one environment; others are not looked at for it.

        Raises:
            EnvcError: what is wrong with the file.
        """
        place = (name, path)
        known = self._rescanned.get(place) or self._scans.get(place) or self._kept.get(place)
        is_known = known is not None and known.digest == self.digest(tree, path)
        return known if known is not None and is_known else self._scan(tree, name, path, facts)[0]

    def beside(self, edits: Collection[str]) -> ParsedFiles:
        """Nothing of a tree is read yet in which some files are other ones, but what earlier runs know holds there.

        Args:
            edits: the paths of those files.
        """
        known = self._digest_of

        def digest_of(path: str) -> str:
            return known(path) if known is not None and path not in edits else ""

        return ParsedFiles(digest_of, self._kept, self._digits, seal=self._seal)

    def rescan(self, tree: Tree, name: str, path: str) -> FileScan | None:
        """What an edited file speaks of, where that is the same in every environment; None where it may not be.

        Raises:
            EnvcError: what is wrong with the file.
        """
        data = self.file(tree, path).data
        if path.endswith(JSONNET_ENDING) or MARK in data or GENERATE_MARK in data:
            return None
        said = self._say(tree, name, path, EnvironmentFacts({}, {}, ""))
        found = scan_of(path, app_of(path, name), self.digest(tree, path), said.documents, varies=False)
        self._rescanned[name, path] = found
        self._scanned.pop(name, None)
        return found

    def scan_apart(self, tree: Tree, places: Iterable[tuple[str, str]]) -> dict[tuple[str, str], FileScan]:
        """What some files speak of, by layer and path, where it is the same in every environment and nothing is wrong.

        Args:
            tree: where they are.
            places: layer and path of each; `scan` looks at those again that are left out.
        """
        found: dict[tuple[str, str], FileScan] = {}
        for name, path in places:
            try:
                scan = self.rescan(tree, name, path)
            except EnvcError:
                continue
            if scan is not None:
                found[name, path] = self._scans[name, path] = self._rescanned.pop((name, path))
                if self._held.is_full:
                    self._put_aside(scan)
        return found

    def take_scans(self, tree: Tree, scans: Mapping[tuple[str, str], FileScan], size: int) -> None:
        """Take scans of files that a copy of this process read; who reads one again must find the same.

        Args:
            tree: where the files are.
            scans: as `scan_apart` gives them.
            size: bytes that were read for them.

        Raises:
            EnvcError: the sources hold more than they may.
        """
        self._scans.update(scans)
        self._digests.update({path: scan.digest for (_, path), scan in scans.items()})
        self._count(tree, size, next((path for _, path in scans), ""))

    @property
    def total(self) -> int:
        """Bytes of all files that were read."""
        return self._total

    def _count(self, tree: Tree, size: int, path: str) -> None:
        self._total += size
        if self._total > tree.limits.size << 20:
            raise too_much("size", tree.limits, "the sources hold more than", path)

    def pack_scans(self) -> None:
        """Pack what files speak of, which few ask for once environments are planned."""
        self._scans.pack()
        self._scanned.clear()

    def adopt(self) -> None:
        """Take what edited files speak of for what files spoke of at the last build, which now is this one."""
        self._scans.update(self._rescanned)

    def documents(self, tree: Tree, name: str, path: str, facts: EnvironmentFacts) -> FileDocuments:
        """What one file of a layer says to an environment.

        Raises:
            EnvcError: everything that is wrong with the file.
            UnavailableError: a scan that was lent says something else.
        """
        said = self._say(tree, name, path, facts)
        if (name, path) in self._lent:
            lent = self._scans[name, path]
            if lent != scan_of(path, app_of(path, name), lent.digest, said.documents, varies=said.varies):
                what = f"the shared memo says something wrong of `{path}`"
                fix = "build without it (`ENVC_CACHE= envc build`), and empty what ENVC_CACHE names"
                raise UnavailableError([Problem(what, fix, (Location(path, 1, 1),))])
            self._lent.discard((name, path))
        return said.documents

    def _paths(self, name: str, entries: Iterable[FileEntry], problems: Problems) -> tuple[str, ...]:
        """The resource files of a layer; what is wrong with its folder is noted."""
        known = self._layers.get(name)
        if known is None:
            found = Problems()
            paths = [
                path
                for path in without_foreign_files(entries, found)
                if path.endswith(JSONNET_ENDING) or is_resource_file(path, name)
            ]
            trouble = None
            try:
                found.raise_any()
            except EnvcError as error:
                trouble = error
            known = self._layers[name] = _LayerFiles(tuple(paths), trouble)
        if known.trouble is not None:
            problems.extend(known.trouble)
        return known.paths

    def _say(self, tree: Tree, name: str, path: str, facts: EnvironmentFacts) -> _Said:
        said = self._said.get((path, "")) or self._said.get((path, facts.digest))
        if said is None:
            try:
                said = self._read(tree, name, path, facts)
                key = facts.digest if said.varies else ""
            except EnvcError as error:
                said = error
                key = facts.digest
            self._said[path, key] = said
        if isinstance(said, EnvcError):
            raise said
        return said

    def _read(self, tree: Tree, name: str, path: str, facts: EnvironmentFacts) -> _Said:
        problems = Problems()
        file = self.file(tree, path)
        imports: frozenset[str] = _NOTHING
        import_digests: tuple[str, ...] = ()
        has_parameters = MARK in file.data
        varies = has_parameters
        if path.endswith(JSONNET_ENDING):
            from envcompile.sources.jsonnetfiles import Evaluations, documents_of, has_inline_environments
            from envcompile.sources.jsonnetstore import EvaluationStore

            if self._evaluations is None:
                root = tree.root if tree.limits.is_trusted and self._seal else None
                store = EvaluationStore(root / ".envc" / "jsonnet", self._seal) if root is not None else None
                self._evaluations = Evaluations(self._held.files, facts.limits, store)
            evaluation = self._evaluations.evaluate(tree, file, facts.jsonnet)
            imports = frozenset(dependency.path for dependency in evaluation.dependencies) - {path}
            import_digests = tuple(f"{used.path} {used.digest}" for used in evaluation.dependencies)
            has_parameters = evaluation.has_parameters
            name_of_environment = str(facts.jsonnet["name"])
            varies = has_parameters or self._evaluations.asks_for_environment(file)
            varies = varies or has_inline_environments(evaluation)
            raw = documents_of(evaluation, file, name, problems, environment=name_of_environment)
        else:
            raw = split_file(file, self.values(tree, path), name, problems)
        documents: list[Document] = []
        for document in raw:
            try:
                documents.append(substitute(document, facts.params) if has_parameters else document)
            except EnvcError as error:
                problems.extend(error)
        if GENERATE_MARK in file.data:
            from envcompile.sources.generators import with_generated

            read: dict[str, str] = {}

            def content(used: str) -> bytes:
                data = self.file(tree, used).data
                read[used] = self.digest(tree, used)
                return data

            documents = with_generated(documents, content, tree, problems)
            imports |= frozenset(read)
            import_digests += tuple(f"{used} {digest}" for used, digest in sorted(read.items()))
        found = sort_documents(documents, problems)
        problems.raise_any()
        if import_digests or varies:
            read_digests = dict(text.rpartition(" ")[::2] for text in import_digests)
            own = {path: blob_id(file.data, self._digits)}
            self.computed[path, facts.digest if varies else ""] = own | read_digests
        return _Said(found, imports, import_digests, varies)


_NOTHING: frozenset[str] = frozenset()
