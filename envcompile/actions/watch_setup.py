"""What `envc watch` needs before it begins: clusters, database, keys, limits."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from envcompile.actions.live_objects import keyed_digests
from envcompile.actions.live_places import checkout_of, contexts_of, database_of, metrics_of
from envcompile.errors import Problem, UsageError
from envcompile.kubernetes.quantities import quantity

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from envcompile.actions.watch import Watch

KUBERNETES: Final = "1.37"
"""Whose schemas tell the merge keys of lists."""


def prepare(
    folder: Path,
    *,
    contexts: Sequence[str],
    environments: Sequence[str],
    kinds: Sequence[str],
    namespace: str,
    name: str,
    cap: str,
    prometheus: str = "",
) -> Watch:
    """A watch that is ready to run.

    Args:
        folder: a folder of the project, for its database and environments.
        contexts: contexts of the kubeconfig; the current one when there are no environments either.
        environments: those whose clusters are watched.
        kinds: kinds by name; all but heartbeats when empty.
        namespace: only this one's; all when empty.
        name: what the cluster is called; as its context when empty.
        cap: how large the database may become, such as `20Gi`.
        prometheus: where usage is asked for; where the environments name one, and else the metrics API, when empty.

    Raises:
        UsageError: a context, an environment or the cap is not what it should be.
    """
    from envcompile.cluster.kubeconfig import find_access, lightkube_of
    from envcompile.kubernetes.api import load

    most = _bytes(cap)
    lightkube_of()
    wanted: list[str | None] = [*contexts, *contexts_of(folder, environments).values()]
    checkout = checkout_of(folder)
    source = metrics_of(folder, environments)
    address = prometheus or source.prometheus
    accesses = [find_access(one, os.environ, checkout=checkout) for one in dict.fromkeys(wanted or [None])]
    from envcompile.actions.watch import Setup, Watch, Watched
    from envcompile.cluster.watching import Wanted
    from envcompile.history.livegc import Retention

    setup = Setup(
        url=database_of(folder),
        wanted=Wanted(
            tuple(kinds),
            namespace,
            metrics=bool(address) or not kinds,
            prometheus=address,
            queries=source.queries if address else (),
        ),
        api=load(KUBERNETES),
        keyed=keyed_digests(),
        cap=most,
        retention=Retention(),
    )
    return Watch([Watched(name or access.context, access) for access in accesses], setup)


def _bytes(text: str) -> int:
    size = quantity(text)
    if size is None or size < 0:
        raise UsageError([Problem(f"--cap cannot be `{text}`", "write a size, such as 20Gi, or 0 for no cap")])
    return int(size)
