"""Functions in `checks/*.py` are rules like all others once the user allows them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.harness.command import run_envc
from tests.harness.repository import deployment, environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = pytest.mark.usefixtures("own_settings")

RULES = '''\
from envcompile.check.own import rule


@rule(
    grade="warning",
    kinds=("Deployment",),
    field="metadata.labels.team",
    fix="write the label `team`",
    fires="""
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web}
        """,
    silent="""
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, labels: {team: shop}}
        """,
)
def team_label(resource, environment):
    """Every Deployment says whose it is.

    Nobody else can be called at night.
    """
    if "team" not in resource["metadata"].get("labels", {}):
        yield f"nobody owns it in {environment}"


def few_names(resources):
    """There is one Deployment at most."""
    found = [one for one in resources if one["kind"] == "Deployment"]
    for one in found[1:]:
        yield {"what": "another one", "resource": one, "grade": "info", "field": ["spec", "replicas"], "fix": "join"}


def _helper(resource):
    raise AssertionError


def also_a_helper(text):
    raise AssertionError
'''


@pytest.fixture
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings of a user of the test's own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.delenv("ENVC_ALLOW_CHECKS", raising=False)


def written(make: MakeProject, python: str = RULES, envc: str = "") -> Path:
    """A repository with rules in Python and two Deployments."""
    return make({
        "envc.yaml": "environments: [prod]\n" + envc,
        "overlays/prod/environment.yaml": environment("namespace: shop\n"),
        "base/web/deployment.yaml": deployment(),
        "base/api/deployment.yaml": deployment("api"),
        "checks/team.py": python,
    })


def test_functions_are_rules_about_one_resource_or_all(make_project: MakeProject) -> None:
    """With their field and place, grade, fix; functions with other parameters or a `_` before their name are none."""
    project = written(make_project)
    code, out, err = run_envc(project, "check", "--allow-python", "--select", "team-label,few-names")
    assert code == 0, err
    assert out.count("warning team-label: nobody owns it in prod") == 2
    assert "base/web/deployment.yaml:" in out
    assert "metadata.labels" in out
    assert "hint: write the label `team`" in out
    assert out.count("info few-names: another one") == 1
    assert "spec.replicas in prod" in out
    listed = run_envc(project, "rule")[1]
    assert "team-label" in listed
    assert "helper" not in listed


def test_settings_and_annotations_hold_for_them(make_project: MakeProject) -> None:
    """`checks` grades one, an annotation sets one aside, and neither is refused where the file is not run."""
    project = written(make_project, envc="checks: {team-label: error, few-names: 'off'}\n")
    aside = deployment().replace(
        "  name: web\n", '  name: web\n  annotations: {envcompile.dev/ignore: "team-label: it is nobody\'s"}\n', 1
    )
    (project / "base/web/deployment.yaml").write_text(aside, encoding="utf-8")
    code, out, err = run_envc(project, "check")
    assert code == 0, err
    assert "ignore-unused" not in out
    assert "ignore-unknown" not in out
    code, out, err = run_envc(project, "check", "--allow-python")
    assert code == 1, err
    assert out.count("error team-label") == 1
    assert "few-names" not in out
    assert "1 ignored" in err


def test_what_they_found_is_remembered_until_they_change(make_project: MakeProject) -> None:
    """Allowing a file counts as a change, too; a second run finds the same."""
    project = written(make_project)
    assert "nobody owns it" not in run_envc(project, "check")[1]
    first = run_envc(project, "check", "--allow-python")[1]
    assert "nobody owns it" in first
    assert run_envc(project, "check")[1] == first
    file = project / "checks/team.py"
    file.write_text(RULES.replace("nobody owns it", "an orphan"), encoding="utf-8")
    assert "an orphan" in run_envc(project, "check", "--allow-python")[1]


def test_their_examples_are_tried(make_project: MakeProject) -> None:
    """`envc check --test` runs them, and tells which are missing."""
    code, out, _ = run_envc(written(make_project), "check", "--allow-python", "--test")
    assert code == 1
    assert [line.partition(": ")[2] for line in out.splitlines()] == [
        "`few-names` has no example `fires`",
        "`few-names` has no example `silent`",
    ]
    assert "team-label" not in out
    broken = RULES.replace("labels: {team: shop}", "labels: {tier: web}")
    out = run_envc(written(make_project, broken), "check", "--allow-python", "--test")[1]
    assert "`team-label` finds something in its example `silent`" in out


def test_a_rule_that_fails_is_a_finding(make_project: MakeProject) -> None:
    """With the exception and the line in the file; other resources are asked all the same."""
    python = 'def strict(resource):\n    """All is there."""\n    if resource["metadata"]["name"] == "web":\n'
    python += '        resource["spec"]["nothing"]\n    else:\n        return [{"what": "x", "colour": "red"}]\n'
    code, out, _ = run_envc(written(make_project, python), "check", "--allow-python", "--select", "strict")
    assert code == 1
    assert "All is there. (the rule failed: KeyError: 'nothing' (checks/team.py:4))" in out
    assert "the rule failed: TypeError: `colour` of a finding cannot be 'red'" in out


def test_a_rule_that_fails_is_told_once(make_project: MakeProject) -> None:
    """With the number of resources, at the line of the rule; what it finds in others stays."""
    python = 'def strict(resource):\n    """All is there."""\n    if resource["metadata"]["name"] == "web":\n'
    python += '        return ["this one"]\n    resource["nothing"]\n'
    root = written(make_project, python)
    maps = "---\n".join(f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a{at}}}\n" for at in range(5))
    (root / "base/web/maps.yaml").write_text(maps)
    (root / "base/others").mkdir()
    (root / "base/others/maps.yaml").write_text(maps.replace("name: a", "name: b"))
    code, out, _ = run_envc(root, "check", "prod", "--allow-python", "--select", "strict")
    assert code == 1
    assert out.count("the rule failed") == 1
    what = "All is there. (the rule failed: KeyError: 'nothing' (checks/team.py:5)) for 11 resources, this one first"
    assert f"checks/team.py:1:1: error strict: {what}\n" in out
    assert "error strict: this one\n" in out


def test_one_rule_alone_says_nothing_of_others(make_project: MakeProject) -> None:
    """A file that nobody allowed is not told to those who picked another rule."""
    root = written(make_project)
    (root / "checks/other.py").write_text('def other(resource):\n    """Nothing."""\n')
    run_envc(root, "check", "--allow-python")
    (root / "checks/other.py").write_text('def other(resource):\n    """Nothing at all."""\n')
    assert "not-evaluated" not in run_envc(root, "check", "--select", "team-label").out
    out = run_envc(root, "check", "--select", "other").out
    assert out.count("not-evaluated") == 1
    assert "`other`" in out
    assert "team-label" not in out


@pytest.mark.parametrize(
    ("python", "told"),
    [
        ("def broken(resource:\n", "it is no Python"),
        ("@rule(grade=GRADE)\ndef named(resource): ...\n", "what `@rule` says of `named` cannot be read"),
        ("@rule(grade='fatal')\ndef named(resource): ...\n", "what `@rule` says of `named` cannot be read"),
        ("@rule(colour='red')\ndef named(resource): ...\n", "what `@rule` says of `named` cannot be read"),
        ("@rule(fix='x')\ndef named(thing): ...\n", "the first parameter of `named` is neither"),
        ("def schema(resource): ...\n", "there is a rule `schema` already"),
        ("def Named(resource): ...\n", "`Named` is no name of a rule"),
        ("x = " + "(" * 500 + ")" * 500, "it is no Python"),
        ("x = 1\n" * 50_000, "it has more than"),
        ("\x00", "it is no Python"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_at_its_line(make_project: MakeProject, python: str, told: str) -> None:
    """Whether it is run or not."""
    code, _, err = run_envc(written(make_project, python), "check")
    assert code == 1
    assert told in err
    assert "checks/team.py:" in err
    assert "Traceback" not in err


def test_formats_carry_the_rule(make_project: MakeProject) -> None:
    """SARIF its page, GitLab its name and place, JSON its id."""
    project = written(make_project)
    run_envc(project, "check", "--allow-python")
    sarif = json.loads(run_envc(project, "check", "--format", "sarif")[1])["runs"][0]
    rules = {rule["id"]: rule for rule in sarif["tool"]["driver"]["rules"]}
    assert rules["team-label"]["fullDescription"]["text"].endswith("Nobody else can be called at night.")
    assert "team-label" in {result["ruleId"] for result in sarif["results"]}
    entries = json.loads(run_envc(project, "check", "--format", "gitlab")[1])
    assert "base/web/deployment.yaml" in {
        entry["location"]["path"] for entry in entries if entry["check_name"] == "team-label"
    }
    assert "team-label" in json.loads(run_envc(project, "check", "--format", "json")[1])["rules"]
