"""A live object as a history of a cluster keeps it: what it is and how it is, without what changes at every heartbeat.

The manifest of `cleaner.py` is what somebody would apply again; this is what was there: addresses, owners and nodes
stay. Of the status only what tells healthy from unhealthy is kept. The values of a Secret never pass.

Sources: kubernetes.io, API conventions (metadata, "Typical status properties"); `core/v1` for the states of containers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.kubernetes.cleaner import LAST_APPLIED
from envcompile.kubernetes.clustermade import map_at

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DIGEST: Final = "$hmac"
"""The key of what stands in the place of a Secret's value."""

_VOLATILE: Final = frozenset({"resourceVersion", "generation", "managedFields", "selfLink"})
_TIMES: Final = frozenset({"lastHeartbeatTime", "lastTransitionTime", "lastUpdateTime", "lastProbeTime", "message"})
"""Of a condition: when, and words that often hold a number."""
_STATUS: Final = frozenset({
    "active",
    "availableReplicas",
    "capacity",
    "collisionCount",
    "currentNumberScheduled",
    "currentReplicas",
    "desiredNumberScheduled",
    "desiredReplicas",
    "failed",
    "health",
    "loadBalancer",
    "nodeName",
    "numberAvailable",
    "numberReady",
    "numberUnavailable",
    "operationState",
    "phase",
    "podIP",
    "qosClass",
    "ready",
    "readyReplicas",
    "reason",
    "replicas",
    "resize",
    "state",
    "succeeded",
    "suspended",
    "sync",
    "unavailableReplicas",
    "updatedNumberScheduled",
    "updatedReplicas",
})
"""Fields of a status that are kept where they are numbers or texts, and `loadBalancer` and `capacity` as they are."""
_CONTAINERS: Final = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
_WHOLE: Final = frozenset({"loadBalancer", "capacity"})
_NOISE: Final = frozenset({
    "control-plane.alpha.kubernetes.io/leader",
    "endpoints.kubernetes.io/last-change-trigger-time",
})
"""Annotations that a controller renews all the time."""


class Identity(NamedTuple):
    """Which object it is, and which version of it the server calls this."""

    uid: str
    namespace: str
    name: str
    resource_version: str
    created: str
    """RFC 3339."""
    owner: str
    """The uid of its controller, or of its first owner; empty where it has none."""


def identity_of(live: Mapping[str, Any]) -> Identity:
    """Who a live object is."""
    metadata = map_at(live, "metadata")
    owners = metadata.get("ownerReferences")
    listed = [one for one in owners if isinstance(one, dict)] if isinstance(owners, list) else []
    controller = next((one for one in listed if one.get("controller") is True), listed[0] if listed else {})
    return Identity(
        str(metadata.get("uid") or ""),
        str(metadata.get("namespace") or ""),
        str(metadata.get("name") or ""),
        str(metadata.get("resourceVersion") or ""),
        str(metadata.get("creationTimestamp") or ""),
        str(controller.get("uid") or ""),
    )


def observed(live: Mapping[str, Any], keyed: Callable[[str], str]) -> dict[str, Any]:
    """What is kept of a live object.

    Args:
        live: the object as the server sends it.
        keyed: makes a keyed digest of a Secret's value, which is given as it stands (in base64 for `data`).
    """
    found = {name: value for name, value in live.items() if name not in {"metadata", "status"}}
    metadata = {name: value for name, value in map_at(live, "metadata").items() if name not in _VOLATILE}
    annotations = metadata.get("annotations")
    if isinstance(annotations, dict):
        kept = {name: text for name, text in annotations.items() if name not in LAST_APPLIED and name not in _NOISE}
        metadata["annotations"] = kept
        if not kept:
            del metadata["annotations"]
    found["metadata"] = metadata
    status = live.get("status")
    if isinstance(status, dict) and (sampled := _sampled(status)):
        found["status"] = sampled
    if live.get("kind") == "Secret" and live.get("apiVersion") == "v1":
        for field in ("data", "stringData"):
            values = live.get(field)
            if values is not None:
                found[field] = (
                    {name: {DIGEST: keyed(str(value))} for name, value in values.items()}
                    if isinstance(values, dict)
                    else {DIGEST: keyed(str(values))}
                )
    return found


def _sampled(status: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a status that tells how the object is."""
    found: dict[str, Any] = {}
    for name, value in status.items():
        if name == "conditions" and isinstance(value, list):
            found[name] = [_without(one, _TIMES) for one in value]
        elif name in _CONTAINERS and isinstance(value, list):
            found[name] = [_container(one) for one in value if isinstance(one, dict)]
        elif name in _WHOLE or (name in _STATUS and isinstance(value, str | int | float | bool)):
            found[name] = value
        elif name in {"health", "sync", "operationState"} and isinstance(value, dict):
            found[name] = {key: value[key] for key in ("status", "revision", "phase") if key in value}
    return found


def _container(status: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: status[name] for name in ("name", "ready", "restartCount", "image") if name in status}
    for field in ("state", "lastState"):
        for name, detail in map_at(status, field).items():
            told = detail if isinstance(detail, dict) else {}
            found[field] = {name: {key: told[key] for key in ("reason", "exitCode") if key in told}}
    return found


def _without(value: Any, names: frozenset[str]) -> Any:
    return {key: item for key, item in value.items() if key not in names} if isinstance(value, dict) else value
