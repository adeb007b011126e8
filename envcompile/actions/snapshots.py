"""Keeping what a build saw and wrote, so that the next one knows at a look whether anything is left to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.actions.results import CHART_FOLDER
from envcompile.emit.index import INDEX_NAME, digest
from envcompile.units.kept_plans import keep_plans
from envcompile.units.snapshot import INPUT_FOLDERS, Files, Snapshot, racy_inputs, save, scan, stat_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envcompile.actions.results import EnvironmentResult
    from envcompile.units.environment import LinkedEnvironment
    from envcompile.units.project import Project
    from envcompile.units.snapshot import Look

_NEVER = -1
"""No checksum: a file that has it counts as changed."""


def keep_snapshot(
    look: Look,
    project: Project,
    linked: Sequence[LinkedEnvironment],
    results: Sequence[EnvironmentResult],
    written: Mapping[str, str],
) -> None:
    """Keep what a build of all environments saw and wrote.

    A build with warnings is never "nothing to do": they are due again next time. Nor is one that depends on what git
    ignores: what git tells may change by its index, by settings of the machine, or by files above the project.

    Args:
        look: the project's folder as it was before the build.
        project: what was built.
        linked: every environment.
        results: what was done to their folders.
        written: the folder below each of them that was put there anew, empty for all of it; others are as they were.
    """
    inputs = _inputs(look, project)
    if inputs is None:
        return
    built = {CHART_FOLDER, *(environment.environment for environment in linked)}
    kept = [result for result in results if result.environment in built]
    outputs: dict[str, Files] = {}
    for result in kept:
        found = _written(look, result, written)
        if found is None:
            return
        outputs[result.environment] = found
    warned = any(result.warnings for result in results)
    digests = project.parsed.digests
    private = project.private_files()
    racy = racy_inputs(look.root, inputs, look.began)
    known = [digests.get(path) or look.known_digest(path) for path in inputs]
    files = Files.of(inputs, ["" if path in private else digest for path, digest in zip(inputs, known, strict=True)])
    if files is not None:
        keep_plans(project, files)
        project.parsed.adopt()
        save(
            look,
            Snapshot(
                counts={} if warned or project.asks_git else {result.environment: result.resources for result in kept},
                racy={path: _NEVER if path in private else checksum for path, checksum in racy.items()},
                further=[path for path in inputs if path.partition("/")[0] not in INPUT_FOLDERS],
                inputs=files,
                outputs=outputs,
            ),
        )


def _written(look: Look, result: EnvironmentResult, written: Mapping[str, str]) -> Files | None:
    """The files of one folder; None when somebody took one away already.

    What was not written is as the build found it: who changed it meanwhile made its stat another one.
    """
    plan = result.plan
    stats = plan.stats
    below = written.get(result.environment)
    if below is not None:
        folder = f"{look.target}/{result.environment}"
        anew = {**scan(folder, (below,), hidden=True), INDEX_NAME: stat_of(f"{folder}/{INDEX_NAME}")}
        if below in plan.digests:
            anew[below] = stat_of(f"{folder}/{below}")
        stats = {path: stat for path, stat in stats.items() if below and not f"{path}/".startswith(f"{below}/")}
        stats.update(anew)
    digests = {**plan.digests, INDEX_NAME: digest(plan.new_index)}
    if not stats.keys() >= digests.keys():
        return None
    stats = {path: stat for path, stat in stats.items() if path in digests}
    return Files.of(stats, [digests[path] for path in stats])


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
