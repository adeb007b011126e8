"""The text of one manifest, as far as git has to merge it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from envcompile.emit.manifests import render
from envcompile.model import Resource, ResourceId, Step
from envcompile.yamlio import Renderer

if TYPE_CHECKING:
    from pathlib import Path


def sealed(**ciphertexts: str) -> str:
    """A SealedSecret's file with these ciphertexts."""
    value = {
        "apiVersion": "bitnami.com/v1alpha1",
        "kind": "SealedSecret",
        "metadata": {"name": "s"},
        "spec": {"encryptedData": ciphertexts, "template": {"metadata": {"name": "s"}}},
    }
    steps = (Step("derived", "overlays/prod", None, (), None, value),)
    return render(Resource(ResourceId("bitnami.com", "SealedSecret", "shop", "s"), value, "web", steps), Renderer())


def test_neighbours_that_two_branches_seal_merge(tmp_path: Path) -> None:
    """Case merge-conflicts-in-envc-index, (d): git sees an unchanged line between two ciphertexts."""
    sides = {
        "ours": sealed(a="2", b="1", c="1"),
        "base": sealed(a="1", b="1", c="1"),
        "theirs": sealed(a="1", b="2", c="1"),
    }
    for name, text in sides.items():
        (tmp_path / name).write_text(text)
    words = ["git", "merge-file", "-p", *sides]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, check=False, text=True)
    assert (done.returncode, done.stdout) == (0, sealed(a="2", b="2", c="1"))
    assert sides["base"].count("\n\n") == 2
