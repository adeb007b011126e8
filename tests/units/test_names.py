"""Names of files that no memo can hold are compiled all the same."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.harness.command import run_envc
from tests.harness.repository import config_map, environment, read_files

if TYPE_CHECKING:
    from tests.conftest import MakeProject


def test_a_file_name_that_is_no_text_is_compiled(make_project: MakeProject) -> None:
    """Git and file systems take any bytes; every further build gives the same."""
    root = make_project({"overlays/prod/environment.yaml": environment("namespace: prod\n")})
    source = root / "base" / "web" / os.fsdecode(b"a\xff.yaml")
    source.parent.mkdir(parents=True)
    source.write_text(config_map(), encoding="utf-8")
    assert run_envc(root, "build").code == 0
    first = read_files(root / "environments")
    assert "prod/web/configmap-settings.yaml" in first
    os.utime(source, ns=(1, 1))
    assert run_envc(root, "build", "--check").code == 0
    assert run_envc(root, "build").code == 0
    assert read_files(root / "environments") == first
