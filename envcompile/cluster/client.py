"""One cluster, asked one question after the other: discovery, lists, objects, dry runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import httpx2
import orjson

from envcompile.cluster.answers import ApiError, NoAnswerError, broken, no_json, refusal
from envcompile.cluster.kinds import (
    AGGREGATED,
    DEFINITIONS,
    joined,
    of_list,
    read_groups,
    stored_versions,
)
from envcompile.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Self

    from envcompile.cluster.kinds import ApiKind, Discovered
    from envcompile.cluster.kubeconfig import Access

PAGE: Final = 500
"""Objects of one page of a list, as client-go asks for."""
ATTEMPTS: Final = 5
"""How often a list is begun anew whose pages the server has forgotten."""
HEADERS: Final = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "envc"}
"""`identity`: a compressed watch is one gzip member a flush, of which httpx decodes the first only."""
TIMEOUT: Final = httpx2.Timeout(60.0, connect=10.0)
"""Seconds; a list of many thousand objects may take its time."""
APPLY_PATCH: Final = "application/apply-patch+yaml"


class Listing(NamedTuple):
    """All objects of a list, and the version of the cluster that it shows."""

    items: list[dict[str, Any]]
    resource_version: str


class Cluster:
    """A connection to one cluster; `with` closes it.

    Every method raises `ApiError` for what the server refuses and `NoAnswerError` when it cannot be reached; both are
    `UnavailableError`s with clear words.
    """

    def __init__(self, access: Access, *, timeout: httpx2.Timeout = TIMEOUT) -> None:
        self.access = access
        self._http = httpx2.Client(**settings_of(access), timeout=timeout)
        self._discovered: Discovered | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def request(
        self,
        method: str,
        path: str,
        *,
        what: str,
        params: Mapping[str, str | int] | None = None,
        body: Any = None,
        content_type: str = "application/json",
        accept: str = "application/json",
    ) -> Any:
        """Ask something of the server; its answer as JSON.

        Args:
            method: the HTTP method.
            path: such as `/api/v1/pods`.
            what: the question as messages name it, `list pods`.
            params: those of the address.
            body: a value that is sent as JSON.
            content_type: what the body is.
            accept: what the answer shall be.
        """
        headers = {"Accept": accept, **({"Content-Type": content_type} if body is not None else {})}
        try:
            response = self._http.request(
                method,
                path,
                params=dict(params or {}),
                content=orjson.dumps(body) if body is not None else None,
                headers=headers,
                extensions=extensions_of(self.access),
            )
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
            raise broken(self.access, what, error) from error
        if not response.is_success:
            raise refusal(self.access, what, response.status_code, response.content, response.headers)
        try:
            return orjson.loads(response.content)
        except orjson.JSONDecodeError as error:
            raise no_json(self.access, what, response.content) from error

    def version(self) -> str:
        """The server's version, such as `v1.37.2`."""
        said = self.request("GET", "/version", what="tell its version")
        return str(said.get("gitVersion", "")) if isinstance(said, dict) else ""

    def discover(self) -> Discovered:
        """All kinds that the cluster serves; asked once."""
        if self._discovered is None:
            self._discovered = self._discover()
        return self._discovered

    def forget(self) -> None:
        """Ask for the kinds anew the next time: a definition has come or gone."""
        self._discovered = None

    def objects(self, kind: ApiKind, *, namespace: str = "", labels: str = "", fields: str = "") -> Listing:
        """All objects of a kind, asked for page by page, each with its `apiVersion` and `kind`.

        Args:
            kind: the kind.
            namespace: only those of this namespace.
            labels: a label selector.
            fields: a field selector.
        """
        for attempt in range(ATTEMPTS):
            items: list[dict[str, Any]] = []
            version = ""
            try:
                for page in self._pages(kind, namespace, labels, fields):
                    items += complete(page, kind)
                    version = str(page.get("metadata", {}).get("resourceVersion", ""))
            except ApiError as error:
                if not error.is_expired or attempt == ATTEMPTS - 1:
                    raise
                continue
            return Listing(items, version)
        raise AssertionError("every attempt returns or raises")

    def get(self, kind: ApiKind, name: str, namespace: str = "") -> dict[str, Any] | None:
        """One object; None when it is not there."""
        try:
            found: dict[str, Any] = self.request("GET", kind.path(namespace, name), what=f"get {kind.title} {name}")
        except ApiError as error:
            if error.status == 404:
                return None
            raise
        return found

    def create(self, kind: ApiKind, value: dict[str, Any], *, dry_run: bool, manager: str = "envc") -> dict[str, Any]:
        """Create an object, or with `dry_run` ask what the server would make of it; the object with all defaults."""
        metadata = value.get("metadata", {})
        params = {"fieldManager": manager, **({"dryRun": "All"} if dry_run else {})}
        path = kind.path(str(metadata.get("namespace") or ""))
        what = f"create {kind.title} {metadata.get('name', '')}"
        found: dict[str, Any] = self.request("POST", path, what=what, params=params, body=value)
        return found

    def apply(
        self, kind: ApiKind, value: dict[str, Any], *, dry_run: bool, manager: str = "envc", force: bool = True
    ) -> dict[str, Any]:
        """Apply an object server-side, or with `dry_run` ask what would come of it."""
        metadata = value.get("metadata", {})
        name = str(metadata.get("name", ""))
        params = {"fieldManager": manager, "force": str(force).lower(), **({"dryRun": "All"} if dry_run else {})}
        found: dict[str, Any] = self.request(
            "PATCH",
            kind.path(str(metadata.get("namespace") or ""), name),
            what=f"apply {kind.title} {name}",
            params=params,
            body=value,
            content_type=APPLY_PATCH,
        )
        return found

    def _pages(self, kind: ApiKind, namespace: str, labels: str, fields: str) -> Iterator[dict[str, Any]]:
        more = ""
        while True:
            params: dict[str, str | int] = {"limit": PAGE, **selected(labels, fields)}
            if more:
                params["continue"] = more
            page = self.request("GET", kind.path(namespace), what=f"list {kind.title}", params=params)
            if not isinstance(page, dict):
                raise no_json(self.access, f"list {kind.title}", b"")
            yield page
            more = str(page.get("metadata", {}).get("continue") or "")
            if not more:
                return

    def _discover(self) -> Discovered:
        documents = [self.request("GET", path, what="tell its kinds", accept=AGGREGATED) for path in ("/api", "/apis")]
        stored = self._stored()
        if all(isinstance(one, dict) and one.get("kind") == "APIGroupDiscoveryList" for one in documents):
            return read_groups(documents, stored)
        return self._discover_by_group(documents, stored)

    def _stored(self) -> dict[tuple[str, str], str]:
        """Versions in storage; none where the definitions may not be read."""
        try:
            return stored_versions(self.objects(DEFINITIONS).items)
        except UnavailableError:
            return {}

    def _discover_by_group(self, documents: list[Any], stored: Mapping[tuple[str, str], str]) -> Discovered:
        core, groups = documents
        asked = [("", str(version)) for version in core.get("versions", ())]
        for group in groups.get("groups", ()):
            preferred = (group.get("preferredVersion") or {}).get("version")
            versions = sorted((one["version"] for one in group["versions"]), key=lambda one: one != preferred)
            asked += [(str(group["name"]), str(version)) for version in versions]
        kinds: list[ApiKind] = []
        silent = []
        for group, version in asked:
            path = f"/apis/{group}/{version}" if group else f"/api/{version}"
            try:
                kinds += of_list(group, version, self.request("GET", path, what="tell its kinds").get("resources", ()))
            except (ApiError, NoAnswerError):
                silent.append(f"{group}/{version}")
        return joined(kinds, stored, silent)


def settings_of(access: Access) -> dict[str, Any]:
    """What a client of httpx is made with."""
    return {
        "base_url": access.server,
        "verify": access.verify,
        "auth": access.auth,
        "proxy": access.proxy,
        "headers": HEADERS,
        # A server that sends elsewhere is no API server, and must not be given the token.
        "follow_redirects": False,
    }


def extensions_of(access: Access) -> dict[str, Any]:
    """What a single request needs beside."""
    return {"sni_hostname": access.server_name} if access.server_name else {}


def selected(labels: str, fields: str) -> dict[str, str]:
    """The parameters of a list or watch that picks objects."""
    return {
        **({"labelSelector": labels} if labels else {}),
        **({"fieldSelector": fields} if fields else {}),
    }


def complete(page: dict[str, Any], kind: ApiKind) -> list[dict[str, Any]]:
    """The objects of a list, which leaves out what all have in common."""
    return [{"apiVersion": kind.api_version, "kind": kind.kind, **item} for item in page.get("items") or ()]
