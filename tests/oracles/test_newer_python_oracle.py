"""A newer CPython takes every module: none has syntax that is going away, or wants what its library no longer has."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest

from tests.harness.command import PACKAGE_ROOT
from tests.oracles import newer_python

pytestmark = pytest.mark.oracle

PYODIDE = newer_python.PACKAGES.node_modules(os.environ) / "pyodide"
NODE = shutil.which("node")
REQUIRED = os.environ.get("ENVC_REQUIRE_ORACLES") == "1"
OF_A_SYSTEM = {"msvcrt", "pwd", "resource", "fcntl", "termios", "tty"}
"""What only some systems have: WebAssembly is one without, as Windows is."""


def test_the_newest_python_compiles_every_module_and_has_what_they_take() -> None:
    """Warnings are errors; what a system lacks is known, and nothing else is gone."""
    if NODE is None or not PYODIDE.is_dir():
        reason = "pyodide is not installed; run `python -m tests.oracles.build newer-python`"
        if REQUIRED:
            pytest.fail(f"ENVC_REQUIRE_ORACLES=1, but {reason}", pytrace=False)
        pytest.skip(reason)
    here = PACKAGE_ROOT / "tests" / "oracles"
    command = [NODE, str(here / "newer_python.mjs"), str(PYODIDE), str(PACKAGE_ROOT)]
    done = subprocess.run(
        [*command, str(here / "newer_python_looks.py")], capture_output=True, text=True, check=False, timeout=900
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["python"] >= [3, 14]
    assert found["modules"] > 1000
    assert found["refused"] == []
    assert {name.partition(".")[0] for name in found["gone"]} <= OF_A_SYSTEM
