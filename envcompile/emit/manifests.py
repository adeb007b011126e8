"""Compiled resources as the text of plain manifests, one resource a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.emit.filenames import place_files, refuse_alike_applications
from envcompile.emit.index import digest
from envcompile.emit.order import in_apply_order
from envcompile.model import Bundle

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

    from envcompile.kubernetes import KubeApi
    from envcompile.model import Compiled, Resource
    from envcompile.yamlio import Renderer


def built_in_kinds(api: KubeApi) -> frozenset[str]:
    """The names of the kinds that Kubernetes itself serves."""
    return frozenset(kind for group, kind in api.kinds() if "." not in group or group.endswith(".k8s.io"))


def manifests(compiled: Compiled, renderer: Renderer, built_in_kinds: Container[str]) -> Bundle:
    """The files of one environment, path below its folder -> bytes.

    `renderer` is shared between environments: what they have in common is rendered once.

    Raises:
        EnvcError: two applications' folders would be one on some file system.
    """
    refuse_alike_applications({resource.app: _file_of(resource) for resource in compiled.resources})
    files = place_files(compiled.resources, compiled.namespace, built_in_kinds)
    return bundle_of(
        compiled.environment, {path: render(resource, renderer).encode() for path, resource in files.items()}
    )


def _file_of(resource: Resource) -> str:
    document = resource.steps[0].document
    return document.source.path if document is not None else ""


def bundle_of(environment: str, files: Mapping[str, bytes]) -> Bundle:
    """A bundle of files that are all at hand."""
    return Bundle(environment, files, {path: digest(data) for path, data in files.items()})


def stream(resources: Iterable[Resource], renderer: Renderer) -> str:
    """All resources as one multi-document stream in the order to apply them."""
    return "".join(f"---\n{render(resource, renderer)}" for resource in in_apply_order(resources))


def render(resource: Resource, renderer: Renderer) -> str:
    """One resource as YAML."""
    first = resource.steps[0].document
    text = renderer.render(resource.value, first.value if first is not None else resource.value)
    return with_gaps(text) if resource.id.kind == "SealedSecret" else text


def with_gaps(text: str) -> str:
    """A SealedSecret with an empty line between ciphertexts: two branches that seal neighbours then merge in git."""
    lines: list[str] = []
    is_within = is_later = False
    for line in text.splitlines(keepends=True):
        if is_within and line.startswith("    ") and line[4] not in " \n":
            if is_later:
                lines.append("\n")
            is_later = True
        elif not line.startswith("    "):
            is_within, is_later = line == "  encryptedData:\n", False
        lines.append(line)
    return "".join(lines)
