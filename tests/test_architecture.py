"""The house is as its plan says: who may import whom, how large rooms are, which names are public."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import envcompile
from envcompile.cli import main
from envcompile.units.snapshot import ABOVE

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "envcompile"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)
NAMES = [path.relative_to(PACKAGE).as_posix() for path in MODULES]
LARGEST = 500
LARGER: dict[str, str] = {}
"""Modules that may be larger than a room, with the reason; one that has shrunk must leave the list."""
CATCHES_ALL = {
    "check/policy/pythonworker.py": "rules that people write may fail in every way",
    "cli/error_handler.py": "it is the funnel",
    "cli/app.py": "the command-line library's own errors show themselves",
    "units/objects.py": "file systems behind fsspec have no common error type",
    "secrets/certificate.py": "the parser of certificates has no common error type",
    "secrets/outside.py": "it is raised again in the thread that waits",
    "secrets/privatekeys.py": "the parser of keys has no common error type",
}
"""Modules that may catch every exception without raising it again, with the reason."""
NESTED = {
    "check/api",
    "check/cel",
    "check/formats",
    "check/policy",
    "check/rules",
    "cli/commands",
    "cli/completion",
    "cli/differences",
    "cli/render",
    "cli/shapes",
    "cluster/drift",
    "compose/configtext",
    "compose/configtext/formats",
    "forge/hosts",
    "migrations/versions",
    "scaling/forecast",
    "scaling/hpa",
    "scaling/vpa",
    "secrets/schemes",
    "units/engines",
}
"""Rooms inside of rooms."""
SUBJECTS = "check/rules"
"""Has a room for each subject: a new one touches nothing else."""
BLAND = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "data", "core"}


def test_the_import_contract() -> None:
    """Data flows one way, and each dependency has one door."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_the_contract_speaks_of_every_room() -> None:
    """A new room cannot stand outside of it."""
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ][0]
    placed = {room.strip() for layer in contract["layers"] for room in layer.split("|")}
    rooms = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").exists()}
    files = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
    assert (rooms | files) - placed <= set(contract["exhaustive_ignores"])
    assert placed <= rooms | files


def test_rooms_that_have_no_say_in_what_is_compiled_are_above_what_builds() -> None:
    """Nothing that a memo depends on may import them, so an edit there need not make it stale."""
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ][0]
    layers = [{room.strip() for room in layer.split("|")} for layer in contract["layers"]]
    above = set().union(*layers[: layers.index({"actions"})])
    assert above >= set(ABOVE)


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_a_module_is_a_room_of_its_own(path: Path) -> None:
    """Not too large, not too deep, with a telling name and a first sentence."""
    name = path.relative_to(PACKAGE).as_posix()
    text = path.read_text(encoding="utf-8")
    lines = text.count("\n")
    assert (lines > LARGEST) is (name in LARGER), f"{lines} lines"
    folder = path.parent.relative_to(PACKAGE).as_posix()
    assert folder.count("/") == 0 or folder in NESTED or folder.rpartition("/")[0] == SUBJECTS
    assert not path.stem.isupper()
    assert path.stem not in BLAND
    sentence = ast.get_docstring(ast.parse(text))
    if sentence is not None:
        assert re.match(r"[A-Z`.]|envcompile: ", sentence)
        assert sentence.split("\n\n")[0].rstrip().endswith((".", ":", "?"))
    else:
        assert not lines


@pytest.mark.parametrize("path", MODULES, ids=NAMES)
def test_a_module_keeps_no_state(path: Path) -> None:
    """Nothing at a module's top is rebound by `global`, so a second project in one process is like the first."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Global)]


def test_the_list_of_exceptions_is_true() -> None:
    """Every exception exists and has its reason."""
    assert set(LARGER) <= set(NAMES)
    assert all(LARGER.values())
    assert all((PACKAGE / folder).is_dir() for folder in NESTED)


def test_public_names() -> None:
    """What `import envcompile` promises; each can be had and says what it is."""
    assert envcompile.__all__ == ["Compiled", "EnvcError", "Project", "Resource", "ResourceId", "__version__"]
    for name in envcompile.__all__:
        assert getattr(envcompile, name)
    with pytest.raises(AttributeError, match="module 'envcompile' has no attribute 'Nothing'"):
        getattr(envcompile, "Nothing")  # ruff: ignore[get-attr-with-constant] - mypy knows better


def test_the_python_interface_is_what_the_command_uses(capsys: pytest.CaptureFixture[str]) -> None:
    """`Project.open(path).compile(name)` gives the resources that `envc show` lists."""
    compiled = envcompile.Project.open(ROOT).compile("prod")
    assert main(["--project", str(ROOT), "show", "prod", "--list"]) == 0
    assert sorted(str(resource.id) for resource in compiled.resources) == sorted(capsys.readouterr().out.splitlines())


def test_nothing_but_the_command_line_prints_or_exits() -> None:
    """Rooms below `cli` return values and raise errors."""
    found = []
    for path, name in zip(MODULES, NAMES, strict=True):
        if name.startswith(("cli/", "__main__", "migrations/")):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                if called in {"print", "sys.exit", "exit", "quit", "sys.stdout.write", "sys.stderr.write"}:
                    found.append(f"{name}:{node.lineno}: {called}")
    assert not found


def test_whatever_goes_wrong_is_caught_in_one_place() -> None:
    """Nothing but the funnel swallows `Exception`; cleaning up and raising again is fine."""
    found = set()
    for path, name in zip(MODULES, NAMES, strict=True):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler):
                caught = "" if node.type is None else ast.unparse(node.type)
                raises_again = isinstance(node.body[-1], ast.Raise) and node.body[-1].exc is None
                if caught in {"", "Exception", "BaseException"} and not raises_again:
                    found.add(name)
    assert found == set(CATCHES_ALL)


def test_git_is_started_behind_one_door() -> None:
    """No list that begins with `git`, no `git ...` for a shell, and no GitPython outside of the git room."""
    starters = ("subprocess.", "os.system", "os.popen", "os.exec", "os.spawn", "os.posix_spawn")
    found = []
    for path, name in zip(MODULES, NAMES, strict=True):
        if name.startswith("git/"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.List | ast.Tuple) and node.elts and ast.unparse(node.elts[0]) == "'git'":
                found.append(f"{name}:{node.lineno}")
            if isinstance(node, ast.Call) and ast.unparse(node.func).startswith(starters):
                found += [f"{name}:{node.lineno}" for _ in re.findall(r"['\"]git\b", ast.unparse(node))]
    assert not found


def test_the_version_is_told_once() -> None:
    """The package and its metadata agree."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == envcompile.__version__
    assert f"## {envcompile.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").replace(
        "[", ""
    ).replace("]", "")
