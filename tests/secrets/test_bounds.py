"""References come with a checkout: what they may read is said by a person, not by the repository."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from envcompile.secrets import bounds
from envcompile.secrets.backends import OriginError, Surroundings, read_value
from envcompile.secrets.references import parse_reference

if TYPE_CHECKING:
    from pathlib import Path


def value(root: Path, text: str, **environ: str) -> bytes:
    """The bytes behind a reference."""
    reference = parse_reference(text)
    assert reference is not None
    return read_value(reference, Surroundings(root, environ)).value.reveal()


def refusal(root: Path, text: str, **environ: str) -> str:
    """What is said instead."""
    with pytest.raises(OriginError) as error:
        value(root, text, **environ)
    return f"{error.value}; {error.value.fix}"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a secret file beside it."""
    root = tmp_path / "project"
    (root / ".git").mkdir(parents=True)
    (root / "values").mkdir()
    (root / "values/v").write_text("inside")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/key").write_text("hunter2")
    return root


@pytest.mark.parametrize("ci", ["true", "1", "yes"])
def test_in_ci_an_env_var_is_read_only_when_the_job_names_it(project: Path, ci: str) -> None:
    """A pull request's reference to a token of the job is refused before it is sealed for anybody."""
    token = {"CI": ci, "GITHUB_TOKEN": "hunter2", "API_KEY": "one", "DB_USER": "two"}
    said = refusal(project, "ref+env://GITHUB_TOKEN", **token)
    assert said.startswith("the env var `GITHUB_TOKEN` is not one that this CI job lets references read")
    assert "`ENVC_ALLOW_ENV: GITHUB_TOKEN`" in said
    allowed = {**token, "ENVC_ALLOW_ENV": "API_KEY, DB_*"}
    assert value(project, "ref+env://API_KEY", **allowed) == b"one"
    assert value(project, "ref+env://DB_USER", **allowed) == b"two"
    assert "GITHUB_TOKEN" in refusal(project, "ref+env://GITHUB_TOKEN", **allowed)
    # Whether it is set says nothing either.
    assert "lets references read" in refusal(project, "ref+env://UNSET", **allowed)


@pytest.mark.parametrize("ci", ["", "false", "0"])
def test_elsewhere_env_vars_are_read_as_ever(project: Path, ci: str) -> None:
    """A person sees what is sealed."""
    assert value(project, "ref+env://API_KEY", CI=ci, API_KEY="one") == b"one"


@pytest.mark.parametrize("scheme", ["file", "sops"])
@pytest.mark.parametrize("path", ["../elsewhere/key", "{outside}/key", "values/link", "values/../../elsewhere/key"])
def test_a_file_outside_of_the_project_is_not_read(project: Path, scheme: str, path: str) -> None:
    """By any way of writing it, links too; unless a person names its folder."""
    outside = project.parent / "elsewhere"
    (project / "values/link").symlink_to(outside / "key")
    text = f"ref+{scheme}://{path.format(outside=outside)}" + ("#/a" if scheme == "sops" else "")
    said = refusal(project, text)
    assert "outside of the project" in said
    assert "ENVC_ALLOW_FILES" in said
    assert "hunter2" not in said
    if scheme == "file":
        assert value(project, text, ENVC_ALLOW_FILES=f"/nowhere{os.pathsep}{outside}") == b"hunter2"
        assert "outside of the project" in refusal(project, text, ENVC_ALLOW_FILES=str(outside / "key2"))


@pytest.mark.parametrize("path", [".git/config", ".envc/history.db", "values/.git/x", "values/../.git/config"])
def test_the_folders_of_git_and_envc_are_no_source(project: Path, path: str) -> None:
    """A checkout in CI keeps its credentials in .git/config."""
    place = project / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("hunter2")
    assert "which no reference reads" in refusal(project, f"ref+file://{path}")
    (project / "values/link").symlink_to(place)
    assert "which no reference reads" in refusal(project, "ref+file://values/link")


def test_what_is_no_file_does_not_hang(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named pipes, devices, folders, loops of links, files without end."""
    os.mkfifo(project / "values/pipe")
    assert "is no ordinary file" in refusal(project, "ref+file://values/pipe")
    assert "is no ordinary file" in refusal(project, "ref+file:///dev/zero", ENVC_ALLOW_FILES="/dev")
    assert "values" in refusal(project, "ref+file://values")
    (project / "values/loop").symlink_to(project / "values/loop")
    assert "cannot be read" in refusal(project, "ref+file://values/loop")
    monkeypatch.setattr(bounds, "LARGEST_FILE", 3)
    assert "has more than 3 bytes" in refusal(project, "ref+file://values/v")
    assert "cannot be read (its path is none)" in refusal(project, "ref+file://values/%00")


def test_a_closed_folder_is_closed_by_its_name_as_well(project: Path) -> None:
    """Also where a link stands in its place."""
    (project / "values/.git").symlink_to(project / "values")
    assert value(project, "ref+file://values/v") == b"inside"
    assert "which no reference reads" in refusal(project, "ref+file://values/.git/v")
