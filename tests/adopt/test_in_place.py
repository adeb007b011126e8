"""`envc init . --from-kustomize .`: the new repository takes the place of the old one, which git has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envcompile.cli import main
from tests.adopt.test_authors import PATCH, WEB, commented
from tests.adopt.test_kustomizations import install
from tests.harness.repository import git

if TYPE_CHECKING:
    from pathlib import Path

    from tests.adopt.conftest import Write

PATCHED = WEB.replace('          image: "reg', '          args: ["--fast"]\n          image: "reg')
FILES = {
    "base/web/web.yaml": WEB,
    "base/web/README.md": "ours\n",
    "base/web/kustomization.yaml": f"resources: [web.yaml]\n{commented(WEB)}",
    "overlays/dev/kustomization.yaml": f"resources: [../../base/web]\n{commented(WEB)}",
    "overlays/prod/kustomization.yaml": (
        f"resources: [../../base/web]\npatches: [{{path: fast.yaml}}]\n{commented(PATCHED)}"
    ),
    "overlays/prod/fast.yaml": PATCH,
}


@pytest.fixture
def committed(write: Write, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kustomize project in git; it is the current folder."""
    install("kustomize", "build")
    source = write(FILES).absolute()
    git(source, "init", "-q")
    git(source, "add", "-A")
    git(source, "commit", "-q", "-m", "kustomize")
    monkeypatch.chdir(source)
    return source


def files(folder: Path) -> dict[str, str]:
    """What is in base and overlays."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for top in ("base", "overlays")
        for path in (folder / top).rglob("*")
        if path.is_file()
    }


def test_the_new_files_take_the_place_of_the_old(committed: Path) -> None:
    """Kustomizations go, the author's files stay where they were, what is no source stays too; it builds."""
    assert main(["init", ".", "--from-kustomize", "."]) == 0
    found = files(committed)
    assert {name for name in found if name.endswith("kustomization.yaml")} == set()
    assert found["base/web/web.yaml"] == WEB
    assert found["base/web/README.md"] == "ours\n"
    assert found["overlays/prod/fast.yaml"] == PATCH
    assert "overlays/dev/environment.yaml" in found
    assert main(["build"]) == 0


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("base/extra.yaml", "a build would read these files, which are part of no environment: base/extra.yaml"),
        ("envc.yaml", "is a project of envc already: envc.yaml"),
        ("overlays/prod/kustomization.yaml", "git does not have them as they are: overlays/prod/kustomization.yaml"),
    ],
)
def test_what_git_does_not_have_is_not_replaced(
    committed: Path, capsys: pytest.CaptureFixture[str], path: str, what: str
) -> None:
    """Nothing is changed when something could not be brought back, or would be read by a build."""
    text = (committed / path).read_text(encoding="utf-8") if (committed / path).exists() else ""
    (committed / path).write_text(text + "#mine\n", encoding="utf-8")
    before = files(committed)
    assert main(["init", ".", "--from-kustomize", "."]) == 1
    assert what in capsys.readouterr().err
    assert files(committed) == before


def test_another_folder_is_written_beside_the_source(committed: Path) -> None:
    """Only the same folder is replaced."""
    assert main(["init", "new", "--from-kustomize", "."]) == 0
    assert set(FILES) <= set(files(committed))
