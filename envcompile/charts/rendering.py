"""What the real helm makes of a chart in one environment: objects, without what only Helm itself has a use for."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile import yamlio
from envcompile.adopt.existing import shortly, without_repeats
from envcompile.adopt.manifests import to_objects
from envcompile.adopt.namespaces import is_namespaced
from envcompile.compose.identity import Identifier
from envcompile.compose.settings import Exclusions
from envcompile.errors import EnvcError, Problems
from envcompile.kubernetes import load
from envcompile.kubernetes.helm import HOOK, sort_leftovers
from envcompile.sources.tree import File
from envcompile.sources.yamlfiles import split_file
from envcompile.values import leaves

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from envcompile.adopt.existing import Existing
    from envcompile.charts.archives import Archive
    from envcompile.charts.helm import Helm
    from envcompile.charts.wanted import Wanted
    from envcompile.kubernetes import KubeApi
    from envcompile.model import Location

_PART: Final = re.compile(rb"(?m)^---[ ]*\r?$(?=\n# Source: )")
_SOURCE: Final = re.compile(rb"\n# Source: ([^\r\n]+)")
_CRD: Final = "CustomResourceDefinition"
_BINDINGS: Final = frozenset({"RoleBinding", "ClusterRoleBinding"})
_SHOWN: Final = 6
_SHORT: Final = 3
SECRET_NAME: Final = re.compile(r"pass|secret|token|key|cert|salt|seed|uuid|random|hash|credential", re.IGNORECASE)
"""How values are called that hold secrets, or what is made up anew each time."""


class Rendering(NamedTuple):
    """The objects of one chart in one environment, and what people should know about them."""

    wanted: Wanted
    archive: Archive
    objects: tuple[Existing, ...]
    notes: tuple[str, ...]
    api: KubeApi
    """The kinds of the environment's Kubernetes version and of the chart's definitions."""

    def __repr__(self) -> str:
        return f"Rendering({self.wanted})"


def printed(
    helm: Helm,
    wanted: Wanted,
    archive: Archive,
    where: Sequence[Location] = (),
    *,
    values: Mapping[str, Any] | None = None,
    with_crds: bool = True,
) -> bytes:
    """What `helm template` prints of a chart, without its tests.

    Args:
        helm: the program.
        wanted: the chart in an environment.
        archive: its archive.
        where: the place of the chart in envc.yaml.
        values: other values than the environment's.
        with_crds: whether the definitions of `crds/` are printed, too.

    Raises:
        EnvcError: helm refuses the values, or the templates.
    """
    with tempfile.TemporaryDirectory(prefix="envc-values-") as folder:
        file = Path(folder) / "values.json"
        file.touch(mode=0o600)
        given = wanted.values if values is None else values
        file.write_text(json.dumps(given), encoding="utf-8")
        command = [wanted.chart.name, str(archive.path), "--namespace", wanted.namespace, "--values", str(file)]
        command += ["--skip-tests", "--kube-version", f"{wanted.kubernetes}.0"]
        command += ["--include-crds"] if with_crds and wanted.chart.crds else []
        for name in wanted.api_versions:
            command += ["--api-versions", name]
        shown = f"{wanted.chart.name} ({wanted.source.chart} {archive.version}) for {wanted.environment}"
        return helm.template(command, shown, where, secret_texts(given))


def secret_texts(values: Mapping[str, Any]) -> list[str]:
    """The texts of values that are called like secrets."""
    return [
        item
        for pointer, item in leaves(values)
        if isinstance(item, str) and len(item) > _SHORT and any(SECRET_NAME.search(str(part)) for part in pointer)
    ]


def parts_of(text: bytes) -> list[bytes]:
    """The documents of what helm printed, as bytes, each with the line that names its template."""
    return [part for part in _PART.split(b"\n" + text) if _SOURCE.match(part)]


def bodies_by_template(text: bytes) -> dict[str, bytes]:
    """The documents of what helm printed, by the template that made them, without the lines that name it.

    Args:
        text: what `helm template` prints.
    """
    found: dict[str, list[bytes]] = {}
    for part in parts_of(text):
        source = _SOURCE.match(part)
        if source is not None:
            body = part[source.end() :].removeprefix(b"\r").removeprefix(b"\n")
            found.setdefault(source[1].decode(errors="replace"), []).append(body)
    return {template: b"---\n".join(_ended(body) for body in bodies) for template, bodies in found.items()}


def _ended(body: bytes) -> bytes:
    """The lines without the blank ones that templates leave at the end, unless a block of text keeps them."""
    bare = body.rstrip() + b"\n"
    whole = body if body.endswith(b"\n") else body + b"\n"
    return whole if re.search(rb"[|>][0-9]*\+", body) else bare


def objects_in(parts: Sequence[bytes]) -> list[Existing]:
    """The objects of parts that helm printed; their places are the templates that made them.

    Raises:
        EnvcError: what is printed is no YAML, or no object.
    """
    problems = Problems()
    found: list[Existing] = []
    for part in parts:
        source = _SOURCE.match(part)
        file = File(source[1].decode(errors="replace") if source else "chart", part)
        try:
            values = yamlio.load_all(part, file.path, last_wins=True)
            found += to_objects(split_file(file, values, "base", problems), problems)
        except EnvcError as error:
            problems.extend(error)
    problems.raise_any()
    return found


def rendering_of(wanted: Wanted, archive: Archive, text: bytes) -> Rendering:
    """The objects of what helm printed, as the base takes them.

    Raises:
        EnvcError: what is printed is no YAML, or no object.
    """
    found = objects_in(parts_of(text))
    api = load(wanted.kubernetes).with_crds(existing.value for existing in found)
    chart, notes = wanted.chart, list[str]()
    if chart.hooks == "leave":
        hooks = [existing for existing in found if _is_hook(existing.value)]
        found = [existing for existing in found if not _is_hook(existing.value)]
        if hooks:
            notes.append(
                f"left out, because only Helm runs hooks: {_listed(hooks)}; `hooks: keep` takes them, and Argo CD runs "
                "them as Helm did"
            )
    if not chart.crds:
        found = [existing for existing in found if existing.value["kind"] != _CRD]
    excluded = Exclusions(chart.exclude)
    identifier = Identifier(api, wanted.namespace, forced=False)
    left = [existing for existing in found if excluded.covers(identifier.identify(existing.value))]
    found = [existing for existing in found if existing not in left]
    if left:
        notes.append(f"left out, as `exclude` says: {_listed(left)}")
    if chart.exclude and not left:
        notes.append("`exclude` names nothing that the chart makes")
    marks = sort_leftovers((existing.value for existing in found), cleans=True)
    cleaned = [found[position]._replace(value=value) for position, value in marks.kept]
    problems = Problems()
    cleaned = list(without_repeats(f"{wanted.environment}, chart {chart.name}", cleaned, problems))
    problems.raise_any()
    placed = [existing._replace(value=in_namespace(existing.value, wanted.namespace, api)) for existing in cleaned]
    return Rendering(wanted, archive, tuple(placed), tuple(notes), api)


def _is_hook(value: dict[str, Any]) -> bool:
    annotations = value["metadata"].get("annotations")
    return isinstance(annotations, dict) and HOOK in annotations


def _listed(objects: Sequence[Existing]) -> str:
    return shortly([f"{one.value['kind']}/{one.value['metadata'].get('name')}" for one in objects], _SHOWN)


def in_namespace(value: dict[str, Any], namespace: str, api: KubeApi) -> dict[str, Any]:
    """The object with the namespace that Helm installs it into, also where it names accounts."""
    metadata = value["metadata"]
    if not is_namespaced(api, value):
        if "namespace" in metadata:
            value = {**value, "metadata": {key: item for key, item in metadata.items() if key != "namespace"}}
    elif not metadata.get("namespace"):
        value = {**value, "metadata": {**metadata, "namespace": namespace}}
    subjects = value.get("subjects")
    if value["kind"] in _BINDINGS and isinstance(subjects, list):
        value = {**value, "subjects": [_placed(subject, namespace) for subject in subjects]}
    return value


def _placed(subject: Any, namespace: str) -> Any:
    if isinstance(subject, dict) and subject.get("kind") == "ServiceAccount" and not subject.get("namespace"):
        return {**subject, "namespace": namespace}
    return subject
