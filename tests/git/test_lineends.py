r"""What jsonnet imports is the same in the folder, the index and a commit, whatever git makes of line ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envcompile.units.project import Project
from tests.harness.repository import commit, environment, git, write_files

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = (
    "{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, "
    "data: { a: importstr 'a.txt', b: |||\n  one\n  two\n||| } }\n"
)


def made(project: Project) -> object:
    """The data of the one ConfigMap."""
    (resource,) = project.compile("dev").resources
    return resource.value["data"]


@pytest.mark.parametrize("setting", ["true", "input", "false"])
@pytest.mark.parametrize("attributes", ["", "*.txt text\n*.jsonnet text\n", "* -text\n", "* text=auto eol=crlf\n"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_folder_index_and_commit_agree_about_line_ends(
    tmp_path: Path, setting: str, attributes: str, ending: str
) -> None:
    """Before a file is added as after it was checked out."""
    write_files(tmp_path, {"overlays/dev/environment.yaml": environment("namespace: dev\n")})
    if attributes:
        write_files(tmp_path, {".gitattributes": attributes})
    commit(tmp_path)
    git(tmp_path, "config", "core.autocrlf", setting)
    text = {"lib/a.txt": "one\ntwo\n", "base/app/c.jsonnet": SOURCE}
    write_files(tmp_path, {name: content.replace("\n", ending).encode() for name, content in text.items()})
    untracked = made(Project.open(tmp_path))
    git(tmp_path, "add", "--all")
    staged = made(Project.of_index(tmp_path))
    assert untracked == staged == made(Project.open(tmp_path))
    git(tmp_path, "commit", "--quiet", "--message=all")
    for name in text:
        (tmp_path / name).unlink()
    git(tmp_path, "checkout", "--quiet", "--", ".")
    assert made(Project.open(tmp_path)) == made(Project.of_commit(tmp_path, "HEAD")) == staged
