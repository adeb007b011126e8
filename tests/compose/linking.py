"""Resources joined as the link step joins those of an environment, without files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.compose.references import names_of, needs_of
from envcompile.compose.rollout import (
    checksum_of,
    configuration_kind,
    configuration_of,
    content_digest,
    is_restartable,
    with_checksum,
    with_reloader,
)
from envcompile.compose.waves import Dependencies, has_wave, sync_waves, with_wave, written_wave

if TYPE_CHECKING:
    from collections.abc import Sequence

    from envcompile.model import Resource


def with_rollout(resources: Sequence[Resource], mode: str, layer: str) -> tuple[Resource, ...]:
    """The resources with what makes their pods restart when a ConfigMap or Secret changes."""
    if mode == "reloader":
        return tuple(with_reloader(resource, layer) for resource in resources)
    if mode == "none":
        return tuple(resources)
    digests = {
        (kind, resource.id.namespace, resource.id.name): content_digest(resource.id, resource.value)
        for resource in resources
        if (kind := configuration_kind(resource.id)) is not None
    }
    done = []
    for resource in resources:
        read = sorted(set(configuration_of(resource.id, resource.value))) if is_restartable(resource.id) else []
        checksum = checksum_of(read, resource.id.namespace, digests)
        done.append(with_checksum(resource, checksum, layer) if checksum else resource)
    return tuple(done)


def with_sync_waves(resources: Sequence[Resource], layer: str) -> tuple[Resource, ...]:
    """The resources with the waves that their needs of each other give."""
    known = {
        resource.id: Dependencies(
            tuple(names_of(resource.id, resource.value)),
            tuple(needs_of(resource.id, resource.value)),
            written_wave(resource),
        )
        for resource in resources
    }
    waves = sync_waves(known, lambda _: None)
    return tuple(
        with_wave(resource, waves[resource.id], layer) if waves[resource.id] and not has_wave(resource) else resource
        for resource in resources
    )
