"""However `envc` ends, it ends well: signals at any moment, streams that are full or closed, folders that are gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.harness.command import PACKAGE_ROOT, PATIENCE, run_envc, spawn_envc
from tests.harness.repository import config_map, deployment, environment, read_files

if TYPE_CHECKING:
    from tests.conftest import MakeProject

SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    """A built project with text that is not ASCII."""
    root = make_project({
        "base/web/deployment.yaml": deployment(),
        "base/web/config.yaml": config_map(color="grün", shape="設定"),
        "overlays/prod/environment.yaml": environment("namespace: prod\n"),
    })
    assert run_envc(root, "build").code == 0
    return root


def run_python(program: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run a program that calls `envc` in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, "PYTHONPATH": str(PACKAGE_ROOT), **variables},
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )


AT_IMPORT = """
import os, sys
name, number = sys.argv.pop(1), int(sys.argv.pop(1))
class Sends:
    def find_spec(self, found, *_):
        if found == name:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), number)
sys.meta_path.insert(0, Sends())
from envcompile.cli import entry
entry()
"""
"""Sends a signal to itself at the moment when a module is about to be imported."""


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize(
    ("module", "arguments"),
    [
        ("envcompile.cli.fastpath", ("build",)),
        ("envcompile.units.snapshot", ("build",)),
        ("envcompile.cli.app", ("check",)),
        ("typer", ("check",)),
        ("envcompile.cli.commands.check", ("check",)),
        ("msgspec", ("check",)),
        ("envcompile.actions.check", ("check",)),
        ("envcompile.emit.manifests", ("show", "prod")),
    ],
)
def test_interrupt_while_starting(
    project: Path, module: str, arguments: tuple[str, ...], number: signal.Signals
) -> None:
    """Case interrupt-while-starting: 130 (143, 129), at whatever import, and no traceback."""
    done = run_python(AT_IMPORT, module, str(int(number)), "--project", str(project), *arguments)
    assert done.returncode == SIGNALS[number]
    assert done.stdout == b""
    assert done.stderr in {b"", b"interrupted\n"}


@pytest.mark.parametrize("module", ["envcompile.cli", "envcompile.cli.entry", "envcompile.cli.signals"])
@pytest.mark.parametrize("start", ["run_path(sys.argv[0])", "run_module('envcompile', run_name='__main__')"])
def test_interrupt_before_the_first_line(module: str, start: str) -> None:
    """Case interrupt-while-starting: the script that is installed, and `python -m`, end before they began with 130."""
    program = AT_IMPORT.partition("from envcompile")[0].replace("import os, sys", "import os, runpy, sys")
    run = f"sys.argv[0] = {str(PACKAGE_ROOT / 'envcompile/cli/envc')!r}\nrunpy.{start}\n"
    done = run_python(program + run, module, str(int(signal.SIGINT)), "--version")
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize("arguments", [("show", "prod"), ("build",)], ids=" ".join)
def test_a_signal_while_the_interpreter_ends(project: Path, arguments: tuple[str, ...], number: signal.Signals) -> None:
    """The work is done and said; what is left to take apart is left."""
    program = (
        "import atexit, os, sys\n"
        f"atexit.register(lambda: os.kill(os.getpid(), {int(number)}))\n"
        "from envcompile.cli import entry\nentry()\n"
    )
    done = run_python(program, "--project", str(project), *arguments)
    assert b"Traceback" not in done.stderr
    # A quick answer leaves without a word to atexit.
    assert done.returncode in {SIGNALS[number], 0 if arguments == ("build",) else SIGNALS[number]}


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_while_files_are_written(project: Path, number: signal.Signals) -> None:
    """Nothing half written, nothing temporary left, and the next build makes up for it."""
    (project / "base/web/config.yaml").write_text(config_map(color="red"))
    program = (
        "import os\n"
        "import envcompile.emit.write as write\n"
        "real = os.fsync if hasattr(os, 'fsync') else None\n"
        "rename, replace = os.rename, os.replace\n"
        f"def now(*given, **named):\n    os.kill(os.getpid(), {int(number)})\n    return rename(*given, **named)\n"
        "os.rename = os.replace = now\n"
        "from envcompile.cli import entry\nentry()\n"
    )
    done = run_python(program, "--project", str(project), "build")
    assert done.returncode == SIGNALS[number]
    assert done.stderr in {b"", b"interrupted\n"}
    assert run_envc(project, "build").code == 0
    assert run_envc(project, "build", "--check").code == 0
    assert "red" in (project / "environments/prod/web/configmap-settings.yaml").read_text()
    left = [
        name
        for name in read_files(project / ".envc")
        if not name.startswith(("cache/", "units/", "written/", "build.lock", ".gitignore"))
    ]
    assert left == []


def test_an_ignored_signal_stays_ignored(project: Path) -> None:
    """`nohup envc …` and a job in the background of a script are not ended by what does not concern them."""
    program = (
        "import os, signal\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "from envcompile.cli import entry\n"
        "import envcompile.cli.app\n"
        "os.kill(os.getpid(), signal.SIGHUP)\nos.kill(os.getpid(), signal.SIGINT)\nentry()\n"
    )
    done = run_python(program, "--project", str(project), "show", "prod", "--list")
    assert (done.returncode, done.stderr) == (0, b"")


def test_signals_of_a_program_that_uses_the_library_are_its_own() -> None:
    """Only the command takes signals over."""
    program = (
        "import signal\nfrom envcompile.cli import main\nbefore = [signal.getsignal(n) for n in (1, 2, 15)]\n"
        "assert main(['guide']) == 0\nassert before == [signal.getsignal(n) for n in (1, 2, 15)]\n"
    )
    assert run_python(program).returncode == 0


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("--version",),
        ("show", "prod"),
        ("check", "--list-rules"),
        ("explain", "--help"),
        ("guide", "start"),
    ],
    ids=" ".join,
)
def test_full_disk_is_called_a_bug(project: Path, arguments: tuple[str, ...], unbuffered: str) -> None:
    """Case full-disk-is-called-a-bug: exit 4 and the reason, however Python buffers."""
    variables = {"PYTHONUNBUFFERED": unbuffered}
    with Path("/dev/full").open("wb") as full, spawn_envc(project, *arguments, stdout=full, env=variables) as process:
        _, err = process.communicate(timeout=PATIENCE)
    assert err.decode() == (
        "error: stdout cannot be written: no space left on device\nhint: free some space, or send it elsewhere\n"
    )
    assert process.returncode == 4


def test_a_full_stderr_leaves_the_exit_code(project: Path) -> None:
    """There is nobody to tell, and the code still says it."""
    with Path("/dev/full").open("wb") as full, spawn_envc(project, "show", "prd", stderr=full) as process:
        out, _ = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (2, b"")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [("show", "prod"), ("guide", "commands"), ("check", "--help"), ("--help",)])
def test_a_reader_that_is_gone_is_no_error(project: Path, arguments: tuple[str, ...], unbuffered: str) -> None:
    """`| head` and `| true` end quietly."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        with spawn_envc(project, *arguments, stdout=writer, env={"PYTHONUNBUFFERED": unbuffered}) as process:
            _, err = process.communicate(timeout=PATIENCE)
    finally:
        os.close(writer)
    assert (process.returncode, err) == (0, b"")


def test_a_broken_pipe_to_another_program_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Only stdout's own reader may go without a word: a program that died has not done its work."""
    from envcompile.cli.error_handler import code_of

    assert code_of(BrokenPipeError(32, "Broken pipe")) == 4
    assert capsys.readouterr().err.startswith("error: the system refuses: broken pipe\n")


@pytest.mark.parametrize(
    ("closed", "arguments", "code"),
    [
        (">&-", "build", 0),
        (">&-", "show prod", 4),
        (">&-", "--version", 4),
        ("2>&-", "build", 0),
        ("2>&-", "show prd", 2),
        (">&- 2>&- <&-", "build", 0),
        ("<&-", "show prod --list", 0),
    ],
)
def test_closed_streams(project: Path, closed: str, arguments: str, code: int) -> None:
    """A file that is opened later never becomes stdout: the sources and outputs stay as they are."""
    before = read_files(project / "environments")
    (project / "base/web/config.yaml").write_text(config_map(color="red"))
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" -m envcompile {arguments} {closed}', sys.executable],
        env={**os.environ, "PYTHONPATH": str(PACKAGE_ROOT)},
        cwd=project,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == code
    assert b"Traceback" not in done.stderr
    if code:
        assert read_files(project / "environments") == before


@pytest.mark.parametrize("arguments", [("build",), ("check",), ("show", "prod"), ("history", "log", "prod"), ("init",)])
def test_a_folder_that_was_deleted(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """The shell still stands in it; envc says so."""
    program = (
        "import os, sys\nos.mkdir('gone')\nos.chdir('gone')\nos.rmdir('../gone')\n"
        "from envcompile.cli import entry\nentry()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env={**os.environ, "PYTHONPATH": str(PACKAGE_ROOT)},
        cwd=tmp_path,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.stderr.decode() == (
        "error: the current folder is gone\nhint: change into a folder that exists, then run the command again\n"
    )
    assert done.returncode == 4


@pytest.mark.parametrize(
    "variables",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1:strict"},
        {"LC_ALL": "nowhere.UTF-16"},
    ],
    ids=str,
)
def test_what_is_printed_is_utf8_whatever_the_locale_says(project: Path, variables: dict[str, str]) -> None:
    """As with kubectl, helm and git: manifests and JSON are."""
    with spawn_envc(project, "show", "prod", "configmap/settings", env=variables) as process:
        out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (0, b"")
    assert {"grün", "設定"} <= set(out.decode().replace('"', "").split())
    with spawn_envc(project, "show", "prod", "configmap/größe", env=variables) as process:
        _, err = process.communicate(timeout=PATIENCE)
    assert "größe" in err.decode()


@pytest.mark.parametrize("utf8", ["0", ""])
def test_files_have_their_names_whatever_the_locale_says(project: Path, utf8: str) -> None:
    """Names are UTF-8 to git, also where Python would read them as ASCII."""
    (project / "base/größe").mkdir()
    (project / "base/größe/ö.yaml").write_text(config_map("more"), encoding="utf-8")
    variables = {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": utf8}
    for arguments in (("build",), ("explain", "prod", "configmap/more"), ("build", "--check")):
        with spawn_envc(project, *arguments, env=variables) as process:
            out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, err
    assert (project / "environments/prod/gr%C3%B6%C3%9Fe/configmap-more.yaml").is_file()
    assert b"bug" not in out + err


def test_a_missing_home_is_nothing_to_speak_of(project: Path) -> None:
    """Containers have none."""
    program = "import os\nos.environ.pop('HOME')\nfrom envcompile.cli import entry\nentry()\n"
    for arguments in (("build",), ("check",), ("secrets", "status"), ("history", "stats")):
        done = run_python(program, "--project", str(project), *arguments)
        assert b"Traceback" not in done.stderr
        assert b"bug" not in done.stderr


def test_what_the_system_refuses_is_no_bug(capsys: pytest.CaptureFixture[str]) -> None:
    """Each with the file, the reason and what can be done."""
    from envcompile.cli.error_handler import code_of

    for error, said in (
        (
            OSError(28, "No space left on device", "x/y"),
            "`x/y` cannot be used: no space left on device\nhint: make room",
        ),
        (PermissionError(13, "Permission denied", "a"), "`a` cannot be used: permission denied\nhint: check the perm"),
        (OSError(24, "Too many open files"), "the system refuses: too many open files\n"),
        (MemoryError(), "the memory is used up\n"),
    ):
        assert code_of(error) == 4
        assert f"error: {said}" in capsys.readouterr().err


def test_more_errors_than_anybody_reads_are_counted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first hundred in the order of their places; all of them for whoever asks."""
    from envcompile.cli.error_handler import code_of
    from envcompile.errors import EnvcError, Problem
    from envcompile.model import Location

    wrong = [Problem(f"number {line}", "mend it", (Location("a.yaml", line, 1),)) for line in range(1, 1235)]
    assert code_of(EnvcError(wrong)) == 1
    said = capsys.readouterr().err
    assert said.count("error: ") == 100
    assert "number 100\n" in said
    assert said.endswith("\n\n1,234 errors, the first 100 are shown; `-v` shows all\n")
    monkeypatch.setenv("ENVC_LOG", "info")
    assert code_of(EnvcError(wrong)) == 1
    said = capsys.readouterr().err
    assert said.count("error: ") == 1234
    assert said.endswith("\n\n1234 errors\n")
