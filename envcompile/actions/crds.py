"""`envc crds add`: CustomResourceDefinitions from files or a cluster, kept for their schemas alone."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple
from urllib.parse import quote

from envcompile.errors import Problem, Problems, UnavailableError, UsageError, fail
from envcompile.files import read_below, write_below
from envcompile.kubernetes.crds import read_crds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from envcompile.units.project import Project

FOLDER: Final = "crds"
"""Where definitions go in a project that names no folder for them."""

_FOR_PEOPLE: Final = frozenset({"description", "title", "example", "externalDocs"})
_PATH: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_KIND: Final = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition"}
_PAGE: Final = 10
"""Definitions that are asked for at once: the largest have a megabyte and more."""


class Added(NamedTuple):
    """One definition that was taken over."""

    name: str
    file: str
    state: Literal["new", "same", "changed"]


def definitions_in(data: bytes, file: str) -> list[dict[str, Any]]:
    """The CustomResourceDefinitions in a file.

    Raises:
        UsageError: there is none.
        EnvcError: the file is not YAML or JSON, or a definition tells nothing of its kind.
    """
    from envcompile.yamlio import load_all

    documents: list[Any] = []
    for document in load_all(data, file):
        items = document.get("items") if isinstance(document, dict) else None
        is_list = isinstance(items, list) and str(document.get("kind", "")).endswith("List")
        documents += items if is_list and isinstance(items, list) else [document]
    found = [document for document in documents if next(read_crds([document]), None) is not None]
    if not found:
        fix = "give a file with apiextensions.k8s.io/v1 definitions, or --from-cluster"
        raise UsageError([Problem(f"{file} holds no CustomResourceDefinition", fix)])
    problems = Problems()
    for definition in found:
        for what in _broken(definition):
            problems.add(
                f"{what} in a CustomResourceDefinition of {file}", "give the definition as the operator has it"
            )
    problems.raise_any()
    return found


def _broken(definition: dict[str, Any]) -> Iterator[str]:
    """What keeps a definition from telling of its kind: no version is called something and has a schema."""
    versions = definition["spec"].get("versions")
    if not isinstance(versions, list) or not versions:
        yield "`spec.versions` is no list of versions"
        return
    for position, version in enumerate(versions):
        where = f"spec.versions[{position}]"
        if not isinstance(version, dict) or not isinstance(version.get("name"), str):
            yield f"`{where}` has no name"
            continue
        schema = version.get("schema")
        if schema is not None and not isinstance(schema, dict):
            yield f"`{where}.schema` is no map"
        elif not isinstance((schema or {}).get("openAPIV3Schema") or {}, dict):
            yield f"`{where}.schema.openAPIV3Schema` is no map"


def definitions_of_cluster(get: Callable[[str], bytes]) -> Iterator[dict[str, Any]]:
    """All definitions that an API server has.

    Args:
        get: asks it for a path.

    Raises:
        UnavailableError: it answers with something else.
    """
    page = ""
    while True:
        try:
            answer = json.loads(get(f"{_PATH}?limit={_PAGE}{page and f'&continue={quote(page)}'}"))
            items = [{**_KIND, **each} for each in answer["items"]]
            page = answer["metadata"].get("continue") or ""
        except (ValueError, LookupError, TypeError, AttributeError):
            what = "the API server does not answer with a list of definitions"
            raise UnavailableError([Problem(what, "check the kubeconfig's server, and proxies on the way")]) from None
        yield from (each for each in items if any(True for _ in read_crds([each])) and not any(_broken(each)))
        if not page:
            return


def wanted_of(project: Project) -> frozenset[tuple[str, str]]:
    """The (group, kind)s that the project's resources have and Kubernetes has not."""
    from envcompile.actions.build import compile_all

    return frozenset(
        (resource.id.group, resource.id.kind)
        for built in compile_all(project, project.choose([]))
        for resource in built.compiled.resources
        if not built.composed.api.is_built_in(resource.id.group, resource.id.kind)
    )


def add(project: Project, definitions: Iterable[dict[str, Any]]) -> list[Added]:
    """Write definitions into the project's folder for them, and name the folder in envc.yaml.

    Raises:
        EnvcError: a definition has no name of its own, or a file cannot be written.
    """
    folder = _folder(project)
    added = []
    for definition in definitions:
        name = _name(definition)
        file = f"{folder}/{name}.yaml"
        added.append(Added(name, file, _write(project, file, trimmed(definition))))
    if added and not project.settings.crds:
        _declare(project, folder)
    return sorted(added)


def trimmed(definition: dict[str, Any]) -> dict[str, Any]:
    """A definition with what tells of its kind's schema: no descriptions, nothing of its life in a cluster."""
    spec = definition["spec"]
    versions = [
        {
            **{key: version[key] for key in ("name", "served", "storage", "deprecated") if key in version},
            "schema": {"openAPIV3Schema": _plain((version.get("schema") or {}).get("openAPIV3Schema") or {})},
        }
        for version in spec.get("versions") or ()
    ]
    return {
        "apiVersion": definition["apiVersion"],
        "kind": definition["kind"],
        "metadata": {"name": definition["metadata"]["name"]},
        "spec": {**{key: spec[key] for key in ("group", "names", "scope") if key in spec}, "versions": versions},
    }


def _plain(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    found: dict[str, Any] = {}
    for key, inner in schema.items():
        if key == "properties" and isinstance(inner, dict):
            found[key] = {name: _plain(of) for name, of in inner.items()}
        elif key in {"items", "additionalProperties", "not"}:
            found[key] = _plain(inner)
        elif key in {"allOf", "anyOf", "oneOf"} and isinstance(inner, list):
            found[key] = [_plain(of) for of in inner]
        elif key not in _FOR_PEOPLE:
            found[key] = inner
    return found


def _name(definition: dict[str, Any]) -> str:
    metadata = definition.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if not isinstance(name, str) or name in {"", ".", ".."} or PurePosixPath(name).name != name:
        raise fail(f"a CustomResourceDefinition is called `{name}`", "its name is PLURAL.GROUP")
    return name


def _folder(project: Project) -> str:
    """The first folder that `crds` of envc.yaml names."""
    folders: Sequence[str] = [path for path in project.settings.crds if (project.root / path).is_dir()]
    return folders[0].rstrip("/") if folders else FOLDER


def _write(project: Project, file: str, value: dict[str, Any]) -> Literal["new", "same", "changed"]:
    from envcompile.yamlio import dump

    text = dump(value).encode()
    before = read_below(project.root, file)
    if before == text:
        return "same"
    write_below(project.root, file, text)
    return "new" if before is None else "changed"


def _declare(project: Project, folder: str) -> None:
    from envcompile.yamlio import edit

    text = (read_below(project.root, "envc.yaml") or b"").decode()
    write_below(project.root, "envc.yaml", edit.set_value(text, 0, ("crds",), [folder], file="envc.yaml").encode())
