"""What `envc argocd` writes beside the obvious: what is permitted, and what taking things away may delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.yamlio import load_all
from tests.harness.command import run_envc
from tests.harness.repository import config_map, environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

REPO = "https://git.example.com/team/shop.git"
ISSUER = "apiVersion: cert-manager.io/v1\nkind: ClusterIssuer\nmetadata: {name: acme}\nspec: {selfSigned: {}}\n"
ROLE = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: 'view*:web'}\nrules: []\n"


def spec(root: Path, *arguments: str) -> dict[str, Any]:
    """The spec of what a command prints."""
    done = run_envc(root, "argocd", *arguments, "--repo", REPO)
    assert (done.code, done.err) == (0, "")
    (value,) = load_all(done.out.encode(), "stdout")
    found: dict[str, Any] = value["spec"]
    return found


def test_a_set_deletes_nothing_that_runs_unless_it_is_automated(make_project: MakeProject) -> None:
    """Argo CD's own default deletes all resources of an Application whose folder has gone from the commit."""
    root = make_project({"base/a.yaml": config_map(), "overlays/dev/environment.yaml": environment()})
    assert spec(root, "appset")["syncPolicy"] == {"preserveResourcesOnDeletion": True}
    assert "syncPolicy" not in spec(root, "appset", "--automated")


def test_the_project_permits_the_applications_own_place(make_project: MakeProject) -> None:
    """Also where no compiled resource names a namespace, or all are in another one."""
    elsewhere = config_map().replace("name: settings", "name: settings\n  namespace: kube-system")
    root = make_project({
        "overlays/dev/environment.yaml": environment(),
        "overlays/dev/a.yaml": config_map(),
        "overlays/prod/environment.yaml": environment("namespace: prod\n"),
        "overlays/prod/a.yaml": elsewhere,
    })
    cluster = {"server": "https://kubernetes.default.svc"}
    found = spec(root, "project")
    assert found["destinations"] == [
        {**cluster, "namespace": "default"},
        {**cluster, "namespace": "kube-system"},
        {**cluster, "namespace": "prod"},
    ]
    for name in ("dev", "prod"):
        assert spec(root, "app", name)["destination"] in found["destinations"]


def test_the_project_names_each_cluster_wide_resource(make_project: MakeProject) -> None:
    """Of known kinds and of unknown ones that are in no namespace; a name is a pattern to Argo CD."""
    root = make_project({
        "base/issuer.yaml": ISSUER,
        "base/role.yaml": ROLE,
        "base/settings.yaml": config_map(),
        "overlays/dev/environment.yaml": environment("namespace: dev\n"),
    })
    assert spec(root, "project")["clusterResourceWhitelist"] == [
        {"group": "", "kind": "Namespace", "name": "dev"},
        {"group": "cert-manager.io", "kind": "ClusterIssuer", "name": "acme"},
        {"group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": r"view\*:web"},
    ]
