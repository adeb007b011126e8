"""One table of flags: the fast path, the ordinary command line and --watch cannot read a call in different ways."""

from __future__ import annotations

import itertools
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st

from envcompile.cli.app import make_app
from envcompile.cli.flags import BuildOptions, Globals, Options, RecordOptions, flag
from tests.harness.command import run_envc
from tests.harness.repository import config_map, environment, read_files

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

TABLES = (BuildOptions, RecordOptions)
WORDS = {"build": BuildOptions, "history record": RecordOptions}


def parameters_of(words: str) -> dict[str, Any]:
    """The options that typer made of a command, by the name of their attribute."""
    found: Any = typer.main.get_command(make_app())
    for word in words.split():
        found = found.commands[word]
    return {parameter.name: parameter for parameter in found.params if parameter.opts[0].startswith("--")}


@pytest.mark.parametrize("words", WORDS)
def test_typer_knows_exactly_the_flags_of_the_table(words: str) -> None:
    """In its order, with its help and metavar, and nothing beside."""
    table = WORDS[words]
    known = parameters_of(words)
    assert list(known) == [found.name for found in table.flags()]
    for found in table.flags():
        parameter = known[found.name]
        assert parameter.opts == [name for name in (found.option, found.short) if name]
        assert parameter.help == found.help
        assert parameter.is_flag is (not found.metavar)
        assert parameter.multiple is table.kind(found).startswith("tuple")


@pytest.mark.parametrize("table", TABLES)
def test_every_flag_has_a_type_that_is_read(table: type[Options]) -> None:
    """A switch is a bool; everything else takes a value and says what it is called."""
    for found in table.flags():
        assert table.kind(found) in {"bool", "str | None", "int | None", "tuple[str, ...]"}
        assert (table.kind(found) == "bool") is (not found.metavar)
        assert getattr(table(), found.name) == table.default(found)


def test_options_cannot_be_changed() -> None:
    """They are one value that is handed on, with equality, a hash and words for it."""
    options = BuildOptions(check=True, only="x/y")
    with pytest.raises(AttributeError, match="BuildOptions cannot be changed"):
        options.check = False
    with pytest.raises(TypeError, match="BuildOptions has no colour"):
        BuildOptions(colour="blue")
    assert options == BuildOptions(only="x/y", check=True) != BuildOptions()
    assert hash(options) == hash(BuildOptions(only="x/y", check=True))
    assert "check=True" in repr(options)


class Numbered(Options):
    """A table with a number, as `--jobs N` is one."""

    jobs: int | None = flag("How many at once.", "N", least=1)


@pytest.mark.parametrize(
    ("arguments", "jobs"), [(["--jobs", "4"], 4), (["--jobs=1"], 1), (["--jobs", "0"], None), (["--jobs", "x"], None)]
)
def test_a_number_below_the_limit_is_left_to_the_ordinary_command_line(arguments: list[str], jobs: int | None) -> None:
    """It says what is wrong."""
    read = Numbered.read(arguments)
    assert (read[0].jobs if read is not None else None) == jobs


VALUES = st.text("abc/-=.", min_size=1, max_size=6).filter(lambda text: not text.startswith("-"))


@st.composite
def build_calls(draw: st.DrawFn) -> list[str]:
    """Calls of `envc build` in every spelling that there is."""
    words: list[str] = []
    for found in draw(st.lists(st.sampled_from(BuildOptions.flags()), max_size=4)):
        if not found.metavar:
            words.append(found.option)
            continue
        is_number = BuildOptions.kind(found).startswith("int")
        value = draw(st.integers(found.least or 0, 99).map(str) if is_number else VALUES)
        if draw(st.booleans()):
            words.append(f"{found.option}={value}")
        else:
            words += [found.option, value]
        if draw(st.booleans()):
            words.append(draw(VALUES))
    return words


@cache
def build_command() -> Any:
    """`envc build` as typer has it."""
    root: Any = typer.main.get_command(make_app())
    return root.commands["build"]


@given(build_calls())
@settings(deadline=None)
def test_the_fast_path_reads_a_call_as_typer_does(words: list[str]) -> None:
    """Or leaves it to typer; it never reads something else (law)."""
    read = BuildOptions.read(words)
    context = build_command().make_context("build", list(words), resilient_parsing=False)
    asked = {name: value for name, value in context.params.items() if name not in {"environments", "context"}}
    if read is None:
        assert asked["watch"] or BuildOptions(**asked).conflict()
        return
    options, environments = read
    assert options == BuildOptions(**asked)
    assert environments == list(context.params["environments"] or ())


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["build"], (".", False, ["build"])),
        (["--project", "x", "build"], ("x", False, ["build"])),
        (["--project=x", "build", "-v"], ("x", True, ["build"])),
        (["build", "--only", "a/b", "--project", "x"], ("x", False, ["build", "--only", "a/b"])),
        (["show", "--", "-v"], (".", False, ["show", "--", "-v"])),
        (["--project", "x", "--verbose", "history", "record"], ("x", True, ["history", "record"])),
        (["--nope", "build"], (".", False, ["--nope", "build"])),
    ],
)
def test_what_holds_for_every_command(arguments: list[str], expected: tuple[str, bool, list[str]]) -> None:
    """The folder and `-v`, wherever they stand; what follows `--` is the command's."""
    found = Globals(arguments)
    assert (found.project, found.verbose, found.rest) == expected


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    """Two environments and a chart."""
    return make_project({
        "envc.yaml": "chart: {name: shop}\n",
        "base/web/config.yaml": config_map(),
        "overlays/dev/environment.yaml": environment("namespace: dev\n"),
        "overlays/prod/environment.yaml": environment("namespace: prod\n"),
    })


WITH_VALUE = frozenset(found.name for found in BuildOptions.flags() if found.metavar)
"""Flags that take a value."""


@pytest.mark.parametrize("names", BuildOptions.EXCLUDE, ids=" ".join)
def test_flags_that_exclude_each_other_are_refused(project: Path, names: tuple[str, ...]) -> None:
    """`--stdout` writes no file, so `--output` and `--force` beside it would be ignored; nothing is written."""
    for pair in itertools.combinations(names, 2):
        given_flags = [f"--{name}=1" if name in WITH_VALUE else f"--{name}" for name in pair]
        outcome = run_envc(project, "build", *given_flags)
        said = " and ".join(f"--{name}" for name in pair) if len(names) == 2 else "--check, --stdout and --watch"
        assert outcome == (2, "", f"error: {said} exclude each other\nhint: give one of them\n")
    assert not (project / "environments").exists()


def test_watch_ignores_no_chart(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Case watch-ignores-no-chart: what --watch builds is what the same flags build without it."""
    watchfiles = pytest.importorskip("watchfiles")

    def edits(*_: Path, **__: object) -> Any:
        (project / "base/web/config.yaml").write_text(config_map(color="red"))
        yield {(1, str(project / "base/web/config.yaml"))}

    assert run_envc(project, "build").code == 0
    before = read_files(project / "environments/chart")
    monkeypatch.setattr(watchfiles, "watch", edits)
    outcome = run_envc(project, "build", "--watch", "--no-chart")
    assert outcome.code == 0
    assert "chart" not in outcome.err
    assert "prod: 1 resources, 1 changed\n" in outcome.err
    assert read_files(project / "environments/chart") == before
    assert run_envc(project, "build", "--no-chart", "--check").code == 0


def test_watch_takes_every_flag(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--output`, `--only`, `--force` and the names of environments reach the build, too."""
    watchfiles = pytest.importorskip("watchfiles")
    monkeypatch.setattr(watchfiles, "watch", lambda *_, **__: iter(()))
    folder = project / "out"
    assert (
        run_envc(project, "build", "dev", "--watch", "--output", str(folder), "--only", "configmap/settings").code == 0
    )
    assert [path for path in read_files(folder) if path.endswith(".yaml")] == ["dev/web/configmap-settings.yaml"]
    written = folder / "dev/web/configmap-settings.yaml"
    written.write_text("mine: 1\n")
    assert run_envc(project, "build", "dev", "--watch", "--output", str(folder)).code == 1
    assert run_envc(project, "build", "dev", "--watch", "--output", str(folder), "--force").code == 0
    assert "color: blue" in written.read_text()


def test_watch_without_its_package_says_what_to_install(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    outcome = run_envc(project, "build", "--watch")
    assert outcome == (
        4,
        "",
        "error: --watch needs the package watchfiles\nhint: install it: pip install 'envcompile[watch]'\n",
    )


def test_a_choice_that_is_none_is_refused_with_the_nearest_one(project: Path) -> None:
    """Options and arguments alike, in the words of every other error."""
    for arguments, said in (
        (("diff", "--format", "unifed"), "error: --format cannot be `unifed`\nhint: did you mean `unified`?\n"),
        (("history", "export", "--format", "x"), "error: --format cannot be `x`\nhint: it is one of jsonl, parquet\n"),
        (("convert", "x", "-o", "y", "--crds", "no"), "error: --crds cannot be `no`\n"),
        (("secrets", "status", "--format", "yaml"), "error: --format cannot be `yaml`\n"),
        (("schema", "projct"), "hint: did you mean `project`?\n"),
    ):
        outcome = run_envc(project, *arguments)
        assert (outcome.code, outcome.out) == (2, "")
        assert said in outcome.err
