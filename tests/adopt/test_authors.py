"""What the author wrote stays: comments, order, quotes, files; only lines of changed fields change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcompile import yamlio
from envcompile.adopt.authors import read_written, rewritten
from envcompile.cli import main
from tests.adopt import measure
from tests.adopt.test_kustomizations import install

if TYPE_CHECKING:
    from tests.adopt.conftest import Write

LICENCE = "# Copyright 2020 Somebody\n# SPDX-License-Identifier: Apache-2.0\n\n"
WEB = """\
# Ask before you change the strategy.
kind: Deployment   # the usual order is for others
apiVersion: apps/v1
metadata:
  name: 'web'
  labels: {app: web}
spec:
  strategy: {type: Recreate}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        # the only one
        - name: web
          image: "registry.example.com/web:v1"
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web, labels: {app: web}}
spec:
  selector: {app: web}
  ports:
  - port: 80 # not 8080
"""
PATCH = """\
# prod gets more, see the incident of May
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
      - name: web
        args: ["--fast"]
"""


def text(path: str) -> str:
    """A file of the new repository."""
    return Path("new", path).read_text(encoding="utf-8")


def commented(*documents: str) -> str:
    """Documents as comments, which the program of `install` prints."""
    return "".join(f"# {line}\n" for line in "---\n".join(documents).splitlines())


def test_a_folder_of_manifests_keeps_its_files_byte_for_byte(write: Write) -> None:
    """Several documents of a file stay together, in the author's folder."""
    whole = f"{LICENCE}---\n{WEB}---\n# how to reach it\n{SERVICE}"
    write({"shop/front/web.yaml": whole, "shop/back/api.yml": SERVICE.replace("web", "api")})
    assert main(["init", "new", "--from-manifests", "old"]) == 0
    assert text("base/front/web.yaml") == whole
    assert text("base/back/api.yml") == SERVICE.replace("web", "api")


def test_only_lines_of_changed_fields_change(write: Write) -> None:
    """The namespace becomes a setting, the tag another one; nothing else moves."""
    dev = WEB.replace("  labels: {app: web}\n", "  namespace: shop-dev\n  labels: {app: web}\n", 1)
    write({"dev.yaml": dev, "prod.yaml": dev.replace("shop-dev", "shop").replace(":v1", ":v2")})
    assert main(["init", "new", "--from-manifests", "old"]) == 0
    changed = WEB.replace('"registry.example.com/web:v1"', "registry.example.com/web")
    assert text("base/web/deployment-web.yaml") == changed


def test_a_kustomize_base_and_its_patches_stay_as_they_are(write: Write) -> None:
    """Base and patch are in the author's words (see case adopt-votes-components-into-base)."""
    install("kustomize", "build")
    patched = WEB.replace('          image: "reg', '          args: ["--fast"]\n          image: "reg')
    source = write({
        "base/web/web.yaml": f"{LICENCE}{WEB}---\n{SERVICE}",
        "base/web/kustomization.yaml": f"resources: [web.yaml]\n{commented(WEB, SERVICE)}",
        "overlays/dev/kustomization.yaml": f"resources: [../../base/web]\n{commented(WEB, SERVICE)}",
        "overlays/prod/kustomization.yaml": (
            f"resources: [../../base/web]\npatches: [{{path: fast.yaml}}]\n{commented(patched, SERVICE)}"
        ),
        "overlays/prod/fast.yaml": PATCH,
    })
    assert main(["init", "new", "--from-kustomize", source.as_posix()]) == 0
    assert text("base/web/web.yaml") == f"{LICENCE}{WEB}---\n{SERVICE}"
    assert text("overlays/prod/fast.yaml") == PATCH
    assert main(["--project", "new", "build", "--check"]) == 16


def test_a_tag_that_settings_replace_stays_in_the_authors_base(write: Write) -> None:
    """The author's file is not touched for what `images:` of every environment says anyway."""
    install("kustomize", "build")
    files = {"base/kustomization.yaml": f"resources: [web.yaml]\n{commented(WEB)}", "base/web.yaml": WEB}
    for name in ("dev", "prod"):
        files[f"overlays/{name}/kustomization.yaml"] = (
            "resources: [../../base]\nimages: [{name: registry.example.com/web}]\n"
            f"{commented(WEB.replace(':v1', f':{name}'))}"
        )
    write(files)
    assert main(["init", "new", "--from-kustomize", "old"]) == 0
    assert text("base/web.yaml") == WEB
    assert "newTag: prod" in text("overlays/prod/environment.yaml")


@pytest.mark.parametrize("ending", ["", "\n", "\n\n", "\n# the end\n"])
@pytest.mark.parametrize("mark", ["|", "|-", "|+", ">"])
def test_a_text_at_the_end_of_a_file_means_what_it_meant(write: Write, mark: str, ending: str) -> None:
    """A block of text whose file has no last line break, or more than one."""
    made = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: web}}\ndata:\n  text: {mark}\n    a\n    b{ending}"
    write({"x/web.yaml": made, "x/api.yaml": SERVICE.replace("web", "api")})
    assert main(["init", "new", "--from-manifests", "old"]) == 0
    (file,) = Path("new/base").rglob("*web.yaml")
    (found,) = yamlio.load_all(file.read_bytes(), "web.yaml")
    (wanted,) = yamlio.load_all(made.encode(), "web.yaml")
    assert found == wanted


@given(st.lists(st.sampled_from([WEB, SERVICE, "# a note\n", "", PATCH, "a: 1\n"]), max_size=5), st.booleans())
def test_the_lines_of_a_file_are_all_in_its_documents(parts: list[str], begins: bool) -> None:  # ruff: ignore[boolean-type-hint-positional-argument]
    """Heads and texts put together are the file, up to what follows its last object."""
    whole = ("---\n" if begins else "") + "---\n".join(parts)
    if "a: 1\n" in parts:
        whole = whole.replace("a: 1\n", "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n")
    written = read_written("x.yaml", whole.encode())
    assert whole.startswith("".join(one.head + one.text for one in written))
    assert all(rewritten(one, one.value) == one.text for one in written)


@pytest.mark.corpora
def test_unchanged_objects_of_public_repositories_are_in_their_authors_words() -> None:
    """Of the base documents whose object is one of the source's files at least 90 % are its lines, byte for byte."""
    if not measure.SHARED.is_dir():
        pytest.skip(f"the corpora are not at {measure.SHARED}")
    names = ["argo-cd", "bookinfo", "hotel", "id-konflux-ui", "online-boutique", "train-ticket", "sock-shop", "tekton"]
    found = list(measure.rows(names))
    assert [row.name for row in found if not row.equal] == []
    unchanged, verbatim = sum(row.unchanged for row in found), sum(row.verbatim for row in found)
    assert unchanged > 300
    assert verbatim >= 0.9 * unchanged
    edited, rest = sum(row.kept.edited for row in found), sum(row.kept.documents - row.kept.verbatim for row in found)
    # Where components of one base meet in one document, what each author wrote does not stand in one place.
    assert edited >= 0.85 * rest
