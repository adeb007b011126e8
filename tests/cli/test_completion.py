"""The shell's completion: commands, options and values, for every shell that typer knows; nothing that a shell runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness.command import call_envc, run_envc
from tests.harness.repository import config_map, deployment, environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.conftest import MakeProject


def bash(line: str) -> dict[str, str]:
    """What bash hands over when TAB is pressed at the end of a line."""
    words = line.split(" ")
    return {"_ENVC_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}


def zsh(line: str) -> dict[str, str]:
    """As above, zsh."""
    return {"_ENVC_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": line}


def fish(line: str) -> dict[str, str]:
    """As above, fish."""
    return {
        "_ENVC_COMPLETE": "complete_fish",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "_TYPER_COMPLETE_ARGS": line,
    }


def powershell(line: str) -> dict[str, str]:
    """As above, PowerShell."""
    word = line.rpartition(" ")[2]
    return {
        "_ENVC_COMPLETE": "complete_powershell",
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_WORD_TO_COMPLETE": word,
    }


@pytest.fixture
def project(make_project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two environments above an abstract one, built; the current folder."""
    root = make_project({
        "base/web/deployment.yaml": deployment(),
        "base/web/config.yaml": config_map(),
        "overlays/common/environment.yaml": environment("abstract: true\n"),
        "overlays/dev/environment.yaml": environment("extends: [../common]\n"),
        "overlays/prod/environment.yaml": environment("extends: [../common]\n"),
    })
    assert run_envc(root, "build").code == 0
    monkeypatch.chdir(root)
    return root


def completed(variables: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What `envc` answers to the script of a shell."""
    with monkeypatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        outcome = run_envc(None)
    assert (outcome.code, outcome.err) == (0, "")
    return outcome.out.split()


@pytest.mark.parametrize(
    ("variables", "expected"),
    [(bash, "build"), (zsh, '"build"'), (fish, "build"), (powershell, "build:::")],
    ids=["bash", "zsh", "fish", "powershell"],
)
def test_completion_prints_help(variables: object, expected: str) -> None:
    """Case completion-prints-help: the command on stdout, exit 0, nothing on stderr; as the shell's script calls it."""
    assert callable(variables)
    outcome = call_envc(None, env=variables("envc bu"))
    assert (outcome.code, outcome.err) == (0, "")
    assert expected in outcome.out
    assert "Usage" not in outcome.out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell", "pwsh"])
def test_every_shell_has_its_script(shell: str) -> None:
    """What packages ship, and what `--show-completion` prints."""
    outcome = call_envc(None, env={"_ENVC_COMPLETE": f"source_{shell}"})
    assert outcome.code == 0
    assert "_ENVC_COMPLETE" in outcome.out
    assert "complete_" in outcome.out
    assert run_envc(None, "completion", shell).out.split() == outcome.out.split()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("envc show ", ["dev", "prod"]),
        ("envc show p", ["prod"]),
        ("envc build dev ", ["prod"]),
        ("envc compare dev ", ["prod"]),
        ("envc secrets set ", ["dev", "prod"]),
        ("envc diff --fail-on-env d", ["dev"]),
        ("envc history log ", ["dev", "prod"]),
        ("envc show prod ", ["configmap/settings", "deployment/web"]),
        ("envc explain dev dep", ["deployment/web"]),
        ("envc explain dev Deployment/w", ["Deployment/web"]),
        ("envc build --only c", ["configmap/settings"]),
        ("envc check --format ", ["text", "json", "sarif", "github", "gitlab", "junit"]),
        ("envc check --fail-on w", ["warning"]),
        ("envc promote dev prod --app ", ["web"]),
        ("envc schema e", ["environment"]),
        ("envc guide sec", ["secrets"]),
        ("envc build --no", ["--no-chart"]),
        ("envc history re", ["record", "rebuild", "restore"]),
    ],
)
@pytest.mark.usefixtures("project")
def test_values_complete(line: str, expected: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Environments, resources, choices, applications, pages; found without compiling anything."""
    assert sorted(completed(bash(line), monkeypatch)) == sorted(expected)


def test_the_project_is_the_one_that_is_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--project` counts; outside of any project there is nothing to complete, and no error."""
    monkeypatch.chdir(project.parent)
    assert completed(bash("envc --project project show p"), monkeypatch) == ["prod"]
    assert completed(bash("envc show "), monkeypatch) == []


def test_a_name_that_a_shell_would_run_is_not_offered(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Zsh evaluates what is printed: folders of a checkout with odd names complete nothing."""
    for name in ("$(touch x)", "a'b", "`id`", "q\nr", "a b", "c;d", "*"):
        folder = project / "overlays" / name
        folder.mkdir()
        (folder / "environment.yaml").write_text(environment())
        (project / "environments/prod/web" / f"configmap-{name}.yaml").write_text("")
    assert completed(bash("envc show "), monkeypatch) == ["dev", "prod"]
    assert sorted(completed(bash("envc show prod "), monkeypatch)) == ["configmap/settings", "deployment/web"]
    assert "touch" not in "".join(completed(zsh("envc show "), monkeypatch))


def test_rules_of_the_project_complete(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those in checks/ beside those that come with envc; a broken file there is no error now."""
    file = project / "checks/team.py"
    file.parent.mkdir()
    file.write_text("def team_label(resource): ...\n", encoding="utf-8")
    for command in ("rule", "check --select", "check --ignore"):
        assert completed(bash(f"envc {command} team"), monkeypatch) == ["team-label"]
    file.write_text("def team_label(resource:\n", encoding="utf-8")
    assert completed(bash("envc rule team"), monkeypatch) == []
    assert completed(bash("envc rule image-l"), monkeypatch) == ["image-latest"]
