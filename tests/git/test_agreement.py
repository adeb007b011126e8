"""The law that a folder, its index and its commit are the same tree."""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from envcompile.errors import EnvcError
from envcompile.git.repository import open_repository
from envcompile.sources.tree import WorkingTree
from tests.git.repositories import commit_all, run_git

if TYPE_CHECKING:
    from pathlib import Path

    from envcompile.git.tree import Tree

NAMES = ("a", "b.yaml", "ä", "-c", ":d", "e*", "f g", 'h"i', "j\nk", "l\tm", ".hidden", "n~", "o.swp", "\udcff", "HEAD")
FOLDERS = ("", "a/", "a/a/", "ä/", "objects/", ".hidden/", "a/f g/")
LINKS = (
    "a",
    "../a",
    "../../a",
    "b.yaml",
    "a/b.yaml",
    ".",
    "..",
    "../..",
    "ä/../b.yaml",
    "/etc",
    "nothing",
    "a/../../b",
)
contents = st.one_of(
    st.binary(max_size=8), st.sampled_from(LINKS).map(lambda target: f"-> {target}"), st.just("-> ../outside")
)
repositories = st.dictionaries(
    st.tuples(st.sampled_from(FOLDERS), st.sampled_from(NAMES)).map("".join), contents, min_size=1, max_size=12
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for one repository after the other."""
    return tmp_path_factory.mktemp("agreement")


def write(root: Path, files: dict[str, bytes | str]) -> None:
    """Write what can be written: a file may stand where another one wants a folder."""
    root.mkdir(parents=True)
    (root.parent / "outside").mkdir(exist_ok=True)
    (root.parent / "outside" / "x").write_bytes(b"outside")
    for name, content in files.items():
        path = root / name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                path.symlink_to(content.removeprefix("-> "))
            elif not path.is_symlink():
                path.write_bytes(content)
        except OSError as error:
            note(f"{name!r} is left out: {error}")


def seen(tree: Tree, folder: str) -> dict[str, bytes] | None:
    """Every file of a tree with its bytes; None when it is refused."""
    try:
        return {entry.path: tree.read(entry.path) for entry in tree.files(folder)}
    except EnvcError as error:
        note(str(error).encode("utf-8", "backslashreplace").decode())
        return None


@given(files=repositories, prefix=st.sampled_from(["", "deploy", "deploy/eu"]))
@settings(max_examples=60, deadline=None)
def test_folder_index_and_commit_agree(folder: Path, files: dict[str, bytes | str], prefix: str) -> None:
    """Names, bytes, kinds and refusals are the same, whatever is written and linked."""
    shutil.rmtree(folder)
    root = folder / prefix / "project"
    write(root, files)
    run_git(folder, "init", "--quiet")
    commit_all(folder)
    repository = open_repository(root)
    working = WorkingTree(root)
    with closing(repository.index_tree()) as index, closing(repository.commit_tree("HEAD")) as commit:
        for below in ("", "a", "a/a", "b.yaml", "ä", "objects", "nothing"):
            expected = seen(working, below)
            assert seen(index, below) == expected
            assert seen(commit, below) == expected
        for path in {*files, "a", "ä", "nothing"}:
            if expected_read(working, path):
                assert index.is_file(path) == commit.is_file(path) == working.is_file(path)
                assert index.exists(path) == commit.exists(path) == (working.exists(path) and not is_empty(root / path))


def expected_read(tree: WorkingTree, path: str) -> bool:
    """Tell whether a path can be asked for: it stays in the repository."""
    try:
        tree.files(path)
    except EnvcError:
        return False
    try:
        return tree.is_file(path) is False or tree.read(path) is not None
    except EnvcError:
        return False


def is_empty(path: Path) -> bool:
    """Tell whether git holds nothing of a folder: it knows files only."""
    return path.is_dir() and not any(names or links for _, links, names in os.walk(path))
