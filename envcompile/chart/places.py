"""Says for each field of a resource what its value is called and whether it is a value even where nothing differs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.chart.names import MOST_KEYS, camel, key_of, label_key, shortened, upper_first
from envcompile.chart.shapes import Elem, Style
from envcompile.chart.workloads import POD_TEMPLATES, SCALED_KINDS, as_map, down, main_container
from envcompile.record import Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.chart.shapes import Steps, Subject, ValuePath

LABEL_MAPS: Final = frozenset({"labels", "matchLabels", "selector"})
"""The keys whose maps hold labels: what a resource carries, and what selects it."""

_LONGEST_SHORT_TEXT: Final = 200
_CONTAINERS: Final = frozenset({"containers", "initContainers"})
_WHOLE: Final = frozenset({
    "resources",
    "nodeSelector",
    "tolerations",
    "affinity",
    "topologySpreadConstraints",
    "imagePullSecrets",
    "startupProbe",
    "livenessProbe",
    "readinessProbe",
    "args",
    "command",
    "tls",
})
"""Fields that people override as a whole, as in the charts they know."""
PROBES: Final = ("startupProbe", "livenessProbe", "readinessProbe")
POD_FIELDS: Final[Mapping[str, Any]] = {
    "nodeSelector": {},
    "tolerations": [],
    "affinity": {},
    "topologySpreadConstraints": [],
    "imagePullSecrets": [],
}
"""Fields of a pod that people put others in place of, with what they are when empty."""

_EXPOSED: Final = frozenset({
    "image",
    "value",
    "replicas",
    "schedule",
    "suspend",
    "storage",
    "type",
    "port",
    "nodePort",
    "ingressClassName",
    "host",
    "minReplicas",
    "maxReplicas",
    "averageUtilization",
})
"""The names of the scalars that `Places` may call exposed."""


class Place(Record, frozen=True):
    """What is known of a field: its name below the service, and how it is treated."""

    want: ValuePath
    exposed: bool = False
    """A value even when all environments agree."""
    whole: bool = False
    """A map or list that is one value rather than one for each of its fields."""
    replaced: bool = False
    """One value however deep it is, and left out where people set it to null."""
    image: bool = False
    text: bool = False
    """A text in a ConfigMap, whose lines may hold values of their own."""


class Places:
    """Names the fields of one resource."""

    def __init__(self, subject: Subject, slot: ValuePath) -> None:
        self._kind = subject.kind
        self._slot = slot
        self.template = POD_TEMPLATES.get((subject.group, subject.kind))
        self._main: str | None = None
        if self.template is not None:
            specs = [as_map(down(value, (*self.template, "spec"))) for value in subject.versions.values()]
            self._main = main_container(subject.name, specs)
        self._core = subject.group in {"", "networking.k8s.io", "extensions", "autoscaling", "policy"}

    def extension(self, steps: Steps) -> dict[str, Style]:
        """The fields people expect to set on a map even when no environment sets them, and how they are written."""
        if self.template is None:
            return {}
        if steps == ("spec",) and self._kind in SCALED_KINDS:
            return {"replicas": Style.INTEGER}
        if len(steps) == len(self.template) + 3 and steps[-2] == "containers" and isinstance(steps[-1], Elem):
            return {"resources": Style.YAML}
        return {}

    def is_special(self, steps: Steps) -> bool:
        """Whether a map may be a value although nothing in it differs, or have fields that no environment sets."""
        if not steps:
            return False
        if steps[-1] == "resources":
            return True
        may_be = self.template is not None and len(steps) in {1, len(self.template) + 3}
        return may_be and (self.is_main_container(steps) or bool(self.extension(steps)))

    @staticmethod
    def may_be_whole(steps: Steps) -> bool:
        """Whether a map or list may be one value; `place` says for certain."""
        return steps[-1] in _WHOLE or steps[-1] == "secrets"

    def exposed_keys(self, steps: Steps) -> frozenset[str] | None:
        """The keys of a map whose scalars may be values although nothing differs; None for all of them."""
        return None if self._kind == "ConfigMap" and steps[:1] == ("data",) else _EXPOSED

    def may_be_exposed(self, steps: Steps) -> bool:
        """Whether a scalar may be a value although nothing differs; `place` says for certain."""
        return steps[-1] in _EXPOSED or self.exposed_keys(steps) is None

    def is_main_container(self, steps: Steps) -> bool:
        """Whether this is the way to the container that speaks for its service."""
        if self.template is None or len(steps) != len(self.template) + 3:
            return False
        last = steps[-1]
        return steps[-2] == "containers" and isinstance(last, Elem) and last.label == self._main and not self._slot

    def place(self, steps: Steps) -> Place:
        """The name of a field, given the way to it."""
        if (
            self.template is not None
            and steps[: len(self.template)] == self.template
            and len(steps) > len(self.template)
        ):
            found = self._pod(steps[len(self.template) :])
        else:
            found = self._outside(steps)
        if not self._slot and len(found.want) <= MOST_KEYS:
            return found
        return found._replace(want=shortened((*self._slot, *found.want)))

    def _pod(self, steps: Steps) -> Place:
        match steps:
            case ("metadata", "labels" | "annotations" as family, *rest) if self.template:
                return Place((f"pod{upper_first(str(family))}", *_labels(tuple(rest))))
            case ("spec", "containers" | "initContainers", Elem(label), *rest):
                base = () if label == self._main and steps[1] == "containers" else (camel(label),)
                inner = self._container(tuple(rest))
                return inner._replace(want=(*base, *inner.want)) if base else inner
            case ("spec", "securityContext", *rest):
                return Place(("podSecurityContext", *_tail(tuple(rest))))
            case ("spec", *rest) if rest:
                is_replaced = len(rest) == 1 and rest[0] in POD_FIELDS
                return Place(_tail(tuple(rest)), whole=rest[-1] in _WHOLE, replaced=is_replaced)
        return self._plain(steps)

    @staticmethod
    def _container(steps: Steps) -> Place:
        match steps:
            case ("image",):
                return Place(("image",), exposed=True, image=True)
            case ("resources",):
                return Place(("resources",), exposed=True, whole=True)
            case ("startupProbe" | "livenessProbe" | "readinessProbe" as probe,):
                return Place((str(probe),), whole=True, replaced=True)
            case ("env", Elem(label), "value"):
                return Place(("env", key_of(label)), exposed=True)
            case ("env", Elem(label), *rest):
                return Place(("envFrom", key_of(label), *_tail(tuple(rest))))
            case ("ports", Elem(label), *rest):
                return Place(("ports", key_of(label), *_tail(tuple(rest))))
        return Place(_tail(steps), whole=bool(steps) and steps[-1] in _WHOLE)

    def _outside(self, steps: Steps) -> Place:
        match steps:
            case ("metadata", "labels" | "annotations" as family, *rest):
                return Place((str(family), *_labels(tuple(rest))))
            case ("metadata", *rest):
                return Place(_tail(tuple(rest)))
        if self.template is not None:
            return self._workload(steps)
        found = self._known(steps) if self._core else None
        return found or self._plain(steps)

    def _workload(self, steps: Steps) -> Place:
        match steps:
            case ("spec", "replicas" | "schedule" | "suspend" as field):
                return Place((str(field),), exposed=True)
            case ("spec", "selector", *rest):
                return Place(("selectorLabels", *_labels(tuple(step for step in rest if step != "matchLabels"))))
            case ("spec", "jobTemplate", "spec", *rest):
                return Place(("job", *_tail(tuple(rest))))
            case ("spec", "volumeClaimTemplates", Elem(label, alone), *rest):
                name = () if alone else (camel(label),)
                return Place(("persistence", *name, *_claim(tuple(rest))), exposed=_is_size(tuple(rest)))
        return self._plain(steps)

    def _known(self, steps: Steps) -> Place | None:
        match self._kind, steps:
            case "Service", ("spec", "type"):
                return Place(("type",), exposed=True)
            case "Service", ("spec", "ports", Elem(label, alone), "port" | "targetPort" | "nodePort" as field):
                name = (str(field),) if alone else (f"{field}s", key_of(label))
                return Place(name, exposed=field != "targetPort")
            case "Ingress", ("spec", "ingressClassName"):
                return Place(("className",), exposed=True)
            case "Ingress", ("spec", "tls"):
                return Place(("tls",), whole=True, replaced=True)
            case "Ingress", ("spec", "rules", Elem(label, alone), "host"):
                return Place(("host",) if alone else ("hosts", camel(label)), exposed=True)
            case "HorizontalPodAutoscaler", ("spec", "minReplicas" | "maxReplicas" as field):
                return Place((str(field),), exposed=True)
            case "HorizontalPodAutoscaler", ("spec", "metrics", Elem(label), _, "target", "averageUtilization"):
                resource = "CPU" if label == "cpu" else upper_first(camel(label))
                return Place((f"target{resource}UtilizationPercentage",), exposed=True)
            case "HorizontalPodAutoscaler", ("spec", "metrics", Elem(label), *rest):
                return Place((f"{camel(label)}Target", *_tail(tuple(rest[-1:]))))
            case "PersistentVolumeClaim", ("spec", *rest) if rest:
                return Place(_claim(tuple(rest)), exposed=_is_size(tuple(rest)))
            case "ConfigMap", ("data", str(key)):
                return Place((key_of(key),), exposed=True, text=True)
            case "Secret", ("data" | "stringData", str(key)):
                return Place((key_of(key),))
            case "ServiceAccount", ("imagePullSecrets" | "secrets" as field,):
                return Place((str(field),), whole=True)
        return None

    @staticmethod
    def _plain(steps: Steps) -> Place:
        rest = steps[1:] if steps[:1] == ("spec",) and len(steps) > 1 else steps
        return Place(_tail(rest), whole=bool(steps) and steps[-1] in _WHOLE)


def _claim(steps: Steps) -> ValuePath:
    match steps:
        case ("spec", *rest):
            return _claim(tuple(rest))
        case ("resources", "requests", "storage"):
            return ("size",)
        case ("storageClassName",):
            return ("storageClass",)
    return _tail(steps)


def _is_size(steps: Steps) -> bool:
    return steps[-3:] == ("resources", "requests", "storage")


def _labels(steps: Steps) -> ValuePath:
    return tuple(label_key(step if isinstance(step, str) else step.label) for step in steps)


def _tail(steps: Steps) -> ValuePath:
    path: list[str] = []
    for position, step in enumerate(steps):
        if isinstance(step, Elem):
            if not step.alone:
                path.append(camel(step.label))
        elif position and steps[position - 1] in {"labels", "annotations", "matchLabels"}:
            path.append(label_key(step))
        else:
            path.append(key_of(step))
    return tuple(path)


def is_short(value: object) -> bool:
    """Whether a constant text is worth a line in values.yaml."""
    return not isinstance(value, str) or (len(value) <= _LONGEST_SHORT_TEXT and "\n" not in value)
