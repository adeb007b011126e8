"""Finds which services of a chart need which others, from the host names in their configuration."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from envcompile.chart.workloads import POD_TEMPLATES, as_map, as_maps, containers, pod_template

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envcompile.chart.services import Home
    from envcompile.chart.shapes import Subject

_HOST = re.compile(r"(?<![A-Za-z0-9_.-])([a-z][a-z0-9-]{1,62})(?=[.:/]|$|[\s,;\"'?@])")


def hosts_of(group: str, kind: str, resource: dict[str, Any]) -> tuple[str, ...]:
    """The names that the configuration of a resource uses like hosts."""
    found: dict[str, None] = {}
    for text in _texts(group, kind, resource):
        for match in _HOST.finditer(text):
            if match[1] not in found and _is_host(text, match):
                found[match[1]] = None
    return tuple(found)


def _texts(group: str, kind: str, resource: dict[str, Any]) -> Iterator[str]:
    if (group, kind) in POD_TEMPLATES:
        for container in containers(as_map((pod_template(group, resource) or {}).get("spec"))):
            values: list[Any] = [item.get("value") for item in as_maps(container.get("env"))]
            for field in ("args", "command"):
                listed = container.get(field)
                values += listed if isinstance(listed, list) else []
            yield from (value for value in values if isinstance(value, str))
    elif kind == "ConfigMap" and not group:
        yield from (value for value in as_map(resource.get("data")).values() if isinstance(value, str))


def find(subjects: list[Subject], homes: Mapping[Subject, Home]) -> dict[str, list[str]]:
    """The services each service names as hosts, by their keys, sorted; services that need nothing are left out."""
    hosts = {
        subject.name: homes[subject].key
        for subject in subjects
        if subject.kind == "Service" and not subject.group and len(subject.name) > 1
    }
    found: dict[str, set[str]] = {}
    for subject in subjects:
        key = homes[subject].key
        for name in subject.uses.hosts:
            other = hosts.get(name)
            if other is not None and other != key:
                found.setdefault(key, set()).add(other)
    return {key: sorted(found[key]) for key in sorted(found)}


def _is_host(text: str, match: re.Match[str]) -> bool:
    """A bare word counts only as the whole text or where a URL, an assignment or a port shows that it is a host."""
    start, end = match.span()
    after = text[end : end + 1]
    before = text[max(0, start - 3) : start]
    if before.endswith(("://", "@")) or (not before and not after):
        return True
    if after != "." and not (after == ":" and text[end + 1 : end + 2].isdigit()):
        return False
    return not before or before[-1] in "@=," or before[-1].isspace()
