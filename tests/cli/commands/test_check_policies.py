"""`envc check` says what the cluster's admission policies and the rules of custom kinds would say."""

from __future__ import annotations

import importlib.util
import json
from typing import TYPE_CHECKING

import pytest

from envcompile.check.rules.catalogue import RULES
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


BOX = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boxes.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Box, plural: boxes, singular: box, listKind: BoxList}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties: {least: {type: integer}}
            x-kubernetes-validations: [{rule: self.least < 4}]
"""
OWN = "rule: {}\nexpression: object.spec.replicas < 4\nmessage: too many\nfix: fewer\nmatch: {{kinds: [Deployment]}}\n"


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is installed that reads CEL."""
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *more: None if name == "cel_expr_python" else found(name, *more)
    )


def everything_in_cel(make: MakeProject) -> dict[str, str]:
    """A repository with two environments and three applications, each of which CEL speaks of."""
    box = "apiVersion: example.com/v1\nkind: Box\nmetadata: {name: NAME}\nspec: {least: 9}\n"
    return {
        **project_with(make, replicas=9),
        "envc.yaml": "environments: [dev, prod]\n",
        "overlays/dev/environment.yaml": environment("namespace: dev\n"),
        "base/boxes/crd.yaml": BOX,
        "base/web/box.yaml": box.replace("NAME", "red"),
        "base/api/box.yaml": box.replace("NAME", "blue"),
        "base/api/deployment.yaml": deployment("api", replicas=9),
        "checks/few.yaml": OWN.format("few-copies") + "---\n" + OWN.format("fewer-copies"),
    }


@pytest.mark.usefixtures("no_engine")
def test_without_the_engine_it_is_said_once(make_project: MakeProject) -> None:
    """Once a run, own rules, policies and rules of kinds together, with how to install; none counts as passed."""
    project = make_project(everything_in_cel(make_project))
    code, out, err = run_envc(project, "check")
    assert code == 0, err
    assert out.count("not evaluated") == 1
    assert (
        "warning not-evaluated: not evaluated, because nothing here reads CEL: the rules `few-copies`, `fewer-copies`,"
        " 1 admission policy, the rules of `Box`" in out
    )
    assert out.count("hint: pip install 'envcompile[policy]'") == 1
    told = json.loads(run_envc(project, "check", "--format", "json")[1])
    assert [found["rule"] for found in told["findings"]].count("not-evaluated") == 1
    assert not {"few-copies", "custom-kind-rule", "admission-policy"} & {*told["rules"]}
    assert run_envc(project, "check")[1] == out


@pytest.mark.usefixtures("no_engine")
@pytest.mark.parametrize("rule", ["few-copies", "custom-kind-rule", "admission-policy"])
def test_who_selects_a_rule_learns_that_it_is_not_evaluated(make_project: MakeProject, rule: str) -> None:
    """A clean result would say that it passed."""
    project = make_project(everything_in_cel(make_project))
    assert "warning not-evaluated" in run_envc(project, "check", "--select", rule)[1]


@pytest.mark.usefixtures("no_engine")
def test_what_is_left_out_is_not_missed(make_project: MakeProject) -> None:
    """Nothing is said of rules that the settings leave out, nor where nothing is in CEL."""
    in_cel = [rule.id for rule in RULES if rule.in_cel]
    off = f"checks: {{{', '.join(f'{rule}: off' for rule in ('few-copies', 'fewer-copies', *in_cel))}}}\n"
    files = everything_in_cel(make_project)
    project = make_project({**files, "envc.yaml": files["envc.yaml"] + off})
    assert "not evaluated" not in run_envc(project, "check")[1]
    plain = {name: text for name, text in files.items() if name.endswith(("envc.yaml", "ment.yaml"))}
    assert "not evaluated" not in run_envc(make_project(plain, "plain"), "check")[1]


@pytest.mark.usefixtures("no_engine")
@pytest.mark.parametrize(
    ("rule", "what"),
    [
        ("device-selector-cost", "the selectors of `DeviceClass`"),
        ("custom-kind-rule-expression", "the rules of `CustomResourceDefinition`"),
    ],
)
def test_expressions_without_an_object_that_they_judge_are_not_passed(
    make_project: MakeProject, rule: str, what: str
) -> None:
    """Neither selectors of devices, nor a definition with rules in a repository that has none of its kind."""
    documents = next(one.fires for one in RULES if one.id == rule)
    project = make_project({"base/a/a.yaml": documents, "overlays/prod/environment.yaml": environment()})
    assert f"because nothing here reads CEL: {what}" in run_envc(project, "check", "--select", rule)[1]
    plain = documents.replace("expression: |", "other: |").replace("x-kubernetes-validations", "x-other")
    without = make_project({"base/a/a.yaml": plain, "overlays/prod/environment.yaml": environment()}, "without")
    assert "not evaluated" not in run_envc(without, "check", "--select", rule)[1]


@pytest.mark.usefixtures("no_engine")
def test_examples_without_the_engine_are_not_passed(make_project: MakeProject) -> None:
    """`envc check --test` says which rules it did not try."""
    project = make_project(everything_in_cel(make_project))
    code, out, _ = run_envc(project, "check", "--test")
    assert code == 1
    assert "nothing here reads the expressions of few-copies, fewer-copies: pip install 'envcompile[policy]'" in out


@pytest.mark.parametrize(
    ("field", "bad", "words"),
    [
        ("{type: string, format: duration}", "90x", "is not of format duration"),
        ("{type: string, maxLength: 2}", "abc", "2 are the most"),
        ("{type: string, enum: [a]}", "b", "is none of"),
    ],
)
def test_rules_of_a_kind_are_not_asked_of_what_its_schema_refuses(
    make_project: MakeProject, field: str, bad: str, words: str
) -> None:
    """The API server says "some validation rules were not checked": the schema's words stand alone."""
    asked = field.replace("}", ', x-kubernetes-validations: [{rule: "self != self"}]}')
    schema = f"{{type: object, properties: {{spec: {{type: object, properties: {{least: {asked}}}}}}}}}"
    definition = (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: tins.example.com}\n"
        "spec:\n  group: example.com\n  scope: Namespaced\n  names: {kind: Tin, plural: tins}\n"
        f"  versions: [{{name: v1, served: true, storage: true, schema: {{openAPIV3Schema: {schema}}}}}]\n"
    )
    project = make_project({
        **project_with(make_project, replicas=9),
        "base/tins/crd.yaml": definition,
        "base/tins/tin.yaml": f"apiVersion: example.com/v1\nkind: Tin\nmetadata: {{name: t}}\nspec: {{least: {bad}}}\n",
    })
    out = run_envc(project, "check", "--select", "schema,custom-kind-rule")[1]
    assert words in out
    assert "error custom-kind-rule" not in out


def test_what_the_server_cannot_read_no_policy_is_asked_about(make_project: MakeProject) -> None:
    """It is refused before; and that a policy is about deletions is told, not passed."""
    files = project_with(make_project, replicas=4)
    files["base/web/deployment.yaml"] = files["base/web/deployment.yaml"].replace("replicas: 4", "replicas: four")
    files["base/policies/few.yaml"] = files["base/policies/few.yaml"].replace("[CREATE, UPDATE]", "[CREATE, DELETE]")
    out = run_envc(make_project(files), "check").out
    assert "error schema: `replicas` is a string where an integer belongs" in out
    assert "admission-policy" not in out
    assert "not evaluated, because only what is created and changed is known here, and no DELETE" in out
