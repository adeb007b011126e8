"""`envc check` as people and CI run it: what is printed where, and the exit code."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from envcompile.check.finding import Hit
from envcompile.check.rule import Rule
from envcompile.check.rules.catalogue import ABOUT_SUPPRESSIONS
from envcompile.check.rules.server.immutable_field import RULE as IMMUTABLE
from envcompile.check.rules.server.schema import RULE as SCHEMA
from envcompile.cli.render.check import folded_to
from tests.harness.command import run_envc
from tests.harness.repository import commit, deployment, environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from envcompile.check.check_input import CheckInput
    from tests.conftest import MakeProject

FOUND = """\
base/web/deployment.yaml:17:16: error image-old: the image is older than 1.28
    Deployment/web spec.template.spec.containers[name=web].image in dev, prod
    hint: write a newer one
"""
COUNTS = "2 environments, 2 resources, 6 rules: 1 error\n"


def find_old_images(inputs: CheckInput) -> Iterator[Hit]:
    """Every Deployment whose first container has an old image."""
    for resource in inputs.of_kind("apps", "Deployment"):
        if resource.value["spec"]["template"]["spec"]["containers"][0]["image"] < "nginx:1.28":
            pointer = ("spec", "template", "spec", "containers", 0, "image")
            yield Hit(resource.id, pointer, "the image is older than 1.28", "write a newer one")


@pytest.fixture(autouse=True)  # ruff: ignore[pytest-fixture-autouse] - every test here knows exactly one rule
def _one_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = Rule("image-old", "error", "Images are new.", "this test", find_old_images, alone=True)
    rules = (IMMUTABLE, rule, SCHEMA)
    monkeypatch.setattr("envcompile.actions.check.RULES", rules)
    monkeypatch.setattr("envcompile.check.rules.catalogue.ALL", (*ABOUT_SUPPRESSIONS, *rules))


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    """Two environments that share an old image."""
    return make_project({
        "envc.yaml": "environments: [dev, prod]\n",
        "base/web/deployment.yaml": deployment(),
        "overlays/dev/environment.yaml": environment("namespace: dev\n"),
        "overlays/prod/environment.yaml": environment("namespace: prod\n"),
    })


def test_findings_go_to_stdout_and_counts_to_stderr(project: Path) -> None:
    """Exit 1: an error was found."""
    assert run_envc(project, "check") == (1, FOUND, COUNTS)
    one = FOUND.replace("dev, prod", "prod")
    assert run_envc(project, "check", "prod") == (1, one, "1 environment, 1 resource, 6 rules: 1 error\n")


def test_a_clean_project_says_what_was_looked_at(project: Path) -> None:
    """Exit 0."""
    (project / "base/web/deployment.yaml").write_text(deployment(image="nginx:1.28"))
    assert run_envc(project, "check") == (0, "", "2 environments, 2 resources, 6 rules: nothing found\n")


@pytest.mark.parametrize(
    ("grade", "threshold", "code"),
    [
        ("error", "error", 1),
        ("error", "never", 0),
        ("warning", "error", 0),
        ("warning", "warning", 1),
        ("info", "warning", 0),
        ("info", "info", 1),
        ("off", "info", 0),
    ],
)
def test_the_threshold_decides_the_exit_code(project: Path, grade: str, threshold: str, code: int) -> None:
    """Everything is printed all the same."""
    (project / "envc.yaml").write_text(f"environments: [dev, prod]\nchecks: {{image-old: {grade}}}\n")
    outcome = run_envc(project, "check", "--fail-on", threshold)
    assert outcome.code == code
    assert outcome.out == ("" if grade == "off" else FOUND.replace(" error ", f" {grade} "))


def test_nothing_to_look_at_is_wrong_usage(make_project: MakeProject) -> None:
    """Never a clean bill."""
    root = make_project({"overlays/prod/environment.yaml": environment()})
    assert run_envc(root, "check") == (
        2,
        "",
        (
            "error: there is no resource to check in prod\n"
            "hint: a clean result would say nothing: add resources to base/ or overlays/\n"
        ),
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--format", "sarf"],
            "error: --format cannot be `sarf`\nhint: did you mean `sarif`?\n",
        ),
        (
            ["--fail-on", "errors"],
            "error: --fail-on cannot be `errors`\nhint: did you mean `error`?\n",
        ),
        (
            ["--fail-on", "x"],
            "error: --fail-on cannot be `x`\nhint: it is one of error, warning, info, never\n",
        ),
        (
            ["--baseline", "none.json"],
            (
                "error: there is no baseline none.json\n"
                "hint: write it first: envc check --write-baseline --baseline none.json\n"
            ),
        ),
        (["prd"], "error: there is no environment `prd`\nhint: did you mean `prod`?\n"),
    ],
)
def test_wrong_usage(project: Path, arguments: list[str], message: str) -> None:
    """Exit 2, and what would be right."""
    assert run_envc(project, "check", *arguments) == (2, "", message)


def test_a_baseline_that_cannot_be_read_or_written_is_told(project: Path) -> None:
    """With its path."""
    folder = project / "base"
    assert run_envc(project, "check", "--baseline", str(folder)) == (
        2,
        "",
        f"error: the baseline {folder} cannot be read: Is a directory\nhint: name another file with --baseline\n",
    )
    file = project / "nowhere" / "b.json"
    assert run_envc(project, "check", "--write-baseline", "--baseline", str(file)) == (
        4,
        "",
        (
            f"error: {file} cannot be written: no such file or directory\n"
            "hint: see to its folder, or name another file, then try again; the file is as it was\n"
        ),
    )


def test_findings_of_the_baseline_do_not_count(project: Path) -> None:
    """The file in the project's folder is read without being named; what is gone is stale."""
    written = run_envc(project, "check", "--write-baseline")
    assert written == (0, "", ".envc-baseline.json: 1 finding that does not count from now on\n")
    counts = "2 environments, 2 resources, 6 rules: nothing found (1 in the baseline)\n"
    assert run_envc(project, "check", "--fail-on", "info") == (0, "", counts)
    (project / "base/web/deployment.yaml").write_text(deployment("api"))
    field = "spec.template.spec.containers[name=web].image"
    assert run_envc(project, "check", "prod") == (
        1,
        (
            "base/web/deployment.yaml:17:16: error image-old: the image is older than 1.28\n"
            "    Deployment/api spec.template.spec.containers[name=api].image in prod\n"
            "    hint: write a newer one\n"
        ),
        (
            f".envc-baseline.json: no longer found: prod: image-old in Deployment.apps/web (namespace prod) {field}\n"
            "hint: take what is gone out of .envc-baseline.json: envc check --write-baseline\n"
            "1 environment, 1 resource, 6 rules: 1 error\n"
        ),
    )
    assert run_envc(project, "check", "prod", "--write-baseline").err == (
        ".envc-baseline.json: 1 finding that does not count from now on\n"
    )
    entries = json.loads((project / ".envc-baseline.json").read_text())["findings"]
    assert [(entry["environment"], entry["resource"]) for entry in entries] == [
        ("dev", "Deployment.apps/web (namespace dev)"),
        ("prod", "Deployment.apps/api (namespace prod)"),
    ]


def test_another_baseline_can_be_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative to the folder that one is in."""
    monkeypatch.chdir(project)
    run_envc(None, "check", "--write-baseline", "--baseline", "old.json")
    assert (project / "old.json").is_file()
    assert run_envc(None, "check").code == 1
    assert run_envc(None, "check", "--baseline", "old.json").code == 0


def test_machines_read_paths_from_the_repositorys_top(project: Path) -> None:
    """Where the project is a folder of its repository."""
    root = project.parent
    commit(root)
    github = run_envc(project, "check", "--format", "github").out
    assert github == (
        "::error file=project/base/web/deployment.yaml,line=17,col=16,title=image-old::the image is older than 1.28"
        "%0ADeployment/web spec.template.spec.containers[name=web].image in dev, prod%0Awrite a newer one\n"
    )
    sarif = json.loads(run_envc(project, "check", "--format", "sarif").out)
    place = sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "project/base/web/deployment.yaml"


def test_programs_get_json_or_junit(project: Path) -> None:
    """The counts stay on stderr."""
    outcome = run_envc(project, "check", "--format", "json")
    assert outcome.err == COUNTS
    assert [found["environment"] for found in json.loads(outcome.out)["findings"]] == ["dev", "prod"]
    assert run_envc(project, "check", "--format", "junit").out.count("<failure ") == 2
    assert run_envc(project, "check", "--format", "junit", "--fail-on", "never").out.count("<skipped ") == 2


def test_the_code_quality_report_of_gitlab(project: Path) -> None:
    """One entry a place, with a path from the repository's top, a fingerprint and one of GitLab's five grades."""
    commit(project.parent)
    [entry] = json.loads(run_envc(project, "check", "--format", "gitlab").out)
    assert entry.pop("fingerprint")
    assert entry == {
        "description": "the image is older than 1.28 - Deployment/web "
        "spec.template.spec.containers[name=web].image in dev, prod - write a newer one",
        "check_name": "image-old",
        "severity": "critical",
        "location": {"path": "project/base/web/deployment.yaml", "lines": {"begin": 17}},
    }


def test_findings_grouped_by_rule_or_resource(project: Path) -> None:
    """What they share is said once."""
    assert run_envc(project, "check", "--group-by", "rule").out == (
        "image-old: 1 error. Images are new.\n"
        "  base/web/deployment.yaml:17:16: error: the image is older than 1.28\n"
        "      Deployment/web spec.template.spec.containers[name=web].image in dev, prod\n"
        "  hint: write a newer one\n"
    )
    assert run_envc(project, "check", "--group-by", "resource").out == (
        "Deployment/web: 1 error\n"
        "  base/web/deployment.yaml:17:16: error image-old: the image is older than 1.28\n"
        "      spec.template.spec.containers[name=web].image in dev, prod\n"
        "      hint: write a newer one\n"
    )


def test_a_limit_and_a_count_of_the_rest(project: Path) -> None:
    """The exit code is that of all findings; 0 shows them all, as does whatever a program reads."""
    (project / "base/web/more.yaml").write_text(deployment("api"))
    code, out, err = run_envc(project, "check", "--limit", "1")
    assert (code, out.count("image-old")) == (1, 1)
    assert err == "1 more is not shown (1 error): --limit 0\n2 environments, 4 resources, 6 rules: 2 errors\n"
    assert run_envc(project, "check", "--limit", "0").out.count("image-old") == 2
    by_rule = run_envc(project, "check", "--limit", "1", "--group-by", "rule").out
    assert by_rule.startswith("image-old: 2 errors, 1 shown. Images are new.\n")
    assert len(json.loads(run_envc(project, "check", "--limit", "1", "--format", "json").out)["findings"]) == 4


def test_statistics(project: Path) -> None:
    """A line for each rule that found something, as text and as data."""
    assert run_envc(project, "check", "--statistics") == (1, "1  error  image-old  Images are new.\n", COUNTS)
    rows = json.loads(run_envc(project, "check", "--statistics", "--format", "json").out)["rules"]
    assert rows == [{"rule": "image-old", "grade": "error", "places": 1, "findings": 2, "what": "Images are new."}]
    assert run_envc(project, "check", "--statistics", "--format", "sarif").code == 2


def test_only_some_rules_are_asked(project: Path) -> None:
    """By id, first words or ALL; the longer word wins, and a word that no rule has is refused."""
    assert run_envc(project, "check", "--select", "image") == (1, FOUND, COUNTS.replace("6 rules", "1 rule"))
    assert run_envc(project, "check", "--ignore", "image,schema").code == 0
    assert run_envc(project, "check", "--ignore", "image", "--select", "ALL,image-old").out == FOUND
    assert run_envc(project, "check", "--select", "ignore").out == ""
    assert run_envc(project, "check", "--select", "imag") == (
        2,
        "",
        "error: no rule is called `imag`, or begins with it\nhint: did you mean `image` or `image-old`?\n",
    )


def test_a_choice_that_leaves_no_rule_is_refused(project: Path) -> None:
    """Nothing found would say nothing."""
    code, out, err = run_envc(project, "check", "--select", "image", "--ignore", "image")
    assert (code, out) == (2, "")
    assert err.startswith("error: no rule is left that is selected and not ignored\n")


def test_many_entries_that_are_gone_are_counted(project: Path) -> None:
    """Ten are told one by one."""
    run_envc(project, "check", "--write-baseline")
    file = project / ".envc-baseline.json"
    written = json.loads(file.read_text())
    written["findings"] += [written["findings"][0] | {"fingerprint": f"{number:016}"} for number in range(30)]
    file.write_text(json.dumps(written))
    told = [line for line in run_envc(project, "check").err.splitlines() if "no longer found" in line]
    assert len(told) == 11
    assert told[-1] == ".envc-baseline.json: no longer found: 20 more"


def test_what_was_not_asked_stays_in_the_baseline(project: Path) -> None:
    """It is neither gone nor dropped when the file is written anew."""
    run_envc(project, "check", "--write-baseline")
    before = (project / ".envc-baseline.json").read_text()
    assert "no longer found" not in run_envc(project, "check", "--select", "schema").err
    run_envc(project, "check", "--select", "schema", "--write-baseline")
    assert (project / ".envc-baseline.json").read_text() == before


def test_since_when_and_by_whom(project: Path) -> None:
    """Of the line that the finding points at; of one that is not committed, that it is not."""
    commit(project)
    said = run_envc(project, "check", "--blame").out
    assert re.search(r"\n    since: \d{4}-\d\d-\d\d, [0-9a-f]{10} of \w+\n    hint: write a newer one\n", said)
    [first, _] = json.loads(run_envc(project, "check", "--blame", "--format", "json").out)["findings"]
    assert set(first["since"]) == {"commit", "time", "author"}
    file = project / "base/web/deployment.yaml"
    file.write_text(file.read_text().replace("image: nginx", "image:  nginx"))
    assert "not committed yet" not in run_envc(project, "check", "--blame", "--at", "HEAD").out
    assert run_envc(project, "check", "--blame", "--staged").code == 2
    assert run_envc(project, "check", "--fix", "--at", "HEAD").code == 2
    assert "\n    since: not committed yet\n" in run_envc(project, "check", "--blame").out


def test_many_findings_hint_at_the_baseline(project: Path) -> None:
    """From twenty on, while there is none."""
    hint = "hint: `envc check --write-baseline` notes these"
    assert hint not in run_envc(project, "check").err
    (project / "base/web/more.yaml").write_text("---\n".join(deployment(f"web{number}") for number in range(10)))
    assert hint in run_envc(project, "check").err
    run_envc(project, "check", "--write-baseline")
    assert hint not in run_envc(project, "check").err


def test_the_rules_can_be_listed_anywhere(tmp_path: Path) -> None:
    """Name, grade, and what must be so."""
    outcome = run_envc(tmp_path, "check", "--list-rules")
    assert outcome == (
        0,
        (
            "ignore-reason    error  Every entry of `envcompile.dev/ignore` says why: "
            "without a reason nobody can tell later whether it still holds.\n"
            "ignore-unknown   error  `envcompile.dev/ignore` names rules that exist; "
            "a mistyped name sets nothing aside.\n"
            "ignore-unused    info   An entry of `envcompile.dev/ignore` that sets nothing aside any more "
            "is taken out: it would hide the next mistake.\n"
            "image-old        error  Images are new.\n"
            "immutable-field  error  Fields that cannot change once an object is there are as they were compiled "
            "last: the API server refuses the change, and the environment stays out of step.\n"
            "schema           error  A resource has the fields, types and values of its kind; anything else is "
            "refused by the API server or silently dropped.\n"
        ),
        "",
    )


def test_kinds_without_a_schema_are_told(project: Path) -> None:
    """They were looked at by the other rules only; a kind that Kubernetes had once is the rule `api-removed`'s."""
    (project / "base/web/scaler.yaml").write_text(
        "apiVersion: example.org/v1\nkind: Scaler\nmetadata: {name: a}\n---\n"
        "apiVersion: extensions/v1beta1\nkind: Ingress\nmetadata: {name: a}\n"
    )
    (project / "base/web/deployment.yaml").write_text(deployment(image="nginx:1.28"))
    assert run_envc(project, "check").err == (
        "kinds without a schema (`envc crds add` brings their definitions): Scaler.example.org\n"
        "2 environments, 6 resources, 6 rules: nothing found\n"
    )


def test_sources_that_do_not_compile_are_findings_for_programs(project: Path) -> None:
    """People get errors as everywhere; programs get them in their format, too, with places. The exit code is 1."""
    (project / "base/web/deployment.yaml").write_text("a: [\n")
    (project / "base/web/other.yaml").write_text("b: ]\n")
    outcome = run_envc(project, "check")
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.startswith("error: ")
    told = {
        name: run_envc(project, "check", "--format", name) for name in ("json", "sarif", "gitlab", "junit", "github")
    }
    assert {(one.code, one.err) for one in told.values()} == {(1, outcome.err)}
    found = json.loads(told["json"].out)["findings"]
    files = ["base/web/deployment.yaml", "base/web/other.yaml"]
    assert [(one["rule"], one["severity"], one["place"]["file"]) for one in found] == [
        ("compile", "error", file) for file in files
    ]
    assert all(one["what"] and one["fix"] and one["fingerprint"] and one["place"]["line"] for one in found)
    [run] = json.loads(told["sarif"].out)["runs"]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["compile"]
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    assert [place["artifactLocation"]["uri"].rpartition("base/")[2] for place in places] == [
        "web/deployment.yaml",
        "web/other.yaml",
    ]
    entries = json.loads(told["gitlab"].out)
    assert [(entry["check_name"], entry["severity"]) for entry in entries] == [("compile", "critical")] * 2
    assert told["junit"].out.count("<failure ") == 2
    assert '<testsuite name="sources" tests="2" failures="2"' in told["junit"].out
    lines = told["github"].out.splitlines()
    assert len(lines) == 2
    assert re.match(r"::error file=(.*/)?base/web/deployment\.yaml,line=\d+,col=\d+,title=compile::[^\n]+\Z", lines[0])


def test_what_was_asked_wrongly_is_no_finding(project: Path) -> None:
    """It is nothing about the sources."""
    code, out, err = run_envc(project, "check", "nowhere", "--format", "json")
    assert (code, out) == (2, "")
    assert err.startswith("error: ")


def test_the_hint_at_fix_names_rules_that_it_mends_something_of(project: Path) -> None:
    """Not a rule whose findings here have no single answer."""
    text = deployment(image="nginx:1.28")
    (project / "base/web/deployment.yaml").write_text(text.replace("spec:", "spec:\n  replica: 2", 1))
    assert "`envc fix`" not in run_envc(project, "check").err
    (project / "base/web/deployment.yaml").write_text(text.replace("spec:", "spec:\n  paused: 'true'", 1))
    assert "hint: `envc fix` shows what has one right answer of schema\n" in run_envc(project, "check").err


def test_lines_are_no_longer_than_the_terminal(project: Path) -> None:
    """What goes on stands further in; a program that reads gets whole lines."""
    whole = run_envc(project, "check", "--group-by", "place").out
    report = "".join(
        f"base/web/deployment.yaml:17:16: error image-old: {'the image is older than it ought to be ' * 4}\n"
        for _ in range(2)
    )
    folded = folded_to(report, 60)
    assert all(len(line) <= 60 for line in folded.splitlines())
    assert folded.split() == report.split()
    assert any(len(line) > 60 for line in whole.splitlines())
    assert folded_to(whole, 400) == whole
