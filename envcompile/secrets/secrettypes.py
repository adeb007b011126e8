"""Which keys a Secret of a built-in type must have, as the API server validates it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

NEEDED_KEYS: dict[str, tuple[str, ...]] = {
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
}
"""ValidateSecret in k8s.io/kubernetes pkg/apis/core/validation/validation.go."""

ACCOUNT_TOKEN = "kubernetes.io/service-account-token"
ACCOUNT_NAME = "kubernetes.io/service-account.name"


def flaws_of_type(kind: str, keys: AbstractSet[str], annotations: Mapping[str, str]) -> list[tuple[str, str]]:
    """What the API server would refuse about a Secret of this type: what, and the mend."""
    found = []
    if missing := [key for key in NEEDED_KEYS.get(kind, ()) if key not in keys]:
        what = f"is of type {kind} but has no `{'` and no `'.join(missing)}`"
        found.append((what, "the API server refuses it: add the key, or change the type"))
    if kind == "kubernetes.io/basic-auth" and not keys & {"username", "password"}:
        what = f"is of type {kind} but has neither `username` nor `password`"
        found.append((what, "add one of them, or change the type"))
    if kind == ACCOUNT_TOKEN and not annotations.get(ACCOUNT_NAME):
        found.append((f"is of type {kind} but names no ServiceAccount", f"add the annotation `{ACCOUNT_NAME}`"))
    return found
