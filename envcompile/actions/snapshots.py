"""Keeping what a build saw and wrote, so that the next one knows at a look whether anything is left to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.actions.results import CHART_FOLDER
from envcompile.emit.index import INDEX_NAME, digest
from envcompile.emit.revised import RevisedDigests, renewed
from envcompile.seenfiles import NO_FILES, outputs_in
from envcompile.seentimes import numbers_of
from envcompile.units.kept_plans import fixed_files
from envcompile.units.snapshot import INPUT_FOLDERS, Snapshot, racy_inputs, save

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envcompile.actions.results import EnvironmentResult
    from envcompile.actions.shares import Shares
    from envcompile.seenfiles import Files
    from envcompile.units.environment import LinkedEnvironment
    from envcompile.units.project import Project
    from envcompile.units.snapshot import Look

_NEVER = -1
"""No checksum: a file that has it counts as changed."""


def inputs_of(look: Look, project: Project) -> Files | None:
    """All that a build read, with the digests of what was in it; None where some of it may have changed since.

    Args:
        look: the project's folder as it was before the build.
        project: what was built.
    """
    seen = _inputs(look, project)
    return _with_digests(seen, look, project.parsed.digests, project.private_files()) if seen is not None else None


def keep_snapshot(
    look: Look,
    project: Project,
    inputs: Files,
    linked: Sequence[LinkedEnvironment],
    results: Sequence[EnvironmentResult],
    written: Mapping[str, str],
    shares: Shares | None = None,
) -> None:
    """Keep what a build of all environments saw and wrote.

    A build with warnings is never "nothing to do": they are due again next time. Nor is one that depends on what git
    ignores: what git tells may change by its index, by settings of the machine, or by files above the project.

    Args:
        look: the project's folder as it was before the build.
        project: what was built.
        inputs: all that was read for it.
        linked: every environment.
        results: what was done to their folders.
        written: the folder below each of them that was put there anew, empty for all of it; others are as they were.
        shares: the processes of the build, which look at what they wrote.
    """
    built = {CHART_FOLDER, *(environment.environment for environment in linked)}
    kept = [result for result in results if result.environment in built]
    if shares is not None:
        shares.look([_folder(look, result) for result in kept if written.get(result.environment) == ""])
    warned = any(result.warnings for result in results)
    private = project.private_files()
    racy = racy_inputs(look.root, inputs, look.began)
    beside = sorted(fixed_files(project))
    further = [path for path in inputs.paths() if path.partition("/")[0] not in INPUT_FOLDERS]
    inputs.release()
    look.inputs.release()
    looked = shares.seen() if shares is not None else {}
    outputs: dict[str, Files] = {}
    for result in kept:
        found = _written(look, result, written, looked)
        if found is None:
            return
        found.release()
        outputs[result.environment] = found
    save(
        look,
        Snapshot(
            counts={} if warned or project.asks_git else {result.environment: result.resources for result in kept},
            racy={path: _NEVER if path in private else checksum for path, checksum in racy.items()},
            further=further,
            beside=beside,
            inputs=inputs,
            folders=look.steady_folders(),
            outputs=outputs,
        ),
    )


def _with_digests(seen: Files, look: Look, read: Mapping[str, str], private: frozenset[str]) -> Files | None:
    """Inputs with the digests of what was read now, or at the last build if they did not change since."""
    known = look.snapshot.inputs if look.snapshot is not None else None
    if known is None or look.changed is None or known.names != seen.names or private:
        digests = [read.get(path) or look.known_digest(path) for path in seen.paths()]
        return seen.with_digests([
            "" if path in private else digest for path, digest in zip(seen.paths(), digests, strict=True)
        ])
    again = dict.fromkeys(look.changed, "")
    again.update({path: digest for path, digest in read.items() if path in seen})
    return known.edited(seen.stats, again)


def _folder(look: Look, result: EnvironmentResult) -> str:
    return f"{look.target}/{result.environment}"


def _written(
    look: Look, result: EnvironmentResult, written: Mapping[str, str], looked: dict[str, Files]
) -> Files | None:
    """The files of one folder; None when somebody took one away already.

    What was not written is as the build found it: who changed it meanwhile made its stat another one.
    """
    plan = result.plan
    below = written.get(result.environment)
    revised = _revised(look, result, below)
    if revised is not None:
        return revised
    digests = dict(plan.digests.items()) | {INDEX_NAME: digest(plan.new_index)}
    before = plan.seen or NO_FILES
    if below is None and len(before) == len(digests) and all(path in digests for path in before.paths()):
        return before.with_digests([digests[path] for path in before.paths()])
    folder = _folder(look, result)
    whole = looked.pop(folder, None) or outputs_in(folder) if below == "" else None
    if whole is not None and len(whole) == len(digests) and all(path in digests for path in whole.paths()):
        return whole.with_digests([digests[path] for path in whole.paths()])
    found = whole.seen() if whole is not None else before.seen()
    if below:
        found.forget(below)
        found.forget(INDEX_NAME)
        found.look_below(folder, (below,), is_output=True)
        found.look_for(folder, [path for path in (below, INDEX_NAME) if path in digests])
        if below in digests:
            found.arrange(folder, below.rpartition("/")[0])
    files = found.files()
    if strangers := {*files.paths()} - digests.keys():
        for path in strangers:
            found.forget(path)
        files = found.files()
    return files.with_digests([digests[path] for path in files.paths()]) if len(files) == len(digests) else None


def _revised(look: Look, result: EnvironmentResult, below: str | None) -> Files | None:
    """The files of a folder of which one was replaced at most; None where more may have happened to it."""
    plan, digests = result.plan, result.plan.digests
    if not isinstance(digests, RevisedDigests) or plan.new_index != plan.index_now:
        return None
    if below is None and not digests.changed:
        return digests.before
    if below is None or digests.changed.keys() != {below}:
        return None
    return renewed(digests.before, _folder(look, result), below, digests[below])


def _inputs(look: Look, project: Project) -> Files | None:
    """The inputs with the files outside of the input folders that turned out to be read, or looked for in vain.

    Nobody looked at those before the build: None when one of them may have changed since it was read.
    """
    further = [path for path in sorted(project.further_inputs()) if path not in look.inputs]
    if not further:
        return look.inputs
    found = look.inputs.seen()
    for path in further:
        numbers = numbers_of(f"{look.root}/{path}")
        is_there = numbers[2] >= 0
        if is_there and numbers[1] >= look.began:
            return None
        if is_there or path.partition("/")[0] not in INPUT_FOLDERS:
            found.add(path, numbers)
    return found.files()
