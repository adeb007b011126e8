"""A repository on a host with one pull request, and checkouts of it as the hosts' runners make them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tests.harness.repository import commit, deployment, environment, git, write_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILES = {
    "envc.yaml": "environments: [dev, prod]\n",
    "base/web/deployment.yaml": deployment(),
    "base/api/deployment.yaml": deployment("api", image="api:1"),
    "overlays/dev/environment.yaml": environment("namespace: dev\n"),
    "overlays/prod/environment.yaml": environment("namespace: prod\nowners: ['@shop/sre']\n"),
}
NUMBER = 7


class Origin(NamedTuple):
    """The host's repository."""

    folder: Path
    began: str
    """The commit that the branch began at."""
    base: str
    """The target branch's newest commit, into which the host merges."""
    head: str
    """The pull request's newest commit."""
    merge: str
    """The merge of both, `refs/pull/7/merge`."""

    @property
    def url(self) -> str:
        """Where it is fetched from; a plain path would not keep the depth."""
        return f"file://{self.folder}"


def make_origin(
    folder: Path,
    change: Mapping[str, str],
    *,
    meanwhile: Mapping[str, str] | None = None,
    project: str = "",
    files: Mapping[str, str] | None = None,
) -> Origin:
    """A repository with a pull request.

    Args:
        folder: where to make it.
        change: what the pull request writes.
        meanwhile: what the target branch gets after the pull request's branch began.
        project: the folder of the project within the repository, with `/` at its end.
        files: the project; a small one when left out.
    """

    def put(texts: Mapping[str, str]) -> None:
        write_files(folder, {f"{project}{path}": text for path, text in texts.items()})

    put(FILES if files is None else files)
    began = commit(folder, "start")
    git(folder, "checkout", "--quiet", "-b", "feature")
    put(change)
    head = commit(folder, "change")
    git(folder, "checkout", "--quiet", "main")
    base = began
    if meanwhile is not None:
        put(meanwhile)
        base = commit(folder, "meanwhile")
    git(folder, "checkout", "--quiet", "--detach", "main")
    git(folder, "merge", "--quiet", "--no-ff", "--message=merge", "feature")
    merge = git(folder, "rev-parse", "HEAD")
    git(folder, "checkout", "--quiet", "main")
    for name, sha in (("pull/7/head", head), ("pull/7/merge", merge), ("merge-requests/7/head", head)):
        git(folder, "update-ref", f"refs/{name}", sha)
    return Origin(folder, began, base, head, merge)


def push_again(origin: Origin, change: Mapping[str, str]) -> Origin:
    """The same after another commit in the pull request."""
    folder = origin.folder
    git(folder, "checkout", "--quiet", "feature")
    write_files(folder, change)
    head = commit(folder, "another change")
    git(folder, "checkout", "--quiet", "--detach", "main")
    git(folder, "merge", "--quiet", "--no-ff", "--message=merge", "feature")
    merge = git(folder, "rev-parse", "HEAD")
    git(folder, "checkout", "--quiet", "main")
    git(folder, "update-ref", "refs/pull/7/head", head)
    git(folder, "update-ref", "refs/pull/7/merge", merge)
    return origin._replace(head=head, merge=merge)


def check_out(origin: Origin, folder: Path, ref: str, depth: int) -> None:
    """Do what actions/checkout and the runner of GitLab do: a detached commit, and every branch when depth is 0."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet")
    git(folder, "remote", "add", "origin", origin.url)
    if depth:
        git(folder, "fetch", "--quiet", "--no-tags", f"--depth={depth}", "origin", f"+{ref}:refs/remotes/pull/7/merge")
    else:
        branches = "+refs/heads/*:refs/remotes/origin/*"
        git(folder, "fetch", "--quiet", "--prune", "origin", branches, f"+{ref}:refs/remotes/pull/7/merge")
    git(folder, "checkout", "--quiet", "--force", "--detach", "refs/remotes/pull/7/merge")
