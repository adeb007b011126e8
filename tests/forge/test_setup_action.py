"""The action that installs envc takes the versions that the repository wants, and no word of it becomes an option."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

import pytest

from tests.forge.composite import Job, run_action

if TYPE_CHECKING:
    from pathlib import Path

    from tests.forge.composite import Ran

_PYTHON = """\
#!/bin/sh
# `python3 -I -m venv FOLDER` makes one whose pip writes down what it is asked for.
if test "$1 $2 $3" = "-I -m venv"; then
  mkdir -p "$4/bin" && cp {pip} "$4/bin/pip"
  printf '#!/bin/sh\\necho 0.2.4\\n' > "$4/bin/python" && chmod +x "$4/bin/python"
else
  exec {python} "$@"
fi
"""


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    """Where the pip of the job writes its arguments."""
    return tmp_path / "asked"


def _run(tmp_path: Path, asked: Path, settings: str | None, **given: str) -> Ran:
    folder = tmp_path / "python"
    folder.mkdir()
    pip = folder / "pip"
    pip.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {shlex.quote(str(asked))}\n', encoding="utf-8")
    script = folder / "python3"
    script.write_text(_PYTHON.format(python=shlex.quote(sys.executable), pip=shlex.quote(str(pip))), encoding="utf-8")
    pip.chmod(0o755)
    script.chmod(0o755)
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    if settings is not None:
        (workspace / "envc.yaml").write_text(settings, encoding="utf-8")
    job = Job(workspace, tmp_path / "runner", "push", {}, "http://127.0.0.1:9", "", "0" * 40)
    return run_action(job, given, folder, "setup/action.yml")


@pytest.mark.parametrize(
    ("settings", "given", "wanted"),
    [
        ("envc: '>=0.2,<0.3'\n", {}, "envcompile>=0.2,<0.3"),
        ('environments: [prod]\nenvc: ">=0.2, <0.3" # ours\n', {}, "envcompile>=0.2,<0.3"),
        ("envc: ==0.2.1\n", {}, "envcompile==0.2.1"),
        ("environments: [prod]\n", {}, "envcompile"),
        (None, {}, "envcompile"),
        ("envc: '>=0.2'\n", {"version": "==0.2.4", "extras": "postgres,policy"}, "envcompile[postgres,policy]==0.2.4"),
    ],
)
def test_the_wanted_version_is_installed(
    tmp_path: Path, asked: Path, settings: str | None, given: dict[str, str], wanted: str
) -> None:
    """That of envc.yaml unless the job says another one."""
    ran = _run(tmp_path, asked, settings, **given)
    assert ran.code == 0, ran.log
    assert asked.read_text(encoding="utf-8").splitlines()[-1] == wanted
    assert ran.outputs == {"version": "0.2.4"}
    assert len(ran.paths) == 1
    assert ran.paths[0].endswith("/bin")


@pytest.mark.parametrize(
    ("settings", "given"),
    [
        ("envc: ' @ https://elsewhere.example.com/x.whl'\n", {}),
        ("envc: '--index-url=https://elsewhere.example.com'\n", {}),
        ("envc: '>=0.2;$(touch hit)'\n", {}),
        ("envc: 0.2\n", {}),
        (None, {"version": "latest"}),
        (None, {"extras": "x] @ https://elsewhere.example.com/x"}),
    ],
)
def test_what_is_no_range_installs_nothing(
    tmp_path: Path, asked: Path, settings: str | None, given: dict[str, str]
) -> None:
    """A pull request may write what it likes into envc.yaml."""
    ran = _run(tmp_path, asked, settings, **given)
    assert ran.code == 2
    assert "::error::" in ran.log
    assert not asked.exists()
    assert not (tmp_path / "workspace" / "hit").exists()
