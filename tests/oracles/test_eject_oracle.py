"""What `envc eject` writes, kustomize renders to the same objects."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcompile.adopt import from_kustomize, from_manifests
from envcompile.adopt.eject import eject
from envcompile.cli import main
from envcompile.units.project import Project
from tests.oracles.test_adopt_oracle import CORPORA as KUSTOMIZE
from tests.units.test_suffix import project

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ROOT.parent / "shared" / "corpora" / "environments"


pytestmark = pytest.mark.usefixtures("kustomize_on_path")


def test_the_shop_leaves_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All environments of this repository: sealed Secrets go as SealedSecrets, what is common is in base."""
    assert main(["--project", str(ROOT), "eject", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out
    assert "proven: kustomize renders what the environments are" in told
    names = {path.name for path in (tmp_path / "out" / "overlays").iterdir()}
    assert names == {"dev", "test", "staging", "prod"}
    assert list((tmp_path / "out" / "base").rglob("deployment-*.yaml"))
    assert "kind: SealedSecret" in "".join(
        path.read_text(encoding="utf-8") for path in (tmp_path / "out").rglob("sealedsecret-*.yaml")
    )


@pytest.mark.corpora
@pytest.mark.parametrize(
    "case",
    [
        "argo-cd",
        "bank-of-anthos",
        "id-konflux-kite",
        "infra-deployments",
        "ingress-nginx",
        "online-boutique",
        "podinfo",
        "sock-shop",
        "tekton",
        "train-ticket",
    ],
)
def test_a_repository_that_came_leaves_as_it_was(case: str, tmp_path: Path) -> None:
    """Brought over, and ejected again."""
    if not ENVIRONMENTS.is_dir():
        pytest.skip(f"the corpora are not at {ENVIRONMENTS}")
    assert from_manifests(ENVIRONMENTS / case, tmp_path / "new").is_equal
    there = Project.open(tmp_path / "new")
    found = eject(there, there.environments, tmp_path / "out")
    assert [str(each) for each in found.differences] == []
    assert found.is_proven


@pytest.mark.corpora
@pytest.mark.parametrize(
    "tree",
    [
        "GoogleCloudPlatform-microservices-demo/kustomize",
        "GoogleCloudPlatform-bank-of-anthos/iac/acm-multienv-cicd-anthos-autopilot",
        "fluxcd-flux2-kustomize-helm-example",
        "kubernetes-sigs-kustomize/examples/ldap",
    ],
)
def test_a_kustomize_tree_that_came_leaves_as_it_was(tree: str, tmp_path: Path) -> None:
    """With components, custom kinds, generators and prefixes."""
    if not KUSTOMIZE.is_dir():
        pytest.skip(f"the corpora are not at {KUSTOMIZE}")
    assert from_kustomize(KUSTOMIZE / tree, tmp_path / "new").is_equal
    there = Project.open(tmp_path / "new")
    assert [str(each) for each in eject(there, there.environments, tmp_path / "out").differences] == []


ROLE = (
    "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: web}\n"
    "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: web}\n"
    "subjects: [{kind: ServiceAccount, name: web}, {kind: ServiceAccount, name: default, namespace: other}]\n"
)
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: "
THING = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t}\nspec: "
WEB = (
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web.x}\nspec:\n  selector: {matchLabels: {app: web}}\n"
    "  template:\n    metadata: {labels: {app: web}}\n"
    "    spec:\n      containers:\n"
    "      - {name: web, image: 'web:v1', ports: [{containerPort: 80}, {containerPort: 81}]}\n"
)


def test_what_kustomize_gives_a_namespace_stands_around_it(tmp_path: Path) -> None:
    """Namespaces by their names, services of definitions, and kinds of operators that are in no namespace."""
    webhook = "{strategy: Webhook, webhook: {clientConfig: {service: {name: w, namespace: other}}}}"
    project(
        tmp_path / "p",
        {
            "base/web/c.yaml": f"{CONFIG}{{a: b}}\n",
            "base/web/more.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: one}\n---\n"
            "apiVersion: v1\nkind: Namespace\nmetadata: {name: two}\n---\n"
            "apiVersion: cert-manager.io/v1\nkind: ClusterIssuer\nmetadata: {name: i}\nspec: {selfSigned: {}}\n---\n"
            "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: as.example.com}\n"
            f"spec: {{group: example.com, scope: Namespaced, names: {{kind: A, plural: as}}, conversion: {webhook},\n"
            "  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]}\n",
            "overlays/dev/environment.yaml": "apiVersion: envcompile.dev/v1\nkind: Environment\nnamespace: dev\n",
            "overlays/prod/environment.yaml": "apiVersion: envcompile.dev/v1\nkind: Environment\nnamespace: prod\n",
        },
        "",
    )
    there = Project.open(tmp_path / "p")
    found = eject(there, there.environments, tmp_path / "out")
    assert [str(each) for each in found.differences] == []
    assert found.objects == {"dev": 5, "prod": 5}


def test_what_kustomize_reads_otherwise_is_written_otherwise(tmp_path: Path) -> None:
    """New items of lists, lists with two keys, nulls, bindings, custom kinds: JSON patches or whole objects."""
    project(
        tmp_path / "p",
        {
            "base/web/web.yaml": WEB,
            "base/web/role.yaml": ROLE,
            "base/web/c.yaml": CONFIG + "{app.properties: 'a=1'}",
            "base/web/x.yaml": THING + "{list: [{name: a, x: 1}]}",
            "overlays/dev/environment.yaml": "apiVersion: envcompile.dev/v1\nkind: Environment\nnamespace: dev\n",
            "overlays/prod/web.yaml": WEB.replace("v1'", "v2'").replace("containerPort: 81", "containerPort: 82"),
            "overlays/prod/side.yaml": WEB.replace("name: web, ", "name: side, "),
            "overlays/prod/c.yaml": CONFIG + "{app.properties: 'b=2', z: ''}",
            "overlays/prod/x.yaml": THING + "{list: [{name: b}], y: 1.5}",
        },
        "",
    )
    there = Project.open(tmp_path / "p")
    found = eject(there, there.environments, tmp_path / "out")
    assert [str(each) for each in found.differences] == []
    assert found.objects == {"dev": 4, "prod": 4}
