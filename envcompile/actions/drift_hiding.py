"""Live values as they may be shown: somebody may have written a password where none belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.ask.redact import REDACTED
from envcompile.cluster.drift.values import Digest
from envcompile.kubernetes.credentials import is_named_secret, shape_of

if TYPE_CHECKING:
    from envcompile.kubernetes.fieldpath import FieldPath
    from envcompile.model import ResourceId

_HIDDEN: Final = {
    ("", "Secret"): (("data",), ("stringData",)),
    ("bitnami.com", "SealedSecret"): (("spec", "encryptedData"), ("spec", "template", "data")),
}


def without_secrets(identity: ResourceId, path: FieldPath, value: Any) -> Any:
    """A value without what is a secret, or looks like one.

    Args:
        identity: the object it belongs to.
        path: where it stands in it.
        value: the value.
    """
    for place in _HIDDEN.get((identity.group, identity.kind), ()):
        if path[: len(place)] == place[: len(path)]:
            return _masked(value)
    name = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
    owner = next(
        (str(dict(part.keys).get("name", "")) for part in reversed(path) if not isinstance(part, str | int)), ""
    )
    return _hide(owner if name == "value" else name, value)


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _masked(item) for name, item in value.items()}
    return [_masked(item) for item in value] if isinstance(value, list) else REDACTED


def _hide(name: str, value: Any) -> Any:
    if isinstance(value, Digest):
        return REDACTED
    if isinstance(value, str):
        return REDACTED if is_named_secret(name, value) or shape_of(value) else value
    if isinstance(value, dict):
        owner = value.get("name")
        return {
            key: _hide(str(owner) if key == "value" and isinstance(owner, str) else str(key), item)
            for key, item in value.items()
        }
    return [_hide(name, item) for item in value] if isinstance(value, list) else value
