"""What rules about several resources see of each: all but what only a rule about that one resource could judge.

Most changes are of an image, a variable or a configuration file. Where nothing of them is in the facts, a rule about
several resources need not be asked again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from envcompile.kubernetes.operatormade import says_what_is_made
from envcompile.kubernetes.podspecs import CONTAINER_LISTS, map_pod_template, template_path

if TYPE_CHECKING:
    from envcompile.model import Resource

_PRIVATE: Final = ("image", "command", "args")
"""Fields of a container that say nothing to anybody else, but for the variables that they name."""
_COMMAND: Final = ("command", "args")
_UNSEEN_OF_WORKLOADS: Final = frozenset({
    "revisionHistoryLimit",
    "progressDeadlineSeconds",
    "minReadySeconds",
    "podManagementPolicy",
    "successfulJobsHistoryLimit",
    "failedJobsHistoryLimit",
    "backoffLimit",
    "activeDeadlineSeconds",
})
_UNSEEN_OF_PODS: Final = frozenset({
    "terminationGracePeriodSeconds",
    "dnsPolicy",
    "schedulerName",
    "hostAliases",
    "activeDeadlineSeconds",
    "shareProcessNamespace",
    "enableServiceLinks",
})
_UNSEEN_OF_CONTAINERS: Final = frozenset({
    "imagePullPolicy",
    "workingDir",
    "stdin",
    "tty",
    "terminationMessagePath",
    "terminationMessagePolicy",
})
"""Fields that only a rule about the one resource could judge: none about several looks at them."""
_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_UNSEEN_OF_PROBES: Final = frozenset({
    "initialDelaySeconds",
    "periodSeconds",
    "timeoutSeconds",
    "successThreshold",
    "failureThreshold",
})
_VARIABLE: Final = re.compile(r"\$\$|\$\([A-Z_][A-Z0-9_]*\)")
"""May be a variable of a ConfigMap that the container takes whole."""
_ADAPTER: Final = "seriesQuery"
"""In the configuration of the Prometheus adapter, which autoscalers depend on."""


def facts_of(resource: Resource) -> dict[str, Any]:
    """A resource as rules about several see it: texts of configuration, images and commands are empty."""
    value = resource.value
    match resource.id.group, resource.id.kind:
        case "apiextensions.k8s.io", "CustomResourceDefinition":
            return {key: inner for key, inner in value.items() if key in {"apiVersion", "kind", "metadata"}}
        case "", "ConfigMap" | "Secret":
            return {
                key: _names(inner) if key in {"data", "binaryData", "stringData"} else inner
                for key, inner in value.items()
            }
        case "bitnami.com", "SealedSecret":
            return _sealed(value)
    if template_path(resource.id) is None:
        return value
    return _seen(map_pod_template(resource.id, value, _template), "spec", _UNSEEN_OF_WORKLOADS)


def _seen(value: dict[str, Any], field: str, unseen: frozenset[str]) -> dict[str, Any]:
    """A map of which a map in some field lacks what nobody sees."""
    inner = value.get(field)
    if not isinstance(inner, dict) or unseen.isdisjoint(inner):
        return value
    return {**value, field: {key: held for key, held in inner.items() if key not in unseen}}


def _names(data: Any) -> Any:
    if not isinstance(data, dict):
        return data
    return {key: text if isinstance(text, str) and _ADAPTER in text else "" for key, text in data.items()}


def _sealed(value: dict[str, Any]) -> dict[str, Any]:
    spec = value.get("spec")
    if not isinstance(spec, dict):
        return value
    return {**value, "spec": {key: _names(inner) if key == "encryptedData" else inner for key, inner in spec.items()}}


def _template(template: dict[str, Any]) -> dict[str, Any]:
    spec = template.get("spec")
    if not isinstance(spec, dict):
        return template
    lists = {
        field: [_container(item) if isinstance(item, dict) else item for item in spec[field]]
        for field in CONTAINER_LISTS
        if isinstance(spec.get(field), list)
    }
    return _seen({**template, "spec": {**spec, **lists}}, "spec", _UNSEEN_OF_PODS)


def _container(container: dict[str, Any]) -> dict[str, Any]:
    found = {
        key: _words(inner) if key in _COMMAND else _variables(inner) if key in _PRIVATE else inner
        for key, inner in container.items()
        if key not in _UNSEEN_OF_CONTAINERS
    }
    for probe in _PROBES:
        found = _seen(found, probe, _UNSEEN_OF_PROBES)
    env = container.get("env")
    if isinstance(env, list):
        found["env"] = [
            {**item, "value": _variables(item["value"])} if isinstance(item, dict) and "value" in item else item
            for item in env
        ]
    return found


def _words(said: Any) -> Any:
    """Of a command what tells of a Secret that it makes, and variables."""
    if not isinstance(said, list):
        return _variables(said)
    texts = [(item if says_what_is_made(item) else _variables(item)) if isinstance(item, str) else "" for item in said]
    return texts if any(texts) else []


def _variables(said: Any) -> Any:
    """The variables of a text, or of the texts of a list; nothing where there are none."""
    if isinstance(said, list):
        texts = [_variables(item) if isinstance(item, str) else "" for item in said]
        return texts if any(texts) else []
    return "".join(_VARIABLE.findall(said)) if isinstance(said, str) and "$(" in said else ""
