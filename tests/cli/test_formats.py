"""`--format json`: every shape has a version, a published schema and a golden, and who read it before still can."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import jsonschema_rs
import msgspec
import pytest

from envcompile.actions.watch import Standing
from envcompile.actions.watch_store import Counted
from envcompile.charts.listing import OutdatedChart
from envcompile.charts.publishing import Packaged, Pushed
from envcompile.charts.vendoring import Vendored, Vendoring
from envcompile.cli.commands.chart import print_rows
from envcompile.cli.commands.chart_release import print_packaged, print_pushed
from envcompile.cli.commands.charts import print_vendoring
from envcompile.cli.commands.watch import print_standings
from envcompile.cli.output import FORMAT_VERSION, answer
from envcompile.cli.render.charts import outdated_as_data
from envcompile.cli.shapes.catalogue import DOCUMENTS, output_schema
from envcompile.cluster.reflector import Told
from envcompile.errors import Problem
from envcompile.history.live import Written
from tests.cli.samples_of_writers import samples
from tests.cluster.drift.fake import applied, compiled, fake_cluster, wrote
from tests.cluster.servers import write_kubeconfig
from tests.harness.command import PACKAGE_ROOT, run_envc
from tests.harness.goldens import compare_with_goldens
from tests.harness.guards import clean_environment
from tests.harness.repository import config_map, deployment, environment, write_files
from tests.history.clusters import fill
from tests.history.conftest import new_folder
from tests.secrets.repository import USER_SERVICE, certificate_pem, key_pem, private_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

HERE = Path(__file__).parent
GOLDENS = HERE / "formats"
FORMER = HERE / "former_formats"
"""Schemas as they were when version 1 was first published; they are never written anew."""
NAMES = sorted(DOCUMENTS)
_CHANGING = {
    "python": "…",
    "day": "…",
    "until": "…",
    "waitingDays": 0,
    "deploymentsAWeek": 0,
    "database": "…",
    "onDisk": 0,
    "commit": "…",
    "ageDays": 0,
    "end": "…",
    "notBefore": "…",
    "notAfter": "…",
    "proven": True,
}
"""What differs from one day or machine to the next; commits only in `version`."""


class Row(NamedTuple):
    """What `envc chart verify` tells of an environment."""

    environment: str
    helm: str
    objects: int
    equal: int
    first_difference: str
    holds: bool = False


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """What each command prints in a small project, by the name of its shape."""
    with pytest.MonkeyPatch.context() as patch:
        home = tmp_path_factory.mktemp("home")
        kept = clean_environment(home)  # that of each test is clean later than this
        for name in os.environ.keys() - kept.keys():
            patch.delenv(name)
        for name, value in kept.items():
            patch.setenv(name, value)
        root = tmp_path_factory.mktemp("work") / "project"
        root.mkdir()
        secrets = _of_secrets(tmp_path_factory.mktemp("work") / "secrets", patch)
        written = samples(tmp_path_factory.mktemp("work") / "written", patch)
        yield {**_of_a_project(root), **secrets, **written}


def _of_a_project(root: Path) -> dict[str, str]:
    made = new_folder(root)
    live = config_map("live").replace("name: live", "name: live\n  uid: 0d0f\n  resourceVersion: '7'")
    write_files(
        root,
        {
            "base/web.yaml": deployment(image="nginx"),
            "base/live.yaml": live,
            "base/app.yaml": config_map("app", **{"app.properties": "|\n    size=3"}),
            "overlays/prod/environment.yaml": environment(
                "namespace: production\nowners: ['@ops']\nparams:\n  color: red\n"
                "images:\n- name: nginx\n  newTag: '1.27'\n"
            ),
            "overlays/prod/web.yaml": (
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}\n"
            ),
            "overlays/dev/environment.yaml": environment("namespace: dev\nimages:\n- name: nginx\n  newTag: '1.28'\n"),
        },
    )
    first = {"build": _json(root, "build", "--why")}
    made.commit("start")
    made.commit("larger", base__settings=config_map(color="green", size="large"))
    made.record()
    said = {
        "affected": _json(root, "affected", "base/settings.yaml"),
        "check": _json(root, "check", "prod", "--select", "image-latest,replicas-min,cluster-leftover", code=1),
        "check-statistics": _json(root, "check", "--statistics", "--select", "image-latest", "--fail-on", "never"),
        "diff": _json(root, "compare", "dev", "prod", code=16),
        "drift": _drift(root),
        "explain": _json(root, "explain", "prod", "deployment/web", "spec.replicas"),
        "fix": _json(root, "fix", "--select", "cluster-leftover"),
        "graph": _json(root, "graph", "prod", "--from", "deployment/web"),
        "guide": _json(root, "guide"),
        "compliance": _json(root, "compliance", "prod", "--framework", "pss"),
        "compliance-audit": _json(root, "compliance", "--audit", "prod"),
        "compliance-verify": _json(root, "compliance", "--verify", "0123456789abcdef", code=1),
        "history-blame": _json(root, "history", "blame", "prod", "configmap/settings"),
        "history-doctor": _json(root, "history", "doctor"),
        "history-find": _json(root, "history", "find", "data.color=green"),
        "history-log": _json(root, "history", "log", "prod"),
        "history-prune": _json(root, "history", "prune", "--keep-last", "1", "--dry-run"),
        "history-show": _json(root, "history", "show", "prod"),
        "history-stats": _json(root, "history", "stats"),
        "history-timeline": _json(root, "history", "timeline"),
        "hook-status": _json(root, "hook", "status", code=1),
        "list": _json(root, "list"),
        "matrix": _json(root, "matrix"),
        "owners": _json(root, "owners"),
        "promote": _json(root, "promote", "dev", "prod", "--dry-run"),
        "report": _json(root, "report"),
        "rule": _json(root, "rule", "image-latest"),
        "version": _json(root, "version"),
    }
    said |= _of_costs(root)
    said |= _of_a_simulation(root)
    said |= _of_a_search(root)
    rows = [Row("prod", "v3.22.0", 3, 2, "Deployment/web: spec.replicas: 2 instead of 3")]
    packed = Packaged(Path("shop-1.0.0.tgz"), "0123456789abcdef" * 4, Path("shop-1.0.0.tgz.prov"))
    pushed = Pushed("oci://registry.example.com/charts/shop:1.0.0", f"sha256:{packed.digest}")
    said["chart-package"] = _captured(lambda: print_packaged(packed, "json"))
    said["chart-push"] = _captured(lambda: print_pushed(pushed, "json"))
    printed = {"chart-verify": _captured(lambda: print_rows(rows, "json")), "watch": _captured(_print_standing)}
    return {**first, **said, **printed, **_of_a_cluster(root), **_of_charts(root.parent / "charts")}


def _of_charts(root: Path) -> dict[str, str]:
    """Charts of others as the commands tell of them; what helm makes is asked in `tests/oracles`."""
    charts = "charts:\n- {name: web, repository: 'https://charts.example.com', version: ^6}\n"
    write_files(root, {"envc.yaml": charts, "overlays/prod/environment.yaml": environment("namespace: web\n")})
    release = Vendored(
        "web",
        "podinfo",
        {"prod": "6.1.0"},
        {"prod": "6.0.0"},
        ("base/web/vendored/service-web.yaml",),
        ("base/web/vendored/deployment-web.yaml",),
        ("base/web/vendored/ingress-web.yaml",),
        ("left out, because only Helm runs hooks: Job/migrate",),
    )
    problem = Problem("the patch has no target: Ingress web is in no layer below", "take it out")
    made = Vendoring((release,), {"base/web/vendored/service-web.yaml": b""}, (problem,))
    newer = [OutdatedChart("web", ("prod",), "6.0.0", "6.1.0", "7.0.0")]
    return {
        "charts-list": _json(root, "charts", "list"),
        "charts-update": _captured(lambda: print_vendoring(made, "json", check=False)),
        "charts-outdated": _captured(lambda: answer(charts=outdated_as_data(newer))),
    }


def _captured(prints: Callable[[], object]) -> str:
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        prints()
    return out.getvalue()


def _print_standing() -> None:
    told = Told("watching", events=7, lists=1, expired=0, failures=0, problem="")
    refused = Told("forbidden", events=0, lists=1, expired=0, failures=1, problem="the cluster forbids to list secrets")
    kinds = {("apps", "deployments"): told, ("", "secrets"): refused}
    counted = Counted(Written(3, 2, 1, 4), events=5, usage=6, batches=2)
    print_standings([Standing("prod", True, kinds, counted, 0, 4096, 0.0, ())], "json")


def _of_a_cluster(root: Path) -> dict[str, str]:
    fill(f"sqlite:///{root / '.envc' / 'history.db'}")
    times = ("--since", "2023-11-14T00:00:00Z", "--until", "2023-11-15T00:00:00Z")
    return {
        "db-doctor": _json(root, "db", "doctor"),
        "db-gc": _json(root, "db", "gc", "--dry-run"),
        "db-status": _json(root, "db", "status"),
        "live-blame": _json(root, "live", "blame", "deploy/web", "spec"),
        "live-events": _json(root, "live", "events", "deploy/web", *times),
        "live-get": _json(root, "live", "get", "deploy/web"),
        "live-log": _json(root, "live", "log", "deploy/web"),
        "live-stats": _json(root, "live", "stats", *times),
    }


def _of_costs(root: Path) -> dict[str, str]:
    """A size for the workload, an autoscaler, and prices in euros."""
    write_files(
        root,
        {
            "overlays/prod/web.yaml": (
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 3\n  template:\n"
                "    spec:\n      containers:\n      - {name: web, resources: {requests: {cpu: 500m, memory: 1Gi}}}\n"
            ),
            "overlays/prod/hpa.yaml": (
                "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\n"
                "spec:\n  minReplicas: 3\n  maxReplicas: 9\n"
                "  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}\n"
            ),
            "prices.yaml": (
                "apiVersion: envcompile.dev/v1\nkind: Prices\nname: Contract\nsource: https://example.com/contract\n"
                "asOf: 2026-11-01\ncurrency: EUR\n"
                "rates:\n- {cpuCoreHour: 0.02, memoryGibHour: 0.003, gpuHour: {default: 1}}\n"
            ),
        },
    )
    told = {"cost": _json(root, "cost", "prod"), "cost-diff": _json(root, "cost", "--diff", "HEAD")}
    return {**told, "cost-history": _json(root, "cost", "prod", "--since", "2023-11-01")}


def _drift(root: Path) -> str:
    """Of a cluster in which somebody scaled a Deployment, and an object was left."""
    built = root.parent / "built"
    assert run_envc(root, "build", "prod", "--no-chart", "--output", str(built)).code == 0
    objects = [applied(value) for value in compiled(built / "prod")]
    web = next(value for value in objects if value["kind"] == "Deployment")
    web["spec"]["replicas"] = 9
    wrote(web, "kubectl", {"f:spec": {"f:replicas": {}}})
    left = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "left", "namespace": "production"}}
    with fake_cluster([*objects[1:], applied(left)]) as server, pytest.MonkeyPatch.context() as patch:
        file = write_kubeconfig(root.parent / "kubeconfig", server.url)
        patch.setenv("KUBECONFIG", str(file))
        return _json(root, "drift", "prod", code=16).replace(server.url, "http://127.0.0.1:6443")


def _of_a_simulation(root: Path) -> dict[str, str]:
    """The workload and the autoscaler of the costs, under a load with a gap."""
    rows = [f"2026-03-06T18:0{minute},{cpu}" for minute, cpu in enumerate((1, 2, 3, -1, 1))]
    write_files(root, {"load.csv": "\n".join(["time,cpu", *rows]) + "\n"})
    words = ("simulate", "prod", "deployment/web", "--load", "load.csv", "--set", "maxReplicas=4")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        return {"simulate": _json(root, *words)}


def _of_a_search(root: Path) -> dict[str, str]:
    """The same workload under seven equal weeks, busy in the evening."""
    start = datetime(2026, 1, 5, tzinfo=UTC)
    rows = []
    for half_hour in range(7 * 7 * 48):
        moment = start + timedelta(minutes=30 * half_hour)
        rows.append(f"{moment:%Y-%m-%dT%H:%M},{4 if 19 <= moment.hour < 22 else 0.25}")
    write_files(root, {"weeks.csv": "\n".join(["time,cpu", *rows]) + "\n"})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        return {
            "recommend": _json(root, "recommend", "prod", "--load", "weeks.csv"),
            "predict": _json(root, "predict", "prod", "deployment/web", "--load", "weeks.csv"),
        }


def _of_secrets(root: Path, patch: pytest.MonkeyPatch) -> dict[str, str]:
    patch.setenv("API_KEY", "one")
    patch.setenv("JWT_SECRET", "two")
    write_files(
        root,
        {
            "base/user-service/secret.yaml": USER_SERVICE.replace("  namespace: production\n", ""),
            "overlays/prod/environment.yaml": environment("namespace: production\n"),
            "cert.pem": certificate_pem(private_key(3072)),
            "key.pem": key_pem(private_key(3072)),
        },
    )
    shutil.copytree(_repository(root.parent), root / ".git")
    said = {
        "secrets-certificate": _json(root, "secrets", "fetch-cert", "prod", str(root / "cert.pem")),
        "secrets": _json(root, "secrets", "seal", "prod"),
        "secrets-status": _json(root, "secrets", "status"),
        "secrets-audit": _json(root, "secrets", "audit"),
        "secrets-verify": _json(root, "secrets", "verify"),
        "secrets-unseal": _json(root, "secrets", "unseal", "prod", "--private-key", str(root / "key.pem")),
    }
    return {**said, "secrets-scan": _json(root, "secrets", "scan", code=1)}


def _repository(folder: Path) -> Path:
    made = new_folder(folder / "other")
    write_files(made.root, {"key.pem": key_pem(), "base/user-service/secret.yaml": USER_SERVICE})
    made.git("add", "key.pem")
    return made.root / ".git"


def _json(root: Path, *words: str, code: int = 0) -> str:
    outcome = run_envc(root, *words, "--format", "json")
    assert outcome.code == code, outcome.err
    return outcome.out


@pytest.mark.parametrize("name", NAMES)
def test_a_document_is_its_golden(name: str, printed: Mapping[str, str], request: pytest.FixtureRequest) -> None:
    """Scripts read exactly this, and the schema says all of it: every document, every field."""
    document = json.loads(printed[name])
    assert document["formatVersion"] == FORMAT_VERSION
    jsonschema_rs.validator_for(output_schema(name)).validate(document)
    assert msgspec.to_builtins(msgspec.convert(document, DOCUMENTS[name])) == document
    if name == "guide":
        # A further page is no change of the shape.
        document["pages"] = [page for page in document["pages"] if page["name"] == "start"]
    text = json.dumps(_settled(document, name), indent=2, ensure_ascii=False) + "\n"
    compare_with_goldens(
        GOLDENS / name, {"output.json": text.encode()}, update=request.config.getoption("--update-goldens")
    )


@pytest.mark.parametrize("name", NAMES)
def test_who_read_version_1_can_read_it_still(name: str, printed: Mapping[str, str]) -> None:
    """What is printed now fits the schema as first published, and what was printed then fits the one of today.

    When this fails, give the field back. A change that has to be takes a new `formatVersion`, with schemas of its own
    in `former_formats`.
    """
    former = json.loads((FORMER / f"{name}.json").read_text(encoding="utf-8"))
    jsonschema_rs.validator_for(former).validate(json.loads(printed[name]))
    assert _losses(former, output_schema(name), "") == []


@pytest.mark.parametrize("name", NAMES)
def test_the_schema_is_published(name: str) -> None:
    """`envc schema output/NAME > .schemas/output/NAME.json` would change nothing."""
    published = PACKAGE_ROOT / ".schemas" / "output" / f"{name}.json"
    assert run_envc(None, "schema", f"output/{name}").out == published.read_text(encoding="utf-8")


def test_a_field_that_is_gone_is_noticed() -> None:
    """The comparison of schemas can fail."""
    former = output_schema("list")
    breaks: tuple[Callable[[Any], object], ...] = (
        lambda now: now["properties"].pop("environments"),
        lambda now: now["required"].remove("environments"),
        lambda now: now["$defs"]["Counts"]["properties"]["error"].update(type="string"),
        lambda now: now["$defs"]["ListedEnvironment"]["required"].remove("stale"),
    )
    for break_it in breaks:
        now = output_schema("list")
        break_it(now)
        assert len(_losses(former, now, "")) == 1
    now = output_schema("list")
    now["properties"]["further"] = {"type": "string"}
    assert _losses(former, now, "") == []


def test_every_json_option_prints_a_shape_that_is_known() -> None:
    """A command with `--format json` and no shape would be one that nobody described; manifests have their own."""
    table = (PACKAGE_ROOT / "envcompile/cli/completion/commands.tsv").read_text(encoding="utf-8")
    command, found = "", set()
    for line in table.splitlines():
        kind, first, *rest = line.split("\t")
        command = first if kind == "command" else command
        if kind == "option" and "--format" in first and "json" in rest[0].split("|"):
            found.add(command)
    shapes = {schema["description"] for schema in map(output_schema, NAMES)}
    documented = {name for text in shapes for name in _commands_of(text)}
    assert found - documented == {"show", "history at"}
    assert documented <= found


def _commands_of(text: str) -> list[str]:
    """`secrets set`, `secrets seal` for "`envc secrets set|seal`"."""
    found = []
    for words in re.findall(r"`envc ([a-z |-]+?)(?: --[a-z]+)?`", text):
        before, _, last = words.rpartition(" ")
        found += [f"{before} {one}".strip() for one in last.split("|")]
    return found


def _settled(value: Any, name: str) -> Any:
    """The document without what differs from one machine to the next."""
    if isinstance(value, dict):
        changing = _CHANGING if name == "version" else {key: _CHANGING[key] for key in _CHANGING if key != "commit"}
        return {key: changing[key] if key in changing else _settled(held, name) for key, held in value.items()}
    if isinstance(value, list):
        return [_settled(held, name) for held in value]
    return re.sub(r"sha256:[0-9a-f]+", "sha256:…", value) if isinstance(value, str) else value


def _losses(former: dict[str, Any], now: dict[str, Any], path: str) -> list[str]:
    """What readers of a former schema may miss: fields that are gone, or not always there, and other types."""
    old, new = _resolved(former, former), _resolved(now, now)
    return _lost(old, new, former, now, path)


def _lost(old: Any, new: Any, former: dict[str, Any], now: dict[str, Any], path: str) -> list[str]:
    old, new = _resolved(old, former), _resolved(new, now)
    found = [
        f"{path}: {key}"
        for key in ("type", "enum", "anyOf")
        if old.get(key) != new.get(key) and "$ref" not in str(old.get(key))
    ]
    fields = new.get("properties", {})
    for name, field in old.get("properties", {}).items():
        if name not in fields:
            found.append(f"{path}.{name} is gone")
        elif name in old.get("required", ()) and name not in new.get("required", ()):
            found.append(f"{path}.{name} may be left out")
        else:
            found += _lost(field, fields[name], former, now, f"{path}.{name}")
    for key in ("items", "additionalProperties"):
        if isinstance(old.get(key), dict):
            found += _lost(old[key], new.get(key) or {}, former, now, f"{path}[]")
    return found


def _resolved(schema: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    return whole["$defs"][reference.rpartition("/")[2]] if reference else schema
