"""Keeping what a build saw, so that the next one does only what is left to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.actions import freshness
from envcompile.actions.results import CHART_FOLDER
from envcompile.emit.index import INDEX_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from envcompile.actions.project import CompiledEnvironment
    from envcompile.actions.results import EnvironmentResult


def remember(
    look: freshness.Look,
    compiled: Sequence[CompiledEnvironment],
    results: Sequence[EnvironmentResult],
    crds: Iterable[str],
) -> None:
    """Keep what a build of all environments saw and wrote.

    A build with warnings is not kept: they are due again next time.

    Args:
        look: the project's folder as it was before the build.
        compiled: every environment.
        results: what was done to their folders.
        crds: the files and folders that `crds:` of envc.yaml names.
    """
    if any(result.warnings for result in results):
        return
    inputs = _with_further(look, compiled, crds)
    if inputs is None:
        return
    built = {CHART_FOLDER, *(environment.compiled.environment for environment in compiled)}
    kept = [result for result in results if result.environment in built]
    outputs = _stat_outputs(look.target, kept)
    if outputs is None:
        return
    readers: dict[str, tuple[str, ...]] = {}
    for result in kept:
        for path, resource in result.plan.bundle.sources.items():
            readers[f"{result.environment}/{path}"] = tuple(
                dict.fromkeys(step.document.source.path for step in resource.steps if step.document is not None)
            )
    if not _is_local(compiled):
        readers = {}
    names = tuple(result.environment for result in kept)
    resources = sum(len(environment.compiled.resources) for environment in compiled)
    record = freshness.Record(
        inputs=inputs,
        outputs=outputs,
        environments=names,
        racy=freshness.racy_inputs(look.root, inputs, look.began),
        summary=f"{len(compiled)} environments, {resources} resources: nothing to do",
        readers=readers,
        plain=tuple(_plain_files(compiled)),
    )
    freshness.save(look.root, look.key, record, look.tag)


def _with_further(
    look: freshness.Look, compiled: Sequence[CompiledEnvironment], crds: Iterable[str]
) -> dict[str, freshness.Stat] | None:
    """The inputs with the files outside of the input folders that turned out to be read, or looked for in vain.

    Nobody looked at those before the build: None when one of them may have changed since it was read.
    """
    read = {path for one in compiled for files in one.composed.sources.dependencies.values() for path in files}
    inputs = dict(look.inputs)
    for path in {*read, *crds} - inputs.keys():
        stat = freshness.stat_file(f"{look.root}/{path}")
        if stat is not None and stat[0] >= look.began:
            return None
        if stat is not None:
            inputs[path] = stat
        elif path.partition("/")[0] not in freshness.INPUT_FOLDERS:
            inputs[path] = freshness.ABSENT
    return inputs


def _stat_outputs(target: str, results: Iterable[EnvironmentResult]) -> dict[str, tuple[int, int, int, str]] | None:
    """The files of the environments as they are on disk, with their digests; None when one of them is gone already."""
    outputs: dict[str, tuple[int, int, int, str]] = {}
    for result in results:
        found = freshness.scan(target, [result.environment], hidden=True)
        digests = {**result.plan.digests, INDEX_NAME: ""}
        for path, digest in digests.items():
            stat = found.get(f"{result.environment}/{path}")
            if stat is None:
                return None
            outputs[f"{result.environment}/{path}"] = (*stat, digest)
    return outputs


def _is_local(compiled: Iterable[CompiledEnvironment]) -> bool:
    """Tell whether a resource depends on its own files and the environment's settings alone.

    A checksum of configuration in the pod template makes workloads depend on ConfigMaps and Secrets, and sync waves
    follow from all references.
    """
    return not any(
        environment.composed.sources.settings.rollout == "checksum" or environment.composed.sources.settings.sync_waves
        for environment in compiled
    )


def _plain_files(compiled: Iterable[CompiledEnvironment]) -> set[str]:
    """The files with nothing but ordinary resources: a change of theirs reaches only what they name."""
    plain: set[str] = set()
    special: set[str] = set()
    for environment in compiled:
        for layer in environment.composed.sources.layers:
            special.update(patch.document.source.path for patch in layer.patches)
            for document in layer.documents:
                path = document.source.path
                if document.generated or document.value.get("kind") == "CustomResourceDefinition":
                    special.add(path)
                else:
                    plain.add(path)
    return plain - special
