"""The reader of objects: one process, any number of questions, whatever a pipe holds."""

from __future__ import annotations

import signal
import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from envcompile.errors import UnavailableError
from envcompile.git.repository import open_repository
from tests.git.repositories import commit_all, run_git
from tests.harness.repository import write_files

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from envcompile.git.objects import GitObjects

_SET_PIPE_SIZE = 1031
"""F_SETPIPE_SZ of Linux's fcntl.h."""


@pytest.fixture(scope="module", params=["sha1", "sha256"])
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with 1,105 small files and one of two megabytes."""
    folder = tmp_path_factory.mktemp("repository")
    run_git(folder, "init", "--quiet", f"--object-format={request.param}")
    texts = {f"base/{number % 20}/{number}.yaml": f"key: {number}\n" * 20 for number in range(1105)}
    write_files(folder, {**texts, "large": b"0123456789abcde\n" * 131_072, "empty": ""})
    commit_all(folder)
    return folder


@contextmanager
def small_pipes(objects: GitObjects, size: int) -> Generator[None, None, None]:
    """Let git's pipes hold no more than this; whoever waits for ever is ended by an alarm."""
    import fcntl

    objects.start()
    process = objects._process
    assert process is not None
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        fcntl.fcntl(pipe.fileno(), _SET_PIPE_SIZE, size)
    signal.alarm(60)
    try:
        yield
    finally:
        signal.alarm(0)


@pytest.mark.skipif(sys.platform != "linux", reason="the size of a pipe can be set on Linux only")
@pytest.mark.parametrize("size", [4096, 8192, 65536])
def test_small_pipes_do_not_stop_it(root: Path, size: int) -> None:
    """Case pipe-deadlock-in-history-record: neither side ever waits for the other, whatever a pipe holds."""
    repository = open_repository(root)
    with closing(repository.commit_tree("HEAD")) as tree:
        ids = [entry.blob for entry in tree.files("")]
    paths = [f"HEAD:base/{'x' * 5000}/{number}" for number in range(5)]
    with closing(repository.objects()) as objects, small_pipes(objects, size):
        asked = [*ids, *paths, *ids, "HEAD:large"]
        found = objects.read(asked)
        assert [answer is None for answer in found] == [name in paths for name in asked]
        assert len(found[-1][1] if found[-1] else b"") == 2_097_152
        below = objects.below(objects.root("HEAD"), "", 1_000_000)
        assert below is not None
        assert below.keys() >= {"base/3/3.yaml", "empty", "large"}
        assert objects.below(objects.root("HEAD"), "", 2) is None


@given(names=st.lists(st.sampled_from(["HEAD:empty", "HEAD:large", "HEAD:base/1/1.yaml", "nothing", "a\nb", "", "-x"])))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_answers_come_in_the_order_asked(root: Path, names: list[str]) -> None:
    """Each question has its own answer, also beside those that git does not understand."""
    sizes = {"HEAD:empty": 0, "HEAD:large": 2_097_152, "HEAD:base/1/1.yaml": 140}
    with closing(open_repository(root).objects()) as objects:
        found = objects.read(names)
    assert [None if answer is None else len(answer[1]) for answer in found] == [sizes.get(name) for name in names]


def test_a_process_that_ended_is_started_again(root: Path) -> None:
    """Somebody may end git between two questions, or the reader be closed: the answers are the same."""
    with closing(open_repository(root).objects()) as objects:
        before = objects.read(["HEAD:empty", "HEAD:base/1/1.yaml"])
        assert objects._process is not None
        objects._process.kill()
        objects._process.wait()
        assert objects.read(["HEAD:empty", "HEAD:base/1/1.yaml"]) == before
        objects.close()
        assert objects.read(["HEAD:empty", "HEAD:base/1/1.yaml"]) == before


def test_a_damaged_object_costs_only_itself(tmp_path: Path) -> None:
    """Git ends at one; the objects asked for behind it are read all the same, and the error says what to do."""
    write_files(tmp_path, {f"base/{name}.yaml": name for name in "abc"})
    run_git(tmp_path, "init", "--quiet")
    commit_all(tmp_path)
    with closing(open_repository(tmp_path).commit_tree("HEAD")) as tree:
        damaged = tree.blob_of("base/b.yaml")
        file = tmp_path / ".git/objects" / damaged[:2] / damaged[2:]
        file.chmod(0o644)
        file.write_bytes(b"damaged")
        with pytest.raises(UnavailableError, match=r"git cannot read `base/b.yaml` of commit") as caught:
            tree.read("base/b.yaml")
        assert "git fsck" in caught.value.problems[0].fix
        assert tree.read("base/c.yaml") == b"c"
        with pytest.raises(UnavailableError, match=f"git cannot read the object {damaged[:12]}"):
            list(tree.blobs(entry.blob for entry in tree.files("base")))
    with closing(open_repository(tmp_path).objects()) as objects:
        found = objects.read([f"HEAD:base/{name}.yaml" for name in "abc"])
        assert [answer and answer[1] for answer in found] == [b"a", None, b"c"]


def test_a_partial_clone_says_what_is_missing_and_fetches_nothing(root: Path, tmp_path: Path) -> None:
    """The file, its commit and the command that completes the clone; no object comes by itself."""
    run_git(root, "config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "clone"
    run_git(tmp_path, "clone", "--quiet", "--no-checkout", "--filter=blob:none", root.as_uri(), str(clone))
    repository = open_repository(clone)
    with closing(repository.commit_tree("HEAD")) as tree:
        assert tree.is_file("empty")
        with pytest.raises(UnavailableError, match="git cannot read `empty` of commit") as caught:
            tree.read("empty")
    assert "`git fetch --refetch --no-filter`" in caught.value.problems[0].fix
    run_git(clone, "fetch", "--quiet", "--refetch", "--no-filter")
    with closing(repository.commit_tree("HEAD")) as tree:
        assert tree.read("empty") == b""
