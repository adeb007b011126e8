"""Which kinds a cluster serves: its aggregated discovery documents, group by group on servers older than 1.30.

Of several versions of a kind the one in storage is taken where a definition tells it, else the preferred one: a
conversion webhook that dies makes watches of every other version silent.

Source: kubernetes.io, "The Kubernetes API" (aggregated discovery; discovery without it).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.errors import Problem, UsageError, did_you_mean
from envcompile.kubernetes.kindwords import kinds_meant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

AGGREGATED: Final = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


class ApiKind(NamedTuple):
    """A kind as a cluster serves it, in one version."""

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    verbs: tuple[str, ...] = ()
    short_names: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        """What objects have as `apiVersion`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def title(self) -> str:
        """The kind as messages name it: `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str = "", name: str = "") -> str:
        """The way to the kind's objects, to those of a namespace, or to one."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        within = f"/namespaces/{namespace}" if namespace and self.namespaced else ""
        return f"{root}{within}/{self.plural}{f'/{name}' if name else ''}"


DEFINITIONS: Final = ApiKind(
    "apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", namespaced=False
)
"""The kind of all definitions of custom kinds."""


class Discovered(NamedTuple):
    """All kinds of a cluster, each in one version, and the groups whose server does not answer."""

    kinds: tuple[ApiKind, ...]
    silent: tuple[str, ...]
    versions: tuple[ApiKind, ...]
    """Every kind in every version that is served."""

    def find(self, word: str) -> ApiKind:
        """The kind that a word means: `Deployment`, `deploy`, `deployments`, `deployments.apps`.

        Raises:
            UsageError: there is no such kind.
        """
        name, _, group = word.partition(".")
        meant = kinds_meant(name)
        named = [
            one
            for one in self.kinds
            if (one.kind.lower() in meant or one.plural == name.lower() or name.lower() in one.short_names)
            and (not group or one.group == group)
        ]
        if not named:
            known = sorted({one.kind for one in self.kinds})
            raise UsageError([
                Problem(f"the cluster serves no kind `{word}`", did_you_mean(name, known, "envc live stats lists them"))
            ])
        return min(named, key=lambda one: (one.kind.lower() != name.lower(), "." in one.group, one.group))

    def of(self, api_version: str, kind: str) -> ApiKind | None:
        """The kind that an object is of; None where the cluster does not serve it."""
        return next((one for one in self.versions if one.kind == kind and one.api_version == api_version), None)


def read_groups(documents: Iterable[Any], stored: Mapping[tuple[str, str], str]) -> Discovered:
    """What aggregated discovery documents tell.

    Args:
        documents: the answers of `/api` and `/apis`.
        stored: the version in storage by group and plural, as definitions name it.
    """
    found: list[ApiKind] = []
    silent: list[str] = []
    for document in documents:
        for item in document.get("items", ()):
            group = item.get("metadata", {}).get("name", "")
            for version in item.get("versions", ()):
                if version.get("freshness") == "Stale":
                    silent.append(f"{group}/{version.get('version')}")
                found += _kinds(group, version)
    return joined(found, stored, silent)


def of_list(group: str, version: str, resources: Iterable[Mapping[str, Any]]) -> Iterator[ApiKind]:
    """The kinds of one group and version as servers without aggregated discovery tell them (an APIResourceList)."""
    for one in resources:
        if "/" not in str(one.get("name", "")):
            yield ApiKind(
                group,
                version,
                str(one.get("kind")),
                str(one["name"]),
                bool(one.get("namespaced")),
                tuple(sorted(one.get("verbs") or ())),
                tuple(one.get("shortNames") or ()),
            )


def joined(kinds: Iterable[ApiKind], stored: Mapping[tuple[str, str], str], silent: Iterable[str]) -> Discovered:
    """All kinds with one version of each; those of preferred versions come first."""
    every = list(kinds)
    chosen: dict[tuple[str, str], ApiKind] = {}
    for kind in every:
        key = (kind.group, kind.plural)
        if key not in chosen or stored.get(key) == kind.version:
            chosen[key] = kind
    return Discovered(tuple(sorted(chosen.values())), tuple(silent), tuple(every))


def stored_versions(definitions: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    """The version in storage of each custom kind, by group and plural."""
    found: dict[tuple[str, str], str] = {}
    for one in definitions:
        spec = one.get("spec", {})
        plural = spec.get("names", {}).get("plural", "")
        for version in spec.get("versions", ()):
            if version.get("storage") and version.get("served"):
                found[spec.get("group", ""), plural] = version["name"]
    return found


def _kinds(group: str, version: Mapping[str, Any]) -> Iterator[ApiKind]:
    for one in version.get("resources", ()):
        kind = (one.get("responseKind") or {}).get("kind")
        if kind:
            yield ApiKind(
                group,
                str(version["version"]),
                str(kind),
                str(one["resource"]),
                one.get("scope") == "Namespaced",
                tuple(sorted(one.get("verbs") or ())),
                tuple(one.get("shortNames") or ()),
            )
