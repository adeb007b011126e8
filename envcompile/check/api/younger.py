"""What older versions of Kubernetes do not refuse yet: fields that they drop, and rules that came later.

Learned from kube-apiserver 1.37 with `--emulated-version` of 1.34, 1.35 and 1.36. A field whose gate is off is dropped
before anything looks into it. Sources: pkg/features/kube_features.go and staging/src/k8s.io/apiserver/pkg/features of
kubernetes/kubernetes (ContainerRestartRules, ImageVolume, ClusterTrustBundleProjection, DRADeviceTaints,
StrictIPCIDRValidation, JobSuccessPolicy, JobManagedBy, PreferSameTrafficDistribution, ServiceTrafficDistribution,
RecursiveReadOnlyMounts, HPAConfigurableTolerance, MaxUnavailableStatefulSet, MutableCSINodeAllocatableCount,
InPlacePodVerticalScaling, MatchLabelKeysInPodAffinity, DynamicResourceAllocation, DRAExtendedResource,
VolumeAttributesClass, CustomResourceFieldSelectors), ValidateStatefulSetSpec and
ValidatePodTemplateSpecForStatefulSet of the versions, and the tags of declarative validation.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.check.reading import at

if TYPE_CHECKING:
    from envcompile.model import Pointer


class _Later(NamedTuple):
    """From which minor version on something is judged."""

    since: int
    kinds: tuple[str, ...]
    """Kinds; all when empty."""
    names: tuple[str, ...]
    """Names of fields that follow each other on the way."""
    is_last: bool = False
    """Whether the last of the names must be the field itself."""
    dropped_since: int = 0
    """The minor version from which on it is dropped; before, it was refused."""


_LATER: Final = (
    _Later(35, (), ("restartPolicyRules",)),
    _Later(35, (), ("containers", "restartPolicy"), is_last=True, dropped_since=34),
    _Later(35, ("CSIDriver",), ("nodeAllocatableUpdatePeriodSeconds",), is_last=True),
    _Later(35, ("HorizontalPodAutoscaler",), ("tolerance",), is_last=True),
    _Later(35, (), ("volumes", "image")),
    _Later(36, ("DeviceClass",), ("extendedResourceName",), is_last=True),
    _Later(36, ("ResourceClaim", "ResourceClaimTemplate"), ("tolerations",)),
    _Later(37, ("ResourceClaim", "ResourceClaimTemplate"), ("tolerations",), is_last=True),
    _Later(37, (), ("projected", "sources", "clusterTrustBundle")),
    _Later(37, ("PriorityClass",), ("value",), is_last=True),
    _Later(37, ("StatefulSet",), ("rollingUpdate", "maxUnavailable"), is_last=True),
    _Later(37, ("ClusterRoleBinding", "RoleBinding"), ("roleRef", "apiGroup"), is_last=True),
    _Later(37, ("EndpointSlice",), ("endpoints",), is_last=True),
    # Learned from kube-apiserver 1.30 and 1.33, and read in the sources of 1.31 to 1.34.
    _Later(31, ("ControllerRevision",), ("data",), is_last=True),
    _Later(31, ("CustomResourceDefinition",), ("selectableFields",)),
    *(
        _Later(31, (), (around, field))
        for around in ("requiredDuringSchedulingIgnoredDuringExecution", "podAffinityTerm")
        for field in ("matchLabelKeys", "mismatchLabelKeys")
    ),
    _Later(31, ("CronJob", "Job"), ("successPolicy",)),
    _Later(31, ("Service",), ("trafficDistribution",), is_last=True),
    _Later(31, (), ("recursiveReadOnly",), is_last=True),
    _Later(32, ("CronJob", "Job"), ("managedBy",), is_last=True),
    _Later(33, ("StatefulSet",), ("spec", "serviceName"), is_last=True),
    _Later(33, (), ("resizePolicy",)),
    _Later(34, ("EndpointSlice",), ("hints", "forNodes")),
    _Later(34, ("HorizontalPodAutoscaler",), ("scaleTargetRef", "apiVersion"), is_last=True),
    _Later(34, ("StatefulSet",), ("volumeClaimTemplates",)),
    _Later(34, (), ("resources", "claims")),
    _Later(34, (), ("volumeAttributesClassName",), is_last=True),
)
_FILLED_IN: Final = (("roleRef", "apiGroup"), ("value",))
"""Fields that older versions give a value when they have none; what is there was always looked at."""
_PODS_OF_SETS: Final = 34
"""The version from which on the pods of a StatefulSet are judged, and not only their labels and how they end."""
_ALWAYS_OF_SETS: Final = ("restartPolicy", "activeDeadlineSeconds")
NEWEST: Final = 37
"""The version from which on everything is judged."""
_STRICT_ADDRESSES: Final = 36
_ALWAYS_STRICT: Final = ("IPAddress", "ServiceCIDR")
_DROPPED_VOLUMES: Final = 35
_ZEROS: Final = re.compile(r"(?<![0-9A-Fa-f:])0+(?=[0-9])")


def is_judged(value: dict[str, Any], pointer: Pointer, release: int) -> bool:
    """Tell whether a version looks at what the newest one refuses of a field.

    Args:
        value: the object.
        pointer: the field, which need not be there.
        release: the minor version of Kubernetes.
    """
    names = tuple(part for part in pointer if isinstance(part, str))
    kind = str(value.get("kind"))
    if kind == "ControllerRevision" and value.get("data") is None:
        return True
    if names in _FILLED_IN and at(value, *pointer):
        return True
    if any(later.dropped_since <= release < later.since and _is_about(later, kind, names) for later in _LATER):
        return False
    is_of_set = kind == "StatefulSet" and names[:3] == ("spec", "template", "spec")
    if release < _PODS_OF_SETS and is_of_set and names[3:4] not in [(name,) for name in _ALWAYS_OF_SETS]:
        return False
    if release < _DROPPED_VOLUMES and "volumes" in pointer[:-1]:
        place = pointer.index("volumes") + 2
        volume = at(value, *pointer[:place])
        if isinstance(volume, dict) and volume.get("image") is not None:
            return False
    return release >= _STRICT_ADDRESSES or kind in _ALWAYS_STRICT or not _is_loose_address(at(value, *pointer))


def _is_about(later: _Later, kind: str, names: tuple[str, ...]) -> bool:
    if later.kinds and kind not in later.kinds:
        return False
    count = len(later.names)
    if later.is_last:
        return names[-count:] == later.names
    return any(names[start : start + count] == later.names for start in range(len(names) - count + 1))


def _is_loose_address(text: Any) -> bool:
    """Tell whether a text is an address or a range in a form that was taken once: zeros in front, bits behind a prefix.

    Source: k8s.io/utils/internal/third_party/forked/golang/net, ParseIP and ParseCIDR.
    """
    if not isinstance(text, str) or not re.fullmatch(r"[0-9A-Fa-f.:]+(?:/[0-9]{1,3})?", text):
        return False
    try:
        found = ipaddress.ip_interface(_ZEROS.sub("", text))
    except ValueError:
        return False
    is_mapped = isinstance(found, ipaddress.IPv6Interface) and found.ip.ipv4_mapped is not None
    return is_mapped or _ZEROS.search(text) is not None or ("/" in text and found.ip != found.network.network_address)
