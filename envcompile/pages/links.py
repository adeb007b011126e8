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
BUILT_IN_GROUPS: Final = frozenset({"", "apps", "autoscaling", "batch", "networking.k8s.io", "policy", "rbac.authorization.k8s.io"})
"""Groups whose kinds people name without them."""


class Links:
    """The addresses of `envc ui`; every text in them is quoted, so that each begins with a slash or a number sign."""

    is_report: bool = False

    def __init__(self, namespaces: Mapping[str, str] = MappingProxyType({})) -> None:
        self._namespaces = namespaces

    def home(self) -> str:
        """The first page."""
        return "/"

    def page(self, name: str, **query: str) -> str:
        """A page by its name, with the parameters that are not empty."""
        kept = {key: value for key, value in query.items() if value}
        return f"/{name}" + (f"?{urlencode(kept)}" if kept else "")

    def environment(self, name: str) -> str:
        """An environment."""
        return f"/env/{_part(name)}"

    def resource(self, environment: str, resource: ResourceId, line: int = 0) -> str:
        """A resource, and a line of its manifest."""
        group = "" if resource.group in BUILT_IN_GROUPS else f".{resource.group}"
        kind = f"{resource.kind}{group}"
        is_own = resource.namespace in {"", self._namespaces.get(environment)}
        query = "" if is_own else f"?{urlencode({'namespace': resource.namespace})}"
        address = f"/r/{_part(environment)}/{_part(kind.lower())}/{_part(resource.name)}{query}"
        return f"{address}#L{line}" if line else address

    def compare(self, left: str, right: str) -> str:
        """Two environments, or two revisions."""
        return f"/compare/{_part(left)}/{_part(right)}"

    def change(self, commit: str) -> str:
        """A change in the timeline."""
        return f"/timeline?{urlencode({'commit': commit})}#c{commit[:10]}"


class ReportLinks(Links):
    """Within a report nothing leads out of it: what has no place there has no address, and is text."""

    is_report = True

    def home(self) -> str:
        """The top of the report."""
        return "#main"

    def page(self, name: str, **query: str) -> str:
        """The section that says what the page says."""
        del query
        return f"#r-{name.partition('/')[0]}" if name else "#main"

    def environment(self, name: str) -> str:
        """The part about an environment."""
        return f"#e-{_part(name)}"

    def resource(self, environment: str, resource: ResourceId, line: int = 0) -> str:
        """Nothing: a report has no manifests."""
        del environment, resource, line
        return ""

    def compare(self, left: str, right: str) -> str:
        """Nothing: the matrix has all environments."""
        del left, right
        return ""

    def change(self, commit: str) -> str:
        """A row of the table of changes."""
        return f"#c{commit[:10]}"


def _part(text: str) -> str:
    return quote(text, safe="") if text not in {".", ".."} else text.replace(".", "%2E")
