"""Keeping what a build saw and wrote, so that the next one knows at a look whether anything is left to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.actions.results import CHART_FOLDER
from envcompile.emit.index import INDEX_NAME
from envcompile.units.snapshot import INPUT_FOLDERS, Snapshot, racy_inputs, save, scan, stat_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.actions.results import EnvironmentResult
    from envcompile.units.environment import LinkedEnvironment
    from envcompile.units.project import Project
    from envcompile.units.snapshot import Look

_NEVER = -1
"""No checksum: a file that has it counts as changed."""


def keep_snapshot(
    look: Look, project: Project, linked: Sequence[LinkedEnvironment], results: Sequence[EnvironmentResult]
) -> None:
    """Keep what a build of all environments saw and wrote.

    A build with warnings is never "nothing to do": they are due again next time. Nor is one that depends on what git
    ignores: what git tells may change by its index, by settings of the machine, or by files above the project.

    Args:
        look: the project's folder as it was before the build.
        project: what was built.
        linked: every environment.
        results: what was done to their folders.
    """
    inputs = _inputs(look, project)
    if inputs is None:
        return
    built = {CHART_FOLDER, *(environment.environment for environment in linked)}
    kept = [result for result in results if result.environment in built]
    outputs: dict[str, tuple[str, str]] = {}
    found = scan(look.target, [result.environment for result in kept], hidden=True)
    for result in kept:
        for path, digest in {**result.plan.digests, INDEX_NAME: ""}.items():
            stat = found.get(f"{result.environment}/{path}")
            if stat is None:
                return  # somebody took it away already
            outputs[f"{result.environment}/{path}"] = (stat, digest)
    warned = any(result.warnings for result in results)
    counts = {} if warned or project.asks_git else {result.environment: result.resources for result in kept}
    digests = project.parsed.digests
    private = project.private_files()
    racy = racy_inputs(look.root, inputs, look.began)
    save(
        look,
        Snapshot(
            counts=counts,
            racy={path: _NEVER if path in private else checksum for path, checksum in racy.items()},
            inputs={
                path: (stat, digests.get(path, "") if path not in private else "") for path, stat in inputs.items()
            },
            outputs=outputs,
        ),
    )


def _inputs(look: Look, project: Project) -> dict[str, str] | None:
    """The inputs with the files outside of the input folders that turned out to be read, or looked for in vain.

    Nobody looked at those before the build: None when one of them may have changed since it was read.
    """
    inputs = dict(look.inputs)
    for path in project.further_inputs() - inputs.keys():
        stat = stat_of(f"{look.root}/{path}")
        is_there = stat[0].isdigit()
        if is_there and int(stat.split(" ", 2)[1]) >= look.began:
            return None
        if is_there or path.partition("/")[0] not in INPUT_FOLDERS:
            inputs[path] = stat
    return inputs
