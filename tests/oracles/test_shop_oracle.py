"""Our own shop, as it is compiled for each environment, is accepted by a real API server.

The server validates every object strictly, unknown fields included, and so does each operator's own definition of its
custom resources.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from envcompile import yamlio
from tests.harness.command import run_envc
from tests.oracles.cluster import install_crds
from tests.oracles.operators import definition_files

if TYPE_CHECKING:
    from tests.oracles.cluster import Cluster
    from tests.oracles.tools import Result

ROOT: Final = Path(__file__).parents[2]
ENVIRONMENTS: Final = ("dev", "test", "staging", "prod")


def _compiled(environment: str) -> list[dict[str, Any]]:
    outcome = run_envc(ROOT, "build", environment, "--stdout")
    assert outcome.code == 0, outcome.err
    return [value for value in yamlio.load_all(outcome.out.encode(), "environment") if value is not None]


def _stream(values: list[dict[str, Any]]) -> str:
    return "---\n".join(map(yamlio.dump, values))


def _dry_run(cluster: Cluster, values: list[dict[str, Any]]) -> Result:
    # --force-conflicts: a namespace that was made for the test is there already.
    words = ("apply", "--server-side", "--dry-run=server", "--force-conflicts", "-f", "-")
    return cluster.kubectl(*words, stdin=_stream(values))


@pytest.fixture(scope="module")
def shop(kube_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """The objects of each environment, with their namespaces and custom resources ready in the cluster."""
    compiled = {environment: _compiled(environment) for environment in ENVIRONMENTS}
    own = [value for value in compiled["prod"] if value["kind"] == "CustomResourceDefinition"]
    definitions = tmp_path_factory.mktemp("definitions") / "own.yaml"
    definitions.write_text(_stream(own), encoding="utf-8")
    install_crds(kube_cluster, [*definition_files(), definitions])
    namespaces = [value for values in compiled.values() for value in values if value["kind"] == "Namespace"]
    assert len(namespaces) == len(ENVIRONMENTS)
    kube_cluster.apply(_stream(namespaces)).expect_success()
    return compiled


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_api_server_accepts_every_object_of_an_environment(
    environment: str, kube_cluster: Cluster, shop: dict[str, list[dict[str, Any]]]
) -> None:
    """Each object is answered for, none is refused, and the server has no warning about any."""
    values = shop[environment]
    said = _dry_run(kube_cluster, values)
    assert said.ok, said.stderr
    assert said.stderr == ""
    assert len(said.stdout.splitlines()) == len(values)


def test_a_field_that_no_kind_knows_is_refused(kube_cluster: Cluster, shop: dict[str, list[dict[str, Any]]]) -> None:
    """Else the test above would prove nothing: the server judges built-in kinds and each operator's."""
    kinds = ("Deployment", "SealedSecret", "ExternalSecret", "ScaledObject", "VerticalPodAutoscaler", "Certificate")
    everything = [value for values in shop.values() for value in values]
    values = [next(value for value in everything if value["kind"] == kind) for kind in kinds]
    wrong = [{**value, "spec": {**value["spec"], f"unheardOf{value['kind']}": "x"}} for value in values]
    said = _dry_run(kube_cluster, wrong)
    assert [kind for kind in kinds if f"unheardOf{kind}" not in said.stderr] == []
    assert said.stdout == ""
