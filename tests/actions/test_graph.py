"""Who needs whom: edges of every sort, what is missing, circles with their whole path, and the start order."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from envcompile.actions.graph import around, breaks_with, environment_graph, worst
from envcompile.actions.graph_order import components, cycles, waves
from envcompile.errors import EnvcError
from envcompile.pages.layered import layered
from envcompile.units.project import Project
from tests.harness.repository import environment, write_files

if TYPE_CHECKING:
    from envcompile.actions.graph import Graph

SHOP = Path(__file__).parents[2]

WEB = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations: {envcompile.dev/depends-on: Job/migrate}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: web
      containers:
      - name: web
        image: nginx:1.27
        env:
        - {name: ORDERS, value: 'http://orders:8080/x'}
        - {name: LOST, value: 'lost.p.svc.cluster.local:80'}
        - {name: MODE, value: prod}
        - {name: KEY, valueFrom: {secretKeyRef: {name: keys, key: a}}}
        - {name: MAYBE, valueFrom: {configMapKeyRef: {name: maybe, key: a, optional: true}}}
        envFrom:
        - configMapRef: {name: settings}
"""
OTHERS = """apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data:
  app.properties: |
    orders.url=http://orders.p.svc:8080
    spring.application.name=orders
    cache.host=redis
  plain: hello
---
apiVersion: v1
kind: Service
metadata: {name: orders}
spec: {selector: {app: web}, ports: [{port: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: redis}
spec: {ports: [{port: 6379}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec: {defaultBackend: {service: {name: gone, port: {number: 80}}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {maxReplicas: 2, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web}
spec: {podSelector: {matchLabels: {app: web}}}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: migrate}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: 'busybox:1'}]}}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web}
"""


def graph_of(root: Path, files: dict[str, str], settings: str = "namespace: p\n") -> Graph:
    """The graph of production of a small project."""
    write_files(root / "project", {**files, "overlays/prod/environment.yaml": environment(settings)})
    return environment_graph(Project.open(root / "project"), "prod")


def test_every_sort_of_edge(tmp_path: Path) -> None:
    """References, hosts in variables and configuration, backends, accounts, scalers, selectors, annotations."""
    graph = graph_of(tmp_path, {"base/web.yaml": WEB, "base/others.yaml": OTHERS})
    assert {(edge.source.short, edge.kind, edge.target.short, edge.why) for edge in graph.edges} == {
        ("Deployment/web", "needs", "Job/migrate", "envcompile.dev/depends-on"),
        ("Deployment/web", "needs", "ServiceAccount/web", "serviceAccountName"),
        ("Deployment/web", "needs", "Service/orders", "env ORDERS"),
        ("Deployment/web", "needs", "Service/lost", "env LOST"),
        ("Deployment/web", "needs", "Secret/keys", "env"),
        ("Deployment/web", "needs", "ConfigMap/settings", "env"),
        ("ConfigMap/settings", "needs", "Service/orders", "host in orders.url"),
        ("ConfigMap/settings", "needs", "Service/redis", "host in cache.host"),
        ("Service/orders", "routes", "Deployment/web", "spec.selector"),
        ("Ingress/web", "needs", "Service/gone", "backend or TLS"),
        ("HorizontalPodAutoscaler/web", "guards", "Deployment/web", "spec.scaleTargetRef"),
        ("NetworkPolicy/web", "guards", "Deployment/web", "spec.podSelector"),
        ("PodDisruptionBudget/web", "guards", "Deployment/web", "spec.selector"),
    }
    assert {edge.target.short for edge in graph.missing} == {"Service/lost", "Secret/keys", "Service/gone"}
    assert {node.id.short for node in graph.nodes if node.is_missing} == {"Service/lost", "Secret/keys", "Service/gone"}


def test_what_goes_with_a_resource(tmp_path: Path) -> None:
    """Whoever needs it, and so on; budgets, policies and scalers only point at it."""
    graph = graph_of(tmp_path, {"base/web.yaml": WEB, "base/others.yaml": OTHERS})
    redis = next(node.id for node in graph.nodes if node.id.short == "Service/redis")
    assert [one.short for one in breaks_with(graph, redis)] == [
        "ConfigMap/settings",
        "Service/orders",
        "Deployment/web",
    ]


def test_the_part_around_a_resource_is_near_to_it(tmp_path: Path) -> None:
    """Steps both ways; what is further is counted; hubs are not walked through, nor is more kept than asked for."""
    graph = graph_of(tmp_path, {"base/web.yaml": WEB, "base/others.yaml": OTHERS})
    redis = next(node.id for node in graph.nodes if node.id.short == "Service/redis")
    near = around(graph, [redis], 1)
    assert [node.id.short for node in near.nodes] == ["ConfigMap/settings", "Service/redis"]
    assert near.left_out == len(graph.nodes) - 2
    assert len(around(graph, [redis], 0).nodes) == 1
    assert len(around(graph, [redis], 9, most=3).nodes) == 3
    few = worst(graph, 4)
    assert len(few.nodes) == 4
    assert few.left_out == len(graph.nodes) - 4


def config(name: str, needs: str) -> str:
    """A ConfigMap that waits for others."""
    return (
        f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n"
        f"  annotations: {{envcompile.dev/depends-on: '{needs}'}}\n"
    )


def test_circles_are_told_with_their_whole_path(tmp_path: Path) -> None:
    """Also of one that waits for itself; the rest still has its order."""
    files = {
        "base/a.yaml": config("a", "ConfigMap/b"),
        "base/b.yaml": config("b", "ConfigMap/c"),
        "base/c.yaml": config("c", "ConfigMap/a"),
        "base/d.yaml": config("d", "ConfigMap/a"),
        "base/self.yaml": config("self", "ConfigMap/self"),
    }
    graph = graph_of(tmp_path, files)
    assert [[one.name for one in circle] for circle in graph.cycles] == [["a", "b", "c", "a"], ["self", "self"]]
    assert [[one.name for one in wave.resources] for wave in graph.start] == [["a", "b", "c", "self"], ["d"]]
    with pytest.raises(EnvcError, match="ConfigMap/a -> ConfigMap/b -> ConfigMap/c -> ConfigMap/a"):
        graph_of(tmp_path, files, "namespace: p\nsyncWaves: true\n")


@pytest.mark.parametrize("word", ["ConfigMap", "configmap", "configmaps", "cm"])
def test_people_name_kinds_as_they_do_on_the_command_line(tmp_path: Path, word: str) -> None:
    """Edges, circles and sync waves are the same."""
    files = {"base/a.yaml": config("a", f"{word}/b"), "base/b.yaml": config("b", "secret/none")}
    graph = graph_of(tmp_path, files, "namespace: p\nsyncWaves: true\n")
    needs = [(edge.source.name, edge.target.name, edge.is_missing) for edge in graph.edges]
    assert needs == [("a", "b", False), ("b", "none", True)]
    assert [[one.name for one in wave.resources] for wave in graph.start] == [["b"], ["a"]]
    circle = {**files, "base/b.yaml": config("b", f"{word}/a")}
    with pytest.raises(EnvcError, match="ConfigMap/a -> ConfigMap/b -> ConfigMap/a"):
        graph_of(tmp_path / "circle", circle, "namespace: p\nsyncWaves: true\n")


def test_the_shops_start_order_is_its_waves() -> None:
    """Computed from the edges where nothing numbers them, and what `syncWaves` writes where it does: both the same."""
    project = Project.open(SHOP)
    staging = environment_graph(project, "staging")
    assert staging.order == "annotations"
    assert not staging.missing
    assert not staging.cycles
    dev = environment_graph(project, "dev")
    assert dev.order == "computed"
    shared = {node.id.short: node.wave for node in staging.nodes}
    assert {
        node.id.short: node.wave for node in dev.nodes if node.id.kind == "Deployment" and node.id.short in shared
    } == {short: wave for short, wave in shared.items() if short.startswith("Deployment/")}
    for graph in (dev, staging):
        number = {node.id: node.wave for node in graph.nodes}
        assert all(
            number[edge.source] > number[edge.target]
            for edge in graph.edges
            if edge.kind == "needs" and edge.source.kind != "ConfigMap"
        )


def test_order_of_random_graphs() -> None:
    """Waves rise along every need outside of a circle, circles are real, and every node is in one component."""
    chance = random.Random(7)
    for _ in range(100):
        names = [(f"n{number}",) for number in range(chance.randrange(1, 15))]
        needs = {name: chance.sample(names, chance.randrange(0, min(4, len(names) + 1))) for name in names}
        parts = components(needs)
        assert sorted(name for part in parts for name in part) == sorted(names)
        where = {name: place for place, part in enumerate(parts) for name in part}
        number = waves(needs)
        for source, targets in needs.items():
            assert all(number[source] > number[target] for target in targets if where[source] != where[target])
        for circle in cycles(needs):
            assert circle[0] == circle[-1]
            assert all(other in needs[one] for one, other in pairwise(circle))


def test_a_layout_is_the_same_whatever_the_order_of_its_input() -> None:
    """Circles and edges to oneself too; every edge has a way, from left to right unless it closes a circle."""
    chance = random.Random(11)
    for _ in range(30):
        names = [f"n{number}" for number in range(chance.randrange(1, 25))]
        edges = [(chance.choice(names), chance.choice(names)) for _ in range(chance.randrange(40))]
        first = layered(names, edges)
        chance.shuffle(names)
        chance.shuffle(edges)
        assert layered(names, edges) == first
        assert {spot.node for column in first.columns for spot in column if spot.node} == set(names)
        assert set(first.ways) == {edge for edge in edges if edge[0] != edge[1]}


def test_two_thousand_nodes_are_laid_out() -> None:
    """A chain of layers, each node needing two of the last twenty."""
    chance = random.Random(3)
    edges = [
        (f"n{number}", f"n{max(0, number - 1 - chance.randrange(20))}") for number in range(1, 2000) for _ in (0, 1)
    ]
    found = layered([f"n{number}" for number in range(2000)], edges)
    assert sum(bool(spot.node) for column in found.columns for spot in column) == 2000
