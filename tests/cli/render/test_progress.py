"""How far the work is, shown where somebody watches."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING

import pytest

from envcompile.cli.output import tell
from envcompile.cli.render import bar as room
from envcompile.cli.render.progress import shown_progress
from envcompile.log import PROGRESS, logger, progress

if TYPE_CHECKING:
    from collections.abc import Callable

ERASED = "\x1b[2K"
"""What a terminal is told when the bar goes."""


class Terminal(io.StringIO):
    """A stream on which somebody watches."""

    def isatty(self) -> bool:
        """Somebody does."""
        return True


def watched(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal in the place of stderr."""
    made = Terminal()
    monkeypatch.setattr(sys, "stderr", made)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("ENVC_QUIET", raising=False)
    return made


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let seconds pass on the clock that the bar reads."""
    now = [0.0]

    class Clock:
        @staticmethod
        def monotonic() -> float:
            return now[0]

    def later(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(room, "time", Clock)
    return later


def test_what_is_over_in_a_moment_shows_nothing(monkeypatch: pytest.MonkeyPatch, wait: Callable[[float], None]) -> None:
    """A bar that flickers would only unsettle."""
    terminal = watched(monkeypatch)
    with shown_progress():
        for done in range(10):
            progress("commits", done, 10)
            wait(0.09)
    assert terminal.getvalue() == ""


def test_what_takes_longer_shows_how_far_it_is(monkeypatch: pytest.MonkeyPatch, wait: Callable[[float], None]) -> None:
    """The things, those done, and of how many; the line is gone at the end."""
    terminal = watched(monkeypatch)
    with shown_progress():
        wait(1.5)
        progress("commits", 3, 10)
        shown = terminal.getvalue()
    assert "commits" in shown
    assert "3/10" in shown
    assert terminal.getvalue().endswith((ERASED, f"{ERASED}\x1b[?25h"))
    assert PROGRESS not in os.environ
    shown = terminal.getvalue()
    logger("progress").info("%s: %s of %s", "commits", 4, 10)
    assert terminal.getvalue() == shown


def test_the_bar_is_drawn_ten_times_a_second_at_most(
    monkeypatch: pytest.MonkeyPatch, wait: Callable[[float], None]
) -> None:
    """Drawing must not become the work."""
    terminal = watched(monkeypatch)
    with shown_progress():
        wait(1.5)
        for done in range(1, 1001):
            progress("applications", done, 2000)
            wait(0.001)
        drawn = terminal.getvalue().count("/2000")
    assert 9 <= drawn <= 11


def test_words_stand_on_a_line_of_their_own(monkeypatch: pytest.MonkeyPatch, wait: Callable[[float], None]) -> None:
    """The bar goes away before something is told, and comes back after it."""
    terminal = watched(monkeypatch)
    with shown_progress():
        wait(1.5)
        progress("commits", 3, 10)
        monkeypatch.setenv("NO_COLOR", "1")
        tell("warning: one does not compile")
        before = terminal.getvalue()
        wait(0.5)
        progress("commits", 4, 10)
        after = terminal.getvalue()
    assert before.split(ERASED)[-1].removeprefix("\x1b[?25h") == "warning: one does not compile\n"
    assert "4/10" in after.removeprefix(before)


@pytest.mark.parametrize(("name", "value"), [("ENVC_QUIET", "1"), ("ENVC_LOG", "info"), ("TERM", "dumb")])
def test_nothing_is_shown_where_nobody_wants_it(
    name: str, value: str, wait: Callable[[float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `-q`, beside a log, and on a terminal that cannot go back in a line."""
    terminal = watched(monkeypatch)
    monkeypatch.setenv(name, value)
    with shown_progress():
        assert PROGRESS not in os.environ
        wait(1.5)
    assert terminal.getvalue() == ""


def test_nothing_is_shown_where_nobody_watches(monkeypatch: pytest.MonkeyPatch, wait: Callable[[float], None]) -> None:
    """A log of CI gets no bar."""
    out = io.StringIO()
    monkeypatch.setattr(sys, "stderr", out)
    with shown_progress():
        wait(1.5)
        progress("commits", 3, 10)
    assert out.getvalue() == ""
