"""Where a project was before its folder was moved or renamed: a commit from before has it under its former name."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from envcompile.git.run import ask_quietly, at_top

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.git.objects import GitObjects
    from envcompile.git.run import Place

_SOURCES: Final = ("base", "overlays", "envc.yaml")
_MOST: Final = 16
"""Moves that are followed."""
_RENAMES: Final = ("-M50%", "-l2000")
"""How git tells a renamed file from a new one (git-diff(1)): half of it is the same; so many are compared at most."""


class Moves:
    """The folders that a project had, found when somebody first asks.

    Args:
        place: the repository.
        prefix: the project's folder now, such as `deploy/`; empty at the top.
    """

    __slots__ = ("_formers", "_place", "_prefix")

    def __init__(self, place: Place, prefix: str) -> None:
        self._place = at_top(place)
        self._prefix = prefix
        self._formers: tuple[str, ...] | None = None

    def __eq__(self, other: object) -> bool:
        """Tell whether both are of one project: what was found out so far does not matter."""
        return isinstance(other, Moves) and (self._place, self._prefix) == (other._place, other._prefix)

    def __hash__(self) -> int:
        """Alike where they are equal."""
        return hash((self._place, self._prefix))

    def at(self, objects: GitObjects, commit: str) -> str | None:
        """The folder that the project had in a commit that does not have it where it is now; None for none.

        Args:
            objects: reads the repository.
            commit: the commit's hash.
        """
        if self._formers is None:
            self._formers = tuple(self._found())
        return next((former for former in self._formers if holds_sources(objects, commit, former)), None)

    def _found(self) -> Iterator[str]:
        """The folders before this one, newest first.

        In the commit that brought a folder's first source most of the sources were renamed from one other folder.
        """
        start, prefix, seen = "HEAD", self._prefix, {self._prefix}
        for _ in range(_MOST):
            paths = [f"{prefix}{name}" for name in _SOURCES]
            touched = ask_quietly(self._place, "rev-list", start, "--", *paths).split()
            parents = ask_quietly(self._place, "rev-parse", f"{touched[-1]}^@").split() if touched else []
            for parent in parents:
                former = self._before(parent, touched[-1], prefix)
                if former is not None and former not in seen:
                    break
            else:
                return
            yield former
            seen.add(former)
            start, prefix = parent, former

    def _before(self, parent: str, commit: str, prefix: str) -> str | None:
        listed = ask_quietly(
            self._place, "diff-tree", "-r", "-z", "--name-status", "--diff-filter=AR", *_RENAMES, parent, commit
        )
        words = iter(listed.split("\0"))
        counts: Counter[str] = Counter()
        sources = 0
        for word in words:
            old = next(words, "") if word.startswith("R") else ""
            new = next(words, "")
            path = new.removeprefix(prefix)
            if not new.startswith(prefix) or path.partition("/")[0] not in _SOURCES:
                continue
            sources += 1
            if old and (old == path or old.endswith(f"/{path}")):
                counts[old.removesuffix(path)] += 1
        best = max(counts, key=lambda former: counts[former], default=None)
        return best if best is not None and 2 * counts[best] >= sources else None


def holds_sources(objects: GitObjects, commit: str, prefix: str) -> bool:
    """Tell whether a commit has sources of a project in a folder, such as `deploy/`."""
    tree = objects.root(commit)
    for part in prefix.split("/"):
        if not part:
            break
        below = objects.folder(tree).get(part) if tree else None
        tree = below.hash if below is not None else ""
    return bool(tree) and any(name in objects.folder(tree) for name in _SOURCES)
