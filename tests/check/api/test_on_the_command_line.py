"""What the API server refuses, as `envc check` and `envc build` say it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.harness.command import run_envc
from tests.harness.repository import commit, environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

DEV = environment("namespace: dev\n")
WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1}}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: app, image: "x:1", env: [{name: A, value: "1"}]}
      volumes: [{name: v, emptyDir: {}}]
"""
PATCH = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  strategy: {type: Recreate}
  template:
    spec:
      containers:
      - name: app
        env: [{name: A, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]
      volumes: [{name: v, hostPath: {path: /x}}]
"""


def _errors(root: Path, *arguments: str) -> list[str]:
    outcome = run_envc(root, "check", *arguments)
    return [line for line in outcome.out.splitlines() if " error " in line]


def test_case_check_misses_what_api_refuses(make_project: MakeProject) -> None:
    """At the source line; where merging made it, with the place of the other field, too."""
    names = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Bad_Name}\ndata: {"a b": c}\nbinaryData: {k: "###"}\n'
    root = make_project({
        "envc.yaml": "environments: [dev]\n",
        "base/a/web.yaml": WEB,
        "base/a/names.yaml": names,
        "overlays/dev/environment.yaml": DEV,
        "overlays/dev/patch.yaml": PATCH,
    })
    assert _errors(root) == [
        (
            "base/a/names.yaml:3:18: error schema: `metadata.name` is no DNS name: lower-case letters, digits, "
            "and `-` and `.` inside"
        ),
        (
            "base/a/names.yaml:4:15: error schema: the key `a b` in `data` is no key of a ConfigMap or Secret: "
            "letters, digits, `-`, `_` and `.`"
        ),
        "base/a/names.yaml:5:17: error schema: `k` is not base64",
        (
            "base/a/web.yaml:6:35: error schema: `rollingUpdate` cannot be there for `type: Recreate` "
            "(`type` is from overlays/dev/patch.yaml:5)"
        ),
        (
            "overlays/dev/patch.yaml:10:25: error schema: `valueFrom` and `value` stand beside each other: only one "
            "may be there (`value` is from base/a/web.yaml:12)"
        ),
        (
            "overlays/dev/patch.yaml:11:27: error schema: `hostPath` and `emptyDir` stand beside each other: only one "
            "may be there (`emptyDir` is from base/a/web.yaml:13)"
        ),
    ]


def test_case_kind_typo_of_a_builtin_group_passes(make_project: MakeProject) -> None:
    """Kubernetes' groups have no CRDs: a kind that its version lacks there can only be wrong."""
    root = make_project({
        "envc.yaml": "environments: [dev]\n",
        "base/a/web.yaml": WEB.replace("kind: Deployment", "kind: Deploymnet"),
        "overlays/dev/environment.yaml": DEV,
        "overlays/dev/service.yaml": "apiVersion: v1\nkind: Servce\nmetadata: {name: web}\n",
    })
    first = "no kind Deploymnet in `apps/v1`\n  --> base/a/web.yaml:2:7\nhint: did you mean `Deployment`?"
    second = "no kind Servce in `v1`\n  --> overlays/dev/service.yaml:2:7\nhint: did you mean `Service`?"
    for command in ("build", "check"):
        outcome = run_envc(root, command, "dev")
        assert outcome.code == 1
        assert first in outcome.err
        assert second in outcome.err


def test_a_kind_that_is_gone_is_an_error_of_the_check(make_project: MakeProject) -> None:
    """No kind is near: the build leaves it to the check, which knows what is gone."""
    root = make_project({
        "envc.yaml": "environments: [dev]\n",
        "base/a/psp.yaml": "apiVersion: policy/v1beta1\nkind: PodSecurityPolicy\nmetadata: {name: a}\nspec: {}\n",
        "overlays/dev/environment.yaml": DEV,
    })
    assert run_envc(root, "build").code == 0
    assert any("PodSecurityPolicy" in line for line in _errors(root))


def test_case_istio_ca_root_cert(make_project: MakeProject) -> None:
    """Istiod puts it into every namespace."""
    volume = "{name: v, configMap: {name: istio-ca-root-cert}}"
    root = make_project({
        "envc.yaml": "environments: [dev]\n",
        "base/a/web.yaml": WEB.replace("{name: v, emptyDir: {}}", volume),
        "overlays/dev/environment.yaml": DEV,
    })
    assert _errors(root) == []


def test_case_sealing_keys_no_namespace(make_project: MakeProject) -> None:
    """A RoleBinding that names no namespace is not one in kube-system, nor in all of them."""
    binding = (
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: admins}\n"
        "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: admin}\n"
        "subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: team}]\n"
    )
    sealed = {"apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "metadata": {"name": "a"}}
    root = make_project({
        "envc.yaml": "environments: [dev]\n",
        "base/a/binding.yaml": binding,
        "base/a/sealed.yaml": json.dumps({**sealed, "spec": {"encryptedData": {}}}),
        "overlays/dev/environment.yaml": environment(),
    })
    assert "sealing-keys" not in run_envc(root, "check").out
    (root / "base/a/binding.yaml").write_text(binding.replace("RoleBinding", "ClusterRoleBinding"))
    assert "sealing-keys-readable" in run_envc(root, "check").out
    (root / "base/a/sealed.yaml").unlink()
    assert "sealing-keys" not in run_envc(root, "check").out, "nothing is sealed"


def test_case_operator_made_pods(make_project: MakeProject) -> None:
    """A NetworkPolicy for pods that a custom resource makes is no warning."""
    policy = (
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: hooks}\n"
        "spec: {podSelector: {matchLabels: {eventlistener: hooks}}, policyTypes: [Ingress]}\n"
    )
    listener = "apiVersion: triggers.tekton.dev/v1beta1\nkind: EventListener\nmetadata: {name: hooks}\nspec: {}\n"
    root = make_project({
        "envc.yaml": "environments: [dev]\n",
        "base/a/policy.yaml": policy,
        "base/a/listener.yaml": listener,
        "overlays/dev/environment.yaml": DEV,
    })
    assert "warning netpol-dangling" not in run_envc(root, "check").out
    (root / "base/a/listener.yaml").unlink()
    assert "warning netpol-dangling" in run_envc(root, "check").out


def test_a_hidden_secret_is_judged_all_the_same(make_project: MakeProject) -> None:
    """Values in clear are not shown to rules, and what is wrong with their form is found."""
    secret = (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: pull}\ntype: kubernetes.io/dockerconfigjson\n"
        'stringData: {.dockerconfigjson: "{\\"auths\\": {}}"}\n'
    )
    root = make_project({
        "envc.yaml": "environments: [dev]\n",
        "base/a/secret.yaml": secret,
        "overlays/dev/environment.yaml": DEV + "secretBackend: plaintext\n",
    })
    assert [line for line in _errors(root) if " schema" in line] == []
    (root / "base/a/secret.yaml").write_text(secret.replace("{\\", "[\\"))
    assert [line for line in _errors(root) if " schema" in line]


def test_a_change_of_what_cannot_change_is_found_against_the_last_build(make_project: MakeProject) -> None:
    """Compiled manifests in the folder, then those of HEAD, then those of a commit that is named."""
    root = make_project({
        "envc.yaml": "environments: [dev]\n",
        "base/a/web.yaml": WEB,
        "overlays/dev/environment.yaml": DEV,
    })
    run_envc(root, "build")
    assert _errors(root) == []
    (root / "base/a/web.yaml").write_text(WEB.replace("app: web", "app: shop"))
    due = [
        "base/a/web.yaml:7:3: error immutable-field: `spec.selector` cannot be changed once the object is there",
    ]
    assert _errors(root) == due
    (root / "base/a/web.yaml").write_text(WEB)
    commit(root)
    (root / "base/a/web.yaml").write_text(WEB.replace("app: web", "app: shop"))
    run_envc(root, "build")
    assert _errors(root) == due
    commit(root)
    assert _errors(root) == []
    assert _errors(root, "--since", "HEAD~1") == due


def test_a_commit_that_is_not_there_is_said(make_project: MakeProject) -> None:
    """Exit 2, as for every wrong argument."""
    root = make_project({
        "envc.yaml": "environments: [dev]\n",
        "base/a/web.yaml": WEB,
        "overlays/dev/environment.yaml": DEV,
    })
    commit(root)
    assert run_envc(root, "check", "--since", "nope").code == 2
