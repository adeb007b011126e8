"""Rules in `checks/` of a repository are rules like all others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.harness.command import run_envc
from tests.harness.repository import deployment, environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

RULE = """\
rule: team-label
grade: warning
match: {kinds: [Deployment], groups: [apps]}
expression: "'team' in object.metadata.?labels.orValue({})"
message: nobody owns it
fix: 'write the label `team`'
field: metadata.labels
fires: |
  apiVersion: apps/v1
  kind: Deployment
  metadata: {name: web}
silent: |
  apiVersion: apps/v1
  kind: Deployment
  metadata: {name: web, labels: {team: shop}}
"""


def written(make: MakeProject, rule: str = RULE, **settings: str) -> Path:
    """A repository with one rule and one Deployment."""
    return make({
        "envc.yaml": "environments: [prod]\n" + settings.get("envc", ""),
        "overlays/prod/environment.yaml": environment("namespace: shop\n"),
        "base/web/deployment.yaml": deployment(),
        "checks/team.yaml": rule,
    })


def test_an_own_rule_is_graded_and_placed(make_project: MakeProject) -> None:
    """With its grade, at the field of the object; `checks` grades it otherwise."""
    code, out, err = run_envc(written(make_project), "check")
    assert code == 0, err
    assert "warning team-label: nobody owns it" in out
    assert "base/web/deployment.yaml:" in out
    project = written(make_project, envc="checks: {team-label: error}\n")
    assert run_envc(project, "check")[0] == 1


def test_a_changed_rule_is_asked_anew(make_project: MakeProject) -> None:
    """What was remembered of the rule as it was counts no more."""
    project = written(make_project)
    assert "nobody owns it" in run_envc(project, "check")[1]
    (project / "checks/team.yaml").write_text(RULE.replace("nobody owns it", "an orphan"), encoding="utf-8")
    assert "an orphan" in run_envc(project, "check")[1]


def test_an_annotation_sets_it_aside(make_project: MakeProject) -> None:
    """As it does with a rule that comes with envc."""
    project = written(make_project)
    aside = deployment().replace(
        "  name: web\n", '  name: web\n  annotations: {envcompile.dev/ignore: "team-label: it is nobody\'s"}\n', 1
    )
    (project / "base/web/deployment.yaml").write_text(aside, encoding="utf-8")
    code, out, err = run_envc(project, "check")
    assert code == 0
    assert "team-label: nobody" not in out
    assert "1 ignored" in out + err


def test_its_examples_are_tried(make_project: MakeProject) -> None:
    """`envc check --test` tells which example does not do what its name says."""
    assert run_envc(written(make_project), "check", "--test")[0] == 0
    project = written(make_project, RULE.replace("labels: {team: shop}", "labels: {tier: web}"))
    code, out, _ = run_envc(project, "check", "--test")
    assert code == 1
    assert "checks/team.yaml:1: `team-label` finds something in its example `silent`" in out


def test_what_is_wrong_with_a_rule_is_said_at_its_line(make_project: MakeProject) -> None:
    """An expression that does not compile, and a name that is taken; nothing is skipped silently."""
    project = written(
        make_project,
        RULE.replace("object.metadata", "objekt.metadata") + "---\n" + RULE.replace("team-label", "schema"),
    )
    code, _, err = run_envc(project, "check")
    assert code == 1
    assert "checks/team.yaml:4:" in err
    assert "undeclared reference" in err
    assert "there is a rule `schema` already" in err
