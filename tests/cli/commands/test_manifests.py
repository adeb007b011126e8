"""`--yaml` of `envc explain` and `envc history blame`: the manifest with its gutter, for a terminal and as a page."""

from __future__ import annotations

import base64
import html
import json
import re
from typing import TYPE_CHECKING

import pytest

from envcompile import yamlio
from tests.harness.command import run_envc
from tests.harness.repository import config_map, deployment, environment, write_files
from tests.history.conftest import folder

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject
    from tests.history.conftest import Folder

__all__ = ["folder"]

PATCH = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3, minReadySeconds: null}\n"
CIPHERTEXT = "Ag" + base64.b64encode(bytes(range(1, 201)) * 3).decode()[2:]
SEALED = (
    "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: sealed}\n"
    f"spec: {{encryptedData: {{b: {CIPHERTEXT}}}, template: {{metadata: {{name: sealed}}}}}}\n"
)
BASE = deployment().replace("  replicas: 1\n", "  replicas: 1\n  minReadySeconds: 5\n")


def told(root: Path, *words: str) -> str:
    """What a command prints."""
    done = run_envc(root, *words)
    assert done.code == 0, done.err
    return done.out


def after_bar(text: str) -> str:
    """The manifest without its gutter, and without what was overridden."""
    lines = [line.partition("│")[2].removeprefix(" ") for line in text.splitlines() if "│" in line]
    return "".join(f"{line.partition('  was ')[0]}\n" for line in lines)


@pytest.fixture
def root(make_project: MakeProject) -> Path:
    """One environment over the base."""
    return make_project({
        "base/web.yaml": BASE,
        "overlays/prod/environment.yaml": environment(
            "namespace: production\nimages: [{name: nginx, newTag: '1.28'}]\n"
        ),
        "overlays/prod/web.yaml": PATCH,
    })


def test_the_manifest_is_what_is_built_with_a_place_a_run(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Places once for each file's run, overridden values behind, what was taken away below."""
    monkeypatch.setenv("COLUMNS", "100")
    text = told(root, "explain", "prod", "deployment/web", "--yaml")
    assert after_bar(text) == told(root, "show", "prod", "deployment/web")
    lines = {line.partition("│")[2].strip(): line.partition("│")[0].strip() for line in text.splitlines()}
    assert lines["namespace: production"] == "prod/environment.yaml:3"
    assert re.search(r"^prod/web.yaml:4 +│ spec:$", text, re.MULTILINE), "a map's own line belongs to its first field"
    assert lines["replicas: 3  was 1"] == ""
    assert lines["image: nginx:1.28  was 1.27"].startswith("prod/environment.yaml:4")
    assert lines["apiVersion: apps/v1"] == "base/web.yaml:1"
    assert lines["kind: Deployment"] == ""
    assert text.splitlines()[-2:] == ["taken away", "  overlays/prod/web.yaml:4  spec.minReadySeconds  was 5"]


def test_narrow_terminals_keep_the_manifest(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below 100 columns day and name go, below 80 the layer's name stands for the place."""
    monkeypatch.setenv("COLUMNS", "60")
    text = told(root, "explain", "prod", "deployment/web", "--yaml")
    assert after_bar(text) == told(root, "show", "prod", "deployment/web")
    assert re.search(r"^prod      │ spec:\n          │   replicas: 3", text, re.MULTILINE)
    assert re.search(r"^settings  │   namespace: production", text, re.MULTILINE)


def test_colours_are_those_of_the_layers(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Own files blue, settings magenta, base dim; overridden values struck out."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    text = told(root, "explain", "prod", "deployment/web", "--yaml")
    assert "\x1b[34mprod/web.yaml:4" in text
    assert "\x1b[35mprod/environment.yaml:3" in text
    assert "\x1b[2mbase/web.yaml:1" in text
    assert "\x1b[2;9m1\x1b[0m" in text


def test_history_says_since_when(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """A day and a name where a value changed since the record began; blame has the commit of every line."""
    monkeypatch.setenv("COLUMNS", "110")
    first = folder.commit("start")
    second = folder.commit("more", base__web=deployment(replicas=4))
    folder.record()
    text = told(folder.root, "explain", "prod", "deployment/web", "--yaml")
    (line,) = [line for line in text.splitlines() if "replicas: 4" in line]
    assert "14 Nov Ada" in line
    assert text.count("Ada") == 1
    blamed = told(folder.root, "history", "blame", "prod", "deployment/web", "--yaml")
    (line,) = [line for line in blamed.splitlines() if "replicas: 4" in line]
    assert second[:7] in line
    assert first[:7] in blamed
    older = told(folder.root, "history", "blame", "prod", "deployment/web", "--yaml", "--at", "HEAD~1")
    assert "replicas: 1" in older
    folder.write(base__web=deployment(replicas=9))
    assert "uncommitted  │   replicas: 9" in told(folder.root, "explain", "prod", "deployment/web", "--yaml")


def test_the_page_has_every_line_and_nothing_from_elsewhere(root: Path) -> None:
    """Its policy lets in its own style alone; overridden values are struck out."""
    page = told(root, "explain", "prod", "deployment/web", "--yaml", "-o", "html")
    lines = re.findall(r'<td class="t"><span>(.*?)</span>', page)
    assert html.unescape("".join(f"{line}\n" for line in lines)) == told(root, "show", "prod", "deployment/web")
    assert "default-src 'none'" in page
    assert "<del>1</del>" in page
    assert not re.search(r"(src|href)=", page)


def test_what_does_not_go_together_is_refused(root: Path) -> None:
    """A field, JSON, or a page of less than the whole."""
    for words in (("spec", "--yaml"), ("--yaml", "-o", "json"), ("-o", "html")):
        assert run_envc(root, "explain", "prod", "deployment/web", *words).code == 2


def test_hostile_values_do_nothing(make_project: MakeProject) -> None:
    """Markup, escape sequences, text from right to left, and a megabyte: shown as text, cut on the page."""
    hostile = "<script>alert(1)</script>\u202e\x1b[31m javascript:alert(1)"
    files = {
        "base/map.yaml": config_map("map", a=json.dumps(hostile)),
        "overlays/prod/environment.yaml": environment("namespace: p\n"),
        "overlays/prod/map.yaml": config_map("map", b="x" * 200_000),
    }
    root = make_project(files)
    page = told(root, "explain", "prod", "configmap/map", "--yaml", "-o", "html")
    assert "<script" not in page
    assert len(page) < 20_000
    for text in (page, told(root, "explain", "prod", "configmap/map", "--yaml")):
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_no_secret_and_no_ciphertext_is_shown(tmp_path: Path) -> None:
    """Neither on a terminal nor on a page."""
    root = write_files(
        tmp_path / "project",
        {
            "base/sealed.yaml": SEALED,
            "overlays/prod/environment.yaml": environment("namespace: p\n"),
        },
    )
    for words in ((), ("-o", "html")):
        text = told(root, "explain", "prod", "sealedsecret/sealed", "--yaml", *words)
        assert CIPHERTEXT[:20] not in text
        assert "redacted" in text
    assert yamlio.load_all(after_bar(told(root, "explain", "prod", "sealedsecret/sealed", "--yaml")).encode(), "x")
