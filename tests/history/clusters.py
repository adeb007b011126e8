"""A small cluster in a history database, without a cluster: always the same objects at the same times."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any, Final

from envcompile.actions.live_objects import comparing, happening_of, seen_of
from envcompile.history.database import connect
from envcompile.history.live import KindName, LiveStore
from envcompile.history.livetimes import SECOND, Measured, TimeStore
from envcompile.kubernetes.api import load

if TYPE_CHECKING:
    from collections.abc import Sequence

START: Final = 1_700_000_000 * SECOND
"""2023-11-14T22:13:20Z."""
DEPLOYMENTS: Final = KindName("apps", "deployments", "Deployment", "deploy")
REPLICA_SETS: Final = KindName("apps", "replicasets", "ReplicaSet", "rs")
PODS: Final = KindName("", "pods", "Pod", "po")
SECRETS: Final = KindName("", "secrets", "Secret", "")
PASSWORD: Final = "correct-horse-battery"


def keyed(value: str) -> str:
    """A digest as a key of the tests makes it."""
    return f"test:{hashlib.sha256(b'key' + value.encode()).hexdigest()[:16]}"


def deployment(
    name: str,
    version: int,
    *,
    replicas: int = 1,
    image: str = "app:1",
    manager: str = "argocd",
    namespace: str = "shop",
) -> dict[str, Any]:
    """A live Deployment; `manager` wrote the replicas."""

    def managed(who: str, time: str, fields: dict[str, Any]) -> dict[str, Any]:
        return {"manager": who, "operation": "Update", "time": time, "fieldsV1": fields}

    container: dict[str, Any] = {"f:name": {}, "f:image": {}}
    template = {"f:spec": {"f:containers": {'k:{"name":"app"}': container}}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-{namespace}-{name}",
            "resourceVersion": str(version),
            "creationTimestamp": "2023-11-14T22:13:20Z",
            "generation": version,
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"},
            "managedFields": [
                managed("argocd", "2023-11-14T22:13:20Z", {"f:spec": {"f:template": template}}),
                managed(manager, "2023-11-14T22:23:20Z", {"f:spec": {"f:replicas": {}}}),
            ],
        },
        "spec": {
            "replicas": replicas,
            "template": {"spec": {"containers": [{"name": "app", "image": image}]}},
        },
        "status": {"observedGeneration": version, "readyReplicas": replicas, "conditions": []},
    }


def owned(kind: str, name: str, owner: str, version: int = 1) -> dict[str, Any]:
    """A ReplicaSet or Pod of an owner, by its uid."""
    return {
        "apiVersion": "apps/v1" if kind == "ReplicaSet" else "v1",
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": f"uid-shop-{name}",
            "resourceVersion": str(version),
            "creationTimestamp": "2023-11-14T22:13:20Z",
            "ownerReferences": [{"kind": "x", "name": "x", "uid": owner, "controller": True}],
        },
    }


def secret(version: int, password: str = PASSWORD) -> dict[str, Any]:
    """A live Secret."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "db",
            "namespace": "shop",
            "uid": "uid-shop-db",
            "resourceVersion": str(version),
            "creationTimestamp": "2023-11-14T22:13:20Z",
        },
        "data": {"password": base64.b64encode(password.encode()).decode()},
    }


def event(number: int, uid: str, reason: str, at: str) -> dict[str, Any]:
    """A live event."""
    return {
        "metadata": {"uid": f"event-{number}", "namespace": "shop"},
        "involvedObject": {"kind": "Pod", "name": "web-1-a", "namespace": "shop", "uid": uid},
        "type": "Warning",
        "reason": reason,
        "message": f"{reason} of the tests",
        "count": number,
        "lastTimestamp": at,
        "source": {"component": "kubelet"},
    }


class Filled:
    """A database with stores for it."""

    def __init__(self, url: str) -> None:
        self.database = connect(url)
        self.store = LiveStore(self.database)
        self.times = TimeStore(self.database)
        self.cluster = self.store.cluster("prod", "https://prod.example.com", START)
        self.compare = comparing(load("1.35"))

    def see(
        self,
        kind: KindName,
        values: Sequence[dict[str, Any]],
        minute: float,
        *,
        gone: Sequence[dict[str, Any]] = (),
        everything: Sequence[str] | None = None,
        position: str | None = None,
    ) -> tuple[int, ...]:
        """Store live objects, minutes after the start: how many are new, changed, gone, and as they were."""
        seen = [seen_of(value, keyed, is_gone=False) for value in values]
        seen += [seen_of(value, keyed, is_gone=True) for value in gone]
        return tuple(
            self.store.write(
                self.cluster,
                kind,
                seen,
                now=START + int(minute * 60) * SECOND,
                compare=self.compare,
                position=position,
                everything=everything,
            )
        )

    def close(self) -> None:
        """Give the connection back."""
        self.database.close()


def fill(url: str) -> None:
    """The cluster `prod`: a Deployment with three versions, what it owns, a Secret, a Deployment that went."""
    filled = Filled(url)
    web, old = deployment("web", 10), deployment("old", 11)
    filled.see(DEPLOYMENTS, [web, old], 0)
    filled.see(REPLICA_SETS, [owned("ReplicaSet", "web-1", "uid-shop-web")], 0)
    filled.see(PODS, [owned("Pod", "web-1-a", "uid-shop-web-1")], 0)
    filled.see(SECRETS, [secret(12)], 0)
    filled.see(DEPLOYMENTS, [deployment("web", 20, replicas=3, manager="kubectl")], 10)
    filled.see(SECRETS, [secret(21, "another")], 15)
    filled.see(DEPLOYMENTS, [deployment("web", 30, replicas=3, image="app:2", manager="kubectl")], 20)
    filled.see(DEPLOYMENTS, [], 30, gone=[old])
    happened = [
        event(1, "uid-shop-web-1-a", "BackOff", "2023-11-14T22:20:00Z"),
        event(3, "uid-shop-web-1-a", "Unhealthy", "2023-11-14T22:30:00Z"),
    ]
    filled.times.add_events(filled.cluster, [happening_of(one) for one in happened])
    filled.times.add_usage(
        filled.cluster,
        [
            Measured("shop", "web-1-a", "app", "Deployment/web", START + minute * 60 * SECOND, 100.0 + minute, 1 << 20)
            for minute in range(10)
        ],
    )
    filled.close()
