"""A project with open texts: what is remembered of builds changes nothing of what is found."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from envcompile.editor.diagnostics import Lines, all_wrong
from envcompile.editor.workspace import Workspace
from tests.harness.command import run_envc
from tests.harness.repository import config_map, deployment, environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

WEB = "base/web/deployment.yaml"
API = "base/api/deployment.yaml"
DEV = "overlays/dev/environment.yaml"
PATCH = "overlays/dev/web.yaml"


def test_plans_of_a_build_hold_for_open_texts_or_are_made_anew(make_project: MakeProject, tmp_path: Path) -> None:
    """Edits, other resources, new and broken files, settings; each after the other, as a fresh copy finds it."""
    root = make_project({
        WEB: deployment(),
        API: deployment("api"),
        PATCH: deployment(replicas=3),
        DEV: environment("namespace: dev\nparams: {level: info}\n"),
        "overlays/prod/environment.yaml": environment("namespace: prod\nparams: {level: warn}\n"),
    }).resolve()
    assert run_envc(root, "build").code == 0
    lines = Lines()
    for number, texts in enumerate((
        {WEB: f"# moved\n{deployment()}"},
        {WEB: deployment().replace("replicas", "repliacs")},
        {WEB: deployment("other")},
        {WEB: f"{deployment()}---\n{config_map('web', level='${{ params.level }}')}"},
        {WEB: f"{deployment()}---\n{config_map('web', level='${{ params.x }}')}", API: deployment("api", replicas=2)},
        {PATCH: "a: [\n", WEB: f"# moved\n{deployment()}"},
        {PATCH: ""},
        {"base/new/new.yaml": config_map("new", k="v")},
        {"base/new/new.yaml": config_map("web", k="v"), WEB: deployment()},
        {DEV: environment("namespace: dev\nparams: {level: info}\nreplicas: {web: 5, none: 1}\n")},
        {"envc.yaml": "environments: [prod, dev]\nchecks: {single-replica: off}\n"},
        {WEB: deployment()},
        {},
    )):  # fmt: skip
        fresh = tmp_path / f"fresh-{number}"
        shutil.copytree(root, fresh, ignore=shutil.ignore_patterns(".envc"))
        wanted = all_wrong(Workspace(fresh.resolve()).with_texts(texts))
        assert all_wrong(Workspace(root).with_texts(texts), lines) == wanted, texts
