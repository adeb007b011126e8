"""Who applies an object: of all who wrote it, the one whose word is the repository's."""

from __future__ import annotations

from fnmatch import fnmatchcase
from itertools import starmap
from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile.kubernetes.managedfields import CLIENT_SIDE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from envcompile.kubernetes.managedfields import Owners, Writer

CONTROLLERS: Final = ("argocd-controller", "kustomize-controller", "helm-controller", "flux")
"""Managers of GitOps controllers: where one writes an object, nobody else's apply is the repository's word."""
_BY_HAND: Final = (("envc", "Apply"), ("kubectl", "Apply"), ("helm", ""), (CLIENT_SIDE, "Update"))


class Applier(NamedTuple):
    """The manager that applies an object; an empty operation stands for each."""

    manager: str
    operation: str = ""

    @property
    def marks(self) -> bool:
        """Whether it puts marks on what it applies, to know it again."""
        return self.manager in {*CONTROLLERS, "helm"}

    def is_it(self, writer: Writer) -> bool:
        """Whether a writer is this one."""
        return (
            writer.manager == self.manager
            and self.operation in {"", writer.operation}
            and writer.subresource in {"", "status"}
        )


def applier_of(owners: Owners, named: Sequence[str] = ()) -> Applier | None:
    """Who applies an object, of all who wrote it; None where nobody known does.

    Args:
        owners: those of the whole object.
        named: managers that somebody named for it; they go before all others.
    """
    wrote = {(owned.writer.manager, owned.writer.operation) for owned in owners if not owned.writer.subresource}
    known = [Applier(name) for name in (*named, *CONTROLLERS)] + list(starmap(Applier, _BY_HAND))
    return next((one for one in known if _has_written(one, wrote)), None)


def _has_written(applier: Applier, wrote: Iterable[tuple[str, str]]) -> bool:
    return any(name == applier.manager and applier.operation in {"", how} for name, how in wrote)


def is_trusted(writer: Writer, trusted: Sequence[str]) -> bool:
    """Whether a writer is one of those that may write what they like; `*` and `?` stand for other letters."""
    return any(fnmatchcase(writer.manager, pattern) for pattern in trusted)
