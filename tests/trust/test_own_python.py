"""Rules in Python of a checkout run only where the user said so outside of it, and see no more than resources."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from tests.harness.command import run_envc
from tests.harness.repository import commit, deployment, environment, git

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = pytest.mark.usefixtures("own_settings")

MARK = '''\
import pathlib

pathlib.Path({path!r}).write_text("ran")


def team_label(resource):
    """Every Deployment says whose it is."""
    if resource["kind"] == "Deployment":
        yield "nobody owns it"
'''
TOLD = '''\
def told(resource):
    """Tells what it can see."""
    import json, os, sys

    if resource["kind"] == "Deployment":
        print("this is no answer")
        yield json.dumps([dict(os.environ), os.listdir(), sys.path, sys.stdin.read(), sys.flags.isolated])
'''


@pytest.fixture
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user who has allowed nothing yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.delenv("ENVC_ALLOW_CHECKS", raising=False)
    return tmp_path / "settings" / "envcompile" / "allowed-checks"


def project_with(make: MakeProject, python: str, **files: str) -> Path:
    """A repository with a file of Python in checks/."""
    return make({
        "envc.yaml": "environments: [prod]\n",
        "overlays/prod/environment.yaml": environment("namespace: shop\nsecretBackend: plaintext\n"),
        "base/web/deployment.yaml": deployment(),
        "checks/team.py": python,
        **files,
    })


def digest(project: Path) -> str:
    """What the file is allowed by."""
    return f"sha256:{hashlib.sha256((project / 'checks/team.py').read_bytes()).hexdigest()}"


COMMANDS = [
    ("check",),
    ("check", "--select", "team-label"),
    ("check", "--staged"),
    ("check", "--test"),
    ("check", "--list-rules"),
    ("rule",),
    ("rule", "team-label"),
    ("fix",),
    ("build",),
    ("diff", "HEAD"),
    ("pr", "comment", "--output", "comment.md"),
    ("hook", "run", "pre-commit"),
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_no_python_of_a_checkout_runs_unasked(
    make_project: MakeProject, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Not by reading rules, listing them, checking, comparing, or in a hook."""
    project = project_with(make_project, MARK.format(path=str(tmp_path / "mark")))
    commit(project, "start")
    run_envc(project, *words)
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("words", [("--untrusted",), ("--untrusted", "--test"), ("--untrusted", "--staged")], ids=str)
def test_no_python_of_a_tree_that_is_not_trusted_runs(
    make_project: MakeProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """Even if it was allowed; it cannot be allowed in the same breath."""
    project = project_with(make_project, MARK.format(path=str(tmp_path / "mark")))
    commit(project, "start")
    monkeypatch.setenv("ENVC_ALLOW_CHECKS", digest(project))
    code, out, _ = run_envc(project, "check", *words)
    assert "not run, because the tree is not trusted" in out
    assert code == (1 if "--test" in words else 0)
    code, _, err = run_envc(project, "check", "--untrusted", "--allow-python")
    assert code == 2
    assert "--allow-python and --untrusted exclude each other" in err
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize(
    "words", [("diff", "HEAD"), ("pr", "comment", "--output", "c.md"), ("hook", "run", "pre-commit")]
)
def test_hooks_and_comments_run_no_python(
    make_project: MakeProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """Only `envc check` does, whatever is allowed."""
    project = project_with(make_project, MARK.format(path=str(tmp_path / "mark")))
    commit(project, "start")
    monkeypatch.setenv("ENVC_ALLOW_CHECKS", digest(project))
    (project / "base/web/deployment.yaml").write_text(deployment(replicas=4), encoding="utf-8")
    git(project, "add", ".")
    run_envc(project, *words)
    assert not (tmp_path / "mark").exists()


def test_what_is_not_run_is_said(make_project: MakeProject) -> None:
    """At the file, with its rules and how to allow it; also when only its rules are asked for, and never as passed."""
    project = project_with(make_project, MARK.format(path="/dev/null"))
    for words in ((), ("--select", "team-label")):
        code, out, err = run_envc(project, "check", *words)
        assert code == 0, err
        assert (
            "checks/team.py:1:1: warning not-evaluated: checks/team.py is not run, because nobody allowed it as it is"
            " now: `team-label`" in out
        )
        assert f"envc check --allow-python, or ENVC_ALLOW_CHECKS={digest(project)}" in out
    assert "team-label" not in json.loads(run_envc(project, "check", "--format", "json")[1])["rules"]
    assert 'name="team-label"' not in run_envc(project, "check", "--format", "junit")[1]
    code, out, _ = run_envc(project, "check", "--test")
    assert code == 1
    assert "checks/team.py: not run, because nobody allowed it as it is now" in out


def test_bytes_are_allowed_and_not_names(make_project: MakeProject, own_settings: Path) -> None:
    """A changed file is not run until it is allowed again; the list is the user's, and not in the checkout."""
    project = project_with(make_project, MARK.format(path="/dev/null"))
    before = {path for path in project.rglob("*") if ".envc" not in path.parts}
    code, out, err = run_envc(project, "check", "--allow-python", "--select", "team-label")
    assert code == 1
    assert "error team-label: nobody owns it" in out
    assert f"{digest(project)} is noted in {own_settings}" in err
    assert own_settings.read_text(encoding="utf-8") == f"{digest(project)}\n"
    assert {path for path in project.rglob("*") if ".envc" not in path.parts} == before
    file = project / "checks/team.py"
    file.write_text(file.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    code, out, _ = run_envc(project, "check", "--select", "team-label")
    assert (code, "nobody owns it" in out, "nobody allowed it" in out) == (0, False, True)


def test_a_list_in_the_checkout_allows_nothing(
    make_project: MakeProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor can one be written there: who is called in a folder of a branch may have its settings there by accident."""
    project = project_with(make_project, MARK.format(path=str(tmp_path / "mark")))
    git(project, "init", "--quiet")
    (project / "envcompile").mkdir()
    (project / "envcompile/allowed-checks").write_text(f"{digest(project)}\n", encoding="utf-8")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(project))
    assert "not run, because nobody allowed it" in run_envc(project, "check")[1]
    code, _, err = run_envc(project, "check", "--allow-python")
    assert code == 2
    assert "no folder of your settings outside of the checkout" in err
    assert not (tmp_path / "mark").exists()


def test_allowed_digests_that_are_none_are_refused(make_project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistyped list would allow nothing, and nobody would know."""
    monkeypatch.setenv("ENVC_ALLOW_CHECKS", "sha256:abc")
    code, _, err = run_envc(project_with(make_project, MARK.format(path="/dev/null")), "check")
    assert code == 2
    assert "ENVC_ALLOW_CHECKS holds `sha256:abc`, which is no digest" in err


def test_a_rule_sees_resources_and_nothing_else(make_project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> None:
    """No env var, no folder of the checkout, no module of it; what it prints is lost."""
    monkeypatch.setenv("VAULT_TOKEN", "hvs.secret")
    monkeypatch.setenv("PYTHONPATH", "/planted")
    project = project_with(make_project, TOLD, **{"checks/json.py": "raise SystemExit\n"})
    monkeypatch.chdir(project)
    code, out, err = run_envc(project, "check", "--allow-python", "--select", "told", "--format", "json")
    assert code == 1, err
    [found] = json.loads(out)["findings"]
    seen, folder, path, rest, is_isolated = json.loads(found["what"])
    assert {*seen} <= {"LC_CTYPE"}
    assert (folder, rest, is_isolated) == ([], "", 1)
    assert str(project) not in path
    assert "/planted" not in path


def test_no_plaintext_is_handed_to_a_rule(make_project: MakeProject) -> None:
    """Values of Secrets in clear are hidden before, whatever the backend."""
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: web}\nstringData: {password: hunter22}\n"
    look = "def told(resource):\n    yield str(resource)\n\n\ndef all_told(resources):\n    yield "
    look += "{'what': str(resources), 'resource': resources[0]}\n"
    project = project_with(make_project, look, **{"base/web/secret.yaml": secret})
    code, out, err = run_envc(project, "check", "--allow-python", "--select", "told,all-told")
    assert code == 1, err
    assert "'password'" in out
    assert "hunter22" not in out + err
    assert "aHVudGVyMjI" not in out + err


@pytest.mark.parametrize(
    ("python", "told"),
    [
        ("def endless(resource):\n    while True: pass\n", "checks/team.py takes more than 1 seconds"),
        ("while True: pass\n\ndef endless(resource): ...\n", "checks/team.py takes more than 1 seconds"),
        (
            "def gone(resource):\n    import os\n    os._exit(0)\n",
            "the process in which checks/team.py runs ended before it answered",
        ),
        ("1 / 0\n\ndef never(resource): ...\n", "checks/team.py cannot be run: ZeroDivisionError"),
    ],
    ids=["endless", "endless-import", "gone", "broken"],
)
def test_what_does_not_answer_is_an_error(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch, python: str, told: str
) -> None:
    """With the file and the limit; nothing is passed."""
    # The limit is one of the clock: on a busy machine a second may be over before the process has begun.
    if "while" in python:
        monkeypatch.setenv("ENVC_LIMITS", "seconds=1")
    code, _, err = run_envc(project_with(make_project, python), "check", "--allow-python")
    assert code == 1
    assert told in err
    assert "Traceback" not in err


def test_a_rule_has_the_memory_that_the_limits_give(make_project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes more fails, and that is a finding."""
    monkeypatch.setenv("ENVC_LIMITS", "memory=200")
    python = "def large(resource):\n    return ['x' * (1 << 30)]\n"
    code, out, _ = run_envc(project_with(make_project, python), "check", "--allow-python", "--select", "large")
    assert code == 1
    assert "the rule failed: MemoryError" in out
