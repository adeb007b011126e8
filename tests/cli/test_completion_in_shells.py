"""Completion in the shells themselves, on a terminal: TAB is pressed, and the shell says what the line has become."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
import pytest

from tests.harness.command import PATIENCE, run_envc
from tests.harness.repository import config_map, deployment, environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.conftest import MakeProject

PROGRAMS = Path(sys.executable).parent
TAB, BEGIN = "\t", "\x01"
SHELLS = {
    "bash": (["--norc", "--noprofile", "-i"], "PS1='ready> '; bind 'set enable-bracketed-paste off'"),
    "zsh": (["-f", "-i"], "PS1='ready> '; unsetopt zle_bracketed_paste; autoload -U compinit; compinit -u; bindkey -e"),
    "fish": (["--no-config", "-i"], "function fish_prompt; printf 'ready> '; end"),
}
SOURCE = {
    "bash": "source <(envc completion bash)",
    "zsh": "source <(envc completion zsh)",
    "fish": "envc completion fish | source",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of somebody without settings of their own."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(params=list(SHELLS))
def shell(request: pytest.FixtureRequest, make_project: MakeProject, home: Path) -> Iterator[pexpect.spawn[str]]:
    """A shell in a built project, which has read its script of completion."""
    name = request.param
    program = shutil.which(name)
    if program is None or not (PROGRAMS / "envc").exists():
        pytest.skip(f"{name if program is None else 'envc'} is not installed")
    root = make_project({
        "base/web/deployment.yaml": deployment(),
        "base/web/config.yaml": config_map(**{"app.properties": "|\n    color=red\n    size=3"}),
        "overlays/dev/environment.yaml": environment(),
        "overlays/prod/environment.yaml": environment(),
        "a file.yaml": "",
    })
    assert run_envc(root, "build").code == 0
    arguments, begin = SHELLS[name]
    variables = {
        "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
        "HOME": str(home),
        "TERM": "xterm",
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "200",
    }
    child = pexpect.spawn(
        program, arguments, cwd=str(root), env=variables, encoding="utf-8", timeout=PATIENCE, dimensions=(40, 200)
    )
    child.sendline(f"{begin}; {SOURCE[name]}; echo st''arted")
    child.expect("started\r?\n")
    yield child
    child.close(force=True)


def after_tab(shell: pexpect.spawn[str], typed: str) -> str:
    """The line after TAB, as the shell reads it: quotes and backslashes are taken for what they mean."""
    shell.send(f"{typed}{TAB}{BEGIN}echo GO''T: \r")
    shell.expect(r"GOT: ?([^\r\n\x1b]*)")
    assert isinstance(shell.match, re.Match)
    return str(shell.match[1]).strip()


CONTAINER = "spec.template.spec.containers[name=web]"
LINES = [
    ("envc bui", "envc build"),
    ("envc show pr", "envc show prod"),
    ("envc show prod deploy/", "envc show prod deploy/web"),
    ("envc show prod deploy w", "envc show prod deploy web"),
    ("envc explain prod deployment/web spec.temp", "envc explain prod deployment/web spec.template."),
    (f"envc explain prod deployment/web '{CONTAINER}.ima'\x02", f"envc explain prod deployment/web {CONTAINER}.image"),
    (
        r"envc explain prod deployment/web spec.template.spec.containers\[",
        f"envc explain prod deployment/web {CONTAINER}.",
    ),
    (
        r"envc explain prod deployment/web spec.template.spec.containers\[name=web\].ima",
        f"envc explain prod deployment/web {CONTAINER}.image",
    ),
    (
        r"envc explain prod cm/settings data.app\\.properties#co",
        r"envc explain prod cm/settings data.app\.properties#color",
    ),
    ("envc check --format=sa", "envc check --format=sarif"),
    ("envc check --format sa", "envc check --format sarif"),
    ("envc check --select image-la", "envc check --select image-latest"),
    ("envc guide compo", "envc guide composition"),
    ("envc build --output a\\ fi", "envc build --output a file.yaml"),
]


@pytest.mark.slow
def test_tab_completes_what_is_typed(shell: pexpect.spawn[str]) -> None:
    """Commands, environments, resources, fields, formats, rules, pages, files: each as this shell quotes it."""
    wrong = [(typed, found, expected) for typed, expected in LINES if (found := after_tab(shell, typed)) != expected]
    assert not wrong


@pytest.mark.slow
def test_tab_lists_what_is_possible(shell: pexpect.spawn[str]) -> None:
    """Where several values fit, all are shown, and nothing else is."""
    shell.send(f"envc show {TAB}{TAB}")
    shell.expect("dev[^a-z]*prod")
    assert _mentions(shell.before or "", ("Usage", "error", "Traceback")) == []


def _mentions(text: str, words: Sequence[str]) -> list[str]:
    return [word for word in words if word in text]
