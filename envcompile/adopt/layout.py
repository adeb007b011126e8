"""Where things lie in the new repository: the application an object belongs to, and the name of its file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from envcompile.adopt.affixes import bare
from envcompile.adopt.namespaces import OWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envcompile.adopt.existing import Value
    from envcompile.adopt.factor import Key

_LABELS = ("app.kubernetes.io/name", "app", "k8s-app")
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
_REFUSED = re.compile(r"[^A-Za-z0-9._-]")
_SHORT = 63
_LONGEST = 230
"""File systems take 255 bytes; some are left for a number and the ending."""

_RBAC_GROUP = "rbac.authorization.k8s.io"
_CRD = "CustomResourceDefinition"


def applications(objects: Mapping[Key, Value]) -> dict[Key, str]:
    """The application of every object, which is the folder it lies in.

    Labels say it (app.kubernetes.io/name, app, k8s-app: of the object, of its pods, of what it selects); else the
    name, when it begins with that of an application; else the kind: `rbac`, `crds` or `platform`.
    """
    found: dict[Key, str] = {}
    for key, value in objects.items():
        application = _labelled(value)
        if application:
            found[key] = application
    known = sorted(set(found.values()), key=lambda name: (-len(name), name))
    return {key: found.get(key) or _named(key, known) or _by_kind(key) for key in objects}


def _labelled(value: Value) -> str:
    spec = value.get("spec")
    template = spec.get("template") if type(spec) is dict else None
    selector = spec.get("selector") if type(spec) is dict else None
    places: list[Any] = [value["metadata"].get("labels")]
    if type(template) is dict and type(template.get("metadata")) is dict:
        places.append(template["metadata"].get("labels"))
    if type(selector) is dict:
        places += [selector.get("matchLabels"), selector]
    for labels in places:
        for label in _LABELS:
            text = labels.get(label) if type(labels) is dict else None
            if type(text) is str and (fit := _fit(text)):
                return fit
    return ""


def _fit(text: str) -> str:
    return _UNFIT.sub("-", text).strip("-.~#")[:_SHORT].rstrip("-.~#")


def _named(key: Key, known: Iterable[str]) -> str:
    return next((name for name in known if bare(key.name) == name or bare(key.name).startswith(f"{name}-")), "")


def _by_kind(key: Key) -> str:
    if key.kind == _CRD:
        return "crds"
    return "rbac" if key.group == _RBAC_GROUP or key.kind == "ServiceAccount" else "platform"


def file_names(keys: Iterable[Key], folders: Mapping[Key, str]) -> dict[Key, str]:
    """The path of each object's file below base/ or its overlay, `<app>/<kind>-<name>.yaml`.

    An object outside of its environment's own namespace carries its namespace. Names that would be the same, also on
    file systems that ignore case, are told apart by the API group and at last by a number.
    """
    taken: set[str] = set()
    found: dict[Key, str] = {}
    for key in keys:
        kind = key.kind.lower()
        name = bare(key.name) if key.space in {"", OWN} else f"{bare(key.name)}.{key.space}"
        stems = [_file_stem(f"{kind}-{name}"), _file_stem(f"{kind}.{key.group or 'core'}-{name}")]
        number = 1
        while f"{folders[key]}/{stems[0]}".lower() in taken:
            if len(stems) > 1:
                stems.pop(0)
            else:
                number += 1
                stems = [f"{_file_stem(f'{kind}-{name}')}-{number}"]
        found[key] = f"{folders[key]}/{stems[0]}.yaml"
        taken.add(f"{folders[key]}/{stems[0]}".lower())
    return found


def _file_stem(name: str) -> str:
    """A name that every file system takes, short enough for its ending; what some refuse is percent-encoded."""
    fit = _REFUSED.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), name)
    if len(fit) <= _LONGEST:
        return fit
    import hashlib

    return f"{fit[: _LONGEST - 17]}-{hashlib.sha256(fit.encode()).hexdigest()[:16]}"
