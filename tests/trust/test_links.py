"""*write*: symlinks in a branch, wherever they stand, and whatever a command does: nothing changes behind them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

import pytest

from envcompile.adopt.files import replace_sources
from envcompile.emit.index import INDEX_NAME
from envcompile.errors import EnvcError
from tests.harness.command import run_envc
from tests.harness.repository import commit, config_map, deployment, environment, read_files, write_files

if TYPE_CHECKING:
    from pathlib import Path

FILES: Final = {
    ".gitignore": ".envc/\n",
    "base/web/web.yaml": deployment(),
    "base/web/settings.yaml": config_map(level="info"),
    "base/api/api.yaml": deployment("api"),
    "overlays/prod/environment.yaml": environment("namespace: prod\n"),
}


def built(tmp_path: Path, layout: str) -> Path:
    """A project that was built with a layout and committed."""
    root = write_files(tmp_path / "shop", {**FILES, "envc.yaml": f"layout: {layout}\n"})
    assert run_envc(root, "build").code == 0
    commit(root)
    return root


def planted(root: Path, place: str, *, is_folder: bool) -> Path:
    """What stood at a place lies outside of the repository now, and a link leads there; gives where it lies."""
    held = root.parent / "outside" / "held"
    held.parent.mkdir()
    if (root / place).exists():
        shutil.move(root / place, held)
    elif is_folder:
        held.mkdir()
    if is_folder:
        (held / "precious.yaml").write_text("kind: Precious\n")
    (root / place).symlink_to(held)
    return held.parent


@pytest.mark.parametrize("command", [("build",), ("build", "--force")], ids=" ".join)
@pytest.mark.parametrize(
    ("before", "after", "place"),
    [
        ("resource", "app", "environments/prod/web"),
        ("resource", "environment", "environments/prod/web"),
        ("resource", "app", "environments/prod/web/deployment-web.yaml"),
        ("app", "resource", "environments/prod/web.yaml"),
        ("app", "environment", "environments/prod/web.yaml"),
        ("app", "resource", "environments/prod/web"),
        ("environment", "app", "environments/prod/manifests.yaml"),
        ("environment", "resource", "environments/prod/web"),
        ("resource", "app", "environments/prod"),
        ("resource", "app", "environments"),
    ],
)
def test_another_layout_writes_and_removes_through_no_link(
    tmp_path: Path, before: str, after: str, place: str, command: tuple[str, ...]
) -> None:
    """All files get other names then: those of before go, and none of what lies behind a link."""
    root = built(tmp_path, before)
    outside = planted(root, place, is_folder=not place.endswith(".yaml"))
    held = read_files(outside)
    write_files(root, {"envc.yaml": f"layout: {after}\n"})
    done = run_envc(root, *command)
    assert read_files(outside) == held
    assert done.code in {0, 1}, done
    assert done.code == 1 or run_envc(root, "build", "--check").code == 0
    if place in {"environments", "environments/prod"}:
        assert "leads out of the repository" in done.err


def test_one_resource_of_a_file_that_is_a_link_takes_nothing_over(tmp_path: Path) -> None:
    """`--only` keeps the rest of a file as it is, unless that is what a link leads to."""
    root = built(tmp_path, "app")
    outside = planted(root, "environments/prod/web.yaml", is_folder=False)
    (outside / "held").write_text((outside / "held").read_text() + "---\n" + config_map("stolen", key="outside"))
    held = read_files(outside)
    write_files(root, {"base/web/settings.yaml": config_map(level="debug")})
    for words in (("--only", "configmap/settings"), ("--only", "configmap/settings", "--force")):
        run_envc(root, "build", *words)
        assert read_files(outside) == held
        assert (root / "environments/prod/web.yaml").is_symlink() or "stolen" not in (
            root / "environments/prod/web.yaml"
        ).read_text()
    assert not (root / "environments/prod/web.yaml").is_symlink()


@pytest.mark.parametrize("target", ["outside", "inside", "nowhere"])
def test_an_index_that_is_a_link_is_none(tmp_path: Path, target: str) -> None:
    """It claims no file of people for envc, and nothing is written behind it; `--force` puts one in its place."""
    root = built(tmp_path, "resource")
    index = root / "environments/prod" / INDEX_NAME
    names = index.read_text() + "notes.yaml\nweb/notes.yaml\n"
    index.unlink()
    held = {"outside": tmp_path / "index", "inside": root / "base/index", "nowhere": tmp_path / "nothing"}[target]
    if target != "nowhere":
        held.write_text(names)
    index.symlink_to(held)
    notes = {"environments/prod/notes.yaml": "kind: Mine\n", "environments/prod/web/notes.yaml": "kind: Mine\n"}
    write_files(root, {**notes, "base/web/settings.yaml": config_map(level="debug")})
    refused = run_envc(root, "build")
    assert refused.code == 1
    assert f"environments/prod/{INDEX_NAME} is not envc's" in refused.err
    assert index.is_symlink()
    done = run_envc(root, "build", "--force")
    assert done.code == 0, done
    assert not index.is_symlink()
    assert "notes.yaml" not in index.read_text()
    assert {path: (root / path).read_text() for path in notes} == notes
    assert held.exists() == (target != "nowhere")
    assert target == "nowhere" or held.read_text() == names


def test_an_index_that_is_a_link_takes_no_folder_of_an_environment_away(tmp_path: Path) -> None:
    """An environment that is no more leaves its files, when only a link says that they are envc's."""
    root = built(tmp_path, "resource")
    index = root / "environments/prod" / INDEX_NAME
    shutil.move(index, tmp_path / "index")
    index.symlink_to(tmp_path / "index")
    shutil.move(root / "overlays/prod", root / "overlays/live")
    before = read_files(root / "environments/prod")
    assert run_envc(root, "build").code in {0, 1}
    assert read_files(root / "environments/prod") == before
    assert index.is_symlink()


MANIFESTS: Final = {"../manifests/dev/web.yaml": deployment(), "../manifests/prod/web.yaml": deployment(replicas=3)}
ADOPTIONS: Final = {
    "a new one": ("init", "."),
    "of manifests": ("init", ".", "--from-manifests", "../manifests"),
}


@pytest.mark.parametrize("words", ADOPTIONS.values(), ids=ADOPTIONS.keys())
@pytest.mark.parametrize(
    "place", ["base", "base/web", "overlays", "overlays/dev", "overlays/prod", ".schemas", ".gitignore", "envc.yaml"]
)
@pytest.mark.parametrize("target", ["held", "nowhere"])
def test_adoption_writes_through_no_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], place: str, target: str
) -> None:
    """A repository that brings a link where the new one's files belong: it is refused, or stands as it stood."""
    root = write_files(tmp_path / "shop", MANIFESTS)
    root.mkdir(exist_ok=True)
    commit(root)
    outside = tmp_path / "outside"
    outside.mkdir()
    is_file = place in {".gitignore", "envc.yaml"}
    if target == "held" and is_file:
        (outside / "held").write_text("precious\n")
    elif target == "held":
        (outside / "held").mkdir()
    (root / place).parent.mkdir(exist_ok=True)
    (root / place).symlink_to(outside / target)
    monkeypatch.chdir(root)
    before = [*outside.rglob("*")], read_files(outside)
    done = run_envc(None, *words)
    assert ([*outside.rglob("*")], read_files(outside)) == before
    assert done.code in {1, 2, 4} or not any(path.startswith(f"{place}/") for path in read_files(root)), done
    # Git obeys no `.gitignore` that is a link, so that one which leads nowhere gets a file in its place.
    assert (root / place).is_symlink() or (place, target) == (".gitignore", "nowhere"), "somebody's link is gone"


def test_a_link_to_the_same_bytes_is_not_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a broken-off run wrote may stand there already, but no link: others could change what it leads to."""
    root = write_files(tmp_path / "shop", {"README.md": "x\n"})
    monkeypatch.chdir(root)
    assert run_envc(None, "init").code == 0
    shutil.move("base/hello/configmap.yaml", tmp_path / "held")
    (root / "base/hello/configmap.yaml").symlink_to(tmp_path / "held")
    done = run_envc(None, "init")
    assert done.code == 1
    assert "base/hello/configmap.yaml" in done.err


def test_adoption_in_place_takes_no_link_away(tmp_path: Path) -> None:
    """Git has the link, and what it leads to is another file's: nothing is replaced."""
    root = write_files(tmp_path / "shop", {"shared.yaml": "a: 1\n", "base/web.yaml": "-> ../shared.yaml"})
    commit(root)
    with pytest.raises(EnvcError, match=r"git does not have them as they are: base/web\.yaml"):
        replace_sources(root, {"base/web/web.yaml": b"a: 1\n"}, ["base/web.yaml"])
    assert (root / "base/web.yaml").is_symlink()


@pytest.mark.parametrize(
    "words",
    [
        ("eject", "out"),
        ("convert", "base", "-o", "out", "--no-verify"),
        ("convert", "base", "-o", "out/c", "--no-verify"),
    ],
    ids=" ".join,
)
def test_a_folder_that_the_user_names_is_no_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """A branch may have put a link there; who means the place behind it names that."""
    root = built(tmp_path, "resource")
    outside = tmp_path / "outside"
    outside.mkdir()
    (root / "out").symlink_to(outside)
    monkeypatch.chdir(root)
    done = run_envc(None, *words)
    assert (done.code, [*outside.iterdir()]) == (1, [])
    assert "leads out of the repository" in done.err
    (root / "out").unlink()
    assert run_envc(None, *words).code == 0
