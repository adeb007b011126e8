"""What promoting prints: places in files, values as YAML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.harness.command import run_envc
from tests.harness.repository import deployment, environment, write_files

if TYPE_CHECKING:
    from pathlib import Path

STAGING = """\
images:
- name: example.com/web
  newTag: '2'
params:
  limits:
    a:
    - 1
    - 2
  'off': null
  on_: true
"""


def project(root: Path, prod: str) -> Path:
    """Staging with images and parameters, and prod with these settings."""
    return write_files(
        root,
        {
            "envc.yaml": "environments: [stg, prod]\n",
            "base/web/web.yaml": deployment("web", image="example.com/web"),
            "base/api/api.yaml": deployment("api", image="example.com/api"),
            "overlays/stg/environment.yaml": environment(STAGING),
            "overlays/prod/environment.yaml": environment(prod),
        },
    )


def test_an_edit_that_cannot_be_made_names_the_file(tmp_path: Path) -> None:
    """Case promote-error-without-file: the anchor's line in prod's own settings."""
    root = project(
        tmp_path, 'images:\n- {name: example.com/web, newTag: &tag "1"}\n- {name: example.com/api, newTag: *tag}\n'
    )
    done = run_envc(root, "promote", "stg", "prod")
    assert done.code == 1
    assert "--> overlays/prod/environment.yaml:4:" in done.err
    assert "<text>" not in done.err


def test_values_are_written_as_yaml(tmp_path: Path) -> None:
    """Case promote-error-without-file: not `None`, not `{'a': [1, 2]}`; null is a value, and none is none."""
    root = project(tmp_path, "params: {old: null}\n")
    done = run_envc(root, "promote", "stg", "prod", "--dry-run")
    assert done.code == 0
    assert 'params.limits: (not set) -> {"a": [1, 2]}' in done.err
    assert "params.off: (not set) -> null" in done.err
    assert "params.on_: (not set) -> true" in done.err
    assert "images[example.com/web]: (not set) -> example.com/web:2" in done.err
    root = project(tmp_path, "params: {limits: null}\n")
    done = run_envc(root, "promote", "stg", "prod", "--param", "limits", "--dry-run")
    assert 'params.limits: null -> {"a": [1, 2]}' in done.err
