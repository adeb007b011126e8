"""The Helm chart is built, owned and removed like an environment's folder."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.actions import charting
from envcompile.actions.build import build
from envcompile.units import environment as units_environment
from envcompile.units.compile import compile_unit
from envcompile.units.project import Project
from tests.harness.command import run_envc
from tests.harness.repository import deployment, environment, read_files

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from envcompile.kubernetes import KubeApi
    from envcompile.units.unit import CompiledUnit, UnitInput

SERVICES = ("api", "web", "worker")
CHART = "chart:\n  name: shop\n  version: 1.2.3\n"


@pytest.fixture
def root(make_project: Callable[[Mapping[str, str | bytes]], Path]) -> Path:
    """One service in two environments, with a chart."""
    return make_project({
        "envc.yaml": CHART,
        "base/web/deployment.yaml": deployment(),
        "overlays/dev/environment.yaml": environment("namespace: dev\n"),
        "overlays/prod/environment.yaml": environment("namespace: prod\nreplicas: {web: 3}\n"),
    })


def test_a_build_of_everything_writes_the_chart_too(root: Path) -> None:
    """With a values file for each environment, and the name and version of envc.yaml."""
    assert run_envc(root, "build").code == 0
    files = read_files(root / "environments/chart")
    assert {"Chart.yaml", "values.yaml", "values-dev.yaml", "values-prod.yaml", ".envc-index"} <= files.keys()
    assert b"name: shop\n" in files["Chart.yaml"]
    assert b'version: "1.2.3"\n' in files["Chart.yaml"]
    assert "4 environments" not in run_envc(root, "build").err
    assert run_envc(root, "build").err == "2 environments, 2 resources: nothing to do\n"


def test_a_build_of_one_environment_and_no_chart_leave_the_chart_alone(root: Path) -> None:
    """A chart needs every environment."""
    run_envc(root, "build", "prod")
    run_envc(root, "build", "--no-chart")
    assert not (root / "environments/chart").exists()
    run_envc(root, "build")
    assert (root / "environments/chart").exists()


def test_a_stale_chart_is_told_by_check(root: Path) -> None:
    """`--check` names the chart's files like any other."""
    run_envc(root, "build")
    (root / "overlays/prod/environment.yaml").write_text(environment("namespace: prod\nreplicas: {web: 4}\n"))
    checked = run_envc(root, "build", "--check")
    assert checked.code == 16
    assert "environments/chart/values.yaml: stale: would change\n" in checked.out


def test_a_chart_that_is_no_longer_asked_for_is_removed(root: Path) -> None:
    """Only envc's own files go."""
    run_envc(root, "build")
    (root / "environments/chart/notes.txt").write_text("mine\n")
    (root / "envc.yaml").write_text("{}\n")
    assert run_envc(root, "build").code == 0
    assert list(read_files(root / "environments/chart")) == ["notes.txt"]


def test_the_charts_files_edited_by_hand_are_not_overwritten(root: Path) -> None:
    """As with manifests."""
    run_envc(root, "build")
    (root / "environments/chart/values.yaml").write_text("mine: true\n")
    (root / "base/web/deployment.yaml").write_text(deployment(image="nginx:2"))
    built = run_envc(root, "build")
    assert built.code == 1
    assert "environments/chart/values.yaml was changed by hand since envc wrote it" in built.err
    assert (root / "environments/chart/values.yaml").read_text() == "mine: true\n"


@pytest.fixture
def three(make_project: Callable[[Mapping[str, str | bytes]], Path]) -> Path:
    """Three services in two environments with rollouts and waves, with a chart that is built."""
    files: dict[str, str | bytes] = {"envc.yaml": CHART}
    for name in SERVICES:
        config = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}-config}}\ndata: {{mode: a}}\n"
        reads = f"        envFrom: [{{configMapRef: {{name: {name}-config}}}}]\n"
        files[f"base/{name}/deployment.yaml"] = deployment(name) + reads
        files[f"base/{name}/config.yaml"] = config
    for name in ("dev", "prod"):
        files[f"overlays/{name}/environment.yaml"] = environment(
            f"namespace: {name}\nrollout: checksum\nsyncWaves: true\n"
        )
    root = make_project(files)
    assert run_envc(root, "build").code == 0
    return root


class _Counts:
    """What was compiled and which services were made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.compiled: list[str] = []
        self.made: list[str] = []
        compare = charting.compare_chart

        def counted_unit(unit: UnitInput, api: KubeApi, *, is_accepted: bool = False) -> CompiledUnit:
            self.compiled.append(f"{unit.environment}/{unit.app}")
            return compile_unit(unit, api, is_accepted=is_accepted)

        def counted_chart(*args: Any, **flags: Any) -> charting.ComparedChart:
            compared = compare(*args, **flags)
            self.made += compared.made
            return compared

        monkeypatch.setattr(units_environment, "compile_unit", counted_unit)
        monkeypatch.setattr(charting, "compare_chart", counted_chart)


def _fresh(root: Path) -> dict[str, bytes]:
    """The chart as a build without any memory makes it."""
    for memory in (".envc", "environments"):
        shutil.rmtree(root / memory)
    assert run_envc(root, "build").code == 0
    return read_files(root / "environments/chart")


def test_secrets_in_clear_do_not_have_other_services_made_again(three: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `secretBackend: plaintext` one changed file makes one service's part of the chart, too."""
    for name in SERVICES:
        secret = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}-secret}}\nstringData: {{key: {name}}}\n"
        (three / f"base/{name}/secret.yaml").write_text(secret)
    (three / ".gitignore").write_text("secret.yaml\n")
    for name in ("dev", "prod"):
        path = three / f"overlays/{name}/environment.yaml"
        path.write_text(path.read_text() + "secretBackend: plaintext\n")
    assert run_envc(three, "build").code == 0
    path = three / "base/web/secret.yaml"
    path.write_text(path.read_text().replace("key: web", "key: other"))
    counts = _Counts(monkeypatch)
    build(Project.open(three), [])
    assert sorted(counts.compiled) == ["dev/web", "prod/web"]
    assert counts.made == ["web"]
    assert read_files(three / "environments/chart") == _fresh(three)


@pytest.mark.parametrize("only_compared", [False, True])
def test_one_changed_file_makes_one_services_part_of_the_chart(
    three: Path, monkeypatch: pytest.MonkeyPatch, *, only_compared: bool
) -> None:
    """And compiles one unit an environment, with rollouts and waves, also for `--check`."""
    path = three / "base/web/config.yaml"
    path.write_text(path.read_text().replace("mode: a", "mode: b"))
    counts = _Counts(monkeypatch)
    build(Project.open(three), [], check=only_compared)
    assert sorted(counts.compiled) == ["dev/web", "prod/web"]
    assert counts.made == ["web"]
    if not only_compared:
        assert read_files(three / "environments/chart") == _fresh(three)


def test_a_build_with_nothing_new_makes_no_part_of_the_chart(three: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the chart itself is gone: it comes out of what is remembered."""
    before = read_files(three / "environments/chart")
    shutil.rmtree(three / "environments/chart")
    counts = _Counts(monkeypatch)
    build(Project.open(three), [])
    assert (counts.compiled, counts.made) == ([], [])
    assert read_files(three / "environments/chart") == before


@pytest.mark.parametrize("damage", ["gone", "empty", "cut", "flipped", "foreign"])
def test_a_damaged_memo_of_the_chart_changes_nothing(three: Path, damage: str) -> None:
    """Whatever happened to it."""
    memo = three / ".envc/units/chart"
    data = memo.read_bytes()
    match damage:
        case "gone":
            memo.unlink()
        case "empty":
            memo.write_bytes(b"")
        case "cut":
            memo.write_bytes(data[: len(data) // 2])
        case "flipped":
            memo.write_bytes(data[:-40] + bytes([data[-40] ^ 1]) + data[-39:])
        case _:
            memo.write_bytes(b"not a memo")
    (three / "base/web/deployment.yaml").write_text(deployment("web", image="nginx:3"))
    assert run_envc(three, "build").code == 0
    assert read_files(three / "environments/chart") == _fresh(three)


def test_the_memo_of_the_chart_is_bounded_and_for_its_owner_only(three: Path) -> None:
    """What several builds did not use is forgotten."""
    memo = three / ".envc/units/chart"
    assert memo.stat().st_mode & 0o077 == 0
    for number in range(12):
        (three / "base/web/deployment.yaml").write_text(deployment("web", image=f"nginx:1.{number}"))
        build(Project.open(three), [])
        if number == 6:
            size = memo.stat().st_size
    assert memo.stat().st_size < size * 1.02
