"""What a terminal gets: colours, a pager, pages laid out."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from envcompile.cli.render.colors import highlighted
from envcompile.cli.render.columns import hanging
from tests.harness.command import PACKAGE_ROOT, PATIENCE, call_envc, run_envc
from tests.harness.repository import config_map, environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

ESCAPE = "\x1b["


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    """A ConfigMap with many keys in one environment."""
    return make_project({
        "base/web/config.yaml": config_map(**{f"key{number}": "x" for number in range(60)}),
        "overlays/prod/environment.yaml": environment(),
    })


def on_terminal(project: Path, *words: str, **variables: str) -> str:
    """All that a terminal of 24 lines shows of a command."""
    reader, writer = pty.openpty()
    clean = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "FORCE_COLOR", "PAGER"}}
    env = {**clean, "TERM": "xterm", "LINES": "24", "COLUMNS": "80", "PYTHONPATH": str(PACKAGE_ROOT), **variables}
    with subprocess.Popen(
        [sys.executable, "-m", "envcompile", "--project", str(project), *words],
        stdin=subprocess.DEVNULL,
        stdout=writer,
        stderr=writer,
        env=env,
    ) as process:
        os.close(writer)
        shown = b""
        while True:
            try:
                part = os.read(reader, 65536)
            except OSError:
                break
            if not part:
                break
            shown += part
        process.wait(timeout=PATIENCE)
    os.close(reader)
    return shown.decode()


def test_errors_are_coloured_on_a_terminal_and_as_people_ask(project: Path) -> None:
    """NO_COLOR refuses, FORCE_COLOR wants them in a pipe, --color says it for one call, and nothing else changes."""
    plain = run_envc(project, "show", "nope").err
    assert ESCAPE not in plain
    shown = on_terminal(project, "show", "nope")
    assert shown.startswith(f"{ESCAPE}1;31merror{ESCAPE}0m: ")
    assert ESCAPE not in on_terminal(project, "show", "nope", NO_COLOR="1")
    assert ESCAPE not in on_terminal(project, "show", "nope", "--color", "never")
    assert ESCAPE in call_envc(project, "show", "nope", env={"FORCE_COLOR": "1"}).err
    assert ESCAPE in call_envc(project, "--color", "always", "show", "nope").err
    assert run_envc(project, "--color", "red", "show", "prod").code == 2


def test_places_and_grades_are_coloured() -> None:
    """Nothing is added to the text but colours."""
    text = "base/web/a.yaml:3:5: warning some-rule: it says error\nhint: mend it\n  * base  x\n"
    shown = highlighted(text)
    assert shown.count(ESCAPE) == 8
    for code in ("36m", "1;33m", "1;36m", "1m", "0m"):
        shown = shown.replace(f"{ESCAPE}{code}", "")
    assert shown == text


def test_long_output_goes_through_the_pager(project: Path) -> None:
    """On a terminal only, when it does not fit, unless --no-pager or an empty PAGER refuses it."""
    pager = "sed s/^/paged:/"
    assert "paged:apiVersion" in on_terminal(project, "show", "prod", PAGER=pager)
    assert "paged:" not in on_terminal(project, "show", "prod", "--list", PAGER=pager)
    assert "paged:" not in on_terminal(project, "show", "prod", "--no-pager", PAGER=pager)
    assert "paged:" not in on_terminal(project, "show", "prod", PAGER="")
    assert "key59" in on_terminal(project, "show", "prod", PAGER="no-such-pager")
    assert "paged:" not in call_envc(project, "show", "prod", env={"PAGER": pager}).out


def test_pages_of_the_guide_are_laid_out_on_a_terminal(project: Path) -> None:
    """As they are in a pipe; `--search` names the sections that have all the words."""
    assert run_envc(None, "guide", "terminal").out.startswith("# At the terminal\n")
    shown = on_terminal(project, "guide", "terminal", PAGER="")
    assert "# At the terminal" not in shown
    assert "At the terminal" in shown
    assert "terminal: Completion" in run_envc(None, "guide", "--search", "zsh Bash").out
    nothing = run_envc(None, "guide", "--search", "zeppelin")
    assert (nothing.code, nothing.err) == (2, "error: the guide does not speak of `zeppelin`\nhint: try fewer words\n")


def test_no_line_is_wider_than_the_terminal(project: Path) -> None:
    """Lines for people are broken at blanks and go on further in; only a name that is longer itself stays whole."""
    for words in (
        ("explain", "prod", "configmap/settings"),
        ("explain", "prod", "configmap/nothing"),
        ("init", str(project / "new")),
    ):
        shown = on_terminal(project, "--no-pager", *words, COLUMNS="50").replace("\r", "")
        lines = [line for line in highlighted_away(shown).split("\n") if len(line) > 50]
        assert [line for line in lines if len(line.split()) > 1] == []


def highlighted_away(text: str) -> str:
    """The text without colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_what_goes_on_in_the_next_line_stands_further_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """By four, below the first word of a hint; gaps within a line and names stay as they are."""
    monkeypatch.setenv("COLUMNS", "30")
    assert hanging("  a2c57ab47440  2026-11-30 21:50  Ada  from 3") == [
        "  a2c57ab47440  2026-11-30",
        "      21:50  Ada  from 3",
    ]
    assert hanging("hint: did you mean `app` or `redis-master`?") == [
        "hint: did you mean `app` or",
        "      `redis-master`?",
    ]
    name = f"{'long.' * 8}name"
    assert hanging(f"{name} = 3") == [name, "    = 3"]
    assert hanging(f"a\t{'b ' * 30}") == [f"a\t{'b ' * 30}"]
