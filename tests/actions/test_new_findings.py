"""What a change brings to be found: told once, whatever moved, and only what was not there before."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import pytest

from envcompile.actions.diff import difference
from envcompile.actions.new_findings import new_findings
from envcompile.actions.review import review
from envcompile.ask.findings import FindingRow
from envcompile.check.finding import Hit
from envcompile.check.rule import Rule
from tests.harness.command import run_envc
from tests.harness.repository import commit, config_map, deployment, environment, git
from tests.laws import documents

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from envcompile.ask.findings import NewFindings
    from envcompile.check.check_input import CheckInput
    from tests.conftest import MakeProject

IMAGE = ("spec", "template", "spec", "containers", 0, "image")


def find_old_images(inputs: CheckInput) -> Iterator[Hit]:
    """Every Deployment whose first container has an old image; at odd versions only a little."""
    for resource in inputs.of_kind("apps", "Deployment"):
        image = resource.value["spec"]["template"]["spec"]["containers"][0]["image"]
        if image < "nginx:1.30":
            yield Hit(resource.id, IMAGE, f"the image is {image}", "", "info" if "old" in image else None, value=image)


def find_lonely_settings(inputs: CheckInput) -> Iterator[Hit]:
    """Every ConfigMap without a Deployment of its name: changed by what is around it."""
    for resource in inputs.of_kind("", "ConfigMap"):
        if inputs.named("apps", "Deployment", resource.id.namespace, resource.id.name) is None:
            yield Hit(resource.id, (), "nothing has this name", "")


OLD = Rule("old", "error", "Images are new.", "this test", find_old_images, alone=True)
LONELY = Rule("lonely", "warning", "Settings are used.", "this test", find_lonely_settings)


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    """A branch without changes yet, of a project where something is found already."""
    root = make_project({
        "envc.yaml": "environments: [dev, prod]\n",
        "base/web/deployment.yaml": deployment(image="nginx:1.27"),
        "base/web/settings.yaml": config_map("web"),
        "base/api/deployment.yaml": deployment("api", image="nginx:1.30"),
        "overlays/dev/environment.yaml": environment("namespace: dev\n"),
        "overlays/prod/environment.yaml": environment("namespace: prod\n"),
    })
    commit(root, "start")
    git(root, "checkout", "--quiet", "-b", "feature")
    return root


def found(root: Path) -> NewFindings:
    """The news of the working tree."""
    return new_findings(difference(root, source="main", with_sides=True), (OLD, LONELY))


def test_what_was_there_before_is_no_news(project: Path) -> None:
    """Nor is it when it moves to another line and file, or changes otherwise."""
    (project / "base/web/deployment.yaml").unlink()
    (project / "base/web/moved.yaml").write_text("# moved\n\n" + deployment(image="nginx:1.27", replicas=3))
    assert found(project)[:2] == ((), 0)


def test_a_new_finding_is_one_row_for_all_its_environments(project: Path) -> None:
    """With its place; an environment that finds it elsewhere has a row of its own."""
    (project / "base/api/deployment.yaml").write_text(deployment("api", image="nginx:1.26"))
    assert found(project)[:2] == (
        (
            FindingRow(
                "error",
                "old",
                "the image is nginx:1.26",
                ("dev", "prod"),
                "Deployment/api",
                "base/api/deployment.yaml:17",
            ),
        ),
        0,
    )
    (project / "overlays/prod/environment.yaml").write_text(
        environment("namespace: prod\nimages: [{name: nginx, newTag: '1.25'}]\n")
    )
    assert [(row.environments, row.resource, row.place) for row in found(project).rows] == [
        (("dev",), "Deployment/api", "base/api/deployment.yaml:17"),
        (("prod",), "Deployment/api", "overlays/prod/environment.yaml:4"),
        (("prod",), "Deployment/web", "overlays/prod/environment.yaml:4"),
    ]


def test_what_is_found_no_longer_is_counted(project: Path) -> None:
    """Once for each environment, beside what is new; a finding that is set aside now did not go away."""
    (project / "base/web/deployment.yaml").write_text(deployment(image="nginx:1.31"))
    assert found(project)[:2] == ((), 0)
    (project / "base/api/deployment.yaml").write_text(deployment("api", image="nginx:1.26"))
    assert found(project).gone == 2
    text = deployment(image="nginx:1.27").replace(
        "  name: web\n", "  name: web\n  annotations: {envcompile.dev/ignore: 'old: it must'}\n", 1
    )
    (project / "base/web/deployment.yaml").write_text(text)
    assert found(project).gone == 0


def test_a_suppression_that_is_taken_out_is_news(project: Path) -> None:
    """What it hid is found now."""
    text = deployment(image="nginx:1.27")
    hidden = text.replace("  name: web\n", "  name: web\n  annotations: {envcompile.dev/ignore: 'old: it must'}\n", 1)
    (project / "base/web/deployment.yaml").write_text(hidden)
    commit(project)
    git(project, "branch", "--force", "main")
    (project / "base/web/deployment.yaml").write_text(text)
    assert [row.rule for row in found(project).rows] == ["old"]


def test_an_unchanged_resource_is_found_when_what_is_around_it_changed(project: Path) -> None:
    """Rules about several resources see the whole environment."""
    (project / "base/web/deployment.yaml").unlink()
    assert found(project)[:2] == (
        (
            FindingRow(
                "warning",
                "lonely",
                "nothing has this name",
                ("dev", "prod"),
                "ConfigMap/web",
                "base/web/settings.yaml:4",
            ),
        ),
        2,
    )


def test_a_new_environment_brings_all_its_findings(project: Path) -> None:
    """An environment that is gone brings nothing."""
    (project / "overlays/eu").mkdir()
    (project / "overlays/eu/environment.yaml").write_text(environment("namespace: eu\n"))
    assert [(row.environments, row.resource) for row in found(project).rows] == [(("eu",), "Deployment/web")]
    commit(project)
    git(project, "branch", "--force", "main")
    (project / "overlays/eu/environment.yaml").unlink()
    assert found(project)[:2] == ((), 0)


def test_grades_below_warning_are_not_for_reviewers(project: Path) -> None:
    """Unless `checks` makes them graver; and what it turns off is not told."""
    (project / "base/api/deployment.yaml").write_text(deployment("api", image="nginx:1.26-old"))
    assert found(project).rows == ()
    (project / "envc.yaml").write_text("environments: [dev, prod]\nchecks: {old: warning}\n")
    assert [row.grade for row in found(project).rows] == ["warning"]
    (project / "envc.yaml").write_text("environments: [dev, prod]\nchecks: {old: off}\n")
    assert found(project)[:2] == ((), 0)


def test_the_baseline_is_accepted(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it holds is no news."""
    monkeypatch.setattr("envcompile.actions.check.RULES", (OLD, LONELY))
    (project / "base/api/deployment.yaml").write_text(deployment("api", image="nginx:1.26"))
    run_envc(project, "check", "prod", "--write-baseline")
    assert [row.environments for row in found(project).rows] == [("dev",)]


def test_the_comment_has_the_findings_behind_its_table(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without news there is no section."""
    monkeypatch.setattr("envcompile.actions.check.RULES", (OLD, LONELY))
    (project / "base/web/deployment.yaml").write_text(deployment(image="nginx:1.30"))
    without = review(project, (), source="main", key="envc", job=None)
    assert "#### New findings" not in without.whole
    (project / "base/api/deployment.yaml").write_text(deployment("api", image="nginx:1.26"))
    written = review(project, (), source="main", key="envc", job=None)
    section = (
        "| **prod** |  | 2 |  | image |  |  |\n"
        "\n"
        "#### New findings\n"
        "\n"
        "| grade | finding | environment | resource | place |\n"
        "|---|---|---|---|---|\n"
        "| error | `old`: the image is nginx:1.26 | **dev**, **prod** | `Deployment/api` "
        "| `base/api/deployment.yaml:17` |\n"
        "\n"
        "2 findings of before went away.\n"
        "\n"
        "<details>"
    )
    assert section in written.whole
    assert section in written.parts[0]
    assert section in written.summary
    assert not written.is_cut


def test_many_findings_leave_room_for_the_difference(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of a comment at most; the whole has all."""

    def find(inputs: CheckInput) -> Iterator[Hit]:
        images = {str(resource.value["spec"].get("paused")) for resource in inputs.of_kind("apps", "Deployment")}
        if "True" in images:
            for number in range(200):
                yield Hit(inputs.resources[0].id, ("spec",), f"number {number}", "", value=number)

    monkeypatch.setattr("envcompile.actions.check.RULES", (Rule("many", "error", "A test.", "this test", find),))
    text = deployment("api", image="nginx:1.30").replace("spec:\n", "spec:\n  paused: true\n", 1)
    (project / "base/api/deployment.yaml").write_text(text)
    written = review(project, (), source="main", key="envc", job=None, limit=6000)
    (part,) = written.parts
    assert len(part) <= 6000
    assert "more findings are not shown here: `envc check` prints all.\n" in part
    assert "+ spec.paused: true" in part
    assert written.is_cut
    assert written.whole.count("| error |") == 200


def test_a_definition_that_allows_less_brings_what_it_finds_in_others(make_project: MakeProject) -> None:
    """A custom resource that nobody touched breaks a rule that its kind did not have before."""
    crd = documents.definition("Gadget", Random(2))
    root = make_project({
        "base/web/gadget-crd.yaml": crd,
        "base/web/gadget.yaml": documents.custom_resource("Gadget", "g", Random(1)),
        "overlays/prod/environment.yaml": environment("namespace: prod\n"),
    })
    commit(root, "start")
    git(root, "checkout", "--quiet", "-b", "feature")
    assert new_findings(difference(root, source="main", with_sides=True)).rows == ()
    (root / "base/web/gadget-crd.yaml").write_text(crd.replace("size: {type: integer", "size: {type: string"))
    rows = new_findings(difference(root, source="main", with_sides=True)).rows
    assert {(row.rule, row.resource) for row in rows} >= {("schema", "Gadget/g")}


def test_another_version_of_kubernetes_is_news_though_the_manifests_stay(make_project: MakeProject) -> None:
    """The comment is written for it, and names the environment."""
    root = make_project({
        "envc.yaml": "environments: [dev, prod]\n",
        "base/web/flow.yaml": (
            "apiVersion: flowcontrol.apiserver.k8s.io/v1beta3\nkind: FlowSchema\nmetadata: {name: web}\n"
            "spec: {priorityLevelConfiguration: {name: global-default}}\n"
        ),
        "overlays/dev/environment.yaml": environment("namespace: dev\nkubernetesVersion: '1.31'\n"),
        "overlays/prod/environment.yaml": environment("namespace: prod\nkubernetesVersion: '1.31'\n"),
    })
    commit(root, "start")
    git(root, "checkout", "--quiet", "-b", "feature")
    settings = root / "overlays/prod/environment.yaml"
    settings.write_text(settings.read_text("utf-8").replace("1.31", "1.35"))
    commit(root, "newer")
    found = difference(root, source="main", with_sides=True)
    assert found.changed == ()
    rows = [row for row in new_findings(found).rows if row.rule == "api-removed"]
    assert [(row.environments, row.resource) for row in rows] == [(("prod",), "FlowSchema/web")]
    told = review(root, [], source="main", key="shop", job=None)
    assert "api-removed" in told.whole


OWN = """\
rule: few-web
grade: warning
match: {kinds: [Deployment]}
expression: object.metadata.name != 'web'
message: web is there
fix: think about it
"""


def test_an_own_rule_that_a_change_adds_is_asked_about_everything(project: Path) -> None:
    """Though no manifest differs: what judges them does, and what the rule finds was not there before."""
    (project / "checks").mkdir()
    (project / "checks/few.yaml").write_text(OWN)
    rows = new_findings(difference(project, source="main", with_sides=True)).rows
    assert [(row.rule, row.environments, row.resource) for row in rows] == [
        ("few-web", ("dev", "prod"), "Deployment/web")
    ]


def test_an_own_rule_that_a_change_edits_tells_only_what_is_new(make_project: MakeProject) -> None:
    """What it found in its former words is no news."""
    root = make_project({
        "envc.yaml": "environments: [dev]\n",
        "base/web/deployment.yaml": deployment(),
        "base/api/deployment.yaml": deployment("api"),
        "overlays/dev/environment.yaml": environment("namespace: dev\n"),
        "checks/few.yaml": OWN,
    })
    commit(root, "start")
    git(root, "checkout", "--quiet", "-b", "feature")
    (root / "checks/few.yaml").write_text(OWN.replace("!= 'web'", "== 'none'"))
    rows = new_findings(difference(root, source="main", with_sides=True)).rows
    assert [(row.rule, row.resource) for row in rows] == [("few-web", "Deployment/api")]
