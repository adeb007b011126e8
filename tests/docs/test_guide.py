"""Every command in the guide and the README runs, and prints what the page says."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cluster.drift.fake import fake_cluster
from tests.cluster.drift.shop import production
from tests.cluster.servers import write_kubeconfig
from tests.docs.console import Command, blocks, matches, run_page
from tests.history.clusters import fill

if TYPE_CHECKING:
    from collections.abc import Generator

PRODUCTION = "<!-- production runs, and people were at it -->"
WATCHED = "<!-- a cluster was watched -->"
ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "envcompile" / "guide").glob("*.md"))


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A copy of this repository's own shop, committed to git."""
    folder = tmp_path / "shop"
    folder.mkdir()
    for name in ("base", "overlays", "environments"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("envc.yaml", ".gitignore"):
        shutil.copy2(ROOT / name, folder / name)
    identity = ["-c", "user.name=Shop", "-c", "user.email=shop@example.com", "-c", "init.defaultBranch=main"]
    for arguments in (["init", "-q"], ["add", "-A"], [*identity, "commit", "-qm", "The shop"]):
        command = arguments if arguments[0] == "-c" else ["-c", "init.defaultBranch=main", *arguments]
        subprocess.run(["git", *command], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_the_guides_commands_print_what_the_page_says(page: Path, shop: Path, tmp_path: Path) -> None:
    """A reader who follows a page sees what the page shows."""
    home = tmp_path / "home"
    home.mkdir()
    text = page.read_text(encoding="utf-8")
    folder = _folder_of(text, shop, tmp_path)
    if WATCHED in text:
        (folder / ".envc").mkdir()
        fill(f"sqlite:///{folder / '.envc' / 'history.db'}")
    with production_running(home) if PRODUCTION in text else nullcontext():
        complaints = run_page(text, folder, home)
    assert not complaints, "\n\n".join(complaints)


def _folder_of(text: str, shop: Path, tmp_path: Path) -> Path:
    if text.splitlines()[1:2] != ["<!-- starts in an empty folder -->"]:
        return shop
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


@contextmanager
def production_running(home: Path) -> Generator[None]:
    """A cluster that has production, which the kubeconfig of a home leads to."""
    with fake_cluster(production(ROOT)) as server:
        file = write_kubeconfig(home / ".kube" / "config", server.url)
        file.write_text(file.read_text("utf-8").replace('"test"', '"shop-prod"'), encoding="utf-8")
        yield


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_every_page_has_commands_that_run(page: Path) -> None:
    """A page without a single command that is tried would be a page nobody notices going stale."""
    assert any(isinstance(block, Command) for block in blocks(page.read_text(encoding="utf-8")))


def test_the_readmes_example_prints_what_it_says(shop: Path, tmp_path: Path) -> None:
    """The README shows real output."""
    home = tmp_path / "home"
    home.mkdir()
    complaints = run_page((ROOT / "README.md").read_text(encoding="utf-8"), shop, home)
    assert not complaints, "\n\n".join(complaints)


def test_an_ellipsis_stands_for_any_text_and_nothing_else_does() -> None:
    """The comparison can fail."""
    assert matches("a … c", "a bbb\nb c")
    assert not matches("a … c", "a b d")
    assert not matches("a.c", "abc")
