"""The shell's completion: commands, options and values, for every shell that typer knows; nothing that a shell runs."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.check.rules.catalogue import ALL
from envcompile.cli.completion.fields import fields
from envcompile.kubernetes.fieldpath import parse_field, resolve
from envcompile.yamlio import load_all
from tests.harness.command import PACKAGE_ROOT, call_envc, run_envc
from tests.harness.repository import config_map, deployment, environment, write_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.conftest import MakeProject


def bash(line: str) -> dict[str, str]:
    """What the script of bash hands over when TAB is pressed at the end of a line."""
    return {"_ENVC_COMPLETE": "bash", "COMP_LINE": line, "COMP_POINT": str(len(line.encode()))}


def other(shell: str) -> Callable[[str], dict[str, str]]:
    """As above, of another shell."""
    return lambda line: {"_ENVC_COMPLETE": shell, "_ENVC_COMPLETE_LINE": line}


zsh = other("zsh")


@pytest.fixture
def project(make_project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two environments above an abstract one, built; the current folder."""
    settings = environment("extends: [../common]\nparams:\n  # where\n  domain: shop.example.com\n  size: 3\n")
    root = make_project({
        "base/web/deployment.yaml": deployment(),
        "base/web/config.yaml": config_map(**{"app.properties": "|\n    # of the shop\n    a=1\n    b.c: 2"}),
        "overlays/common/environment.yaml": environment("abstract: true\n"),
        "overlays/dev/environment.yaml": environment("extends: [../common]\n"),
        "overlays/prod/environment.yaml": settings,
    })
    assert run_envc(root, "build").code == 0
    write_files(
        root,
        {
            "overlays/prod/sealed.yaml": "shop/web-secret/token:\n  scope: strict\n",
            ".git/HEAD": "ref: refs/heads/main\n",
            ".git/refs/heads/release/1": "1" * 40 + "\n",
            ".git/packed-refs": f"# pack-refs with: peeled\n{'2' * 40} refs/tags/v1\n^{'3' * 40}\n",
            ".git/logs/HEAD": f"{'0' * 40} {'4' * 40} A <a@b> 1 +0000\tcommit: odd \x1b[31m words\n",
        },
    )
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


def test_completion_prints_help() -> None:
    """Case completion-prints-help: the command on stdout, exit 0, nothing on stderr; as scripts of 0.1 call it."""
    outcome = call_envc(None, env={"_ENVC_COMPLETE": "complete_bash", "COMP_WORDS": "envc bu", "COMP_CWORD": "1"})
    assert outcome == (0, "build\n", "")


@pytest.mark.parametrize("shell", ["zsh", "fish", "powershell"])
def test_an_answer_says_what_values_are_about(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value, a tab, a few words: the form that all shells but bash are answered in."""
    for name, value in other(shell)("envc bui").items():
        monkeypatch.setenv(name, value)
    outcome = run_envc(None)
    assert outcome == (0, "build\tCompile environments into environments/<env>/, one resource a file\n", "")


@pytest.mark.parametrize("shell", ["zsh_source", "tcsh", "", "complete_"])
def test_a_shell_that_is_unknown_gets_nothing(shell: str) -> None:
    """Scripts of 0.1 evaluated what they were told."""
    assert call_envc(None, env={"_ENVC_COMPLETE": shell, "_ENVC_COMPLETE_LINE": "envc bu"}) == (0, "", "")


def test_fish_goes_into_a_list(project: Path) -> None:
    """It puts a space behind `[`, and then nothing completes any more."""
    line = "envc explain prod deployment/web spec.template.spec.con"
    assert call_envc(project, env={"_ENVC_COMPLETE": "fish", "_ENVC_COMPLETE_LINE": line}).out == (
        "spec.template.spec.containers[name=web].\t\n"
    )


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell", "pwsh"])
def test_every_shell_has_its_script(shell: str) -> None:
    """What packages ship."""
    script = run_envc(None, "completion", shell).out
    assert "Completion of envc for" in script
    assert "_ENVC_COMPLETE" in script


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
        ("envc promote dev prod --app=", ["web"]),
        ("envc promote dev prod --param ", ["domain", "size"]),
        ("envc show prod deploy/w", ["deploy/web"]),
        ("envc show prod deploy ", ["web"]),
        ("envc show prod deploy w", ["web"]),
        ("envc -C . --color never show prod deploy w", ["web"]),
        ("envc new env qa --extends c", ["common"]),
        ("envc show --format ", ["json", "yaml"]),
        ("envc show --format j", ["json"]),
        ("envc history blame --at H", ["HEAD", "HEAD~1"]),
        ("envc build --at relea", ["release/1"]),
        ("envc history diff dev v", ["v1"]),
        ("envc secrets rotate prod ", ["web-secret"]),
        ("envc secrets rotate prod web-secret t", ["token"]),
        ("envc secrets reseal dev ", []),
        ("envc explain prod deployment/web spec.rep", ["spec.replicas"]),
        ("envc explain prod deploy web spec.rep", ["spec.replicas"]),
        ("envc explain prod deployment/web spec.t", ["spec.template."]),
        (
            "envc explain prod deployment/web 'spec.template.spec.containers[",
            ["spec.template.spec.containers[name=web]."],
        ),
        ("envc explain prod deployment/web spec.template.spec.containers\\[name=", ["web\\]."]),
        ("envc explain prod cm/settings data.app", ["data.app\\\\.properties"]),
        (
            "envc explain prod cm/settings 'data.app\\.properties#",
            [r"data.app\.properties#a", r"data.app\.properties#b.c"],
        ),
        ("envc check --select image-latest,image-n", ["image-latest,image-not-digest"]),
        ("envc hook ", ["install", "run", "status", "uninstall"]),
        ("envc build --check --che", []),
        ("envc build -- --", []),
        ("envc nothing ", []),
        ("envc 'show' \"p", ["prod"]),
        ("envc 'show' \"prod\" dep", ["deployment/web"]),
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


def test_rules_complete(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that come with envc, and those in checks/; what is broken there is no error now."""
    assert set(completed(bash("envc rule "), monkeypatch)) == {rule.id for rule in ALL}
    file = write_files(project, {"checks/team.py": "def team_label(resource): ...\n"}) / "checks/team.py"
    write_files(project, {"checks/cost.yaml": "rule: team-cost\ngrade: warning\n"})
    for command in ("rule", "check --select", "check --ignore"):
        assert completed(bash(f"envc {command} team"), monkeypatch) == ["team-cost", "team-label"]
    file.write_text("def team_label(resource:\n", encoding="utf-8")
    assert completed(bash("envc rule team-l"), monkeypatch) == []


def test_words_about_a_value_do_nothing_to_a_terminal(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages of commits stand beside revisions."""
    del project
    with monkeypatch.context() as patch:
        for name, value in zsh("envc build --at 4").items():
            patch.setenv(name, value)
        assert run_envc(None).out == "4444444444\todd  [31m words\n"


def test_many_resources_complete_kind_by_kind(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody reads hundreds of names."""
    for number in range(300):
        write_files(project, {f"environments/prod/many/service-s{number}.yaml": ""})
    assert completed(bash("envc show prod "), monkeypatch) == ["configmap/", "deployment/", "service/"]
    assert completed(bash("envc show prod svc/s29"), monkeypatch) == ["svc/s29", *(f"svc/s29{at}" for at in range(10))]


def test_files_are_left_to_the_shell(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bash looks for files when it is told nothing; the others are told that files are wanted."""
    del project
    assert completed(bash("envc build --output "), monkeypatch) == []
    assert completed(zsh("envc build --output "), monkeypatch) == [":files"]


def test_an_answer_imports_nothing_heavy(project: Path) -> None:
    """A tenth of a second is all that a key may take: neither the command line's library nor the compiler is there."""
    heavy = ("typer", "yaml", "rich", "msgspec", "asyncio", "envcompile.units", "envcompile.check.rules")
    code = (
        "import sys; from envcompile.cli import main; main([]); "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    for line in ("envc bui", "envc explain prod deployment/web spec.rep", "envc rule image-l", "envc build --at H"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, **zsh(line)},
            cwd=project,
            capture_output=True,
            text=True,
            check=True,
        )
        *values, imported = done.stdout.splitlines()
        assert values
        assert imported == "[]"


@pytest.mark.parametrize(
    "file", sorted((PACKAGE_ROOT / "environments" / "prod").glob("*/*.yaml")), ids=lambda f: f.stem
)
def test_fields_are_those_of_the_manifest(file: Path) -> None:
    """Every field of the shop's manifests can be reached by completing one step after the other, and is found."""
    manifest = file.read_text(encoding="utf-8")
    (value,) = load_all(manifest.encode(), file.name)
    todo = [""]
    leaves: list[str] = []
    while todo:
        for name in fields(manifest, todo.pop()):
            (todo if name.endswith((".", "[")) else leaves).append(name)
    assert len(leaves) == len(set(leaves))
    found = [resolve(parse_field(name)[0], value) for name in leaves]
    assert sorted(map(repr, found)) == sorted(repr(pointer) for pointer in _scalars(value, ()))


def _scalars(value: Any, pointer: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not parts:
        yield pointer
    for key, child in parts:
        yield from _scalars(child, (*pointer, key))
