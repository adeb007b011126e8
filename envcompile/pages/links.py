"""Where links lead: to pages of `envc ui`, or to places within a report. No link is ever made of what others wrote."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.model import ResourceId

PAGES: Final = (
    ("/", "Overview"),
    ("/matrix", "Matrix"),
    ("/timeline", "Timeline"),
    ("/graph", "Graph"),
    ("/cost", "Cost"),
    ("/checks", "Checks"),
)
BUILT_IN_GROUPS: Final = frozenset({
    "",
    "apps",
    "autoscaling",
    "batch",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
})
"""Groups whose kinds people name without them."""


class Links:
    """The addresses of `envc ui`, or of places in a report; every text in them is quoted.

    What has no place in a report has no address there, and is text.

    Args:
        namespaces: environment -> its own namespace, which its addresses leave out.
        is_report: whether nothing may lead out of the page.
    """

    def __init__(self, namespaces: Mapping[str, str] = MappingProxyType({}), *, is_report: bool = False) -> None:
        self._namespaces = namespaces
        self.is_report = is_report

    def home(self) -> str:
        """The first page."""
        return "#main" if self.is_report else "/"

    def page(self, name: str, **query: str) -> str:
        """A page by its name, with the parameters that are not empty; the section of a report that says the same."""
        if self.is_report:
            return f"#r-{name}"
        kept = {key: value for key, value in query.items() if value}
        return f"/{_part(name)}" + (f"?{urlencode(kept)}" if kept else "")

    def graph(self, environment: str, **query: str) -> str:
        """What needs what in an environment."""
        if self.is_report:
            return "#r-graph"
        kept = {key: value for key, value in query.items() if value}
        return f"/graph/{_part(environment)}" + (f"?{urlencode(kept)}" if kept else "")

    def environment(self, name: str) -> str:
        """An environment."""
        return f"#e-{_part(name)}" if self.is_report else f"/env/{_part(name)}"

    def resource(self, environment: str, resource: ResourceId, line: int = 0) -> str:
        """A resource, and a line of its manifest; a report has no manifests."""
        if self.is_report:
            return ""
        group = "" if resource.group in BUILT_IN_GROUPS else f".{resource.group}"
        is_own = resource.namespace in {"", self._namespaces.get(environment)}
        query = "" if is_own else f"?{urlencode({'namespace': resource.namespace})}"
        kind = _part(f"{resource.kind}{group}".lower())
        address = f"/r/{_part(environment)}/{kind}/{_part(resource.name)}{query}"
        return f"{address}#L{line}" if line else address

    def compare(self, left: str, right: str) -> str:
        """Two environments, or two revisions; a report compares all environments in its matrix."""
        return "" if self.is_report else f"/compare/{_part(left)}/{_part(right)}"

    def change(self, commit: str) -> str:
        """A change in the timeline."""
        place = f"#c{_part(commit[:10])}"
        return place if self.is_report else f"/timeline?{urlencode({'commit': commit})}{place}"


def _part(text: str) -> str:
    return quote(text, safe="") if text not in {".", ".."} else text.replace(".", "%2E")
