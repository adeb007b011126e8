"""What an index says of a folder is read from its first names; git is asked where these do not tell."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from envcompile.errors import UsageError
from envcompile.git.own_folder import require_own

if TYPE_CHECKING:
    from pathlib import Path


def git(folder: Path, *words: str) -> None:
    """Run git in a folder."""
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


@pytest.mark.parametrize("digits", ["sha1", "sha256"])
@pytest.mark.parametrize("around", ["", "deploy/", "a/b/"])
@pytest.mark.parametrize("before", [0, 5, 4000], ids=["first", "few before", "many before"])
@pytest.mark.parametrize("options", [(), ("--intent-to-add",)], ids=["version 2", "version 3"])
def test_a_tracked_folder_is_found_behind_other_names(
    tmp_path: Path, digits: str, around: str, before: int, options: tuple[str, ...]
) -> None:
    """A tracked `.envc` is refused in whatever case and behind how many names, and nothing else is taken for it."""
    git(tmp_path, "init", "-q", f"--object-format={digits}")
    project = tmp_path / around
    project.mkdir(parents=True, exist_ok=True)
    (project / ".envc").mkdir()
    (project / ".envc-other").write_text("")
    (project / "base.yaml").write_text("")
    (tmp_path / "above.yaml").write_text("")
    (project / "-first").mkdir()
    for number in range(before):
        (project / "-first" / f"{number}.yaml").write_text("")
    git(tmp_path, "add", *options, ".")
    require_own(project / ".envc")
    (project / ".ENVC").mkdir()
    (project / ".ENVC" / "spool").write_text("")
    git(tmp_path, "add", *options, ".")
    with pytest.raises(UsageError, match=r"git tracks .*ENVC/spool"):
        require_own(project / ".envc")
