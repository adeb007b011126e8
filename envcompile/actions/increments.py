"""A commit compiled from what its parent compiled to: only the resources that its changed files speak of.

A resource is made from the documents of its own identity, the patches that reach it, and settings. So when a commit
changes nothing but files of ordinary resources, the resources of the same kinds and names are composed again, and all
others are as they were. Whenever a file that has a say in more than that is touched, or anything does not compile,
there is no shortcut, and the whole is compiled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from envcompile.actions.commitfiles import CommitFiles, NoShortcutError, is_hidden, is_secret_changed
from envcompile.actions.project import CompiledEnvironment, ComposedEnvironment, Project
from envcompile.compose.assemble import compose
from envcompile.compose.identity import Identifier
from envcompile.compose.rollout import with_rollout
from envcompile.errors import EnvcError
from envcompile.model import Compiled
from envcompile.sources.tree import join
from envcompile.sources.yamlfiles import JSONNET_ENDING, KUSTOMIZATIONS, is_resource_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.actions.subjects import Said, Subject, Subjects
    from envcompile.errors import Problem
    from envcompile.git.objects import GitObjects
    from envcompile.model import Location
    from envcompile.sources.tree import FileEntry

_SECRETS = frozenset({"Secret", "SealedSecret", "ExternalSecret"})
"""Kinds of which one may become another, by rules that look at the whole environment and at its last output."""
_ACCOUNTS = frozenset({"ServiceAccount", "RoleBinding", "ClusterRoleBinding"})
"""Kinds that depend on one another where a namespace is forced on everything."""
MOST_FILES = 200
"""A commit that changes more files is compiled whole: the slice would be no smaller."""


Complaint = tuple[str, "tuple[Location, ...]"]
"""What a problem says is wrong, and where."""


class Slice(NamedTuple):
    """What a commit changes: the environments that it may reach, compiled as far as it reaches them."""

    subjects: frozenset[Subject]
    """Kinds and names of the resources that were compiled again; all others are as they were."""
    environments: dict[str, CompiledEnvironment]
    """Only the reached environments, and in them only resources of these kinds and names."""
    untouched: tuple[str, ...]
    """The environments that the commit does not reach."""


def compile_slice(
    objects: GitObjects, subjects: Subjects, prefix: str, parent: str, commit: str, environments: frozenset[str]
) -> Slice:
    """Compile what a commit changes against its parent, which must have compiled in all its environments.

    Args:
        objects: where both are read.
        subjects: what files speak of; it learns what it does not know yet.
        prefix: the project's folder inside of the repository.
        parent: the parent's hash.
        commit: the commit's hash.
        environments: those of the parent.

    Raises:
        NoShortcutError: the whole must be compiled.
    """
    before, after = CommitFiles(objects, parent, prefix), CommitFiles(objects, commit, prefix)
    changed = _changed(before, after)
    if is_secret_changed(objects, before, after):
        raise NoShortcutError
    said = _said(objects, subjects, before, after, changed)
    wanted = frozenset(subject for path in changed for subject in _subjects_of(path, said, before, after))
    kinds = {kind for kind, _ in wanted}
    if kinds & _SECRETS:
        raise NoShortcutError
    try:
        project = _SliceProject(after, said, wanted)
        for name in project.settings.crds:
            path = join("", name)
            if path is None or before.entry(path) != after.entry(path):
                raise NoShortcutError
        if {*project.environments} != environments:
            raise NoShortcutError
        reached = [name for name in project.environments if any(project.reads(name, path) for path in changed)]
        earlier: list[_SliceProject] = []
        compiled = {}
        for name in reached:
            composed, complaints = project.compose_slice(name)
            if complaints:
                # Settings and patches may well name what is not in the slice, as they did before the commit.
                earlier = earlier or [_SliceProject(before, said, wanted)]
                if not complaints <= earlier[0].compose_slice(name)[1]:
                    raise NoShortcutError
            compiled[name] = _finished(name, composed, kinds)
    except EnvcError as error:
        raise NoShortcutError from error
    return Slice(wanted, compiled, tuple(name for name in project.environments if name not in compiled))


class _SliceProject(Project):
    """A commit of which only the files are seen that speak of some resources, or of more than resources."""

    def __init__(self, files: CommitFiles, said: dict[str, Said], wanted: frozenset[Subject]) -> None:
        super().__init__(files)
        self._wanted = wanted
        every = self._sources

        def is_seen(entry: FileEntry) -> bool:
            says = said.get(files.layers[entry.path].hash) if _is_source(entry.path) else None
            return says is None or says.is_special or not says.subjects.isdisjoint(wanted)

        self._sources = every._replace(
            base=tuple(entry for entry in every.base if is_seen(entry)),
            overlays={
                name: overlay._replace(files=tuple(entry for entry in overlay.files if is_seen(entry)))
                for name, overlay in every.overlays.items()
            },
        )

    def reads(self, environment: str, path: str) -> bool:
        """Tell whether an environment is made from a layer's file."""
        top, _, rest = path.partition("/")
        return top == "base" or rest.partition("/")[0] in self._sources.layers[environment]

    def compose_slice(
        self, environment: str
    ) -> tuple[ComposedEnvironment, frozenset[tuple[str, tuple[Location, ...]]]]:
        """Merge what is seen of an environment; with it what would be wrong if that were all.

        Raises:
            EnvcError: what is wrong in any case.
        """
        from envcompile.sources import read_environment

        sources = read_environment(self._sources, environment, self._parsed)
        settings = sources.settings
        api = self._api_for(sources)
        identifier = Identifier(api, settings.namespace, forced=settings.force_namespace)
        layers = [
            layer._replace(
                documents=tuple(document for document in layer.documents if self._is_wanted(identifier, document.value))
            )
            for layer in sources.layers
        ]
        sources = sources._replace(layers=tuple(layers))
        merge_texts = (settings.config_merge or self.settings.config_merge) == "merge"
        complaints: tuple[Problem, ...] = ()
        try:
            composed = compose(sources, api, merge_texts=merge_texts)
        except EnvcError as error:
            complaints = error.problems
            composed = compose(sources, api, merge_texts=merge_texts, partial=True)
        found = ComposedEnvironment(sources, composed.composition, api, composed.warnings)
        return found, frozenset((problem.what, problem.where) for problem in complaints)

    def _is_wanted(self, identifier: Identifier, value: dict[str, Any]) -> bool:
        identity = identifier.identify(value)
        return (identity.kind, identity.name) in self._wanted


def _finished(name: str, composed: ComposedEnvironment, kinds: set[str]) -> CompiledEnvironment:
    """What comes after merging, for resources of which none is a Secret."""
    settings = composed.sources.settings
    mode = settings.rollout or "none"
    if mode == "checksum" or settings.sync_waves or (settings.force_namespace and kinds & _ACCOUNTS):
        raise NoShortcutError  # resources depend on others that are not seen
    resources = with_rollout(composed.resources, mode, f"overlays/{name}")
    plaintext = settings.secret_backend == "plaintext"
    return CompiledEnvironment(
        Compiled(name, composed.composition.namespace, resources, plaintext_allowed=plaintext), composed
    )


def _changed(before: CommitFiles, after: CommitFiles) -> set[str]:
    """The source files that differ.

    Raises:
        NoShortcutError: something differs that has a say in more than resources of its own.
    """
    if before.entry("envc.yaml") != after.entry("envc.yaml"):
        raise NoShortcutError
    if any(path.endswith(JSONNET_ENDING) for path in after.layers if not is_hidden(path)):
        raise NoShortcutError  # what it gives is known when it was evaluated, and it may import any file
    differing = {path for path, _ in before.layers.items() ^ after.layers.items() if not is_hidden(path)}
    if len(differing) > MOST_FILES or not all(_is_source(path) for path in differing):
        raise NoShortcutError
    return differing


def _is_source(path: str) -> bool:
    """Tell whether a file of the layers can hold nothing but resources and patches."""
    parts = path.split("/")
    layer = parts[0] if parts[0] == "base" else "/".join(parts[:2])
    if len(parts) < 3 and layer != "base":
        return False
    return is_resource_file(path, layer) and parts[-1] != "Chart.yaml" and parts[-1] not in KUSTOMIZATIONS


def _said(
    objects: GitObjects, subjects: Subjects, before: CommitFiles, after: CommitFiles, changed: set[str]
) -> dict[str, Said]:
    """What every source file of either commit speaks of, by the hash of its content."""
    sources = [entry.hash for path, entry in after.layers.items() if _is_source(path) and not is_hidden(path)]
    sources += [before.layers[path].hash for path in changed if path in before.layers]

    def read(missing: list[str]) -> dict[str, bytes]:
        return {name: answer[1] for name, answer in zip(missing, objects.read(missing), strict=True) if answer}

    try:
        return subjects.of(sources, read)
    except KeyError as error:
        raise NoShortcutError from error


def _subjects_of(path: str, said: dict[str, Said], *sides: CommitFiles) -> Iterator[Subject]:
    """What a changed file spoke of and speaks of.

    Raises:
        NoShortcutError: it speaks of more than ordinary resources.
    """
    for side in sides:
        entry = side.layers.get(path)
        if entry is not None:
            if said[entry.hash].is_special:
                raise NoShortcutError
            yield from said[entry.hash].subjects
