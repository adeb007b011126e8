"""What every command owes: help with an example, exit codes, no tracebacks, a start that costs nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
import typer

from envcompile import __version__
from envcompile.cli.app import make_app
from envcompile.cli.error_handler import run_safely
from envcompile.errors import EnvcError, Problem, UnavailableError
from tests.docs.reference import commands
from tests.harness.command import PACKAGE_ROOT, PATIENCE, call_envc, run_envc, spawn_envc
from tests.harness.repository import config_map, deployment, environment, write_files

if TYPE_CHECKING:
    from tests.conftest import MakeProject

FILES = {
    "base/web/deployment.yaml": deployment(),
    "overlays/prod/environment.yaml": environment("namespace: prod\n"),
}
COMMANDS = [" ".join(words) for words in commands()]
HEAVY = ("typer", "rich", "click", "cryptography", "msgspec", "yaml", "ruamel", "_gojsonnet", "gojsonnet", "json")


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    """One Deployment, one environment."""
    return make_project(FILES)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_a_sentence_and_an_example(command: str, tmp_path: Path) -> None:
    """Outside of any project, too; what the example calls is the command itself."""
    outcome = run_envc(None, *command.split(), "--help")
    assert (outcome.err, outcome.code) == ("", 0)
    lines = outcome.out.splitlines()
    assert lines[0].startswith(f"Usage: envc {command} ")
    assert " ".join(outcome.out.split("\n\n")[1].split()).endswith((".", "..."))
    assert f"envc {command}" in outcome.out.partition("Example")[2]
    assert max(map(len, lines)) <= 100
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(
    tuple(map(int, version("typer").split(".")[:2])) < (0, 28), reason="this typer shows no help of arguments"
)
@pytest.mark.parametrize("command", COMMANDS)
def test_arguments_and_options_are_described(command: str) -> None:
    """No bare name in a list of options."""
    help_text = run_envc(None, *command.split(), "--help").out
    found: Any = typer.main.get_command(make_app())
    for word in command.split():
        found = found.commands[word]
    for parameter in found.params:
        assert parameter.help
        assert parameter.help.split()[0] in help_text


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], []])
def test_the_overview_lists_every_command(arguments: list[str]) -> None:
    """Without arguments it is wrong usage, and goes to stderr."""
    outcome = run_envc(None, *arguments)
    text = outcome.out if arguments else outcome.err
    assert outcome.code == (0 if arguments else 2)
    for command in {command.split()[0] for command in COMMANDS}:
        assert f"\n  {command} " in text


def test_the_version() -> None:
    """By the short way and by the long one."""
    for arguments in (["--version"], ["--project", ".", "--version"]):
        assert run_envc(None, *arguments).out == f"envc {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["bild"], "error: envc has no command `bild`\nhint: did you mean `build`?\n"),
        (["build", "--chek"], "error: envc build has no option --chek\nhint: did you mean `--check`"),
        (["show"], "error: envc show needs ENV\n"),
        (["build", "--only"], "error: --only needs a value\n"),
        (["--project"], "--project"),
        (["--project", "x", "--nope"], "--nope"),
    ],
)
def test_wrong_usage(arguments: list[str], said: str) -> None:
    """Exit 2, the mistake named, on stderr."""
    outcome = run_envc(None, *arguments)
    assert outcome.code == 2
    assert said in outcome.err
    assert outcome.out == ""


def test_the_project_is_found_from_any_folder_inside(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And named from outside, in both spellings."""
    monkeypatch.chdir(project / "overlays" / "prod")
    assert run_envc(None, "build").code == 0
    assert run_envc(None, "build").err == "1 environment, 1 resources: nothing to do\n"
    monkeypatch.chdir(project.parent)
    for arguments in (["--project", "project"], ["--project=project"], [f"--project={project}/base"]):
        assert run_envc(None, *arguments, "build", "--check").code == 0
    assert run_envc(None, "build").code == 2


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (EnvcError([Problem("one", "mend it")]), 1, "error: one\nhint: mend it\n"),
        (
            EnvcError([Problem("two", "b"), Problem("one", "a")]),
            1,
            "error: one\nhint: a\n\nerror: two\nhint: b\n\n2 errors\n",
        ),
        (UnavailableError([Problem("gone", "wait")]), 4, "error: gone\nhint: wait\n"),
        (KeyboardInterrupt(), 130, "interrupted\n"),
    ],
    ids=["wrong", "several", "unavailable", "interrupted"],
)
def test_every_way_to_end(error: BaseException, code: int, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One funnel turns what was raised into a message and an exit code."""

    def action() -> NoReturn:
        raise error

    assert run_safely(action) == code
    assert capsys.readouterr().err == text


def test_a_bug_is_told_without_a_traceback_and_without_values(capsys: pytest.CaptureFixture[str]) -> None:
    """The report names functions and lines; what an exception says could be a secret."""
    secret = "hunter2"

    def action() -> NoReturn:
        raise ValueError(secret)

    assert run_safely(action) == 3
    message = capsys.readouterr().err
    assert message.startswith(
        "error: envc failed: ValueError\nhint: this is a bug in envc; please report it with the file "
    )
    path = Path(message.rpartition(" ")[2].strip())
    report = path.read_text(encoding="utf-8")
    path.unlink()
    assert secret not in message + report
    assert "test_command_line.py" in report
    assert f"### envc {__version__}" in report


def test_a_reader_that_goes_away_is_no_error(project: Path) -> None:
    """`envc show prod | head -1` ends quietly."""
    write_files(
        project, {f"base/web/{number}.yaml": config_map(f"c{number}", text="x" * 2000) for number in range(200)}
    )
    with spawn_envc(project, "show", "prod") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"---\n"
        process.stdout.close()
        assert process.wait(timeout=PATIENCE) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_no_traceback_when_stdout_is_closed(project: Path) -> None:
    """A closed or full stdout is the caller's; envc says so in its own words or not at all."""
    done = subprocess.run(
        ["sh", "-c", f"exec {sys.executable} -m envcompile --project {project} show prod >&-"],
        env={**os.environ, "PYTHONPATH": str(PACKAGE_ROOT)},
        capture_output=True,
        check=False,
    )
    assert b"Traceback" not in done.stderr


def loaded(code: str, *arguments: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after some code."""
    program = f"import sys\n{code}\nsys.stderr.write(chr(10).join(['modules:', *sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, "PYTHONPATH": str(PACKAGE_ROOT)},
        capture_output=True,
        check=True,
        text=True,
    )
    return set(done.stderr.partition("modules:\n")[2].split())


@pytest.mark.parametrize(
    "code",
    [
        "import envcompile",
        "import envcompile.cli",
        "from envcompile.cli import main; main(['--version'])",
        "from envcompile.cli import main; main(['--help'])",
    ],
)
def test_starting_loads_nothing_heavy(code: str) -> None:
    """The libraries come when they are used."""
    assert not loaded(code) & set(HEAVY)


def test_a_build_with_nothing_to_do_loads_nothing_heavy(project: Path) -> None:
    """The fast path stays fast."""
    run_envc(project, "build")
    code = "from envcompile.cli import main; assert main(sys.argv[1:]) == 0"
    for options in ([], ["--check"], ["prod"]):
        found = loaded(code, "--project", str(project), "build", *options)
        assert not found & {*HEAVY, "pathlib", "typing", "re", "envcompile.units.project"}


def test_a_build_needs_neither_the_command_line_library_nor_a_key(project: Path) -> None:
    """Only what compiling takes is loaded."""
    found = loaded(
        "from envcompile.cli import main; assert main(sys.argv[1:]) == 0", "--project", str(project), "build"
    )
    assert not found & {
        "typer",
        "rich",
        "click",
        "cryptography",
        "ruamel",
        "_gojsonnet",
        "socket",
        "asyncio",
    }  # git is asked whether `.envc` is envc's own before anything is written there


def test_a_quick_answer_that_cannot_be_written_is_an_error(project: Path) -> None:
    """A full disk does not pass for success, and what a reader gets through a pipe is whole."""
    program = [sys.executable, "-m", "envcompile"]
    variables = {**os.environ, "PYTHONPATH": str(PACKAGE_ROOT)}
    with Path("/dev/full").open("wb") as full:
        refused = subprocess.run([*program, "--help"], stdout=full, env=variables, capture_output=False, check=False)
    assert refused.returncode != 0
    answered = subprocess.run([*program, "--help"], env=variables, capture_output=True, check=True)
    assert answered.stdout.decode() == run_envc(project, "--help").out


def test_an_interrupt_ends_a_build(project: Path) -> None:
    """Exit 130, the old output whole."""
    write_files(project, {f"base/b/{number}.yaml": deployment(f"w{number}") for number in range(1500)})
    with spawn_envc(project, "build") as process:
        try:
            process.wait(timeout=0.3)  # the signal comes in its midst, or after it
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE)
    assert process.returncode in {0, 130}
    assert b"Traceback" not in err
    assert call_envc(project, "build").code == 0
