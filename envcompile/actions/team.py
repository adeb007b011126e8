"""The memo that a team shares: from `ENVC_CACHE` into a project, and what a build learns from it and tells it."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from envcompile.errors import EnvcError, Problem, UsageError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Mapping, Sequence
    from pathlib import Path

    from envcompile.actions.outputs import Outputs, Texts
    from envcompile.units.environment import Units
    from envcompile.units.project import Project
    from envcompile.units.settling import Helpers
    from envcompile.units.shared_memo import SharedMemo

ADDRESS = "ENVC_CACHE"
MODE = "ENVC_CACHE_MODE"
_MODES = ("read", "read-write")


def share(project: Project, environ: Mapping[str, str]) -> None:
    """Put the memo that `ENVC_CACHE` names behind a project's own.

    Args:
        project: an open one.
        environ: the env vars.

    Raises:
        UsageError: `ENVC_CACHE_MODE` is something else than `read` or `read-write`.
    """
    address, mode = environ.get(ADDRESS, ""), environ.get(MODE) or "read-write"
    if not address:
        return
    if mode not in _MODES:
        raise UsageError([Problem(f"{MODE} is `{mode}`", f"write {' or '.join(_MODES)}")])
    from envcompile.units.memo import FolderMemo
    from envcompile.units.objects import ObjectStore
    from envcompile.units.shared_memo import SharedMemo
    from envcompile.units.sharing import Sharing
    from envcompile.units.tool import tool_digest

    if project.look is None or not isinstance(project.memo, FolderMemo):
        return
    tool = tool_digest(project.root, project.look.tool)
    sharing = Sharing(project.ignores, project.parsed)
    project.memo = SharedMemo(project.memo, ObjectStore(address), tool, sharing, is_writable=mode != "read")


def learn(project: Project, environments: Iterable[str]) -> None:
    """Ask the shared memo for what is not remembered here of some environments; without one nothing is done."""
    memo = _shared(project)
    if memo is None:
        return
    layers = project.sources.layers_of(environments)
    memo.fetch_scans(
        project.tree,
        project.parsed,
        {layer: project.parsed.resource_files(layer, entries) for layer, entries in layers.items()},
    )
    plans = []
    for environment in environments:
        try:
            plans.append(project.plan(environment))
        except EnvcError:
            continue  # told about when it is linked
    memo.fetch(plans)


def publish(project: Project, made: Sequence[tuple[Outputs, Path]]) -> None:
    """Tell the shared memo what a build learnt; without one nothing is done.

    Args:
        project: what was built.
        made: the files of each environment, and its folder.
    """
    memo = _shared(project)
    if memo is not None:
        memo.publish(
            project.parsed,
            [(one.linked, one.digests, partial(one.texts_at_hand, folder=folder)) for one, folder in made],
        )


class Spread:
    """Lets an engine compile units.

    Args:
        project: what is built.
        texts: takes what it makes.
        address: the engine.
    """

    def __init__(self, project: Project, texts: Texts, address: str) -> None:
        self._project = project
        self._texts = texts
        self._address = address

    @staticmethod
    def read() -> None:
        """Nothing: this process reads all sources."""

    def begin(self, units: Sequence[Units]) -> None:
        """Let it compile what is not remembered, and wait for it.

        Raises:
            EnvcError: a file cannot be read.
            UsageError: the address names no engine.
            UnavailableError: the engine does not answer, or has another envc.
        """
        from envcompile.units.batches import compile_elsewhere
        from envcompile.units.sharing import Sharing

        compile_elsewhere(
            units,
            self._address,
            Sharing(self._project.ignores, self._project.parsed),
            take=self._texts.take_texts,
            forget=self._project.parsed.forget,
        )

    @staticmethod
    def has(_app: str) -> bool:
        """Nothing is the engine's any more."""
        return False

    @staticmethod
    def collect(*, wait: bool) -> None:
        """Nothing is left to come."""


@contextmanager
def helpers(
    project: Project,
    environments: Sequence[str],
    texts: Texts,
    engine: str | None,
    jobs: int | None,
    *,
    with_values: bool = False,
) -> Generator[Helpers | None]:
    """Who compiles units beside this process; None when nobody does.

    Args:
        project: what is built.
        environments: those that are built.
        texts: takes what they make.
        engine: the address of an engine.
        jobs: processes of this machine, where no engine is named; by the size of the work when left out: where plans of
            the last build hold, little is to be compiled.
        with_values: the values of all resources are asked for afterwards, which only copies of this process tell.
    """
    is_little = jobs is None and project.kept is not None
    if engine is not None and not with_values:
        yield Spread(project, texts, engine)
        return
    if jobs == 1 or is_little or not project.tree.limits.is_trusted:
        yield None
        return
    from envcompile.units.copies import can_copy

    if can_copy():
        from envcompile.actions.shares import Shares

        shares = Shares(project, environments, texts, jobs, with_values=with_values)
        texts.elsewhere = shares
        try:
            yield shares
        finally:
            shares.close()
    else:
        yield Spread(project, texts, f"processes://{jobs}") if jobs is not None and not with_values else None


def trouble(project: Project) -> str:
    """Why the shared memo was not used, in words; empty when all is well, or there is none."""
    memo = _shared(project)
    return memo.trouble if memo is not None else ""


def _shared(project: Project) -> SharedMemo | None:
    from envcompile.units.memo import FolderMemo

    return None if project.memo is None or isinstance(project.memo, FolderMemo) else project.memo
