"""The chart against the real helm: what it renders is exactly what it was made from, in both versions."""

from __future__ import annotations

import base64
import copy
import json
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings

from envcompile.chart import ChartOptions, convert, emit, release_size
from envcompile.chart.alignment import numbered
from envcompile.chart.verification import Helm, render, verify
from envcompile.values import equal
from tests.chart.hostile import environments
from tests.chart.miniatures import MINIATURES
from tests.chart.samples import (
    CORPORA,
    chart_input,
    config_map,
    container,
    corpus,
    corpus_cases,
    custom,
    deployment,
    load,
    service,
    with_namespace,
)
from tests.oracles.tools import run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.chart.shapes import ChartInput
    from tests.chart.samples import Environments, Resource
    from tests.oracles.cluster import Cluster
    from tests.oracles.tools import Result

EXPLAINED = {"k8s-examples"}
"""Cases whose sources hold what `helm lint` complains about; the chart's read-me says so."""


@pytest.fixture(scope="session")
def helms(helm3: Path, helm4: Path) -> list[Helm]:
    """Both helms."""
    return [Helm(str(helm3), "helm 3"), Helm(str(helm4), "helm 4")]


def write(files: Mapping[str, str], folder: Path) -> Path:
    """Put a chart's files into a folder."""
    for path, text in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode())
    return folder


def differences(chart: ChartInput, helms: list[Helm], folder: Path) -> list[str]:
    """What any helm renders differently in any environment, in words."""
    write(emit(chart), folder)
    expected = {name: [value for _, value in pairs] for name, pairs in chart.resources.items()}
    rows = verify([folder], expected, helms)
    assert all(row.objects == row.equal for row in rows) == all(row.holds for row in rows)
    return [f"{row.environment}, {row.helm}: {row.first_difference}" for row in rows if not row.holds]


def lint(helm: Helm, folder: Path, environment: str, *flags: str) -> Result:
    """What `helm lint` says of a chart with the values of one environment."""
    return run(Path(helm.path), "lint", folder, "-f", folder / f"values-{environment}.yaml", *flags)


@pytest.mark.corpora
@pytest.mark.parametrize("case", corpus_cases())
@pytest.mark.parametrize("split", [False, True], ids=["flat", "split"])
def test_a_real_system_renders_equal_in_every_environment(
    case: str, *, split: bool, helms: list[Helm], tmp_path: Path
) -> None:
    """Names, namespaces, values and types are those of the plain manifests, and lint has nothing to say."""
    found = corpus(case)
    assert not differences(chart_input(found, name=case, split=split), helms, tmp_path)
    for helm in helms:
        said = lint(helm, tmp_path, list(found)[-1], "--strict")
        assert said.ok != (case in EXPLAINED), said.stdout
    explained = "## Good to know" in (tmp_path / "README.md").read_text(encoding="utf-8")
    assert explained == (case in EXPLAINED)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(found=environments())
def test_hostile_environments_render_equal(found: Environments, helms: list[Helm]) -> None:
    """Braces, backticks, line ends, numbers and keys of any kind come through values and templates unchanged."""
    with tempfile.TemporaryDirectory() as folder:
        assert not differences(chart_input(found), helms, Path(folder))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(found=environments())
def test_hostile_environments_render_equal_when_the_chart_is_split(found: Environments, helms: list[Helm]) -> None:
    """Subcharts get the same values as the flat chart's templates."""
    with tempfile.TemporaryDirectory() as folder:
        assert not differences(chart_input(found, split=True), helms, Path(folder))


@pytest.mark.parametrize("case", list(MINIATURES))
def test_what_other_converters_lose_comes_through(case: str, helms: list[Helm], tmp_path: Path) -> None:
    """In one environment, and where a second one differs in every part."""
    one = MINIATURES[case]
    other = [*copy.deepcopy(one), deployment("only-here")]
    assert not differences(chart_input({"dev": one}), helms, tmp_path / "one")
    assert not differences(chart_input({"dev": one, "prod": other}), helms, tmp_path / "two")
    for helm in helms:
        said = lint(helm, tmp_path / "one", "dev")
        assert said.ok, said.stdout


def _shop(production: str = "shop-prod") -> Environments:
    frontend = deployment("frontend")
    container(frontend)["env"] = [{"name": "LOG_LEVEL", "value": "info"}]
    resources = [
        frontend,
        service("frontend"),
        config_map("frontend-config", KEY="a", **{"app.properties": "a.b=1\nc=2\n"}),
    ]
    dev, prod = with_namespace("shop-dev", *resources), with_namespace(production, *resources)
    prod[0]["spec"]["replicas"] = 5
    return {"dev": dev, "prod": prod}


@pytest.mark.parametrize(
    ("setting", "fields"),
    [
        ("frontend.image.tag=x", {"spec.template.spec.containers[0].image": "nginx:x"}),
        ("frontend.image.tag=20161216", {"spec.template.spec.containers[0].image": "nginx:20161216"}),
        ("frontend.replicas=9", {"spec.replicas": 9}),
        ("frontend.env.LOG_LEVEL=debug", {"spec.template.spec.containers[0].env[0].value": "debug"}),
        ("frontend.env.LOG_LEVEL=8080", {"spec.template.spec.containers[0].env[0].value": "8080"}),
        ("frontend.resources.limits.cpu=1", {"spec.template.spec.containers[0].resources": {"limits": {"cpu": 1}}}),
        (
            "frontend.extraEnv.NEW=8080",
            {
                "spec.template.spec.containers[0].env[1].name": "NEW",
                "spec.template.spec.containers[0].env[1].value": "8080",
            },
        ),
        ("frontend.service.port=81", {"spec.ports[0].port": 81}),
        ("frontend.config.KEY=b", {"data.KEY": "b"}),
        ("frontend.config.appProperties.c=3", {"data.app.properties": "a.b=1\nc=3\n"}),
    ],
)
def test_setting_one_value_changes_exactly_one_field(
    setting: str, fields: dict[str, Any], helms: list[Helm], tmp_path: Path
) -> None:
    """`--set` reaches what the value's name says and nothing else."""
    write(emit(chart_input(_shop())), tmp_path)
    for helm in helms:
        plain, changed = (
            run(
                Path(helm.path), "template", "x", tmp_path, "-f", tmp_path / "values-prod.yaml", *flags
            ).expect_success()
            for flags in ([], ["--set", setting])
        )
        before, after = _leaves(plain.stdout), _leaves(changed.stdout)
        found = {path.partition(" ")[2]: value for path, value in after.items() if before.get(path) != value}
        assert found == {key: json.dumps(value) for key, value in _flat(fields).items()}
        assert before.keys() <= after.keys()


def _flat(fields: dict[str, Any]) -> dict[str, Any]:
    return {f"{key}{path}": leaf for key, value in fields.items() for path, leaf in _walk(value)}


def _walk(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        return [(f".{key}{path}", leaf) for key, item in value.items() for path, leaf in _walk(item)]
    if isinstance(value, list) and value:
        return [(f"[{number}]{path}", leaf) for number, item in enumerate(value) for path, leaf in _walk(item)]
    return [("", value)]


def _leaves(text: str) -> dict[str, str]:
    from envcompile import yamlio

    found: dict[str, str] = {}
    for document in yamlio.load_all(text.encode(), "helm"):
        if document is not None:
            title = f"{document['kind']}/{document['metadata']['name']}"
            found |= {f"{title} {path[1:]}": json.dumps(leaf) for path, leaf in _walk(document)}
    return found


@pytest.mark.parametrize(
    ("setting", "unknown"),
    [
        ("fronted.image.tag=x", "fronted"),
        ("frontend.imagee.tag=x", "imagee"),
        ("frontend.image.tga=x", "tga"),
    ],
)
def test_both_helms_refuse_a_mistyped_key(setting: str, unknown: str, helms: list[Helm], tmp_path: Path) -> None:
    """The schema knows every key there is but those at the root of `global`, where a parent chart adds its own."""
    write(emit(chart_input(_shop())), tmp_path)
    for helm in helms:
        said = run(Path(helm.path), "template", "x", tmp_path, "--set", setting)
        assert not said.ok
        assert unknown in said.stderr


def test_both_helms_refuse_a_value_of_the_wrong_type(helms: list[Helm], tmp_path: Path) -> None:
    """A tag that YAML takes for a number with a fraction is refused, not cut short."""
    write(emit(chart_input(_shop())), tmp_path)
    values = tmp_path / "mine.yaml"
    for text in ("frontend: {image: {tag: 1.20}}", "frontend: {replicas: three}", "frontend: {env: {LOG_LEVEL: 1e7}}"):
        values.write_text(text, encoding="utf-8")
        for helm in helms:
            assert not run(Path(helm.path), "template", "x", tmp_path, "-f", values).ok


def test_a_chart_without_an_environments_file_is_the_default_environment(helms: list[Helm], tmp_path: Path) -> None:
    """values.yaml alone gives the default environment, so that its own file adds nothing."""
    found = _shop()
    write(emit(chart_input(found)), tmp_path)
    assert load((tmp_path / "values-dev.yaml").read_text(encoding="utf-8")) == {}
    for helm in helms:
        said = run(Path(helm.path), "template", "x", tmp_path).expect_success()
        assert {path.partition(" ")[0] for path in _leaves(said.stdout)} == {
            "Deployment/frontend",
            "Service/frontend",
            "ConfigMap/frontend-config",
        }


@pytest.mark.parametrize("mode", ["crds", "templates", "separate", "skip"])
def test_crds_go_where_the_user_wants_them(mode: Any, helms: list[Helm], tmp_path: Path) -> None:
    """Wherever they go, what both charts render together is what was converted."""
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.com"},
        "spec": {"group": "example.com", "description": "{{ not a template }}"},
    }
    resources = {name: [("", crd), ("", custom("one", {"env": name}))] for name in ("dev", "prod")}
    made = convert("shop", resources, options=ChartOptions(crds=mode))
    charts = [write(made.files, tmp_path / "shop")]
    if made.crd_files:
        charts.append(write(made.crd_files, tmp_path / "shop-crds"))
    assert (mode == "separate") == bool(made.crd_files)
    assert all(
        row.holds and row.objects == (1 if mode == "skip" else 2) for row in verify(charts, made.expected, helms)
    )


@pytest.mark.parametrize("mode", ["inline", "external", "skip"])
def test_secrets_are_treated_as_the_user_wants(mode: Any, helms: list[Helm], tmp_path: Path) -> None:
    """Outside of `inline` no data of a Secret is in any file of the chart."""
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "labels": {"a": "b"}},
        "type": "Opaque",
        "data": {"password": "aHVudGVyMg=="},
    }
    made = convert("shop", {"prod": [("", secret), ("", config_map("c", a="b"))]}, secrets=mode)
    assert all(row.holds for row in verify([write(made.files, tmp_path)], made.expected, helms))
    assert any("aHVudGVyMg==" in text for text in made.files.values()) == (mode == "inline")


def test_a_difference_is_found_and_named(helms: list[Helm], tmp_path: Path) -> None:
    """A chart that somebody edited is not called equal."""
    found = _shop()
    write(emit(chart_input(found)), tmp_path)
    other = copy.deepcopy(found["prod"])
    other[0]["spec"]["replicas"] = "5"
    rows = verify([tmp_path], {"prod": other}, helms)
    assert [row.first_difference for row in rows] == [
        "Deployment/frontend (namespace shop-prod): spec.replicas is a number, not a string",
    ] * 2
    (tmp_path / "templates" / "frontend" / "service.yaml").write_text("a: [", encoding="utf-8")
    broken = verify([tmp_path], {"prod": other}, helms)
    assert all(row.first_difference.startswith(f"helm cannot render {tmp_path} for prod: ") for row in broken)


_DOCUMENT_BORDER = re.compile(rb"^---(?=[ \t\n]|\Z)[^\n]*\n?", re.MULTILINE)


def _raw_documents() -> list[bytes]:
    """Every document of every YAML file beside the project, as it is written."""
    files = sorted(path for path in CORPORA.parent.rglob("*") if path.suffix in {".yaml", ".yml"})
    return [text for file in files for text in _DOCUMENT_BORDER.split(file.read_bytes()) if text.strip()]


@pytest.mark.corpora
@pytest.mark.skipif(not corpus_cases(), reason="the real systems are not beside the project")
def test_our_yaml_is_the_yaml_of_helm(helms: list[Helm], tmp_path: Path) -> None:
    """Every document means the same to go-yaml, as helm uses it, and to our reader; what one refuses the other does.

    The only difference is that helm's `fromYaml` takes nothing but maps; ours reads lists as well.
    """
    from envcompile import yamlio
    from envcompile.errors import EnvcError

    wanted: dict[str, Any] = {}
    (tmp_path / "docs").mkdir()
    for number, text in enumerate(_raw_documents()):
        try:
            found = [value for value in yamlio.load_all(text, "document", last_wins=True) if value is not None]
        except EnvcError:
            found = ["refused"]
        if not found or isinstance(found[0], dict | str):
            wanted[f"docs/{number:06}"] = found[0] if found else {}
            (tmp_path / "docs" / f"{number:06}").write_bytes(text)
    template = (
        '{{ range $name, $_ := .Files.Glob "docs/*" }}\n---\n{{ $name }}: '
        "{{ $.Files.Get $name | fromYaml | toJson | b64enc }}\n{{ end }}\n"
    )
    chart = "apiVersion: v2\nname: oracle\nversion: 0.1.0\n"
    write({"Chart.yaml": chart, "templates/all.yaml": template}, tmp_path)
    assert len(wanted) > 1000
    for helm in helms:
        said = run(Path(helm.path), "template", "x", tmp_path).expect_success().stdout
        pairs = (line.split(": ") for line in said.splitlines() if line.startswith("docs/"))
        theirs = {name: json.loads(base64.b64decode(text)) for name, text in pairs}
        theirs = {name: "refused" if value.keys() == {"Error"} else value for name, value in theirs.items()}
        assert [name for name, value in wanted.items() if not equal(_as_floats(value), _as_floats(theirs[name]))] == []


def _as_floats(value: Any) -> Any:
    """Numbers as Helm keeps them."""
    if isinstance(value, dict):
        return {key: _as_floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_floats(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _installed(cluster: Cluster, namespace: str, kind: str, name: str) -> Resource:
    answer = cluster.kubectl("get", kind, name, "-n", namespace, "-o", "json").expect_success()
    found: Resource = json.loads(answer.stdout)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("version", ["helm3", "helm4"])
def test_the_chart_installs_upgrades_rolls_back_and_adopts(version: str, kube_cluster: Cluster, tmp_path: Path) -> None:
    """On a real API server, objects that already run are taken over and then follow the chart's values."""
    helm = getattr(kube_cluster.tools, version)
    namespace = f"shop-{version}"
    chart = chart_input(_shop(namespace), name=version)
    folder = write(emit(chart), tmp_path / "chart")
    home = {"HELM_CACHE_HOME": str(tmp_path), "HELM_CONFIG_HOME": str(tmp_path), "HELM_DATA_HOME": str(tmp_path)}
    flags: list[str | Path] = ["--kubeconfig", kube_cluster.kubeconfig, "-n", namespace]
    prod: list[str | Path] = ["-f", folder / "values-prod.yaml"]
    force = ["--force-conflicts"] if version == "helm4" else []

    def ask(*words: str | Path) -> None:
        run(helm, *words, *flags, env=home).expect_success()

    def replicas() -> int:
        found: int = _installed(kube_cluster, namespace, "deployment", "frontend")["spec"]["replicas"]
        return found

    kube_cluster.kubectl("create", "namespace", namespace).expect_success()
    running = "\n---\n".join(json.dumps(resource) for resource in _shop(namespace)["prod"])
    kube_cluster.apply(running, namespace=namespace).expect_success()
    ask("upgrade", "--install", "--take-ownership", "shop", folder, *prod, *force)
    assert replicas() == 5
    ask("upgrade", "shop", folder, *prod, "--set", "frontend.replicas=7", *force)
    assert replicas() == 7
    ask("rollback", "shop", "1", *force)
    assert replicas() == 5
    stored = _installed(kube_cluster, namespace, "secret", "sh.helm.release.v1.shop.v1")
    real = len(base64.b64decode(stored["data"]["release"]))
    assert 0.8 < release_size(chart, emit(chart)) / real < 1.25
    ask("uninstall", "shop")
    ask("install", "shop", folder, *prod)
    assert replicas() == 5


def test_helm_prints_nothing_that_is_not_yaml(helms: list[Helm], tmp_path: Path) -> None:
    """`render` gives documents, also those that helm leaves empty."""
    write(emit(chart_input({"dev": [config_map("a", b="c")], "prod": []})), tmp_path)
    for helm in helms:
        assert not [document for document in render(helm.path, tmp_path, "prod") if document]
        assert len(numbered(("", item) for item in render(helm.path, tmp_path, "dev"))) == 1
