"""Fixtures that hand the real tools, and clusters made of them, to the tests of this folder."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NoReturn

import pytest

from tests.harness.command import run_envc
from tests.oracles.argo_cd import ArgoCd, running_argocd
from tests.oracles.argo_shop import Followed, follow_shop
from tests.oracles.cluster import Cluster, install_crds, running_cluster
from tests.oracles.laboratory import running_laboratory
from tests.oracles.operators import definition_files
from tests.oracles.sealed_secrets import SealedSecretsController, running_sealed_secrets
from tests.oracles.tools import OracleOnDemandError, OracleUnavailableError, Tools, require, require_all

FOLDER: Final = Path(__file__).parent
# Read while pytest collects: each test runs in a cleaned environment with a HOME of its own, where nothing is built.
LOCATED: Final = Tools.locate(os.environ)
REQUIRED: Final = os.environ.get("ENVC_REQUIRE_ORACLES") == "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, and only those: the hook is given every test of the run."""
    for item in items:
        if item.path.is_relative_to(FOLDER):
            item.add_marker(pytest.mark.oracle)


def unavailable(reason: OracleUnavailableError) -> NoReturn:
    """Skip, or fail where the run promised to have every oracle that is not built on demand."""
    if REQUIRED and not isinstance(reason, OracleOnDemandError):
        pytest.fail(f"ENVC_REQUIRE_ORACLES=1, but {reason}", pytrace=False)
    pytest.skip(str(reason))


def _require_or_skip(check: Callable[[], None]) -> None:
    try:
        check()
    except OracleUnavailableError as reason:
        unavailable(reason)


@pytest.fixture(scope="session")
def oracle_tools() -> Tools:
    """Every real tool; a test that needs one or two of them is better served by that tool's own fixture."""
    _require_or_skip(lambda: require_all(LOCATED))
    return LOCATED


def _single_tool(path: Path) -> Path:
    _require_or_skip(lambda: require(path))
    return path


@pytest.fixture(scope="session")
def cel_admission() -> Path:
    """The API server's own CEL code."""
    return _single_tool(LOCATED.cel_admission)


@pytest.fixture(scope="session")
def hpa_controller() -> Path:
    """The controller of HorizontalPodAutoscalers with a virtual clock; built on demand."""
    return _single_tool(LOCATED.hpa_controller)


@pytest.fixture(scope="session")
def vpa_recommender() -> Path:
    """The recommender of VerticalPodAutoscalers without its feeder; built on demand."""
    return _single_tool(LOCATED.vpa_recommender)


@pytest.fixture(scope="session")
def kustomize() -> Path:
    """The real kustomize."""
    return _single_tool(LOCATED.kustomize)


@pytest.fixture(scope="session")
def helm3() -> Path:
    """The real Helm 3."""
    return _single_tool(LOCATED.helm3)


@pytest.fixture(scope="session")
def helm4() -> Path:
    """The real Helm 4."""
    return _single_tool(LOCATED.helm4)


@pytest.fixture(scope="session")
def registry() -> Path:
    """A real registry of OCI artifacts."""
    return _single_tool(LOCATED.registry)


@pytest.fixture(scope="session")
def kubeseal() -> Path:
    """The real kubeseal."""
    return _single_tool(LOCATED.kubeseal)


@pytest.fixture(scope="session")
def kubeconform() -> Path:
    """The real kubeconform; it downloads schemas unless it is given a local -schema-location."""
    return _single_tool(LOCATED.kubeconform)


@pytest.fixture(scope="session")
def actionlint() -> Path:
    """The real actionlint."""
    return _single_tool(LOCATED.actionlint)


@pytest.fixture(scope="session")
def dyff() -> Path:
    """The real dyff."""
    return _single_tool(LOCATED.dyff)


@pytest.fixture(scope="session")
def sops() -> Path:
    """The real sops."""
    return _single_tool(LOCATED.sops)


@pytest.fixture
def kustomize_on_path(kustomize: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kustomize oracle is the first that envc finds."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "kustomize").symlink_to(kustomize)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")


def _servers(folders: pytest.TempPathFactory) -> Iterator[Cluster]:
    try:
        with running_cluster(LOCATED, folders.mktemp("cluster")) as cluster:
            yield cluster
    except OracleUnavailableError as reason:
        unavailable(reason)


@pytest.fixture(scope="session")
def kube_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A real API server without controllers: validation, dry-runs, custom resources, in a few seconds."""
    yield from _servers(tmp_path_factory)


@pytest.fixture
def empty_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The same for one test alone: nothing is defined in it but what the test defines."""
    yield from _servers(tmp_path_factory)


@pytest.fixture(scope="session")
def sealed_secrets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SealedSecretsController]:
    """A real sealed-secrets controller in a cluster of its own, with Kubernetes' controllers running."""
    try:
        with (
            running_cluster(LOCATED, tmp_path_factory.mktemp("sealed-secrets"), controllers=True) as cluster,
            running_sealed_secrets(cluster) as controller,
        ):
            yield controller
    except OracleUnavailableError as reason:
        unavailable(reason)


@pytest.fixture(scope="session")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster whose pods run and whose usage is measured; its parts are built on demand."""
    try:
        with running_laboratory(LOCATED, tmp_path_factory.mktemp("laboratory"), usage=True) as cluster:
            yield cluster
    except OracleUnavailableError as reason:
        unavailable(reason)


@pytest.fixture(scope="session")
def argocd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ArgoCd]:
    """A real Argo CD with envc's plugin, in a cluster of its own with Kubernetes' controllers running."""
    plugin = run_envc(FOLDER, "argocd", "plugin").out
    try:
        with (
            running_cluster(LOCATED, tmp_path_factory.mktemp("argocd"), controllers=True) as cluster,
            running_argocd(cluster, plugin) as server,
        ):
            yield server
    except OracleUnavailableError as reason:
        unavailable(reason)


@pytest.fixture(scope="session")
def argo_shop(argocd: ArgoCd, tmp_path_factory: pytest.TempPathFactory) -> Followed:
    """The shop in a git repository, with its AppProject, two of its clusters and what its custom resources need."""
    install_crds(argocd.cluster, definition_files())
    argocd.add_cluster("shop-prod", "127.0.0.1")
    argocd.add_cluster("shop-staging", "localhost")
    shop = follow_shop(argocd, tmp_path_factory.mktemp("git") / "shop", "base", "overlays", "environments")
    shop.apply("project")
    shop.apply("app", "prod")
    return shop
