"""What `envc argocd` writes is accepted by an API server that has Argo CD's own definitions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.harness.command import run_envc
from tests.oracles.argo_cd import NAMESPACE

if TYPE_CHECKING:
    from tests.oracles.argo_cd import ArgoCd

SHOP: Final = Path(__file__).parents[2]
REPO: Final = ("--repo", "https://git.example.com/shop.git")


@pytest.mark.parametrize(
    "arguments",
    [
        ("app", "prod", *REPO),
        ("app", "dev", *REPO, "--automated"),
        ("app", "staging", *REPO, "--plugin"),
        ("appset", *REPO),
        ("appset", *REPO, "--automated"),
        ("project", *REPO),
    ],
    ids=" ".join,
)
def test_the_api_server_accepts_what_is_written(argocd: ArgoCd, arguments: tuple[str, ...]) -> None:
    """A server-side dry-run with strict field validation: no unknown field, no wrong type."""
    done = run_envc(SHOP, "argocd", *arguments)
    assert done.code == 0
    answer = argocd.cluster.apply(done.out, dry_run=True, namespace=NAMESPACE)
    assert answer.ok, answer.stderr
    assert "unknown field" not in answer.stderr


def test_the_api_server_refuses_a_slip(argocd: ArgoCd) -> None:
    """The check can fail."""
    text = run_envc(SHOP, "argocd", "app", "prod", *REPO).out
    answer = argocd.cluster.apply(text.replace("recurse: true", "recurse: often"), dry_run=True, namespace=NAMESPACE)
    assert not answer.ok
