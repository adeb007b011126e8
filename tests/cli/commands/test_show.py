"""`envc show` prints what an environment compiles to, and writes nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.harness.command import run_envc
from tests.harness.repository import config_map, deployment, environment, read_files

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n"
KNATIVE = "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: web}\nspec: {}\n"
CERTIFICATES = "".join(
    f"---\napiVersion: {group}/v1\nkind: Certificate\nmetadata: {{name: tls}}\n"
    for group in ("a.example.com", "b.example.com")
)


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    """One environment with kinds of one name."""
    return make_project({
        "base/web/deployment.yaml": deployment(),
        "base/web/config.yaml": config_map(),
        "base/web/services.yaml": f"{SERVICE}---\n{KNATIVE}{CERTIFICATES}",
        "overlays/prod/environment.yaml": environment("namespace: prod\n"),
    })


def test_everything_in_the_order_to_apply(project: Path) -> None:
    """The same stream as `build --stdout`, and no file."""
    outcome = run_envc(project, "show", "prod")
    assert [document["kind"] for document in yaml.safe_load_all(outcome.out)] == [
        "ConfigMap",
        "Service",
        "Service",
        "Certificate",
        "Certificate",
        "Deployment",
    ]
    assert outcome.out == run_envc(project, "build", "prod", "--stdout").out
    assert not (project / "environments").exists()
    assert not (project / ".envc").exists()


def test_one_resource_as_its_file_has_it(project: Path) -> None:
    """Byte for byte."""
    outcome = run_envc(project, "show", "prod", "deployment/web")
    run_envc(project, "build")
    assert outcome.out.encode() == read_files(project / "environments/prod")["web/deployment-web.yaml"]


def test_the_list_of_names(project: Path) -> None:
    """One a line, with group and namespace."""
    assert run_envc(project, "show", "prod", "--list").out.splitlines() == [
        "ConfigMap/settings (namespace prod)",
        "Service/web (namespace prod)",
        "Service.serving.knative.dev/web (namespace prod)",
        "Certificate.a.example.com/tls (namespace prod)",
        "Certificate.b.example.com/tls (namespace prod)",
        "Deployment.apps/web (namespace prod)",
    ]


def test_the_list_of_names_for_machines(project: Path) -> None:
    """The same resources in the same order."""
    found = json.loads(run_envc(project, "show", "prod", "--list", "--format", "json").out)
    names = run_envc(project, "show", "prod", "--list").out.splitlines()
    assert [f"{one['kind']}/{one['name']}" for one in found] == [
        f"{kind.partition('.')[0]}/{name}" for kind, name in (line.split(" ")[0].split("/") for line in names)
    ]
    assert {*found[0]} == {"group", "kind", "namespace", "name"}


def test_json(project: Path) -> None:
    """A list of objects; one object for one resource."""
    assert [item["kind"] for item in json.loads(run_envc(project, "show", "prod", "--format", "json").out)][:2] == [
        "ConfigMap",
        "Service",
    ]
    one = json.loads(run_envc(project, "show", "prod", "configmap/settings", "--format", "json").out)
    assert one["data"] == {"color": "blue"}


@pytest.mark.parametrize(
    ("name", "version"),
    [("service/web", "v1"), ("SERVICE.serving.knative.dev/web", "serving.knative.dev/v1"), ("service/prod/web", "v1")],
)
def test_kinds_of_one_name(project: Path, name: str, version: str) -> None:
    """The core API's kind wins; a group or a namespace can be named."""
    assert yaml.safe_load(run_envc(project, "show", "prod", name).out)["apiVersion"] == version


@pytest.mark.parametrize(
    ("arguments", "what", "fix"),
    [
        (("prdo",), "there is no environment `prdo`", "did you mean `prod`?"),
        (("prod", "deployment/wbe"), "prod has no resource deployment/wbe", "did you mean `Deployment/web`?"),
        (("prod", "zzz"), "prod has no resource zzz", "`envc show prod --list` lists what it has"),
        (
            ("prod", "certificate/tls"),
            "certificate/tls is ambiguous in prod",
            "write one of Certificate.a.example.com/tls, Certificate.b.example.com/tls",
        ),
        (("prod", "--format", "xml"), "--format cannot be `xml`", "it is one of yaml, json"),
    ],
)
def test_what_is_not_there(project: Path, arguments: tuple[str, ...], what: str, fix: str) -> None:
    """Wrong usage, exit 2."""
    outcome = run_envc(project, "show", *arguments)
    assert outcome.err == f"error: {what}\nhint: {fix}\n"
    assert (outcome.out, outcome.code) == ("", 2)
