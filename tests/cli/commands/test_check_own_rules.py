"""Rules in `checks/` of a repository are rules like all others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from envcompile.actions.review import review
from tests.harness.command import run_envc
from tests.harness.repository import commit, deployment, environment, git, write_files

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


def test_examples_stand_in_an_environment_that_the_rule_is_about(make_project: MakeProject) -> None:
    """A rule for production fires in its example, too."""
    rule = RULE.replace("groups: [apps]", "environments: [prod, eu]")
    assert run_envc(written(make_project, rule), "check", "--test")[0] == 0


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


def test_commands_that_speak_of_rules_know_it(make_project: MakeProject, tmp_path: Path) -> None:
    """`envc rule`, `--list-rules`; a mistyped name is told the nearest; elsewhere nobody knows it."""
    project = written(make_project)
    code, out, _ = run_envc(project, "rule", "team-label")
    assert code == 0
    assert out.startswith("team-label (warning): nobody owns it\n")
    assert "source: checks/team.yaml:1" in out
    assert "team-label " in run_envc(project, "rule")[1]
    assert "team-label " in run_envc(project, "check", "--list-rules")[1]
    assert "did you mean `team-label`" in run_envc(project, "rule", "team-labl")[2]
    assert "did you mean `team-label`" in run_envc(project, "check", "--select", "team-labl")[2]
    (tmp_path / "elsewhere").mkdir()
    assert run_envc(tmp_path / "elsewhere", "rule", "team-label")[0] == 2


def test_it_is_selected_and_ignored(make_project: MakeProject) -> None:
    """By name and first word, also where the settings leave it out, and beside `--fix`."""
    project = written(make_project)
    for words in (("--select", "team-label"), ("--select", "team"), ("--fix", "--select", "team-label")):
        code, out, err = run_envc(project, "check", *words)
        assert code == 0, err
        assert out.count(": warning ") == out.count("team-label: nobody owns it") == 1
    assert "team-label" not in run_envc(project, "check", "--ignore", "team-label")[1]
    off = written(make_project, envc="checks: {team-label: 'off'}\n")
    assert run_envc(off, "check", "--select", "team-label")[:2] == (0, "")


def test_mistyped_in_an_annotation_or_the_settings_it_is_told(make_project: MakeProject) -> None:
    """With its own name as the nearest."""
    project = written(make_project)
    aside = deployment().replace(
        "  name: web\n", '  name: web\n  annotations: {envcompile.dev/ignore: "team-labl: it is nobody\'s"}\n', 1
    )
    (project / "base/web/deployment.yaml").write_text(aside, encoding="utf-8")
    out = run_envc(project, "check")[1]
    assert "ignores the rule `team-labl`, which does not exist" in out
    assert "did you mean `team-label`" in out
    code, _, err = run_envc(written(make_project, envc="checks: {team-labl: error}\n"), "check")
    assert code == 1
    assert "did you mean `team-label`" in err


def test_programs_get_its_page_and_place(make_project: MakeProject) -> None:
    """SARIF its texts, GitLab its name."""
    project = written(make_project)
    sarif = json.loads(run_envc(project, "check", "--format", "sarif")[1])["runs"][0]
    assert "team-label" in {rule["id"] for rule in sarif["tool"]["driver"]["rules"]}
    [found] = [result for result in sarif["results"] if result["ruleId"] == "team-label"]
    place = found["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "base/web/deployment.yaml"
    entries = json.loads(run_envc(project, "check", "--format", "gitlab")[1])
    assert [entry["severity"] for entry in entries if entry["check_name"] == "team-label"] == ["major"]


def test_a_pull_request_is_told_what_it_brings(make_project: MakeProject) -> None:
    """Findings of own rules are new findings like all others; Python that is not run is said there, too."""
    project = written(make_project)
    commit(project, "start")
    git(project, "branch", "before")
    write_files(
        project,
        {"base/api/deployment.yaml": deployment("api"), "checks/more.py": "def more(resource): ...\n"},
    )
    commit(project, "another")
    told = review(project, (), source="before", key="envc", job=None).whole
    assert told.count("`team-label`: nobody owns it") == 1
    assert "is not run, because the tree is not trusted: `more`" in told
