"""The words that people use for kinds: the kind itself, its plural, and kubectl's short names.

Sources: `shortNames` and `plural` of `kubectl api-resources` (Kubernetes 1.37), and of the definitions of cert-manager,
External Secrets, KEDA and the autoscaler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHORT: Final[Mapping[str, str]] = {
    "cm": "configmap",
    "crd": "customresourcedefinition",
    "crds": "customresourcedefinition",
    "cj": "cronjob",
    "deploy": "deployment",
    "ds": "daemonset",
    "ep": "endpoints",
    "ev": "event",
    "hpa": "horizontalpodautoscaler",
    "ing": "ingress",
    "limits": "limitrange",
    "netpol": "networkpolicy",
    "no": "node",
    "ns": "namespace",
    "pc": "priorityclass",
    "pdb": "poddisruptionbudget",
    "po": "pod",
    "pv": "persistentvolume",
    "pvc": "persistentvolumeclaim",
    "quota": "resourcequota",
    "rc": "replicationcontroller",
    "rs": "replicaset",
    "sa": "serviceaccount",
    "sc": "storageclass",
    "sts": "statefulset",
    "svc": "service",
    "vac": "volumeattributesclass",
    "cert": "certificate",
    "certs": "certificate",
    "es": "externalsecret",
    "ss": "secretstore",
    "css": "clustersecretstore",
    "so": "scaledobject",
    "sj": "scaledjob",
    "vpa": "verticalpodautoscaler",
}


def kinds_meant(word: str) -> frozenset[str]:
    """The kinds in small letters that a word for a kind can mean; those that no kind is called do no harm.

    Args:
        word: `Deployment`, `deployments`, `deploy`, in any case, without a group.
    """
    word = word.lower()
    meant = {word, _SHORT.get(word, word), word.removesuffix("s"), word.removesuffix("es")}
    if word.endswith("ies"):
        meant.add(f"{word.removesuffix('ies')}y")
    return frozenset(meant)


def spelled(wanted: str) -> str:
    """KIND/NAME with the kind written out where it was short."""
    kind, slash, name = wanted.partition("/")
    return f"{_SHORT[kind.lower()]}{slash}{name}" if kind.lower() in _SHORT else wanted
