"""`envc check` says what the cluster's admission policies and the rules of custom kinds would say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness.command import run_envc
from tests.harness.repository import deployment, environment

if TYPE_CHECKING:
    from tests.conftest import MakeProject

POLICY = """\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: few-replicas}
spec:
  paramKind: {apiVersion: v1, kind: ConfigMap}
  matchConstraints:
    resourceRules:
    - {apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}
  variables:
  - {name: most, expression: int(params.data.most)}
  validations:
  - expression: object.spec.replicas <= variables.most
    messageExpression: "'at most ' + params.data.most + ' replicas'"
  - expression: oldObject == null || object.spec.replicas >= oldObject.spec.replicas
    message: replicas may only grow
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: few-replicas}
spec:
  policyName: few-replicas
  validationActions: [ACTION]
  paramRef: {name: limits, parameterNotFoundAction: Deny}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: limits}
data: {most: '3'}
"""


def project_with(make: MakeProject, *, replicas: int, action: str = "Deny") -> dict[str, str]:
    """The files of a repository with the policy and a Deployment."""
    del make
    return {
        "envc.yaml": "environments: [prod]\n",
        "overlays/prod/environment.yaml": environment("namespace: shop\n"),
        "base/policies/few.yaml": POLICY.replace("ACTION", action),
        "base/web/deployment.yaml": deployment(replicas=replicas),
    }


@pytest.mark.parametrize(
    ("action", "grade", "code"), [("Deny", "error", 1), ("Warn", "warning", 0), ("Audit", "info", 0)]
)
def test_a_policy_speaks_at_the_line_of_the_object(
    make_project: MakeProject, action: str, grade: str, code: int
) -> None:
    """With the words of the server, and the grade of the binding's action."""
    project = make_project(project_with(make_project, replicas=4, action=action))
    found, out, err = run_envc(project, "check")
    assert found == code, err
    assert f"base/web/deployment.yaml:6:3: {grade} admission-policy: " in out or f": {grade} admission-policy" in out
    assert "with binding 'few-replicas'" in out
    assert "at most 3 replicas" in out


def test_an_update_is_held_against_what_was_compiled(make_project: MakeProject) -> None:
    """A rule about the old object is asked with the last compiled state."""
    files = project_with(make_project, replicas=3)
    project = make_project(files)
    assert run_envc(project, "build")[0] == 0
    (project / "base/web/deployment.yaml").write_text(deployment(replicas=2), encoding="utf-8")
    code, out, _ = run_envc(project, "check")
    assert code == 1
    assert "replicas may only grow" in out


def test_without_the_engine_it_is_said_once(make_project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> None:
    """How to install it is part of the sentence, and nothing counts as passed."""
    for module in ("not_evaluated", "admission_policy", "admission_policy_expression", "custom_kind_rule"):
        monkeypatch.setattr(f"envcompile.check.rules.policies.{module}.is_installed", lambda: False)
    project = make_project(project_with(make_project, replicas=9))
    code, out, _ = run_envc(project, "check")
    assert code == 0
    assert out.count("not-evaluated") == 1
    assert "pip install 'envcompile[policy]'" in out
    assert "admission-policy" not in out
