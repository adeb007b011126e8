"""Every command in the guide and the README runs, and prints what the page says."""

from __future__ import annotations

import os
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
from tests.oracles.chart_repository import Repository, serving
from tests.oracles.tools import BUILD_COMMAND, Tools, run

if TYPE_CHECKING:
    from collections.abc import Generator

PRODUCTION = "<!-- production runs, and people were at it -->"
CHARTS = "<!-- a repository of charts is there -->"
WATCHED = "<!-- a cluster was watched -->"
TOOLS = Tools.locate(os.environ)
"""Read while pytest collects: each test runs in a cleaned environment."""
GREETER = {
    "values.yaml": 'greeting: Hi\nreplicas: 1\nimage: {tag: "1"}\n',
    "templates/configmap.yaml": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata:\n"
        "  greeting: {{ .Values.greeting }}\n  release: {{ .Chart.Version | quote }}\n"
    ),
    "templates/deployment.yaml": (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: {{ .Release.Name }}}\n"
        "spec:\n  replicas: {{ .Values.replicas }}\n  selector: {matchLabels: {app: {{ .Release.Name }}}}\n"
        "  template:\n    metadata: {labels: {app: {{ .Release.Name }}}}\n"
        "    spec: {containers: [{name: hello, image: 'nginx:{{ .Values.image.tag }}'}]}\n"
    ),
    "templates/job.yaml": (
        "apiVersion: batch/v1\nkind: Job\n"
        "metadata: {name: {{ .Release.Name }}-migrate, annotations: {helm.sh/hook: pre-install}}\n"
        "spec: {template: {spec: {restartPolicy: Never, containers: [{name: migrate, image: busybox}]}}}\n"
    ),
}
"""The chart of the page about charts of others."""
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
    charts = charts_served(home) if CHARTS in text else nullcontext()
    with production_running(home) if PRODUCTION in text else nullcontext(), charts:
        complaints = run_page(text, folder, home)
    assert not complaints, "\n\n".join(complaints)


def _folder_of(text: str, shop: Path, tmp_path: Path) -> Path:
    if "<!-- starts in an empty folder -->" not in text.splitlines()[1:3]:
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


@contextmanager
def charts_served(home: Path) -> Generator[None]:
    """The real helm on PATH, with a repository that it knows as `example`; without that helm the page is skipped."""
    if not TOOLS.helm4.is_file():
        pytest.skip(f"not built: helm4; run `{BUILD_COMMAND} helm4`")
    programs = home / "bin"
    programs.mkdir()
    (programs / "helm").symlink_to(TOOLS.helm4)
    repository = Repository(TOOLS.helm4, home / "charts")
    for version in ("1.0.0", "2.0.0"):
        repository.publish("greeter", version, GREETER)
    with serving(repository.folder) as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
        run(TOOLS.helm4, "repo", "add", "example", url, env={"HOME": str(home)}).expect_success()
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
