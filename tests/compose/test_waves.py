"""Argo CD's sync waves from what resources need of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from envcompile.compose.waves import WAVE_ANNOTATION
from tests.compose.linking import with_sync_waves
from tests.harness.compiled import complaint, resources
from tests.harness.repository import deployment, environment

if TYPE_CHECKING:
    from tests.conftest import MakeProject

SHOP = {
    "Namespace": "apiVersion: v1\nkind: Namespace\nmetadata: {name: prod}\n",
    "ConfigMap": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: b}\n",
    "ServiceAccount": "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web}\n",
    "Deployment": deployment()
    + "        envFrom: [{configMapRef: {name: settings}}]\n"
    + "        env: [{name: API, value: 'http://api:8080/v1'}, {name: DB, value: 'db.data.svc'}]\n"
    + "      serviceAccountName: web\n",
    "Service": "apiVersion: v1\nkind: Service\nmetadata: {name: api}\nspec: {ports: [{port: 80}]}\n---\n"
    "apiVersion: v1\nkind: Service\nmetadata: {name: db, namespace: data}\nspec: {ports: [{port: 80}]}\n",
    "Ingress": "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}\n"
    "spec: {rules: [{http: {paths: [{backend: {service: {name: api}}}]}}]}\n",
    "HorizontalPodAutoscaler": "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: web}\n"
    "spec: {maxReplicas: 3, scaleTargetRef: {kind: Deployment, name: web}}\n",
}


def waves(make_project: MakeProject, *documents: str) -> dict[str, str | None]:
    """The wave of every resource of a project with sync waves."""
    root = make_project({
        **{f"base/app/{number}.yaml": document for number, document in enumerate(documents)},
        "overlays/prod/environment.yaml": environment("namespace: prod\nsyncWaves: true\n"),
    })
    return {
        name: (resource.value["metadata"].get("annotations") or {}).get(WAVE_ANNOTATION)
        for name, resource in resources(root).items()
    }


def config(name: str, needs: str = "", wave: str = "") -> str:
    """A ConfigMap that depends on others by annotation."""
    annotations = {"envcompile.dev/depends-on": needs, WAVE_ANNOTATION: wave}
    written = ", ".join(f'"{key}": "{text}"' for key, text in annotations.items() if text)
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, annotations: {{{written}}}}}\n"


def test_what_is_needed_comes_first(make_project: MakeProject) -> None:
    """Namespace, then what pods read and reach, then the pods, then what scales them; waves are text."""
    assert waves(make_project, *SHOP.values()) == {
        "Namespace/prod": None,
        "ConfigMap/settings": "1",
        "ServiceAccount/web": "1",
        "Service/api": "1",
        "Service/db": None,
        "Deployment/web": "2",
        "Ingress/web": "2",
        "HorizontalPodAutoscaler/web": "3",
    }


@pytest.mark.parametrize("kind", ["ConfigMap", "ServiceAccount", "Service"])
def test_each_reference_counts(make_project: MakeProject, kind: str) -> None:
    """Configuration, account, and host names, also of another namespace."""
    assert waves(make_project, SHOP[kind], SHOP["Deployment"])["Deployment/web"] == "1"


@pytest.mark.parametrize(("written", "after"), [("5", "6"), ("-5", None), ("0", "1"), ("no number", "1")])
def test_a_written_wave_stays_and_others_come_after_it(
    make_project: MakeProject, written: str, after: str | None
) -> None:
    """What is written down is somebody's decision, and counts for what needs it."""
    found = waves(make_project, config("a", wave=written), config("b", needs="ConfigMap/a"))
    assert found == {"ConfigMap/a": written, "ConfigMap/b": after}


def test_a_circle_is_told_with_its_path_and_places(make_project: MakeProject) -> None:
    """Argo CD would wait for ever."""
    root = make_project({
        "base/app/a.yaml": config("a", needs="ConfigMap/b"),
        "base/app/b.yaml": config("b", needs="configmap/x, ConfigMap/c"),
        "base/app/c.yaml": config("c", needs="ConfigMap/a"),
        "overlays/prod/environment.yaml": environment("syncWaves: true\n"),
    })
    assert complaint(root) == (
        "error: resources need each other in a circle: ConfigMap/a -> ConfigMap/b -> ConfigMap/c -> ConfigMap/a\n"
        "  --> base/app/a.yaml:1:1\n  --> base/app/b.yaml:1:1\n  --> base/app/c.yaml:1:1\n"
        "hint: take one of these references out, or write `syncWaves: false`"
    )


def test_a_long_chain_needs_no_depth_of_stack(make_project: MakeProject) -> None:
    """Two thousand resources, each needing the one before."""
    documents = [config("c0"), *(config(f"c{number}", needs=f"ConfigMap/c{number - 1}") for number in range(1, 2000))]
    assert waves(make_project, "---\n".join(documents))["ConfigMap/c1999"] == "1999"


def test_nothing_that_went_in_is_changed(make_project: MakeProject) -> None:
    """Resources are shared between environments; those without a wave are the same objects."""
    root = make_project({
        "base/app/a.yaml": "---\n".join(SHOP.values()),
        "overlays/prod/environment.yaml": environment("namespace: prod\n"),
    })
    before: list[Any] = list(resources(root).values())
    texts = [repr(resource.value) for resource in before]
    after = with_sync_waves(before, "overlays/prod")
    assert [repr(resource.value) for resource in before] == texts
    assert after[0] is before[0]
