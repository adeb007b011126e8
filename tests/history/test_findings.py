"""Since when a finding is there, as `envc check --blame` tells it with a history and without one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.harness.command import run_envc
from tests.harness.repository import deployment, write_files

if TYPE_CHECKING:
    from tests.history.conftest import Folder


def _since(folder: Folder, *arguments: str) -> dict[str, str]:
    """Environment -> the commit since which the tag of the one image moves."""
    said = run_envc(folder.root, "check", "--select", "image-latest", "--blame", "-o", "json", *arguments).out
    return {found["environment"]: found["since"]["commit"] for found in json.loads(said)["findings"]}


def test_the_history_tells_since_when_a_field_is_so(folder: Folder) -> None:
    """Not who touched its line last, and for each environment by itself."""
    first = folder.commit("Begin", base__web=deployment(image="shop/web1:latest"))
    touched = folder.commit("Quote", base__web=deployment(image='"shop/web1:latest" # ours'))
    assert _since(folder) == {"dev": touched, "prod": touched}
    folder.record()
    assert _since(folder) == {"dev": first, "prod": first}
    patch = deployment(image="shop/web2:latest").partition("spec:")[0] + (
        "spec:\n  template:\n    spec:\n      containers:\n      - name: web\n        image: shop/web2:latest\n"
    )
    changed = folder.commit("Only in production", overlays__prod__web=patch)
    folder.record()
    assert _since(folder) == {"dev": first, "prod": changed}
    assert _since(folder, "--at", "HEAD~1") == {"dev": first, "prod": first}


def test_what_is_not_committed_or_not_recorded_is_gits(folder: Folder) -> None:
    """A line of the folder is younger than any revision; of a commit that nobody recorded git tells."""
    folder.commit("Begin", base__web=deployment(image="shop/web1:latest"))
    folder.record()
    second = folder.commit("Newer", base__web=deployment(image="shop/web2:latest"))
    assert _since(folder) == {"dev": second, "prod": second}
    write_files(folder.root, {"base/web.yaml": deployment(image="shop/web3:latest")})
    assert _since(folder) == {"dev": "", "prod": ""}
