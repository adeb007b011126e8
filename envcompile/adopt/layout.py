"""Where things lie in the new repository: the application an object belongs to, and the name of its file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from envcompile.adopt.namespaces import OWN
from envcompile.emit.filenames import filename, qualified
from envcompile.model import ResourceId

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from envcompile.adopt.existing import Value
    from envcompile.adopt.factor import Key

_LABELS = ("app.kubernetes.io/name", "app", "k8s-app")
_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
_SHORT = 63

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
    return next((name for name in known if key.name == name or key.name.startswith(f"{name}-")), "")


def _by_kind(key: Key) -> str:
    if key.kind == _CRD:
        return "crds"
    return "rbac" if key.group == _RBAC_GROUP or key.kind == "ServiceAccount" else "platform"


def file_names(keys: Iterable[Key], folders: Mapping[Key, str], built_in_kinds: frozenset[str]) -> dict[Key, str]:
    """The path of each object's file below base/ or its overlay, `<app>/<kind>-<name>.yaml`.

    Names are told apart by group and at last by a number, also on file systems that ignore case.
    """
    taken: set[str] = set()
    found: dict[Key, str] = {}
    for key in keys:
        identity = ResourceId(key.group, key.kind, "" if key.space == OWN else key.space, key.name)
        wanted = [filename(identity, "", built_in_kinds), qualified(identity, "")]
        stem = wanted[1].removesuffix(".yaml")
        number = 1
        while f"{folders[key]}/{wanted[0]}".lower() in taken:
            wanted.pop(0)
            if not wanted:
                number += 1
                wanted.append(f"{stem}-{number}.yaml")
        found[key] = f"{folders[key]}/{wanted[0]}"
        taken.add(found[key].lower())
    return found
