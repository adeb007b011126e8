"""`envc compare`: two environments side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.harness.command import run_envc
from tests.harness.repository import config_map, deployment, environment

if TYPE_CHECKING:
    from tests.conftest import MakeProject

BINDING = """apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: read}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: read}
subjects: [{kind: ServiceAccount, name: web, namespace: %s}]
"""


def test_each_environments_own_namespace_counts_as_the_same(make_project: MakeProject) -> None:
    """Resources are matched by kind and name, and only real differences are told."""
    root = make_project({
        "base/web/deployment.yaml": deployment(),
        "overlays/dev/environment.yaml": environment("namespace: shop-dev\n"),
        "overlays/dev/binding.yaml": BINDING % "shop-dev",
        "overlays/prod/environment.yaml": environment("namespace: shop-prod\nreplicas: {web: 3}\n"),
        "overlays/prod/binding.yaml": BINDING % "shop-prod",
        "overlays/prod/extra.yaml": config_map("extra", color="red"),
    })
    done = run_envc(root, "compare", "dev", "prod")
    assert (done.code, done.err) == (16, "")
    assert done.out == (
        "dev -> prod: 1 added, 1 changed; replicas, config\n"
        "+ ConfigMap/extra\n"
        "    + apiVersion: v1\n"
        "    + kind: ConfigMap\n"
        "    + metadata:\n"
        "    +   name: extra\n"
        "    +   namespace: OWN\n"
        "    + data:\n"
        "    +   color: red\n"
        "~ Deployment.apps/web\n"
        "    - spec.replicas: 1\n"
        "    + spec.replicas: 3\n"
    )


def test_equal_environments_exit_0(make_project: MakeProject) -> None:
    """An environment never differs from itself."""
    root = make_project({"base/a.yaml": config_map(), "overlays/dev/environment.yaml": environment("namespace: a\n")})
    done = run_envc(root, "compare", "dev", "dev")
    assert (done.code, done.out, done.err) == (0, "", "nothing differs\n")


def test_unknown_environments_are_refused(make_project: MakeProject) -> None:
    """The nearest name is offered."""
    root = make_project({"base/a.yaml": config_map(), "overlays/dev/environment.yaml": environment()})
    done = run_envc(root, "compare", "dev", "dv")
    assert (done.code, done.err) == (2, "error: there is no environment `dv`\nhint: did you mean `dev`?\n")
