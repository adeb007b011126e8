"""Tells what an input is when it is not Kubernetes manifests, and what to do with it instead."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_KUSTOMIZATIONS: Final = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_HEAD: Final = ("apiVersion", "kind", "metadata")
_GO_TEMPLATE = re.compile(
    r"\{\{[-~]?\s*(?:\.|\$|/\*|if|else|end|range|with|include|template|define|toYaml|tpl|\w+ [.$\"])"
)
_JINJA = re.compile(r"\{%[-+]?\s*\w+")


class Verdict(NamedTuple):
    """Why something cannot be converted, and the way that leads on."""

    what: str
    fix: str


def folder(path: Path, shown: str) -> Verdict | None:
    """What a folder is by the files it holds; None for one that may hold plain manifests."""
    if (path / "Chart.yaml").is_file():
        return Verdict(
            f"{shown} is a Helm chart already",
            f"render it first: `helm template {shown} | envc convert - -o CHART`",
        )
    if any((path / name).is_file() for name in _KUSTOMIZATIONS):
        return Verdict(
            f"{shown} is a kustomize folder",
            f"build it first: `kustomize build {shown} | envc convert - -o CHART`; "
            "for several environments, build each overlay into a folder of its own",
        )
    return None


def unreadable(text: str, shown: str) -> Verdict | None:
    """What a file is that is not YAML; None when it is simply broken."""
    if _GO_TEMPLATE.search(text):
        return Verdict(
            f"{shown} is a Go template, as Helm charts hold it, not a manifest",
            "render the chart first: `helm template CHART | envc convert - -o NEW`",
        )
    if _JINJA.search(text):
        return Verdict(
            f"{shown} is a Jinja template, not a manifest",
            "render it with the tool it belongs to, then convert the result",
        )
    return None


def _keys(document: dict[str, Any]) -> str:
    names = [f"`{key}`" for key in list(document)[:3]]
    return ", ".join(names)


def document(value: Any) -> Verdict | None:
    """Why a document is no resource that a chart can hold; None for one that is."""
    if not isinstance(value, dict):
        shape = "a list" if isinstance(value, list) else "a text or a number"
        return Verdict(
            f"this is not a Kubernetes object but {shape}", "convert only the manifests, or add --skip-unknown"
        )
    for key in value:
        if key not in _HEAD and key.lower() in {"apiversion", "kind", "metadata"}:
            return Verdict(
                f"the key `{key}` is not `{_head_key(key)}`: Helm takes the two for one and fails",
                f"write `{_head_key(key)}`",
            )
    version: Any = value.get("apiVersion")
    kind: Any = value.get("kind")
    if version is None and kind is None:
        if isinstance(value.get("services"), dict):
            return Verdict("this is a Compose file, not a Kubernetes object", "convert it first: `kompose convert`")
        told = f", its first keys are {_keys(value)}" if value else ""
        return Verdict(
            f"this is not a Kubernetes object: it has neither apiVersion nor kind{told}",
            "convert only the manifests, or leave such files out with --skip-unknown",
        )
    if not isinstance(version, str) or not isinstance(kind, str):
        missing = "apiVersion" if not isinstance(version, str) else "kind"
        return Verdict(f"this object has no {missing}", f"add its {missing}, a text")
    if isinstance(value.get("items"), list) and kind.endswith("List"):
        return next((found for item in value["items"] if (found := _item(item, kind))), None)
    return _named(value, version, kind)


def _head_key(key: str) -> str:
    """The key of an object's head that another one differs from only in case."""
    return next(known for known in _HEAD if known.lower() == key.lower())


def _item(item: Any, kind: str) -> Verdict | None:
    if isinstance(item, dict) and "kind" not in item:
        return document({"apiVersion": "v1", "kind": kind.removesuffix("List"), **item})
    return document(item)


def _named(value: dict[str, Any], version: str, kind: str) -> Verdict | None:
    group = version.rpartition("/")[0]
    if group.startswith("kustomize.config.k8s.io"):
        return Verdict("this is a kustomization, not a resource", "build it first: `kustomize build DIR`")
    if group == "envcompile.dev":
        return Verdict(f"this is a {kind} of an envc project, not a resource", "build the project: `envc build`")
    if kind == "Template" and isinstance(value.get("objects"), list):
        return Verdict(
            "this is an OpenShift Template, not a resource", "process it first: `oc process -f FILE -o yaml`"
        )
    metadata = value.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        return Verdict(f"the metadata of this {kind} is not a map", "write `metadata:` with a name below it")
    name = (metadata or {}).get("name")
    if not isinstance(name, str) and not isinstance((metadata or {}).get("generateName"), str):
        return Verdict(
            f"this {kind} has no name",
            "add metadata.name; a file that configures a tool is no manifest: leave it out with --skip-unknown",
        )
    return None


def environment_name(text: str, known: Iterable[str]) -> Verdict | None:
    """Why a text cannot name an environment; it becomes part of a file name."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", text) is None:
        return Verdict(
            f"`{text}` cannot name an environment",
            did_you_mean(text, known, "use letters, digits, dots, dashes and underscores"),
        )
    return None
