"""A compiled environment as a cluster would see it: what is there, and what refers to what."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Resource = dict[str, Any]

_UNITS = {"": 1.0, "m": 1e-3, "Mi": 2.0**20, "Gi": 2.0**30}


class Shop:
    """The resources of one environment, looked up by kind and name."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.resources = list(resources)

    def of(self, *kinds: str) -> list[Resource]:
        """Every resource of these kinds."""
        return [resource for resource in self.resources if resource["kind"] in kinds]

    def names(self, *kinds: str) -> set[str]:
        """The names of every resource of these kinds."""
        return {resource["metadata"]["name"] for resource in self.of(*kinds)}

    def get(self, kind: str, name: str) -> Resource:
        """The one resource of this kind and name."""
        [found] = [resource for resource in self.of(kind) if resource["metadata"]["name"] == name]
        return found

    @property
    def workloads(self) -> list[Resource]:
        """Everything that runs pods."""
        return self.of("Deployment", "StatefulSet")

    def container(self, workload: str) -> Resource:
        """The container that bears the name of its Deployment."""
        found = containers(self.get("Deployment", workload))
        return next(container for container in found if container["name"] == workload)

    def properties(self, config_map: str) -> dict[str, str]:
        """The keys of a ConfigMap's `app.properties`."""
        text = self.get("ConfigMap", config_map)["data"]["app.properties"]
        lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
        pairs = [(key, value) for key, _, value in (line.partition("=") for line in lines)]
        assert len({key for key, _ in pairs}) == len(pairs), f"{config_map} says a key twice"
        return dict(pairs)

    def secret_keys(self) -> dict[str, set[str] | None]:
        """The keys of every Secret that will exist in the cluster; None where they are the operator's business."""
        found: dict[str, set[str] | None] = {}
        for sealed in self.of("SealedSecret"):
            found[sealed["metadata"]["name"]] = set(sealed["spec"]["encryptedData"])
        for external in self.of("ExternalSecret"):
            found[external["spec"]["target"]["name"]] = {item["secretKey"] for item in external["spec"]["data"]}
        for certificate in self.of("Certificate"):
            found[certificate["spec"]["secretName"]] = None
        return found

    def served_metrics(self, section: str) -> set[str]:
        """The names under which the Prometheus adapter serves metrics: `rules` (custom) or `externalRules`."""
        config = yaml.safe_load(self.get("ConfigMap", "adapter-config")["data"]["config.yaml"])
        rules = config.get(section, [])
        assert isinstance(rules, list)
        return {_served_name(rule) for rule in rules}

    def scalers(self) -> Iterator[tuple[str, Resource]]:
        """The workload that each scaler changes, and the scaler; a VPA that only recommends is none."""
        for resource in self.of("HorizontalPodAutoscaler", "ScaledObject"):
            yield resource["spec"]["scaleTargetRef"]["name"], resource
        for resource in self.of("VerticalPodAutoscaler"):
            if resource["spec"]["updatePolicy"]["updateMode"] != "Off":
                yield resource["spec"]["targetRef"]["name"], resource

    def pods_range(self, workload: Resource) -> tuple[int, int]:
        """The fewest and the most pods that a workload is scaled to."""
        for name, scaler in self.scalers():
            if name == workload["metadata"]["name"]:
                spec = scaler["spec"]
                if scaler["kind"] == "ScaledObject":
                    return spec["minReplicaCount"], spec["maxReplicaCount"]
                return spec["minReplicas"], spec["maxReplicas"]
        return workload["spec"]["replicas"], workload["spec"]["replicas"]


def _served_name(rule: Resource) -> str:
    series = re.match(r"\w+", rule["seriesQuery"])
    assert series is not None
    name, matches = rule["name"], re.compile(rule["name"]["matches"])
    assert matches.search(series[0])
    return matches.sub(re.sub(r"\$\{(\d+)\}", r"\\\1", name["as"]), series[0])


def template(workload: Resource) -> Resource:
    """The pod template of a workload."""
    found: Resource = workload["spec"]["template"]
    return found


def containers(workload: Resource) -> list[Resource]:
    """The containers of a workload."""
    found: list[Resource] = template(workload)["spec"]["containers"]
    return found


def selects(selector: Resource, workload: Resource) -> bool:
    """Tell whether a selector of plain labels reaches the pods of a workload."""
    labels: dict[str, str] = template(workload)["metadata"]["labels"]
    return selector.items() <= labels.items()


def quantity(text: str) -> float:
    """A Kubernetes quantity as a number of cores, bytes or pods."""
    match = re.fullmatch(r"(\d+)(m|Mi|Gi|)", text)
    assert match is not None, text
    return int(match[1]) * _UNITS[match[2]]
