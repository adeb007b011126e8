"""The files of one linked environment: their places and digests now, their bytes when somebody asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from envcompile.emit.filenames import place_files, refuse_alike_applications
from envcompile.emit.index import digest
from envcompile.emit.manifests import built_in_kinds, render
from envcompile.errors import EnvcError
from envcompile.model import Bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from envcompile.emit.filenames import Placed
    from envcompile.emit.plan import Plan
    from envcompile.errors import Problems
    from envcompile.model import ResourceId
    from envcompile.units.environment import LinkedEnvironment
    from envcompile.yamlio import Renderer


class Outputs(Mapping[str, bytes]):
    """The files of an environment, path below its folder -> bytes; a unit that is remembered is compiled for them.

    Args:
        linked: the environment.
        renderer: shared between environments: what they have in common is rendered once.

    Raises:
        EnvcError: two applications' folders would be one on some file system.
    """

    def __init__(self, linked: LinkedEnvironment, renderer: Renderer) -> None:
        self.linked = linked
        self._renderer = renderer
        self._texts: dict[str, bytes] = {}
        resources: list[Placed] = [*linked.exported(), *linked.linked.further]
        refuse_alike_applications({
            **{one.app: "" for one in linked.linked.further},
            **{one.app: one.origin[1] for one in linked.exported()},
        })
        self.placed = place_files(resources, linked.namespace, built_in_kinds(linked.plan.api))
        digests = {}
        for path, resource in self.placed.items():
            known = linked.known_digest(resource.id)
            digests[path] = known if known is not None else digest(self[path])
        self.bundle = Bundle(linked.environment, self, digests)

    def __getitem__(self, path: str) -> bytes:
        text = self._texts.get(path)
        if text is None:
            resource = self.linked.resource(self.placed[path].id)
            text = self._texts[path] = render(resource, self._renderer).encode()
        return text

    def __iter__(self) -> Iterator[str]:
        return iter(self.placed)

    def __len__(self) -> int:
        return len(self.placed)

    def take_shared(self, wanted: Iterable[str]) -> None:
        """Take the bytes of files from the memo that a team shares, where it has them, instead of compiling.

        Args:
            wanted: the paths of the files that will be written.
        """
        memo = self.linked.memo
        missing = [self.placed[path].id for path in wanted if path not in self._texts]
        if not missing or memo is None:
            return
        found = memo.texts(self.linked, missing, self.digests)
        for path, digest_of_file in self.bundle.digests.items():
            if digest_of_file in found:
                self._texts[path] = found[digest_of_file]

    @property
    def digests(self) -> dict[ResourceId, str]:
        """The SHA-256 of every resource's file."""
        return {resource.id: self.bundle.digests[path] for path, resource in self.placed.items()}

    def texts_at_hand(self, folder: Path) -> Callable[[ResourceId], bytes | None]:
        """Finds the bytes of a resource's file without compiling: those that were made, or those that were written.

        Args:
            folder: the environment's folder. What is read from it must be compared with the digest.
        """
        paths = {resource.id: path for path, resource in self.placed.items()}

        def find(identity: ResourceId) -> bytes | None:
            path = paths[identity]
            if path in self._texts:
                return self._texts[path]
            try:
                return (folder / path).read_bytes()
            except OSError:
                return None

        return find

    def report_refused(self, plan: Plan, folder: Path, problems: Problems) -> None:
        """Note what the API server would refuse to make of what the last build wrote.

        Args:
            plan: what changes in the environment's folder.
            folder: the folder.
            problems: takes what is wrong.
        """
        for path in plan.changed:
            if self.placed[path].id.kind != "SealedSecret":
                continue
            from envcompile.secrets.resolve import refused_changes
            from envcompile.units.seal import where_of
            from envcompile.yamlio import load_all

            try:
                before = load_all((folder / path).read_bytes(), path)
            except (EnvcError, OSError):
                continue  # somebody's merge conflict, or a file that is gone: nothing can be told from it
            after = self.linked.resource(self.placed[path].id)
            for what, fix in refused_changes(before[0] if before else None, after.value):
                title = f"environment {self.linked.environment}: Secret/{after.id.name}"
                is_written = any(step.document is not None for step in after.steps)
                problems.add(f"{title} {what}", fix, *([where_of(after)(())] if is_written else []))

    def remember(self) -> None:
        """Put what is not remembered yet into the memo."""
        self.linked.remember(self.digests)
