"""A chart of which a few services changed is what a build without any memory makes of all of them."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.actions import charting
from envcompile.units import outlook, snapshot
from tests.harness.command import run_envc
from tests.harness.repository import deployment, environment, read_files, write_files

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SERVICES = ("api", "web", "web-admin", "worker")
SECRET = "---\napiVersion: v1\nkind: Secret\nmetadata: {{name: {0}-key}}\nstringData: {{key: {1}}}\n"
PATCH = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec: {{replicas: {0}}}\n"
CONFIG = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {0}-config, labels: {1}}}\n"
    "data:\n  a.properties: |\n    a={2}\n    b=2\n"
)
SERVICE = (
    "apiVersion: v1\nkind: Service\nmetadata: {{name: web}}\nspec: {{selector: {{app: {0}}}, ports: [{{port: {1}}}]}}\n"
)


def _web(image: str = "nginx:1", *, limit: int = 5, shown: str = "a") -> str:
    head = deployment("web", image=image).replace("spec:\n", f"spec:\n  revisionHistoryLimit: {limit}\n", 1)
    return head + SECRET.format("web", shown)


def _config(name: str = "web", labels: str = "{}", value: str = "1") -> str:
    return CONFIG.format(name, labels, value)


EDITS: tuple[tuple[str, bool, Mapping[str, str]], ...] = (
    ("a text that no environment changes", True, {"base/web/web.yaml": _web(limit=6)}),
    ("the same back", True, {"base/web/web.yaml": _web()}),
    ("a value", True, {"base/web/web.yaml": _web("nginx:1.25.3-a-longer-tag")}),
    ("a value of one environment", True, {"overlays/prod/web/web.yaml": PATCH.format(11)}),
    ("an environment says what the others do", False, {"overlays/prod/web/web.yaml": PATCH.format(1)}),
    ("and something else again", False, {"overlays/prod/web/web.yaml": PATCH.format(7)}),
    ("a Secret in clear", True, {"base/web/web.yaml": _web(shown="a longer one")}),
    (
        "several services",
        True,
        {"base/web/config.yaml": _config(value="3"), "base/api/api.yaml": deployment("api", image="a:2")},
    ),
    ("whom it serves", False, {"base/web/service.yaml": SERVICE.format("api", 80)}),
    ("and back, by another port", False, {"base/web/service.yaml": SERVICE.format("web", 8080)}),
    ("labels", False, {"base/web/config.yaml": _config(labels="{tier: front}")}),
    ("nothing but a comment", True, {"base/web/web.yaml": _web(shown="a longer one") + "# a note\n"}),
    ("a file becomes another resource", False, {"base/web/config.yaml": _config("web-other")}),
    ("a value after that", True, {"base/web/config.yaml": _config("web-other", value="4")}),
    ("a new service", False, {"base/new/new.yaml": deployment("new")}),
    ("a value of the new one", True, {"base/new/new.yaml": deployment("new", image="n:2")}),
    (
        "a setting of an environment",
        False,
        {"overlays/dev/environment.yaml": environment("namespace: other\nsecretBackend: plaintext\n")},
    ),
)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Some services in three environments with a chart that is built; another process looks at the outputs."""
    monkeypatch.setattr(snapshot, "_SOME", 0)
    monkeypatch.setattr(outlook, "_processors", lambda: 2)
    monkeypatch.setattr(outlook, "_has_threads", lambda: False)
    files = {"envc.yaml": "chart: {name: shop, nameOverride: false}\n"}
    files |= {f"base/{name}/{name}.yaml": deployment(name) for name in SERVICES}
    files |= {"base/web/web.yaml": _web(), "base/web/config.yaml": _config(), "base/api/config.yaml": _config("api")}
    files |= {"base/web/service.yaml": SERVICE.format("web", 80), "overlays/prod/web/web.yaml": PATCH.format(3)}
    for name in ("dev", "test", "prod"):
        settings = environment(f"namespace: {name}\nsecretBackend: plaintext\n")
        files[f"overlays/{name}/environment.yaml"] = settings
    project = write_files(tmp_path / "project", files)
    assert run_envc(project, "build").code == 0
    return project


def test_a_revised_chart_is_what_a_fresh_build_makes(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever changes, one edit after the other; and where only values and texts do, only their services are made."""
    revised: list[bool] = []
    make = charting.revised_bundle

    def noted(*args: Any) -> charting.MadeChart | None:
        found = make(*args)
        revised.append(found is not None)
        return found

    monkeypatch.setattr(charting, "revised_bundle", noted)
    for number, (what, is_revised, files) in enumerate(EDITS):
        revised.clear()
        write_files(root, files)
        built = run_envc(root, "build")
        assert built.code == 0, (what, built.err)
        fresh = tmp_path / f"fresh-{number}"
        shutil.copytree(root, fresh, ignore=shutil.ignore_patterns(".envc", "environments"))
        again = run_envc(fresh, "build")
        assert read_files(root / "environments") == read_files(fresh / "environments"), what
        warnings = [[line for line in said.err.split("\n") if "warning" in line] for said in (built, again)]
        assert warnings[0] == warnings[1], what
        assert (True in revised) is is_revised, what
        assert run_envc(root, "build", "--check").code == 0, what


def test_what_is_kept_of_a_chart_shows_no_value_in_clear(root: Path) -> None:
    """Nor does anybody but its owner read it."""
    write_files(root, {"base/web/web.yaml": _web(shown="very-secret-text")})
    assert run_envc(root, "build").code == 0
    kept = root / ".envc/units/chart-kept"
    assert b"very-secret-text" not in kept.read_bytes()
    assert kept.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("damage", ["cut", "gone", "of another envc"])
def test_a_damaged_record_of_the_chart_changes_nothing(root: Path, tmp_path: Path, damage: str) -> None:
    """The chart is made as a whole then."""
    kept = root / ".envc/units/chart-kept"
    if damage == "cut":
        kept.write_bytes(kept.read_bytes()[:-7])
    elif damage == "gone":
        kept.unlink()
    else:
        kept.write_bytes(b"something else")
    write_files(root, {"base/web/web.yaml": _web("nginx:2")})
    assert run_envc(root, "build").code == 0
    shutil.copytree(root, tmp_path / "fresh", ignore=shutil.ignore_patterns(".envc", "environments"))
    assert run_envc(tmp_path / "fresh", "build").code == 0
    assert read_files(root / "environments") == read_files(tmp_path / "fresh/environments")
