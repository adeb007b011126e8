"""Case text-in-control: what a pull request names and says reaches neither the terminal's controls nor the runner."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness.command import run_envc
from tests.harness.repository import config_map, environment, git

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject
    from tests.harness.command import Outcome

NASTY = "x\x1b[31m\n::error::injected"
IN_YAML = r"x\e[31m\n::error::injected"


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    """One ConfigMap, whose author has an odd name."""
    root = make_project({
        "base/app/config.yaml": config_map(),
        "overlays/prod/environment.yaml": environment("namespace: prod\n"),
    })
    git(root, "init", "--quiet")
    git(root, "config", "user.name", NASTY)
    git(root, "config", "user.email", "a@b.example")
    return root


def assert_inert(outcome: Outcome) -> None:
    """Nothing in control, no line that a runner obeys, and it is shown that there was something."""
    said = outcome.out + outcome.err
    assert "\x1b" not in said
    assert not [line for line in said.splitlines() if line.lstrip().startswith("::")]
    assert r"\x1b" in said or r"\u001b" in said


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            "base/app/dup.yaml",
            f'apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{"{IN_YAML}": "1", "{IN_YAML}": "2"}}\n',
        ),
        ("base/app/err.jsonnet", r"error 'x\u001b[31m\n::error::injected'"),
        ("base/app/import.jsonnet", r"import 'x\u001b[31m\n::error::injected'"),
        ("envc.yaml", f'"{IN_YAML}": 1\n'),
        ("overlays/prod/p.yaml", f'apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: "{IN_YAML}"}}\n$patch: delete\n'),
        (f"base/app/{NASTY}.yaml", "kind: [\n"),
        (f"overlays/{NASTY}/environment.yaml", environment()),
        (
            "base/app/param.yaml",
            f'apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{a: "${{{{ params.{IN_YAML} }}}}"}}\n',
        ),
    ],
    ids=[
        "duplicate-key",
        "jsonnet-error",
        "jsonnet-import",
        "setting",
        "patch",
        "file-name",
        "environment",
        "parameter",
    ],
)
def test_text_in_control_in_errors(project: Path, path: str, text: str) -> None:
    """Keys, messages of jsonnet, imports, settings, names of resources, files and environments."""
    (project / path).parent.mkdir(exist_ok=True)
    (project / path).write_text(text, encoding="utf-8")
    outcome = run_envc(project, "build")
    said = outcome.out + outcome.err
    assert "\x1b" not in said
    assert not [line for line in said.splitlines() if line.lstrip().startswith("::")]


def test_text_in_control_in_names_of_resources_and_commits(project: Path) -> None:
    """In every list and table; author and subject of a commit, too."""
    (project / "base/app/name.yaml").write_text(
        f'apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: "@octocat{IN_YAML}", '
        'annotations: {envcompile.dev/ignore: "schema: odd"}}\n'
    )
    assert run_envc(project, "build").code == 0
    git(project, "add", "--all")
    git(project, "-c", f"user.name={NASTY}", "commit", "--quiet", "--message", f"s\x1b[31m {NASTY}")
    assert_inert(run_envc(project, "show", "prod", "--list"))
    assert_inert(run_envc(project, "affected", "base/app/name.yaml"))
    assert_inert(run_envc(project, "show", "prod", f"configmap/{NASTY}"))
    assert_inert(run_envc(project, "explain", "prod", f"configmap/@octocat{NASTY}"))
    assert_inert(run_envc(project, "diff", "prod", "--from", f"{NASTY}"))
    assert run_envc(project, "history", "record").code == 0
    assert_inert(run_envc(project, "history", "log", "prod"))
    assert_inert(run_envc(project, "history", "log", "prod", "--format", "json"))
    assert_inert(run_envc(project, "history", "show", "prod"))
    assert_inert(run_envc(project, "history", "blame", "prod", "configmap/settings"))


def test_text_in_control_in_findings(project: Path) -> None:
    """Check prints names of kinds that it does not know, and of resources; as text, for GitHub, as JSON."""
    (project / "base/app/name.yaml").write_text(
        f'apiVersion: example.com/v1\nkind: "K{IN_YAML}"\n'
        'metadata: {name: n, annotations: {envcompile.dev/new: "true"}}\n'
    )
    for form in ("text", "json", "github"):
        outcome = run_envc(project, "check", "--format", form)
        assert "\x1b" not in outcome.out + outcome.err
        lines = [line for line in (outcome.out + outcome.err).splitlines() if line.lstrip().startswith("::")]
        assert not [line for line in lines if form != "github" or "injected" in line.partition("::")[0]]


@pytest.mark.parametrize("by", ["place", "rule", "resource"])
def test_text_in_control_begins_no_line_of_findings(project: Path, by: str) -> None:
    """A line break in the name of a resource is shown as such, however findings are grouped."""
    (project / "base/app/name.yaml").write_text(
        f'apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: "@octocat{IN_YAML}"}}\n'
    )
    outcome = run_envc(project, "check", "--group-by", by)
    assert rf"@octocat{NASTY}".replace("\x1b", r"\x1b").replace("\n", r"\n") in outcome.out
    assert not [line for line in outcome.out.splitlines() if "error::injected" in line and "octocat" not in line]
