"""`envc explain` says who set a field, and never what a Secret holds."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from tests.harness.command import run_envc
from tests.harness.repository import commit, config_map, deployment, environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

FILES = {
    "base/web/deployment.yaml": deployment(),
    "base/web/config.yaml": config_map(url="https://${{ params.host }}/${{ params.path }}")
    + "---\n"
    + config_map("elsewhere").replace("name: elsewhere", "name: settings\n  namespace: other"),
    "overlays/prod/environment.yaml": environment(
        "namespace: prod\nreplicas: {web: 4}\nparams:\n  host: ${{ params.name }}.example.com\n  path: x\n  name: www\n"
    ),
    "overlays/prod/web.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  minReadySeconds: 2
  template:
    spec:
      tolerations: [{operator: Exists}]
""",
}


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    """One environment over a base."""
    return make_project(FILES)


def explain(root: Path, *arguments: str) -> str:
    """What the command prints."""
    outcome = run_envc(root, "explain", "prod", *arguments)
    assert (outcome.err, outcome.code) == ("", 0)
    return outcome.out


def test_a_field(project: Path) -> None:
    """Each say on a line, the winner marked, columns aligned."""
    assert (
        explain(project, "deployment/web", "spec.replicas")
        == """\
Deployment.apps/web (namespace prod) in prod

spec.replicas = 4
    base                    base/web/deployment.yaml:6:13        1
    overlays/prod           overlays/prod/web.yaml:5:13          3
  * overlays/prod settings  overlays/prod/environment.yaml:4:17  4
"""
    )


def test_lists_are_told_once(project: Path) -> None:
    """How each was merged, and by whose word."""
    text = explain(project, "deployment/web", "spec.template.spec")
    assert text.count("    list spec.template.spec.containers: merged by name (x-kubernetes-list-map-keys of ") == 1
    assert text.count("    list spec.template.spec.tolerations: replaced (x-kubernetes-list-type is atomic, of ") == 1


def test_parameters_are_named_with_their_places(project: Path) -> None:
    """Every one that the winning text uses."""
    assert explain(project, "configmap/prod/settings", "data.url").splitlines()[2:] == [
        'data.url = "https://www.example.com/x"',
        '  * base  base/web/config.yaml:6:8  "https://www.example.com/x"',
        "    with params.host from overlays/prod/environment.yaml:6:9",
        "    with params.path from overlays/prod/environment.yaml:7:9",
    ]


def test_the_whole_resource(project: Path) -> None:
    """Without a field every leaf is told."""
    text = explain(project, "deployment/web")
    fields = [line.partition(" = ")[0] for line in text.splitlines() if " = " in line]
    assert fields == [
        "apiVersion",
        "kind",
        "metadata.name",
        "metadata.namespace",
        "spec.replicas",
        "spec.selector.matchLabels.app",
        "spec.template.metadata.labels.app",
        "spec.template.spec.containers[name=web].name",
        "spec.template.spec.containers[name=web].image",
        "spec.template.spec.tolerations[0].operator",
        "spec.minReadySeconds",
    ]


def test_json(project: Path) -> None:
    """The same for machines."""
    found = json.loads(explain(project, "deployment/web", "spec.minReadySeconds", "--format", "json"))
    assert found == {
        "formatVersion": 1,
        "environment": "prod",
        "resource": {"group": "apps", "kind": "Deployment", "namespace": "prod", "name": "web"},
        "fields": [
            {
                "field": "spec.minReadySeconds",
                "value": 2,
                "says": [
                    {
                        "layer": "overlays/prod",
                        "role": "patch",
                        "place": "overlays/prod/web.yaml:6:20",
                        "value": 2,
                        "wins": True,
                    }
                ],
                "lists": [],
                "parameters": [],
            }
        ],
    }


def test_long_values_are_cut(make_project: MakeProject) -> None:
    """A line stays a line; JSON has all of it."""
    root = make_project({**FILES, "base/web/long.yaml": config_map("long", text="x" * 500)})
    text = explain(root, "configmap/long", "data.text")
    assert max(map(len, text.splitlines())) < 200
    assert "x" * 500 in explain(root, "configmap/long", "data.text", "--format", "json")


@pytest.mark.parametrize(
    ("arguments", "what", "fix"),
    [
        (("deployment/web", "spec.replcas"), "Deployment/web has no field `spec.replcas`", "did you mean `replicas`?"),
        (("deployment/web", "spec.zzz"), "Deployment/web has no field `spec.zzz`", None),
        (("deployment/web", "spec.replicas.x"), "Deployment/web has no field `spec.replicas.x`", "it is not a map"),
        (("deployment/wbe", "spec"), "prod has no resource deployment/wbe", "did you mean `Deployment/web`?"),
        (("deployment/web", "spec..x"), "the field `spec..x` cannot be read from `..x` on", None),
        (
            ("configmap/settings", "data"),
            "configmap/settings is in several namespaces of prod",
            "write one of configmap/other/settings, configmap/prod/settings",
        ),
        (
            ("configmap/prod/settings", "data.url#x"),
            "ConfigMap/settings has no key `x` in data.url",
            "`envc show` prints the whole text",
        ),
        (
            ("deployment/web", "#x"),
            "Deployment/web has no key `x` in itself",
            "`envc show` prints the whole text",
        ),
        (
            ("deployment/web", "spec#"),
            "Deployment/web has no keys in spec",
            "`#` asks for the keys of a configuration file in a ConfigMap",
        ),
        (
            ("configmap/prod/settings", "data.url#"),
            "ConfigMap/settings has no keys in data.url",
            "replaced whole: only .conf, .env, .ini, .json, .properties, .toml, .yaml, .yml are merged key by key",
        ),
        (("deployment/web", "spec#x"), "Deployment/web has no key `x` in spec", "`envc show` prints the whole text"),
        (("deployment/web", "--format", "xml"), "--format cannot be `xml`", None),
    ],
)
def test_what_cannot_be_explained(project: Path, arguments: tuple[str, ...], what: str, fix: str | None) -> None:
    """Wrong usage, exit 2, with the nearest names."""
    outcome = run_envc(project, "explain", "prod", *arguments)
    assert outcome.err.splitlines()[0] == f"error: {what}"
    if fix is not None:
        assert outcome.err.splitlines()[1:] == [f"hint: {fix}"]
    assert (outcome.out, outcome.code) == ("", 2)


PLAIN = "correct horse battery staple"


@pytest.fixture(params=["ignored", "plaintext backend", "bare"])
def secret(request: pytest.FixtureRequest, make_project: MakeProject) -> Path:
    """A repository with a literal secret: in a file that git ignores, for a throw-away cluster, or by mistake."""
    backend = "secretBackend: plaintext\n" if request.param == "plaintext backend" else ""
    root = make_project({
        ".gitignore": ".envc/\n" + ("overlays/prod/secret.yaml\n" if request.param == "ignored" else ""),
        "base/web/secret.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: token}\ntype: Opaque\n",
        "overlays/prod/environment.yaml": environment(f"namespace: prod\n{backend}"),
        "overlays/prod/secret.yaml": (
            f"apiVersion: v1\nkind: Secret\nmetadata: {{name: token}}\nstringData: {{token: {PLAIN}}}\n"
        ),
    })
    commit(root)
    return root


@pytest.mark.parametrize(
    "arguments",
    [
        ("explain", "prod", "secret/token"),
        ("explain", "prod", "secret/token", "stringData.token"),
        ("explain", "prod", "secret/token", "--format", "json"),
        ("explain", "prod", "sealedsecret/token"),
        ("show", "prod", "sealedsecret/token"),
        ("affected", "overlays/prod/secret.yaml"),
        ("build", "--check"),
    ],
    ids=" ".join,
)
def test_a_secret_in_clear_is_never_printed(secret: Path, arguments: tuple[str, ...]) -> None:
    """Neither as it stands nor encoded, neither on stdout nor in an error."""
    outcome = run_envc(secret, *arguments)
    printed = outcome.out + outcome.err
    assert outcome.code in {0, 1, 2, 16}
    for form in (PLAIN, base64.b64encode(PLAIN.encode()).decode(), "battery"):
        assert form not in printed
