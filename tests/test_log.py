"""One log: `-v` and `ENVC_LOG` tell on stderr what was decided and why, and cost nothing when nobody asks."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from envcompile.log import decision, detail, is_on, logger
from tests.harness.command import PACKAGE_ROOT, call_envc, run_envc
from tests.harness.repository import commit, config_map, environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

SECRET = "hunter2-never-to-be-seen"


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    """A ConfigMap in one environment."""
    return make_project({
        "base/web/config.yaml": config_map(),
        "overlays/prod/environment.yaml": environment("namespace: prod\n"),
    })


def test_nothing_is_told_unless_somebody_asks(project: Path) -> None:
    """Not even `logging` is imported."""
    assert call_envc(project, "build").err == "prod: 1 resources, 1 added\n"
    program = (
        "import sys\nfrom envcompile.cli import main\nassert main(sys.argv[1:]) == 0\n"
        "assert 'logging' not in sys.modules\n"
    )
    for arguments in (("build",), ("build", "--force")):
        done = subprocess.run(
            [sys.executable, "-c", program, "--project", project, *arguments],
            env={**os.environ, "PYTHONPATH": str(PACKAGE_ROOT)},
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("arguments", "level"), [(["-v"], ""), (["--verbose"], ""), ([], "info"), ([], "INFO")])
def test_why_a_build_does_what_it_does(project: Path, arguments: list[str], level: str) -> None:
    """The first one, one with nothing to do, one after an edit, one after a new file."""
    variables = {"ENVC_LOG": level} if level else {}

    def said() -> str:
        return call_envc(None, *arguments, "build", cwd=project, env=variables).err

    assert said().startswith("info: envc.build: there is no snapshot of a last build by this envc")
    assert said().startswith("info: envc.build: nothing is compiled: no source and no output changed")
    (project / "base/web/config.yaml").write_text(config_map(color="red"))
    assert said().startswith("info: envc.build: changed since the last build: base/web/config.yaml\n")
    (project / "base/web/more.yaml").write_text(config_map("more"))
    assert said().startswith("info: envc.build: changed since the last build: base/web/more.yaml\n")


def test_debug_shows_where_an_error_came_from(project: Path) -> None:
    """Functions and lines; `info` does not."""
    for level, shown in (("debug", True), ("info", False)):
        err = call_envc(project, "show", "prd", env={"ENVC_LOG": level}).err
        assert ("debug: envc.cli: UsageError\n" in err) is shown
        assert err.endswith("error: there is no environment `prd`\nhint: did you mean `prod`?\n")


def test_an_unknown_level_is_told_and_taken_for_info(project: Path) -> None:
    """A wrong variable does not stop a hook."""
    outcome = call_envc(project, "build", env={"ENVC_LOG": "loud"})
    assert outcome.code == 0
    assert outcome.err.startswith("warning: ENVC_LOG is neither info nor debug; it is taken for info\ninfo: ")


def test_stdout_holds_nothing_but_data(project: Path) -> None:
    """`envc -v show prod | kubectl apply -f -` works."""
    assert call_envc(None, "-v", "show", "prod", cwd=project).out == call_envc(project, "show", "prod").out


def test_what_is_quoted_acts_on_nothing(project: Path) -> None:
    """Names of files are from the repository."""
    run_envc(project, "build")
    (project / "base/web/a\x1b[31m\n::error::x.yaml").write_text(config_map("more"))
    assert run_envc(project, "build").code == 0
    (project / "base/web/a\x1b[31m\n::error::x.yaml").write_text(config_map("more", color="red"))
    err = call_envc(project, "build", env={"ENVC_LOG": "debug"}).err
    assert "\x1b" not in err
    assert not [line for line in err.splitlines() if line.lstrip().startswith("::")]


def test_no_password_of_an_address_is_logged(project: Path) -> None:
    """Neither that of the database nor one that stands on the command line."""
    commit(project)
    variables = {"ENVC_LOG": "debug", "ENVC_HISTORY_URL": f"postgresql://u:{SECRET}@127.0.0.1:1/h?password={SECRET}"}
    outcome = call_envc(project, "history", "record", env=variables)
    assert outcome.code in {2, 4}
    assert "info: envc.history: the database is postgresql://127.0.0.1:1/h\n" in outcome.err
    assert SECRET not in outcome.err
    outcome = call_envc(project, "secrets", "fetch-cert", "prod", f"ftp://u:{SECRET}@h/x", env=variables)
    assert SECRET not in outcome.err


def test_no_value_of_a_secret_is_logged(project: Path) -> None:
    """With everything told that can be."""
    (project / "base/web/secret.yaml").write_text(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {key: 'ref+env://VALUE'}\n"
    )
    for arguments in (("secrets", "status"), ("secrets", "seal"), ("check",), ("build",)):
        outcome = call_envc(project, *arguments, env={"ENVC_LOG": "debug", "VALUE": SECRET})
        assert SECRET not in outcome.err + outcome.out


def test_programs_listen_with_the_standard_library(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Loggers are `envc.ROOM`; what nobody asks for is not even put into words."""
    monkeypatch.setenv("ENVC_LOG", "")
    assert not is_on()
    decision("build", "never %d", "no number")
    monkeypatch.setenv("ENVC_LOG", "debug")
    with caplog.at_level(logging.DEBUG, "envc"):
        decision("build", "kept %s", "a.yaml")
        detail("units", "%d left", 2)
    assert caplog.record_tuples == [
        ("envc.build", logging.INFO, "kept a.yaml"),
        ("envc.units", logging.DEBUG, "2 left"),
    ]
    assert logger("build") is logging.getLogger("envc.build")
