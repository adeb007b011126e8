"""Small resources and environments that the chart's tests are written with."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, Final

from envcompile import yamlio
from envcompile.chart.facts import flatten
from envcompile.chart.shapes import ChartInput, ChartOptions

CORPORA: Final = Path(__file__).parents[2].parent / "shared" / "corpora" / "environments"

Resource = dict[str, Any]
Environments = dict[str, list[Resource]]


def deployment(name: str, image: str = "nginx:1.27", **spec: Any) -> Resource:
    """A Deployment with one container of the same name."""
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": dict(labels)},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": dict(labels)},
            "template": {
                "metadata": {"labels": dict(labels)},
                "spec": {"containers": [{"name": name, "image": image}]},
            },
            **spec,
        },
    }


def container(resource: Resource, position: int = 0) -> Resource:
    """One container of a workload."""
    found: Resource = resource["spec"]["template"]["spec"]["containers"][position]
    return found


def service(name: str, port: int = 80) -> Resource:
    """A Service for the pods of the Deployment of this name."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"type": "ClusterIP", "selector": {"app": name}, "ports": [{"port": port, "targetPort": 8080}]},
    }


def config_map(name: str, **data: Any) -> Resource:
    """A ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def custom(name: str, spec: Any) -> Resource:
    """A custom resource, of which envc knows nothing."""
    return {"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": name}, "spec": spec}


def with_namespace(namespace: str, *resources: Resource) -> list[Resource]:
    """Copies of resources, each in a namespace."""
    found = copy.deepcopy(list(resources))
    for resource in found:
        resource["metadata"]["namespace"] = namespace
    return found


def chart_input(environments: Environments, *, name: str = "shop", **options: Any) -> ChartInput:
    """The input of a chart of these environments."""
    resources = {key: [("", value) for value in values] for key, values in environments.items()}
    return ChartInput(name, tuple(environments), resources, None, ChartOptions(**options))


def corpus_cases() -> list[str]:
    """The names of the real systems beside the project; empty where there are none."""
    return sorted(folder.name for folder in CORPORA.iterdir() if folder.is_dir()) if CORPORA.is_dir() else []


def corpus(case: str) -> Environments:
    """All environments of one real system."""
    found: Environments = {}
    for file in sorted((CORPORA / case).glob("*.yaml")):
        documents = yamlio.load_all(file.read_bytes(), file.name, last_wins=True)
        found[file.stem] = [value for document in documents for value in flatten(document)]
    return found


def load(text: str) -> Any:
    """The one document of a text."""
    documents = yamlio.load_all(text.encode(), "text")
    assert len(documents) == 1
    return documents[0]
