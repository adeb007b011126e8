"""What is refused before it is built: objects that no API server takes, however old or new it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.check.api.sure import surely_right
from envcompile.kubernetes import load, supported_versions

if TYPE_CHECKING:
    from collections.abc import Callable

    from envcompile.check.schema import Complaint
    from envcompile.kubernetes import KubeApi

_OF_VERSIONS: Final = (("apiVersion",), ("kind",))
"""Where it is said that a version or kind is gone: clusters that are older than all that are known have them."""


def always_refused(api: KubeApi, value: Any, shown: Callable[[], Any] | None = None) -> list[Complaint]:
    """What no API server takes of an object of a built-in kind, of whichever version, however it is asked.

    What only a strict server refuses is left out, as is what another version of Kubernetes takes; and where types and
    fields are right each by itself, what several say together is left to the checks.

    Args:
        api: the API.
        value: the object.
        shown: gives the object as it may be spoken of, where that is another one that is refused for the same reasons.
    """
    if surely_right(api, value, by_tables=True):
        return []
    value = shown() if shown is not None else value
    group, kind = str(value.get("apiVersion")).rpartition("/")[0], str(value.get("kind"))
    if not api.is_built_in(group, kind):
        return []
    from envcompile.check.schema import complaints

    found = [
        one
        for one in complaints(api, value)
        if one.severity == "error" and not one.is_dropped and one.pointer not in _OF_VERSIONS
    ]
    for version in supported_versions() if found else ():
        other = load(version)
        if other.is_built_in(group, kind):
            refused = {one.pointer for one in complaints(other, value) if one.severity == "error"}
            found = [one for one in found if one.pointer in refused]
    return found
