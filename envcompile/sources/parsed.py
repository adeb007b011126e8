"""What was read and parsed so far, so that several environments read each file once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile import yamlio
from envcompile.errors import EnvcError, Problems
from envcompile.model import Layer
from envcompile.sources.limits import DEFAULT_LIMITS
from envcompile.sources.params import MARK, substitute
from envcompile.sources.tree import File
from envcompile.sources.yamlfiles import (
    JSONNET_ENDING,
    FileDocuments,
    app_of,
    is_resource_file,
    sort_documents,
    split_file,
    without_foreign_files,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envcompile.model import Document, PatchDocument
    from envcompile.sources.jsonnetfiles import Evaluations
    from envcompile.sources.limits import Limits
    from envcompile.sources.tree import FileEntry, Tree


class EnvironmentFacts(NamedTuple):
    """What the files of a layer may ask about the environment they are read for."""

    params: Mapping[str, Any]
    """Parameters as written; they may use each other."""
    jsonnet: Mapping[str, Any]
    """The object jsonnet gets."""
    limits: Limits = DEFAULT_LIMITS
    """What reading it may take."""


class LayerContents(NamedTuple):
    """A layer as one environment sees it, and the files that each of its files was computed from."""

    layer: Layer
    dependencies: dict[str, frozenset[str]]


class _Plan(NamedTuple):
    """A layer's files before an environment is known, in order.

    Each is what the file says to every environment, or the documents that still hold parameters, or a jsonnet file.
    """

    parts: tuple[tuple[str, FileDocuments | tuple[Document, ...] | File], ...]
    trouble: EnvcError | None


class ParsedFiles:
    """The files of one tree as they were first read: bytes, YAML values, layers; kept for the length of a build.

    Values that do not depend on the environment are the same objects in all environments.
    """

    __slots__ = ("_evaluations", "_files", "_plans", "_shared", "_values", "is_trusted")

    def __init__(self, *, is_trusted: bool = True) -> None:
        self.is_trusted = is_trusted
        """Whether the tree's authors may raise limits, and results of earlier runs that lie in it are taken up."""
        self._files: dict[str, File] = {}
        self._values: dict[str, list[Any] | EnvcError] = {}
        self._plans: dict[str, _Plan] = {}
        self._shared: dict[str, LayerContents] = {}
        self._evaluations: Evaluations | None = None

    def file(self, tree: Tree, path: str) -> File:
        """The file with its bytes.

        Raises:
            EnvcError: it cannot be read.
        """
        file = self._files.get(path)
        if file is None:
            file = self._files[path] = File(path, tree.read(path))
        return file

    def values(self, tree: Tree, path: str) -> list[Any]:
        """Every document of a YAML or JSON file, None for an empty one.

        Raises:
            EnvcError: the file cannot be read, or is no YAML.
        """
        values = self._values.get(path)
        if values is None:
            try:
                values = yamlio.load_all(self.file(tree, path).data, path)
            except EnvcError as error:
                values = error
            self._values[path] = values
        if isinstance(values, EnvcError):
            raise values
        return values

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
        shared = self._shared.get(name)
        if shared is not None:
            return shared
        plan = self._plans.get(name)
        if plan is None:
            plan = self._plans[name] = self._plan(tree, name, entries)
        problems = Problems()
        if plan.trouble is not None:
            problems.extend(plan.trouble)
        documents: list[Document] = []
        patches: list[PatchDocument] = []
        dependencies: dict[str, frozenset[str]] = {}
        is_shared = True
        for path, part in plan.parts:
            dependencies[path] = _NOTHING
            if isinstance(part, FileDocuments):
                said = part
            else:
                is_shared = False
                said, dependencies[path] = self._said_to(tree, name, part, facts, problems)
            documents += said.documents
            patches += said.patches
        problems.raise_any()
        apps = {path: app_of(path, name) for path, _ in plan.parts}
        contents = LayerContents(Layer(name, tuple(documents), tuple(patches), apps), dependencies)
        if is_shared:
            self._shared[name] = contents
        return contents

    def _plan(self, tree: Tree, name: str, entries: Iterable[FileEntry]) -> _Plan:
        problems = Problems()
        parts: list[tuple[str, FileDocuments | tuple[Document, ...] | File]] = []
        for path in without_foreign_files(entries, problems):
            if not path.endswith(JSONNET_ENDING) and not is_resource_file(path, name):
                continue
            try:
                file = self.file(tree, path)
                values = [] if path.endswith(JSONNET_ENDING) else self.values(tree, path)
            except EnvcError as error:
                problems.extend(error)
                continue
            if path.endswith(JSONNET_ENDING):
                parts.append((path, file))
            else:
                found = split_file(file, values, name, problems)
                parts.append((path, tuple(found) if MARK in file.data else sort_documents(found, problems)))
        try:
            problems.raise_any()
        except EnvcError as error:
            return _Plan(tuple(parts), error)
        return _Plan(tuple(parts), None)

    def _said_to(
        self,
        tree: Tree,
        layer: str,
        part: tuple[Document, ...] | File,
        facts: EnvironmentFacts,
        problems: Problems,
    ) -> tuple[FileDocuments, frozenset[str]]:
        """What a file with parameters, or a jsonnet file, says to one environment."""
        imports = _NOTHING
        documents: list[Document] = []
        has_parameters = True
        if isinstance(part, File):
            from envcompile.sources.jsonnetfiles import Evaluations, documents_of
            from envcompile.sources.jsonnetstore import EvaluationStore

            if self._evaluations is None:
                root = tree.root if self.is_trusted else None
                store = EvaluationStore(root / ".envc" / "jsonnet") if root is not None else None
                self._evaluations = Evaluations(self._files, facts.limits, store)
            try:
                evaluation = self._evaluations.evaluate(tree, part, facts.jsonnet)
            except EnvcError as error:
                problems.extend(error)
                return FileDocuments((), ()), imports
            imports = frozenset(dependency.path for dependency in evaluation.dependencies) - {part.path}
            has_parameters = evaluation.has_parameters
            raw = documents_of(evaluation, part, layer, problems, environment=str(facts.jsonnet["name"]))
        else:
            raw = list(part)
        for document in raw:
            try:
                documents.append(substitute(document, facts.params) if has_parameters else document)
            except EnvcError as error:
                problems.extend(error)
        return sort_documents(documents, problems), imports


_NOTHING: frozenset[str] = frozenset()


def raw_value(parsed: ParsedFiles, tree: Tree, document: Document) -> Any:
    """The value of a document as its file has it, with parameters not yet put in; the value itself of jsonnet's."""
    if document.generated or MARK not in document.source.read():
        return document.value
    value = parsed.values(tree, document.source.path)[document.index]
    for step in document.within:
        value = value[step]
    return value
