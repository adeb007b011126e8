"""Which file each resource of an environment is in: one of its own, its application's, or the one for all.

A resource has a *place*, `<app>/<kind>-<name>.yaml`, whatever the layout is: what is recorded and remembered of it does
not change with `layout` of envc.yaml. With `layout: resource` the place is its file. Other files hold several
resources, each behind a line `---`, what others need first, so that a file can be applied as it stands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.emit.order import rank
from envcompile.errors import EnvcError
from envcompile.yamlio.load import load_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from envcompile.settings import Layout

    Said = tuple[str, str, str, str]
    """API group, kind, namespace and name that a document says."""

WHOLE = "manifests.yaml"
"""The one file of an environment with `layout: environment`."""
_MARK = b"---\n"


def file_of(place: str, layout: Layout) -> str:
    """The file of a resource, below the environment's folder."""
    if layout == "resource":
        return place
    return WHOLE if layout == "environment" else f"{place.partition('/')[0]}.yaml"


def arrange(places: Iterable[str], layout: Layout) -> dict[str, list[str]]:
    """Each file with the places of its resources in the order in which it holds them."""
    if layout == "resource":
        return {place: [place] for place in places}
    files: dict[str, list[str]] = {}
    for place in sorted(places, key=_order):
        files.setdefault(file_of(place, layout), []).append(place)
    return files


def _order(place: str) -> tuple[int, str]:
    """What others need comes first; a file's name begins with the kind."""
    kind = place.rpartition("/")[2].partition("-")[0].partition(".")[0]
    return rank(kind), place


def join(texts: Sequence[bytes], layout: Layout) -> bytes:
    """The bytes of a file that holds these resources."""
    return texts[0] if layout == "resource" else b"".join([_MARK + text for text in texts])


def take_apart(data: bytes) -> list[bytes]:
    """The texts of a file's resources; what envc did not write may come apart anyhow."""
    body = data.replace(b"\r\n", b"\n").removeprefix(_MARK).removesuffix(b"\n")
    return [text + b"\n" for text in body.split(b"\n" + _MARK)]


def said_by(value: Mapping[str, Any]) -> Said:
    """Which object a compiled document says it is."""
    metadata = value.get("metadata") or {}
    group = str(value.get("apiVersion", "")).rpartition("/")[0]
    return group, str(value.get("kind")), str(metadata.get("namespace") or ""), str(metadata.get("name"))


def with_others(data: bytes, texts: Mapping[Said, bytes]) -> bytes | None:
    """A file of several resources in which only some are other ones; None when it cannot be read.

    Args:
        data: the file as it is.
        texts: what becomes of some of its resources; those that it does not hold are put behind their kind.
    """
    found: list[tuple[Said, bytes]] = []
    try:
        for text in take_apart(data):
            found += [(said_by(value), text) for value in load_all(text, "") if isinstance(value, dict)][:1]
    except EnvcError:
        return None
    held = {said for said, _ in found}
    found = [(said, texts.get(said, text)) for said, text in found]
    for said, text in texts.items():
        if said not in held:
            at = next((at for at, (other, _) in enumerate(found) if rank(other[1]) > rank(said[1])), len(found))
            found.insert(at, (said, text))
    return join([text for _, text in found], "app")
