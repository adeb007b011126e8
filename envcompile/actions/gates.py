"""What a commit holds, compared with what its own sources say: the gate before a commit and before a push."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from envcompile.actions.build import link_all
from envcompile.actions.charting import chart_bundle
from envcompile.actions.outputs import Outputs, Texts
from envcompile.actions.refused import report_refused
from envcompile.actions.results import CHART_FOLDER, EnvironmentResult
from envcompile.emit.index import INDEX_NAME
from envcompile.emit.manifests import bundle_of
from envcompile.emit.stored import plan_stored
from envcompile.errors import EnvcError, Problems
from envcompile.git.trees import StoredTree

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from envcompile.units.project import Project

OUTPUT = "environments"


def check_stored(project: Project, wanted: Sequence[str], *, with_chart: bool = True) -> list[EnvironmentResult] | None:
    """Compile a tree that git holds, and compare it with `environments/` of the same tree.

    Args:
        project: the project as the index or a commit holds it.
        wanted: environments as the user named them; none means all, and the chart.
        with_chart: compare the Helm chart, too, when envc.yaml asks for one.

    Returns:
        What a build would do; None when the tree has no `environments/`, so that nothing of it can be stale.

    Raises:
        UsageError: there is no such environment.
        EnvcError: what is wrong with the sources; they are compiled in any case.
    """
    tree = project.tree
    if not isinstance(tree, StoredTree):
        raise TypeError("a folder is compared by a build")
    chosen = project.choose(wanted)
    try:
        linked = link_all(project, chosen)
        refused = Problems()
        report_refused(project, linked, refused)
        refused.raise_any()
    except EnvcError as error:
        problems = Problems()
        for problem in error.problems:
            what = f"{tree.name} does not compile: {problem.what}"
            problems.add(what, problem.fix, *problem.where, trace=problem.trace)
        problems.raise_any()
        raise
    texts = Texts()
    made = [Outputs(environment, texts) for environment in linked]
    results = None
    if tree.exists(OUTPUT):
        results = [_result(tree, outputs.linked.environment, outputs, outputs.linked.warnings) for outputs in made]
        if not wanted:
            results += _orphans(project, tree)
            if with_chart and project.settings.chart is not None:
                chart = chart_bundle(project, project.settings.chart, linked, None)
                folder, count = f"{OUTPUT}/{CHART_FOLDER}", len(chart.bundle.digests)
                compared = plan_stored(tree, folder, chart.bundle)
                results.append(EnvironmentResult(CHART_FOLDER, Path(folder), count, compared, chart.warnings))
    for outputs in made:
        outputs.remember()
    project.save_memo()
    return results


def _result(tree: StoredTree, name: str, made: Outputs, warnings: tuple[str, ...]) -> EnvironmentResult:
    folder = f"{OUTPUT}/{name}"
    compared = plan_stored(tree, folder, made.bundle)
    return EnvironmentResult(name, Path(folder), len(made.digests_of_texts), compared, warnings)


def _orphans(project: Project, tree: StoredTree) -> Iterator[EnvironmentResult]:
    """The folders of environments that are no more."""
    known = {*project.environments, *([CHART_FOLDER] if project.settings.chart is not None else [])}
    names = {path.partition("/")[0] for path in tree.everything(OUTPUT) if "/" in path}
    for name in sorted(names - known):
        folder = f"{OUTPUT}/{name}"
        if tree.is_file(f"{folder}/{INDEX_NAME}"):
            compared = plan_stored(tree, folder, bundle_of(name, {}), gone=True)
            yield EnvironmentResult(name, Path(folder), 0, compared, ())
