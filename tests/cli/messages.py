"""A project that is wrong and everything that `envc` says about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.harness.command import run_envc
from tests.harness.repository import deployment, environment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

WEB = {"base/web/deployment.yaml": deployment()}
PROD = {"overlays/prod/environment.yaml": environment("namespace: prod\n")}
PATCH = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n"
OUR_PATCH = "apiVersion: envcompile.dev/v1\nkind: Patch\n"


class Wrong(NamedTuple):
    """Files of a project, and the whole message about them; `<root>` stands for its folder."""

    files: Mapping[str, str]
    message: str
    code: int = 1
    command: tuple[str, ...] = ("build",)


def assert_says(root: Path, case: Wrong) -> None:
    """Run the case's command: the whole of stderr, nothing on stdout, the exit code, and nothing written."""
    outcome = run_envc(root, *case.command)
    assert outcome.err.replace(str(root), "<root>") == case.message
    assert not outcome.out
    assert outcome.code == case.code
    assert not (root / "environments").exists()


def with_patch(text: str) -> dict[str, str]:
    """The project of one Deployment, with this file in prod's overlay."""
    return {**WEB, **PROD, "overlays/prod/patch.yaml": text}


def with_settings(settings: str) -> dict[str, str]:
    """The project of one Deployment, with these settings of prod."""
    return {**WEB, "overlays/prod/environment.yaml": environment(settings)}
