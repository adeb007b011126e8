"""Charts of others without a helm: settings, lock, layers, and what is told when there is none."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from envcompile.charts.archives import Archives, forget_others
from envcompile.charts.helm import Helm, Source
from envcompile.charts.vendoring import Vendoring, write
from envcompile.charts.wanted import releases_of
from envcompile.errors import EnvcError, UnavailableError
from envcompile.sources.chartlock import ChartLock, LockedArchive, LockedChart, lock_text, read_lock
from envcompile.units.project import Project
from tests.harness.command import call_envc, run_envc
from tests.harness.repository import config_map, environment, read_files, write_files

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

SHOP = "charts:\n- name: shop\n  repository: https://charts.example.com\n  version: ^1\n"
BASE = "base/shop/vendored/configmap-shop.yaml"
OWN = "overlays/prod/vendored/shop/configmap-shop.yaml"


def locked(files: dict[str, str], inputs: str = "") -> str:
    """A lock of files that were written as they are given."""
    digests = {path: f"sha256:{hashlib.sha256(text.encode()).hexdigest()}" for path, text in files.items()}
    values: dict[str, tuple[str, ...]] = {
        "color": ("ConfigMap/shop data.color",),
        "mode": ("ConfigMap/shop data.mode",),
    }
    chart = LockedChart(inputs=inputs, environments={"prod": "1.2.3"}, values=values, untraced=("size",))
    archive = LockedArchive(
        repository="https://charts.example.com", chart="shop", version="1.2.3", digest=f"sha256:{'1' * 64}"
    )
    return lock_text(ChartLock(charts={"shop": chart}, archives=(archive,), files=digests)).decode()


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    """A chart that was rendered for one of two environments."""
    files = {BASE: config_map("shop", color="red", mode="a", size="'3'", other="x"), OWN: config_map("shop", mode="b")}
    return make_project({
        "envc.yaml": f"{SHOP}  environments: [prod]\n  values: {{color: red, size: '3'}}\n",
        "charts.lock.yaml": locked(files),
        **files,
        "overlays/shared/environment.yaml": environment("abstract: true\ncharts: {shop: {values: {mode: b}}}\n"),
        "overlays/shared/shop.yaml": config_map("shop", color="green"),
        "overlays/prod/environment.yaml": environment("extends: [../shared]\nnamespace: shop\n"),
    })


def test_what_a_chart_brought_is_laid_below_every_overlay_of_people(project: Path) -> None:
    """The environment's own differences come first, then shared overlays, then the environment's."""
    assert run_envc(project, "build").code == 0
    built = next(data for path, data in read_files(project / "environments").items() if path.endswith("shop.yaml"))
    assert b"color: green\n  mode: b" in built
    says = json.loads(run_envc(project, "explain", "prod", "configmap/shop", "-o", "json").out)["fields"]
    layers = {say["layer"] for field in says for say in field["says"]}
    assert layers == {"base", "overlays/prod/vendored", "overlays/shared", "overlays/prod"}
    write_files(project, {OWN: config_map("shop", mode="c")})
    assert run_envc(project, "build").code == 0
    assert run_envc(project, "build", "--check").code == 0
    write_files(project, {"overlays/shared/shop.yaml": config_map("shop", mode="d")})
    assert run_envc(project, "build").code == 0
    assert b"mode: d" in next(
        data for path, data in read_files(project / "environments").items() if "configmap" in path
    )


def test_the_folder_means_nothing_where_there_are_no_charts(make_project: MakeProject) -> None:
    """A repository that has such a folder already is built as before."""
    root = make_project({
        "base/web.yaml": config_map("web", color="red"),
        "overlays/shared/environment.yaml": environment("abstract: true\n"),
        "overlays/shared/web.yaml": config_map("web", color="green"),
        "overlays/prod/environment.yaml": environment("extends: [../shared]\n"),
        "overlays/prod/vendored/web.yaml": config_map("web", color="blue"),
    })
    assert "color: blue" in run_envc(root, "show", "prod").out


def test_the_lock_is_read_as_it_was_written(project: Path) -> None:
    """Nothing is lost, and a broken one is told with the way out."""
    lock = read_lock(Project.open(project).tree)
    assert lock_text(lock) == (project / "charts.lock.yaml").read_bytes()
    assert lock.chart_of(OWN) == lock.chart_of(BASE) == "shop"
    assert lock.chart_of("base/shop/other.yaml") is None
    write_files(project, {"charts.lock.yaml": "charts: [1]\n"})
    outcome = run_envc(project, "charts", "list")
    assert outcome.code == 1
    assert "`charts.lock.yaml` is no lock of charts" in outcome.err


def test_a_chart_is_stale_when_its_inputs_changed(project: Path) -> None:
    """Nobody is asked: `list` compares what is said with the lock, and files with their digests."""
    (release,) = releases_of(Project.open(project))
    files = {path: (project / path).read_text(encoding="utf-8") for path in (BASE, OWN)}
    assert "stale" in run_envc(project, "charts", "list").out
    write_files(project, {"charts.lock.yaml": locked(files, release.inputs)})
    outcome = run_envc(project, "charts", "list", "--check")
    assert (outcome.code, outcome.out.split()[-1]) == (0, "current")
    settings = "extends: [../shared]\nnamespace: shop\ncharts: {shop: {values: {color: white}}}\n"
    write_files(project, {"overlays/prod/environment.yaml": environment(settings)})
    assert run_envc(project, "charts", "list", "--check").code == 16
    (changed,) = releases_of(Project.open(project))
    assert changed.wanted[0].values == {"color": "white", "size": "3", "mode": "b"}
    write_files(project, {BASE: files[BASE] + "# mine\n"})
    outcome = run_envc(project, "charts", "list")
    assert outcome.out.split()[-1] == "edited"
    assert f"{BASE} is not as `envc charts` wrote it" in outcome.err


def test_explain_needs_no_helm(project: Path) -> None:
    """The lock has which fields a value changes; what could not be tried is told to be no more than the same."""

    def said(field: str) -> str:
        return run_envc(project, "explain", "prod", "configmap/shop", field).out

    assert "with values.mode from overlays/shared/environment.yaml:4:32" in said("data.mode")
    assert "with values.size from envc.yaml:6:30  (it has the same value)" in said("data.size")
    assert "from chart" not in said("data.color"), "an overlay of people says it"
    assert "from chart shop 1.2.3: not known: `size` could not be tried" in said("data.other")


def test_explain_leads_from_what_became_of_a_secret_to_the_charts_value(make_project: MakeProject) -> None:
    """A key of an ExternalSecret was one of the Secret that the chart made, in whatever part helm wrote it."""
    path = "base/shop/vendored/secret-shop.yaml"
    files = {
        path: "apiVersion: v1\nkind: Secret\nmetadata: {name: shop}\nstringData:\n"
        "  tls.key: ref+vault://secret/data/shop#/key\n  other: ref+vault://secret/data/shop#/other\n"
    }
    lock = locked(files).replace("ConfigMap/shop data.color", "Secret/shop data.tls\\.key")
    root = make_project({
        "envc.yaml": f"{SHOP}  values: {{color: 'ref+vault://secret/data/shop#/key'}}\n",
        "charts.lock.yaml": lock,
        **files,
        "overlays/prod/environment.yaml": environment(
            "namespace: shop\nsecretBackend: external\nexternalSecrets: {store: vault}\n"
        ),
    })

    def said(field: str) -> str:
        return run_envc(root, "explain", "prod", "externalsecret/shop", field).out

    text = said("spec.data[secretKey=tls.key].remoteRef.property")
    assert f'base           {path}:5:12  "ref+vault://secret/data/shop#/key"' in text
    assert "from chart shop 1.2.3\n" in text
    assert "with values.color from envc.yaml:5:19" in text
    assert "from chart shop 1.2.3: not known" in said("spec.data[secretKey=other].remoteRef.key")
    assert "from chart" not in said("spec.secretStoreRef.name")


def test_a_helm_that_is_missing_is_said(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 4, with where it is to be had; a build does without."""
    monkeypatch.setenv("PATH", "")
    for words in (["update"], ["vendor"], ["vendor", "--check"], ["outdated"]):
        outcome = run_envc(project, "charts", *words)
        assert outcome.code == 4
        assert "no helm was found on PATH" in outcome.err
        assert "https://helm.sh" in outcome.err


def test_a_password_in_an_address_is_refused_and_never_printed(make_project: MakeProject) -> None:
    """It would be committed."""
    root = make_project({
        "envc.yaml": SHOP.replace("https://", "https://user:sesame@"),
        "overlays/prod/environment.yaml": environment(),
    })
    outcome = run_envc(root, "charts", "list")
    assert outcome.code == 1
    assert "holds a user's name or password" in outcome.err
    assert "sesame" not in outcome.err


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("name: UP", "cannot name a release"),
        ("repository: ftp://x", "is no address of a repository of charts"),
        ("repository: ../charts", "is no address of a repository of charts"),
        ("chart: a/b", "is no name of a chart"),
        ("digest: sha256:12", "is no digest"),
        (f"digest: sha256:{'0' * 64}", "`version` names no single one"),
        ("version: '--devel'", "is no version"),
        ("valus: {}", "did you mean `values`?"),
        ("environments: [prd]", "did you mean `prod`?"),
    ],
)
def test_what_is_wrong_with_a_chart_is_told_at_its_line(make_project: MakeProject, line: str, told: str) -> None:
    """Before anybody is asked."""
    key = line.partition(":")[0]
    lines = [each for each in SHOP.splitlines() if not each.lstrip(" -").startswith(f"{key}:")]
    marked = "\n".join([*lines, f"  {line}"]) + "\n" if key != "name" else SHOP.replace("name: shop", line)
    root = make_project({"envc.yaml": marked, "overlays/prod/environment.yaml": environment("namespace: a\n")})
    outcome = run_envc(root, "charts", "list")
    assert outcome.code == 1
    assert told in outcome.err
    assert "--> envc.yaml:" in outcome.err


def test_a_build_says_what_was_never_rendered(project: Path) -> None:
    """It asks no helm, and writes what there is."""
    settings = (project / "envc.yaml").read_text(encoding="utf-8")
    second = "- {name: second, repository: 'https://charts.example.com'}\n"
    write_files(project, {"envc.yaml": settings.replace("- name: shop", f"{second}- name: shop")})
    outcome = run_envc(project, "build")
    assert outcome.code == 0
    assert "warning: prod: chart second is not rendered yet: run `envc charts vendor second`" in outcome.err
    assert "chart shop" not in outcome.err


@pytest.mark.parametrize(
    "layout",
    [
        "charts:\n- name: web\n  exclude: [{kind: Pod, name: no}]\n- {name: db, repository: x}\nenvironments: [dev]\n",
        "charts:\n  - repository: x\n    name: web\n    exclude:\n      - name: no\n  - name: db\n",
    ],
)
def test_names_of_charts_are_completed(make_project: MakeProject, layout: str) -> None:
    """By a look at lines, as all values are."""
    root = make_project({"envc.yaml": layout, "overlays/dev/environment.yaml": environment()})
    line = "envc charts update "
    asked = {"_ENVC_COMPLETE": "bash", "COMP_LINE": line, "COMP_POINT": str(len(line))}
    outcome = call_envc(None, cwd=root, env=asked)
    assert sorted(outcome.out.split()) == ["db", "web"]


def test_two_releases_of_one_name_are_refused(make_project: MakeProject) -> None:
    """Their files would be the same."""
    root = make_project({
        "envc.yaml": SHOP + SHOP.removeprefix("charts:\n"),
        "overlays/prod/environment.yaml": environment("namespace: a\n"),
    })
    assert "`charts` names `shop` twice" in run_envc(root, "charts", "list").err


def test_an_environment_names_charts_that_there_are(make_project: MakeProject) -> None:
    """A slip would be values that nobody reads."""
    root = make_project({
        "envc.yaml": SHOP,
        "overlays/prod/environment.yaml": environment("namespace: a\ncharts: {shp: {values: {a: 1}}}\n"),
    })
    outcome = run_envc(root, "build")
    assert outcome.code == 1
    assert "`charts` names `shp`, which is no chart of envc.yaml" in outcome.err
    assert "did you mean `shop`?" in outcome.err
    assert "overlays/prod/environment.yaml:4:" in outcome.err


def test_a_release_needs_a_namespace(make_project: MakeProject) -> None:
    """Helm has always one; guessing it would move objects later."""
    root = make_project({"envc.yaml": SHOP, "overlays/prod/environment.yaml": environment()})
    assert "chart shop has no namespace in prod" in run_envc(root, "charts", "update").err


def test_a_name_that_is_no_chart_is_wrong_usage(project: Path) -> None:
    """With the nearest one."""
    outcome = run_envc(project, "charts", "update", "shp")
    assert outcome.code == 2
    assert "did you mean `shop`?" in outcome.err


def test_what_helm_says_is_told_apart_and_has_no_password(tmp_path: Path) -> None:
    """A repository that lacks a chart is a mistake of the settings; one that does not answer is not."""
    program = tmp_path / "helm"
    for said, kind in (
        ('Error: chart "x" version "9" not found in https://u:sesame@h/charts repository', EnvcError),
        ('Error: Get "https://u:sesame@h/index.yaml": dial tcp: connection refused', UnavailableError),
    ):
        program.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n", encoding="utf-8")
        program.chmod(0o755)
        with pytest.raises(EnvcError) as caught:
            Helm(str(program), tmp_path).newest(Source("oci://h/charts", "x"), "9")
        assert type(caught.value) is kind
        assert "sesame" not in str(caught.value)


def test_files_of_a_chart_are_removed_through_no_link(project: Path, tmp_path: Path) -> None:
    """Also where nothing is written before: a branch may have put a link in the place of the folder."""
    outside = tmp_path / "outside"
    opened = Project.open(project)
    (project / "base/shop/vendored").rename(outside)
    (project / "base/shop/vendored").symlink_to(outside)
    before = read_files(outside)
    with pytest.raises(EnvcError, match=f"the folder of {BASE} leads out"):
        write(opened, Vendoring((), {BASE: None}, ()))
    assert read_files(outside) == before


@pytest.mark.parametrize("link", [".envc", ".envc/charts"])
def test_archives_are_kept_and_removed_behind_no_link(project: Path, tmp_path: Path, link: str) -> None:
    """What lies there is none of envc's: it is neither taken for a chart nor removed."""
    outside = tmp_path / "outside"
    folder = outside / ("charts" if link == ".envc" else "")
    data = b"an archive of somebody else"
    digest = hashlib.sha256(data).hexdigest()
    write_files(folder, {f"{digest}.tgz": data, "other.tgz": data})
    (release,) = releases_of(Project.open(project))
    archive = LockedArchive(
        repository="https://charts.example.com", chart="shop", version="1.2.3", digest=f"sha256:{digest}"
    )
    chart = LockedChart(inputs="", environments={"prod": "1.2.3"})
    helm, lock = Helm("helm", tmp_path), ChartLock(charts={"shop": chart}, archives=(archive,))
    before = Archives(helm, project, lock, moves=False)
    (project / link).parent.mkdir(exist_ok=True)
    (project / link).symlink_to(outside)
    with pytest.raises(EnvcError, match=f"{link} is (?:a symbolic link|no file and no folder)"):
        Archives(helm, project, lock, moves=False)
    with pytest.raises(EnvcError, match="leads out of the repository"):
        before.of(release.wanted[0])
    with pytest.raises(EnvcError, match="leads out of the repository"):
        forget_others(project, ChartLock())
    assert read_files(folder) == {f"{digest}.tgz": data, "other.tgz": data}
