"""What makes two documents speak of the same Kubernetes object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from envcompile.kubernetes.kindwords import kinds_meant
from envcompile.model import GENERATED_DIGITS, ResourceId, generated_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.kubernetes import KubeApi


class Identifier:
    """Gives documents their identity in one environment.

    A namespace left out means the environment's; `forced` means that the environment's namespace always wins;
    cluster-scoped kinds have none.
    """

    __slots__ = ("_api", "_forced", "_kinds", "_namespace")

    def __init__(self, api: KubeApi, namespace: str | None, *, forced: bool) -> None:
        self._api = api
        self._namespace = namespace or ""
        self._forced = forced and bool(namespace)
        self._kinds: dict[tuple[str, str], tuple[str, bool]] = {}

    def identify(self, value: dict[str, Any]) -> ResourceId:
        """The identity of a document that has apiVersion, kind and a name (or generateName)."""
        metadata = value["metadata"]
        name = metadata.get("name") or generated_name(value)
        return self.named(value["apiVersion"], value["kind"], metadata.get("namespace"), name)

    def named(self, api_version: str, kind: str, namespace: str | None, name: str) -> ResourceId:
        """The identity of what a document calls so."""
        group, namespaced = self._kinds.get((api_version, kind)) or self.kind_of(api_version, kind)
        if not namespaced:
            return ResourceId(group, kind, "", name)
        if self._forced:
            return ResourceId(group, kind, self._namespace, name)
        return ResourceId(group, kind, namespace or self._namespace, name)

    def kind_of(self, api_version: str, kind: str) -> tuple[str, bool]:
        """The API group of a kind, and whether its objects live in a namespace; unknown kinds do."""
        known = self._kinds.get((api_version, kind))
        if known is None:
            group = api_version.rpartition("/")[0]
            known = self._kinds[api_version, kind] = (group, self._api.is_namespaced(group, kind) is not False)
        return known

    def keeps(self, identity: ResourceId, value: Any) -> bool:
        """Tell whether a changed value still is the resource of this identity."""
        if not isinstance(value, dict) or not isinstance(value.get("metadata"), dict):
            return False
        metadata = value["metadata"]
        name, prefix = metadata.get("name"), metadata.get("generateName")
        texts = (value.get("apiVersion"), value.get("kind"), prefix if name is None else name)
        if not all(isinstance(text, str) and text for text in texts):
            return False
        found = self.identify(value)
        if name is None:
            found = found._replace(name=f"{prefix}{identity.name[-GENERATED_DIGITS:]}")
        return found == identity

    def is_namespaced(self, resource: ResourceId) -> bool:
        """Tell whether objects of this kind live in a namespace; unknown kinds do."""
        return self._api.is_namespaced(resource.group, resource.kind) is not False


def select(wanted: str, known: Iterable[ResourceId]) -> list[ResourceId]:
    """The known resources that a name on the command line can mean.

    `KIND/NAME`, or `KIND.GROUP/NAME`, or `KIND/NAMESPACE/NAME`; the case of the kind does not matter, its plural and
    kubectl's short names do as well. Without a group a kind of the core API wins, as for kubectl.
    """
    kind, _, name = wanted.partition("/")
    namespace, is_placed, name = name.rpartition("/")
    kind, _, group = kind.lower().partition(".")
    meant = kinds_meant(kind)
    found = [
        resource
        for resource in known
        if resource.name == name
        and resource.kind.lower() in meant
        and (not group or _in_group(resource.group, group))
        and (not is_placed or resource.namespace == namespace)
    ]
    found = [resource for resource in found if resource.kind.lower() == kind] or found
    return [resource for resource in found if not resource.group and not group] or found


def _in_group(group: str, wanted: str) -> bool:
    return group.lower() == wanted or group.lower().startswith(f"{wanted}.")
