"""What the commands that write something print with `--format json`, in small projects of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.harness.command import run_envc
from tests.harness.repository import config_map, environment, write_files
from tests.history.conftest import new_folder

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

_DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Widget, plural: widgets}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object}}
"""


def samples(scratch: Path, patch: pytest.MonkeyPatch) -> dict[str, str]:
    """The documents, by the name of their shape."""
    scratch.mkdir()
    patch.chdir(scratch)
    return {**_of_sources(scratch), **_of_a_project(scratch / "project", patch)}


def _of_sources(scratch: Path) -> dict[str, str]:
    objects = {"dev.yaml": config_map("app", size="small"), "prod.yaml": config_map("app", size="large")}
    write_files(scratch / "rendered", objects)
    return {
        "init": _json("init", "shop", "--from-manifests", "rendered"),
        "convert": _json("convert", "dev=rendered/dev.yaml", "--output", "chart", "--no-verify"),
    }


def _of_a_project(root: Path, patch: pytest.MonkeyPatch) -> dict[str, str]:
    root.mkdir()
    made = new_folder(root)
    write_files(
        root,
        {
            "envc.yaml": "environments: [dev, prod]\nnotify:\n- {kind: slack, address: SLACK_URL}\n",
            "base/app.yaml": config_map("app", size="small"),
            "overlays/dev/environment.yaml": environment("namespace: dev\n"),
            "overlays/prod/environment.yaml": environment("namespace: prod\n"),
            "widgets.yaml": _DEFINITION,
        },
    )
    built = run_envc(root, "build")
    assert built.code == 0, built.err
    made.commit("start")
    made.commit("larger", base__app=config_map("app", size="large"))
    patch.chdir(root)
    return {
        "history-record": _json("history", "record"),
        "history-rebuild": _json("history", "rebuild", "--check"),
        "history-restore": _json("history", "restore", "prod", "HEAD", "--as-overlay"),
        "db-upgrade": _json("db", "upgrade"),
        "notify": _json("notify", "--dry-run"),
        "crds-add": _json("crds", "add", "widgets.yaml"),
        "new": _json("new", "app", "api", "--image", "api:1"),
        "eject": _json("eject", "out", "prod"),
        "hook-install": _json("hook", "install").replace(f"{root}/", "/shop/"),
        "hook-uninstall": _json("hook", "uninstall"),
    }


def _json(*words: str) -> str:
    outcome = run_envc(None, *words, "--format", "json")
    assert outcome.code == 0, outcome.err
    return outcome.out
