"""Building only what a few changed files reach.

A slice is a small project: the changed files, every file that shares a resource with them, and the settings. It is
compiled like any other; what it gives replaces the same files of the last build. Whenever anything is not as the
last build left it, or the slice turns out to hold other resources than before, the whole is built instead.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from envcompile.actions.freshness import ABSENT, Record, racy_inputs, save, stat_file
from envcompile.actions.results import EnvironmentResult, write_all
from envcompile.emit.index import INDEX_NAME, digest
from envcompile.emit.manifests import built_in_kinds, manifests
from envcompile.emit.plan import Plan
from envcompile.emit.write import check_folder
from envcompile.errors import EnvcError
from envcompile.model import Bundle
from envcompile.yamlio import Renderer

if TYPE_CHECKING:
    from envcompile.actions.freshness import Look, Stat
    from envcompile.actions.project import CompiledEnvironment
    from envcompile.sources import FileEntry, Tree

MOST_FILES = 200
"""A change of more files is built whole: the slice would be no smaller."""


class SliceTree:
    """A working tree in which only some of the files are seen; which ones there are is known already."""

    __slots__ = ("_entries", "_tree")

    def __init__(self, tree: Tree, entries: list[FileEntry]) -> None:
        self._tree = tree
        self._entries = entries

    @property
    def root(self) -> Path | None:
        """The folder of the whole tree."""
        return self._tree.root

    def files(self, folder: str) -> list[FileEntry]:
        """The files of the slice below a folder."""
        prefix = f"{folder.rstrip('/')}/"
        return [entry for entry in self._entries if entry.path.startswith(prefix)]

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        return self._tree.read(path)

    def exists(self, path: str) -> bool:
        """Tell whether the whole tree has the path."""
        return self._tree.exists(path)

    def is_file(self, path: str) -> bool:
        """Tell whether the whole tree has a file at the path."""
        return self._tree.is_file(path)


def build_slice(look: Look) -> list[EnvironmentResult] | None:
    """Build what the changed files reach and write it; None when the whole must be built.

    Raises:
        UnavailableError: the output cannot be written.
    """
    known = look.record
    changed = look.changed()
    if known is None or not known.readers or not changed or len(changed) > MOST_FILES:
        return None
    plain = {*known.plain}
    if not changed <= plain:
        return None
    reached, files = _closure(known, changed)
    present = look.same_outputs(_folders(reached))
    if present is None:
        return None
    seen = {path for path, stat in look.inputs.items() if stat != ABSENT and (path in files or path not in plain)}
    from envcompile.actions.project import Project
    from envcompile.sources import FileEntry, WorkingTree

    root = Path(look.root)
    entries = [FileEntry(path, *look.inputs[path]) for path in sorted(seen)]
    try:
        project = Project(SliceTree(WorkingTree(root), entries), partial=True)
        if project.environments != known.environments:
            return None
        compiled = [project.compile_with_sources(name) for name in known.environments]
    except EnvcError:
        return None
    if any(environment.composed.warnings for environment in compiled):
        return None
    results = _compare(look, known, reached, compiled, present)
    if results is None:
        return None
    write_all(root, Path(look.target), results)
    _remember(look, known, results)
    return results


def _remember(look: Look, known: Record, results: list[EnvironmentResult]) -> None:
    """Keep what is known after a slice was written."""
    outputs = dict(known.outputs)
    for result in results:
        touched = (*result.plan.changed, INDEX_NAME) if result.plan.changed else ()
        for path in touched:
            stat = stat_file(f"{look.target}/{result.environment}/{path}")
            if stat is None:
                return
            outputs[f"{result.environment}/{path}"] = (*stat, result.plan.digests.get(path, ""))
    record = Record(
        inputs=look.inputs,
        outputs=outputs,
        environments=known.environments,
        racy=racy_inputs(look.root, look.inputs, look.began),
        summary=known.summary,
        readers=known.readers,
        plain=known.plain,
    )
    save(look.root, look.key, record, look.tag)


def _folders(reached: set[str]) -> set[str] | None:
    """The folders whose files must be as the last build left them: one application's an environment, else all.

    Files beyond that one folder are neither written nor linked over, so the next look at everything will do for them.
    """
    folders = {output.rpartition("/")[0] for output in reached}
    environments = {folder.partition("/")[0] for folder in folders}
    return folders if len(folders) == len(environments) else None


def _closure(known: Record, changed: set[str]) -> tuple[set[str], set[str]]:
    """The outputs that the files reach, and all files that those outputs are made from."""
    by_file: dict[str, list[str]] = {}
    for output, files in known.readers.items():
        for path in files:
            by_file.setdefault(path, []).append(output)
    reached: set[str] = set()
    seen: set[str] = set()
    todo = list(changed)
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        for output in by_file.get(path, ()):
            if output not in reached:
                reached.add(output)
                todo += known.readers[output]
    return reached, seen


def _compare(
    look: Look,
    known: Record,
    reached: set[str],
    compiled: list[CompiledEnvironment],
    present: dict[str, Stat],
) -> list[EnvironmentResult] | None:
    """What the slice changes in each environment; None when it holds other resources than the last build."""
    renderer = Renderer()
    plain = {*known.plain}
    results = []
    for environment in compiled:
        name = environment.compiled.environment
        prefix = f"{name}/"
        bundle = manifests(environment.compiled, renderer, built_in_kinds(environment.composed.api))
        wanted = {output[len(prefix) :] for output in reached if output.startswith(prefix)}
        if not wanted <= bundle.files.keys():
            return None
        for path in bundle.files.keys() - wanted:
            # What is left comes from the files that every slice holds; anything else is new, or defined twice now.
            sources = {step.document.source.path for step in bundle.sources[path].steps if step.document is not None}
            if f"{prefix}{path}" not in known.outputs or sources & plain:
                return None
        digests = {path[len(prefix) :]: entry[3] for path, entry in known.outputs.items() if path.startswith(prefix)}
        del digests[INDEX_NAME]
        changed = {path: bundle.files[path] for path in wanted if digest(bundle.files[path]) != digests[path]}
        digests.update({path: digest(data) for path, data in changed.items()})
        others = {path[len(prefix) :] for path in present if path.startswith(prefix)} - changed.keys()
        folder = check_folder(Path(look.target) / name, Path(look.root))
        try:
            index = (folder / INDEX_NAME).read_bytes()
        except OSError:
            return None
        plan = Plan(
            bundle=Bundle(name, changed, {}),
            added=(),
            changed=tuple(sorted(changed)),
            removed=(),
            unchanged=(),
            edited=(),
            foreign=(),
            missing=(),
            others=tuple(others - {INDEX_NAME}),
            digests=digests,
            index_now=index,
            index_is_current=not changed,
        )
        results.append(EnvironmentResult(name, folder, len(digests), plan, ()))
    return results
