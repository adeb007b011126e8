"""What `envc argocd` writes is accepted by an API server that has Argo CD's own definitions.

The definitions are those of the Go module github.com/argoproj/argo-cd/v3; `go mod download` of it brings them here.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.harness.command import run_envc
from tests.oracles.cluster import install_crds

if TYPE_CHECKING:
    from tests.oracles.cluster import Cluster

SHOP: Final = Path(__file__).parents[2]
VERSION: Final = "v3.6.1"
# Read while pytest collects: each test runs with a HOME of its own.
MODULES: Final = Path(
    os.environ.get("GOMODCACHE") or Path(os.environ.get("GOPATH") or Path.home() / "go") / "pkg" / "mod"
)
DEFINITIONS: Final = MODULES / f"github.com/argoproj/argo-cd/v3@{VERSION}/manifests/crds"
REPO: Final = ("--repo", "https://git.example.com/shop.git", "--argocd-namespace", "default")

pytestmark = pytest.mark.skipif(
    not DEFINITIONS.is_dir(), reason=f"not there: `go mod download github.com/argoproj/argo-cd/v3@{VERSION}`"
)


@pytest.fixture(scope="module")
def cluster(kube_cluster: Cluster) -> Cluster:
    """The API server with Argo CD's definitions."""
    install_crds(kube_cluster, sorted(DEFINITIONS.glob("*-crd.yaml")))
    return kube_cluster


@pytest.mark.parametrize(
    "arguments",
    [
        ("app", "prod", *REPO),
        ("app", "dev", *REPO, "--automated"),
        ("app", "staging", *REPO, "--plugin"),
        ("appset", *REPO),
        ("project", *REPO),
    ],
    ids=" ".join,
)
def test_the_api_server_accepts_what_is_written(cluster: Cluster, arguments: tuple[str, ...]) -> None:
    """A server-side dry-run with strict field validation: no unknown field, no wrong type."""
    done = run_envc(SHOP, "argocd", *arguments)
    assert done.code == 0
    answer = cluster.apply(done.out, dry_run=True)
    assert answer.ok, answer.stderr
    assert "unknown field" not in answer.stderr


def test_the_api_server_refuses_a_slip(cluster: Cluster) -> None:
    """The check can fail."""
    text = run_envc(SHOP, "argocd", "app", "prod", *REPO).out
    answer = cluster.apply(text.replace("recurse: true", "recurse: often"), dry_run=True)
    assert not answer.ok
