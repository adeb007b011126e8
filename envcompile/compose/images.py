"""Changes of container images by name, as `images:` of environment.yaml states them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.kubernetes.images import ImageReference, parse_image
from envcompile.kubernetes.podspecs import CONTAINER_LISTS, template_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.model import ResourceId
    from envcompile.settings import Image


class ImageChanges:
    """The `images:` entries of one environment, and which of them found a container."""

    __slots__ = ("_by_name", "_images", "_memo", "_seen", "_used")

    def __init__(self, images: tuple[Image, ...]) -> None:
        self._images = images
        self._by_name = {image.name: position for position, image in enumerate(images)}
        self._memo: dict[str, tuple[int, str] | None] = {}
        self._seen: set[str] = set()
        self._used: set[int] = set()

    def apply(self, resource: ResourceId, value: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
        """The resource after each entry that changed it, with the entry's position; no image is changed twice.

        Built-in workloads are changed in their pod template; in a custom resource every list called
        `containers`, `initContainers` or `ephemeralContainers` counts, wherever it stands.
        """
        path = template_path(resource)
        if path is None and (not resource.group or resource.group in _BUILT_IN or resource.group.endswith(".k8s.io")):
            return
        original = value
        for position in sorted(self._positions(value)):
            after = self._change(value, original, position)
            if after is not value:
                value = after
                yield position, after

    def used(self) -> list[int]:
        """The positions of the entries that some container used, sorted."""
        return sorted(self._used)

    def seen(self) -> list[str]:
        """The names of all images met."""
        return sorted(self._seen)

    def _positions(self, value: Any) -> set[int]:
        """Which entries concern the containers below a value."""
        found: set[int] = set()
        if isinstance(value, dict):
            for key, item in value.items():
                if key in CONTAINER_LISTS and isinstance(item, list):
                    for container in item:
                        image = container.get("image") if isinstance(container, dict) else None
                        hit = self._look_up(image) if isinstance(image, str) else None
                        if hit:
                            found.add(hit[0])
                if isinstance(item, (dict, list)):
                    found |= self._positions(item)
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, (dict, list)):
                    found |= self._positions(item)
        return found

    def _look_up(self, image: str) -> tuple[int, str] | None:
        """The entry that an image matches and what becomes of the image."""
        if image in self._memo:
            return self._memo[image]
        reference = parse_image(image)
        self._seen.add(reference.name)
        position = self._by_name.get(reference.name)
        result = None
        if position is not None:
            self._used.add(position)
            entry = self._images[position]
            name = entry.new_name or reference.name
            if entry.digest is not None:
                changed = ImageReference(name, entry.new_tag or "", entry.digest)
            elif entry.new_tag is not None:
                changed = ImageReference(name, entry.new_tag, "")
            else:
                changed = ImageReference(name, reference.tag, reference.digest)
            result = (position, str(changed))
        self._memo[image] = result
        return result

    def _change(self, value: Any, original: Any, position: int) -> Any:
        """The value after one entry; `original` is what it was before the first, so that no image changes twice."""
        if isinstance(value, dict):
            changed: dict[str, Any] | None = None
            for key, item in value.items():
                after = item
                if key in CONTAINER_LISTS and isinstance(item, list):
                    after = self._change_containers(item, original[key], position)
                if isinstance(after, (dict, list)):
                    after = self._change(after, original[key], position)
                if after is not item:
                    changed = dict(value) if changed is None else changed
                    changed[key] = after
            return value if changed is None else changed
        if isinstance(value, list):
            pairs = zip(value, original, strict=True)
            items = [self._change(item, old, position) if type(item) in {dict, list} else item for item, old in pairs]
            return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
        return value

    def _change_containers(self, containers: list[Any], original: list[Any], position: int) -> list[Any]:
        changed = []
        for container, before in zip(containers, original, strict=True):
            image = before.get("image") if isinstance(before, dict) else None
            hit = self._look_up(image) if isinstance(image, str) else None
            if hit and hit[0] == position and hit[1] != image:
                changed.append({**container, "image": hit[1]})
            else:
                changed.append(container)
        return changed if any(new is not old for new, old in zip(changed, containers, strict=True)) else containers


_BUILT_IN = frozenset({"apps", "batch", "autoscaling", "policy", "extensions"})
