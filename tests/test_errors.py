"""One error type: what happened, where, how to mend it; and every message is held by a test."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from envcompile import errors
from envcompile.errors import EnvcError, Problem, Problems, UnavailableError, UsageError, did_you_mean, fail, nearest
from envcompile.model import Location

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Location("overlays/prod/a.yaml", 3, 5)
THERE = Location("base/a.yaml", 1, 1)
ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("it is wrong", "mend it"), "error: it is wrong\nhint: mend it"),
        (Problem("it is wrong", ""), "error: it is wrong"),
        (
            Problem("it is wrong", "mend it", (HERE, THERE), ("a  b", "c")),
            """\
error: it is wrong
  --> overlays/prod/a.yaml:3:5
  --> base/a.yaml:1:1
      a  b
      c
hint: mend it""",
        ),
    ],
)
def test_a_problem_in_words(problem: Problem, text: str) -> None:
    """What, then every place, then a trace, then the mend."""
    assert str(problem) == text


def test_several_are_sorted_by_place_and_told_once() -> None:
    """File, line, column, words; those without a place first."""
    problems = [
        Problem("z", "", (Location("b", 1, 1),)),
        Problem("y", "", (Location("a", 10, 1),)),
        Problem("y", "", (Location("a", 10, 1),)),
        Problem("x", "", (Location("a", 9, 2),)),
        Problem("w", "", (Location("a", 9, 2),)),
        Problem("v", ""),
    ]
    error = EnvcError(problems)
    assert [problem.what for problem in error.problems] == ["v", "w", "x", "y", "z"]
    assert str(error).count("\n\n") == 4


def test_exit_codes() -> None:
    """Scripts rely on them."""
    codes = {name: code for name, code in vars(errors).items() if name.startswith("EXIT_")}
    assert codes == {
        "EXIT_OK": 0,
        "EXIT_WRONG": 1,
        "EXIT_USAGE": 2,
        "EXIT_BUG": 3,
        "EXIT_UNAVAILABLE": 4,
        "EXIT_DIFFERENT": 16,
        "EXIT_INTERRUPTED": 130,
    }
    assert (EnvcError.exit_code, UsageError.exit_code, UnavailableError.exit_code) == (1, 2, 4)


def test_a_collector_reports_all_or_nothing() -> None:
    """It raises when something was noted, also what was raised below."""
    problems = Problems()
    problems.raise_any()
    assert not problems
    problems.add("one", "mend", HERE, trace=("deep",))
    problems.extend(fail("two", "mend", THERE))
    assert problems
    with pytest.raises(EnvcError) as raised:
        problems.raise_any()
    assert [problem.what for problem in raised.value.problems] == ["two", "one"]


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("wbe", ["web", "api"], ["web"]),
        ("WEB", ["Web", "web"], ["Web"]),
        ("user-servce", ["user-service", "user-server", "order"], ["user-service", "user-server"]),
        ("zzz", ["web", "api"], []),
        ("", ["web"], []),
        ("web", [], []),
        ("prod", ["staging", "production", "preprod"], ["production", "preprod"]),
        ("pr", ["production"], []),
    ],
)
def test_near_misses(name: str, known: list[str], expected: list[str]) -> None:
    """Best first, whatever the case; nothing when nothing is close."""
    assert nearest(name, known) == expected


def test_did_you_mean() -> None:
    """One name, several, or other advice."""
    assert did_you_mean("wbe", ["web"], "else") == "did you mean `web`?"
    assert did_you_mean("aab", ["aaa", "aac"], "else") == "did you mean `aac` or `aaa`?"
    assert did_you_mean("zzz", ["web"], "else") == "else"


COVERED = (
    "ask",
    "compose",
    "emit",
    "yamlio",
    *(f"actions/{name}.py" for name in ("affected", "build", "explain", "project", "promote", "results")),
    *(
        f"cli/{name}.py"
        for name in (
            "options",
            "render/build",
            "commands/affected",
            "commands/build",
            "commands/explain",
            "commands/guide",
            "commands/promote",
            "commands/show",
        )
    ),
    *(f"sources/{name}.py" for name in ("environments", "layers", "params", "project", "settingsfile", "yamlfiles")),
)
_MAKERS = {"fail", "Problem", "add", "_report", "report"}


def messages(path: Path) -> Iterator[tuple[int, str]]:
    """The longest fixed part of every message that a module can make, with its line."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name not in _MAKERS:
            continue
        parts = [part.value for part in ast.walk(node.args[0]) if isinstance(part, ast.Constant)]
        texts = [part.strip() for part in parts if isinstance(part, str) and " " in part.strip()]
        if texts:
            yield node.lineno, max(texts, key=len)


def _modules(place: Path) -> list[Path]:
    return [place] if place.is_file() else sorted(place.rglob("*.py"))


def test_every_message_is_held_by_a_test() -> None:
    """The catalogue of messages is the code; each one's words appear in some test or golden."""
    held = "\n".join(
        " ".join(path.read_text(encoding="utf-8").replace("\\\n", "").split())
        for path in sorted((ROOT / "tests").rglob("*"))
        if path.suffix in {".py", ".txt", ".md"} and path != Path(__file__)
    )
    missing = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for name in COVERED
        for path in _modules(ROOT / "envcompile" / name)
        for line, text in messages(path)
        if " ".join(text.split()) not in held
    ]
    assert not missing, "\n" + "\n".join(missing)
