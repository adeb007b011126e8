"""What is told of findings is kept by application, and is never other than what a whole report says."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from envcompile.actions import told
from envcompile.actions.check import gather, report_of
from envcompile.actions.told import told_of
from envcompile.check.formats.text import as_text
from envcompile.check.report import together
from envcompile.units.project import Project
from envcompile.units.shards import file_of, shard_of
from tests.harness.command import run_envc
from tests.harness.repository import config_map, deployment, environment, git

if TYPE_CHECKING:
    from pathlib import Path

    from envcompile.actions.check import Gathered
    from tests.conftest import MakeProject

_IGNORED = "  annotations:\n    envcompile.dev/ignore: '{}: we know'\n"


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    """Three services in two environments, built."""
    files = {f"base/{name}/deployment.yaml": deployment(name) for name in ("api", "web", "job")}
    root = make_project({
        "envc.yaml": "environments: [dev, prod]\n",
        **files,
        "overlays/dev/environment.yaml": environment("namespace: dev\n"),
        "overlays/prod/environment.yaml": environment("namespace: prod\n"),
    })
    assert run_envc(root, "build").code == 0
    return root


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The applications of which what is told is made anew."""
    found: list[str] = []
    make = told._made

    def noted(key: str, own: list[told._Unit], gathered: Gathered, *rest: object) -> object:
        found.append(gathered.checked[own[0].environment].units[own[0].number].app)
        return make(key, own, gathered, *rest)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(told, "_made", noted)
    return found


def _agree(root: Path) -> None:
    """Assert that both ways tell the same."""
    found = gather(Project.open(root), ())
    short, report = told_of(found), report_of(found)
    assert short is not None
    groups = together(report.findings)
    assert short.sheets.text() == as_text(groups)
    assert short.sheets.first(len(groups)) == groups
    assert short.counts.grades == Counter(group.finding.severity for group in groups)
    assert short.counts.ignored == len(together(one.finding for one in report.ignored))
    assert short.report == report._replace(findings=(), ignored=())


def test_after_one_change_one_application_is_told_of_anew(project: Path, made: list[str]) -> None:
    """All others are told of as they were."""
    _agree(project)
    assert sorted(made) == ["api", "job", "web"]
    made.clear()
    _agree(project)
    assert made == []
    file = project / "base/web/deployment.yaml"
    file.write_text(file.read_text().replace("nginx:1.27", "nginx:latest"))
    _agree(project)
    assert made == ["web"]


def test_what_another_application_does_to_one_is_told(project: Path, made: list[str]) -> None:
    """A rule about several resources finds something in a service that nobody edited."""
    settings = project / "base/api/settings.yaml"
    settings.write_text(config_map("settings", color="red"))
    file = project / "base/web/deployment.yaml"
    reads = "        envFrom: [{configMapRef: {name: settings}}]\n"
    file.write_text(file.read_text() + reads)
    _agree(project)
    made.clear()
    settings.unlink()
    _agree(project)
    assert sorted(made) == ["api", "web"]
    assert "config-ref-missing" in run_envc(project, "check").out


def test_settings_grade_anew(project: Path, made: list[str]) -> None:
    """What is told hangs on grades, too, of all environments and of one."""
    _agree(project)
    for path, text in (
        ("envc.yaml", "environments: [dev, prod]\nchecks: {requests-missing: error}\n"),
        ("overlays/dev/environment.yaml", environment("namespace: dev\nchecks: {requests-missing: 'off'}\n")),
    ):
        made.clear()
        (project / path).write_text(text)
        _agree(project)
        assert sorted(made) == ["api", "job", "web"]


def test_suppressions_that_set_something_aside_elsewhere_only(project: Path) -> None:
    """Whether an entry is unused is known when all environments are looked at."""
    file = project / "base/web/deployment.yaml"
    text = file.read_text()
    for rule in ("requests-missing", "pvc-missing", "no-such-rule"):
        file.write_text(text.replace("metadata:\n", f"metadata:\n{_IGNORED.format(rule)}", 1))
        _agree(project)


def test_a_damaged_file_tells_nothing(project: Path, made: list[str]) -> None:
    """It may be lost at any time; the others hold."""
    _agree(project)
    file = file_of(project / ".envc/units", "told", shard_of("web"))
    file.write_bytes(file.read_bytes()[:-9])
    made.clear()
    _agree(project)
    assert "web" in made
    assert {shard_of(app) for app in made} == {shard_of("web")}


@pytest.mark.parametrize("is_damaged", [False, True])
@pytest.mark.parametrize("series", ["findings", "found", "facts", "hits", "told"])
def test_what_is_lost_of_findings_is_found_again(project: Path, series: str, *, is_damaged: bool) -> None:
    """Whichever file is gone or damaged, all is told as by an envc that remembers nothing."""
    file = project / "base/web/deployment.yaml"
    reads = "        envFrom: [{configMapRef: {name: settings}}]\n"
    file.write_text(file.read_text() + reads)  # a finding that more than one resource makes
    _agree(project)
    before = run_envc(project, "check")
    assert "config-ref-missing" in before.out
    kept = [*project.glob(f".envc/units/{series}*")]
    assert kept
    for one in kept:
        one.write_bytes(one.read_bytes()[:-3]) if is_damaged else one.unlink()
    _agree(project)
    for one in kept:
        one.write_bytes(one.read_bytes()[:-3]) if is_damaged else one.unlink()
    edited = project / "base/api/deployment.yaml"
    edited.write_text(edited.read_text() + "      terminationGracePeriodSeconds: 20\n")
    _agree(project)
    edited.write_text(edited.read_text().replace("      terminationGracePeriodSeconds: 20\n", ""))
    assert run_envc(project, "check") == before


def test_nothing_is_kept_of_what_git_ignores(project: Path, made: list[str]) -> None:
    """As nothing is remembered of its unit: what is told of it is made each time."""
    about = "{name: hidden, annotations: {envcompile.dev/plaintext: '*'}}"
    secret = f"apiVersion: v1\nkind: Secret\nmetadata: {about}\nstringData: {{key: in-clear}}\n"
    (project / "base/job/hidden.yaml").write_text(secret)
    (project / ".gitignore").write_text("/base/job/hidden.yaml\n.envc/\n")
    git(project, "init", "--quiet")
    _agree(project)
    made.clear()
    _agree(project)
    assert made == ["job"]
    kept = b"".join(file.read_bytes() for file in (project / ".envc/units").glob("told-*"))
    assert b"Deployment/web" in kept
    assert b"Deployment/job" not in kept


def test_an_output_that_was_edited_by_hand_is_what_stands_in_the_cluster(project: Path) -> None:
    """Without git what was compiled last lies in the folder; it is read again once somebody touched it."""
    found = "immutable-field"
    assert found not in run_envc(project, "check").out
    (file,) = project.glob("environments/prod/web/*.yaml")
    text = file.read_text()
    assert text.count("app: web") > 1
    file.write_text(text.replace("app: web", "app: old"))
    assert found in run_envc(project, "check").out
    file.write_text(text)
    assert found not in run_envc(project, "check").out
