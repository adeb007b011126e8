"""A real repository, brought in with `envc init --from-kustomize`, beside kustomize on the same overlays.

Generated services repeat each other's lines, which flatters any memory of lines; real ones do so less.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.benchmarks.contenders import Envc
from tests.benchmarks.generate_text import yaml_document
from tests.benchmarks.measuring import BenchmarkError, age
from tests.benchmarks.reading import rendered_objects
from tests.benchmarks.targets import CORPUS, Row

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.benchmarks.contenders import Kustomize
    from tests.benchmarks.measuring import Bench, Cost

CORPORA: Final = Path(__file__).parents[3] / "shared" / "corpora" / "kustomize"
NAME: Final = "GoogleCloudPlatform-bank-of-anthos"
ENVIRONMENTS: Final = ("development", "staging", "production")


def corpus_row(bench: Bench, kustomize: Kustomize, runs: int, say: Callable[[str], None]) -> Row | None:
    """Measure the real repository; None, with a line that says why, when that is not possible."""
    source = CORPORA / NAME
    if not source.is_dir():
        say(f"skipped: {NAME} is not beside the repository (../shared/corpora/kustomize)")
        return None
    original = bench.scratch.fresh("corpus")
    copy_environments(source, original)
    adopted = bench.scratch.fresh("adopted") / "envc"
    path = f"{kustomize.binary.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    words = ("init", str(adopted), "--from-kustomize", str(original))
    try:
        bench.run([bench.envc(bench.scratch.folder, *words)], {"PATH": path})
    except BenchmarkError as error:
        say(f"skipped: {NAME} cannot be brought in: {error}")
        return None
    # What init leaves built or remembered would not be a cold start.
    for folder in ("environments", ".envc"):
        shutil.rmtree(adopted / folder, ignore_errors=True)
    age(adopted)
    # After the adoption, which would take them for environments of their own.
    folders = {name: _nested(original, name) for name in ENVIRONMENTS}
    wanted = kustomize.build(bench, folders)
    ours = Envc()
    made = ours.compile(bench, adopted.parent, ENVIRONMENTS)
    counts = [
        sum(len(rendered_objects(*places)) for places in output.values()) for output in (made.output, wanted.output)
    ]
    if counts[0] != counts[1]:
        raise BenchmarkError(f"{NAME}: envc makes {counts[0]} objects, kustomize {counts[1]}")
    say(f"{NAME}: {counts[0]} objects in {len(ENVIRONMENTS)} environments, equal as `envc init` proved")

    def compile_ours() -> Cost:
        return ours.compile(bench, adopted.parent, ENVIRONMENTS).cost

    def compile_theirs() -> Cost:
        return kustomize.build(bench, folders).cost

    return Row.of_pairs(CORPUS, bench.pairs(runs, compile_ours, compile_theirs))


def copy_environments(source: Path, target: Path) -> None:
    """Copy a repository with the overlays of the environments that are measured and no other ones."""

    def other_overlays(folder: str, names: list[str]) -> set[str]:
        return {name for name in names if Path(folder).name == "overlays" and name not in ENVIRONMENTS}

    shutil.copytree(source, target, ignore=other_overlays)


def _nested(original: Path, environment: str) -> Path:
    """One kustomization that lists the overlays of all services: the form that costs kustomize least."""
    folder = original / "nested" / environment
    folder.mkdir(parents=True)
    overlays = sorted(original.rglob(f"overlays/{environment}"))
    listed: dict[str, Any] = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": [os.path.relpath(overlay, folder) for overlay in overlays],
    }
    (folder / "kustomization.yaml").write_text(yaml_document(listed), encoding="utf-8")
    return folder
