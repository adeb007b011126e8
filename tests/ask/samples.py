"""Resources for the tests of this room, written short."""

from __future__ import annotations

from typing import Any

from envcompile.kubernetes import load
from envcompile.model import Resource, ResourceId

API = load("1.35")


def resource(
    kind: str, name: str, *, api: str = "v1", namespace: str = "shop", app: str = "app", **fields: Any
) -> Resource:
    """A resource of a kind with further fields."""
    value = {"apiVersion": api, "kind": kind, "metadata": {"name": name}, **fields}
    return Resource(ResourceId(api.rpartition("/")[0], kind, namespace, name), value, app, ())


def deployment(name: str = "web", *, image: str = "nginx:1", replicas: int | None = 1, **container: Any) -> Resource:
    """A Deployment of one container."""
    count = {} if replicas is None else {"replicas": replicas}
    pod = {"containers": [{"name": "main", "image": image, **container}]}
    return resource("Deployment", name, api="apps/v1", spec={**count, "template": {"spec": pod}})


def config(text: str, *, name: str = "settings", file: str = "app.properties") -> Resource:
    """A ConfigMap with one file."""
    return resource("ConfigMap", name, data={file: text})


def secret(**data: str) -> Resource:
    """A Secret with plaintext values."""
    return resource("Secret", "keys", data=data)


def sealed(**data: str) -> Resource:
    """A SealedSecret."""
    return resource("SealedSecret", "keys", api="bitnami.com/v1alpha1", spec={"encryptedData": data})
