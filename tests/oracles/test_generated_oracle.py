"""A generated repository of a hundred services: envc, kustomize and Helm make the same objects of their forms of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.benchmarks.generate import generate
from tests.benchmarks.generate_forms import Logical
from tests.benchmarks.reading import differences, expected_objects, rendered_objects
from tests.harness.command import run_envc
from tests.oracles.tools import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.benchmarks.reading import Objects

SERVICES = 100
ENVIRONMENTS = ("dev", "test", "staging", "prod")


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository in the forms of the three tools, compiled by envc."""
    folder = tmp_path_factory.mktemp("hundred")
    generate(Logical(SERVICES), folder, ("envc", "kustomize", "helm", "expected"))
    outcome = run_envc(folder / "envc", "build")
    assert outcome.code == 0, outcome.err
    return folder


def _compiled(repository: Path, environment: str) -> Objects:
    found = rendered_objects(repository / "envc" / "environments" / environment)
    assert len(found) == 7 * SERVICES
    return found


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_envc_makes_the_objects_of_kustomize(
    environment: str, repository: Path, kustomize: Path, tmp_path: Path
) -> None:
    """As kubectl reads both; only the order of lists merged by name may differ: kustomize puts patched items first."""
    said = run(kustomize, "build", repository / "kustomize" / "nested" / environment).expect_success()
    file = tmp_path / "kustomize.yaml"
    file.write_text(said.stdout, encoding="utf-8")
    assert differences(rendered_objects(file), _compiled(repository, environment), keyed_order=False) == []


def test_envc_makes_the_objects_of_helm(repository: Path, helm4: Path, tmp_path: Path) -> None:
    """As kubectl reads both, in the same order of every list."""
    values = repository / "helm" / "values-prod.yaml"
    said = run(helm4, "template", "shop", repository / "helm" / "chart", "-f", values).expect_success()
    file = tmp_path / "helm.yaml"
    file.write_text(said.stdout, encoding="utf-8")
    assert differences(rendered_objects(file), _compiled(repository, "prod")) == []


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_envc_makes_the_expected_objects(environment: str, repository: Path) -> None:
    """The generator's own list of what all forms stand for, in the order of the sources."""
    wanted = expected_objects(repository / "expected" / f"{environment}.jsonl")
    assert differences(wanted, _compiled(repository, environment)) == []
