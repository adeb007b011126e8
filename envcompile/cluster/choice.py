"""Which kinds of a cluster are watched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from envcompile.cluster.kinds import ApiKind, Discovered

ALL: Final = "all"
EVENTS: Final = ("", "events")
"""Group and plural of events: they are watched, and stored for themselves."""
_NEVER: Final = frozenset({EVENTS, ("events.k8s.io", "events"), ("", "componentstatuses")})
_HEARTBEATS: Final = frozenset({
    ("coordination.k8s.io", "leases"),
    ("coordination.k8s.io", "leasecandidates"),
    ("", "endpoints"),
    ("discovery.k8s.io", "endpointslices"),
})
"""Kinds that change every few seconds and tell nothing that a pod does not tell."""
_REPORTS: Final = ("metrics.k8s.io", "wgpolicyk8s.io", "reports.kyverno.io", "openreports.io")
"""Groups of figures and findings, which other tools make over and over."""


def watched(discovered: Discovered, words: Sequence[str] = ()) -> list[ApiKind]:
    """The kinds to be watched: those that can be, but for heartbeats and reports, or those that are named.

    Args:
        discovered: all kinds of the cluster.
        words: kinds by name, as kubectl takes them; `all` takes every kind that can be watched.

    Raises:
        UsageError: a word names no kind of the cluster.
    """
    able = [kind for kind in discovered.kinds if {"list", "watch"} <= {*kind.verbs} and key_of(kind) not in _NEVER]
    if ALL in words:
        return able
    if words:
        named = {key_of(discovered.find(word)) for word in words}
        return [kind for kind in able if key_of(kind) in named]
    return [kind for kind in able if not _is_noise(kind)]


def key_of(kind: ApiKind) -> tuple[str, str]:
    """Group and plural, which tell kinds apart in every version."""
    return kind.group, kind.plural


def by_key(kinds: Iterable[ApiKind]) -> dict[tuple[str, str], ApiKind]:
    """Kinds by what tells them apart."""
    return {key_of(kind): kind for kind in kinds}


def _is_noise(kind: ApiKind) -> bool:
    return key_of(kind) in _HEARTBEATS or kind.group.endswith(_REPORTS)
