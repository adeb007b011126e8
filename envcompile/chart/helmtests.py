"""Makes the pods that `helm test` starts: each asks whether one Service of the release takes connections.

They are hooks (https://helm.sh/docs/topics/chart_tests/), no part of what manifests say: a proof leaves them out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from envcompile.chart.naming import CLOSE, OPEN
from envcompile.chart.scalars import tree
from envcompile.chart.shapes import Const, Entry, Items, Leaf, Map, Spelled, Template, Text, TextPiece
from envcompile.chart.values import Section
from envcompile.kubernetes.images import parse_exact_image
from envcompile.values import ABSENT

if TYPE_CHECKING:
    from envcompile.chart.shapes import Node

FOLDER: Final = "templates/tests/"
KEY: Final = "helmTest"
_HOOK: Final = {"helm.sh/hook": "test", "helm.sh/hook-delete-policy": "before-hook-creation,hook-succeeded"}
_SECONDS: Final = 10
_POD: Final[dict[str, Any]] = {
    "restartPolicy": "Never",
    "automountServiceAccountToken": False,
    "securityContext": {"runAsNonRoot": True, "runAsUser": 65534, "seccompProfile": {"type": "RuntimeDefault"}},
}
_CONTAINER: Final[dict[str, Any]] = {
    "securityContext": {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    },
    "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "16Mi"}},
}
SCHEMA: Final = """\
{
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "image": {
          "type": "object",
          "additionalProperties": false,
          "properties": {
            "repository": {"type": "string"},
            "tag": {"type": ["string", "integer"]},
            "digest": {"type": "string"}
          }
        }
      }
    }"""


def section_of(image: str) -> Section:
    """What values.yaml says of the image."""
    found = parse_exact_image(image)
    names = ("repository", "tag", "digest")
    parts = (
        dict(zip(names, found, strict=True)) if found is not None else {"repository": image, "tag": "", "digest": ""}
    )
    text = f"{KEY}:\n  # -- The image of the pods that `helm test` starts: it needs `sh` and `nc`\n  image:"
    return Section(text + tree(parts, 4), (), "")


def test_of(template: Template, chart: str, *, renames: bool) -> Template | None:
    """The pod that tests a Service, there where the Service is; None for one that cannot be connected to.

    Args:
        template: the Service.
        chart: the chart's name.
        renames: names follow the release's.
    """
    subject = template.subject
    if subject.kind != "Service" or subject.group:
        return None
    spec = _at(template.node, "spec")
    ports = [node for node in map(_port, _items(_at(spec, "ports"))) if node is not None]
    if not ports or "ExternalName" in _values(_at(spec, "type")):
        return None
    name = f"{subject.stem.strip('~')}-test"
    metadata = [
        Entry("name", Const(f"{OPEN}{name}{CLOSE}" if renames else name)),
        Entry("annotations", Const(_HOOK)),
    ]
    metadata += [one for one in _entries(_at(template.node, "metadata")) if one.key == "namespace"]
    pieces = [TextPiece("set -e\nfor port in", None)]
    for port in ports:
        before = f"{pieces.pop().literal} "
        if isinstance(port, Leaf):
            pieces += [TextPiece(before, port.hole), TextPiece("", None)]
        else:
            pieces.append(TextPiece(f"{before}{port.value}", None))
    pieces[-1] = TextPiece(f'{pieces[-1].literal}; do nc -z -w {_SECONDS} "$SERVICE" "$port"; done\n', None)
    image = Spelled(f'include "{chart}.image" (dict "image" .Values.{KEY}.image "global" .Values.global) | quote')
    variable = Map((
        Entry("name", Const("SERVICE")),
        Entry("value", _at(template.node, "metadata", "name") or Const("")),
    ))
    container = Map((
        Entry("name", Const("test")),
        Entry("image", image),
        Entry("command", Items((Entry(None, Const("sh")), Entry(None, Const("-c")), Entry(None, _script(pieces))))),
        Entry("env", Items((Entry(None, variable),))),
        *[Entry(key, Const(value)) for key, value in _CONTAINER.items()],
    ))
    pod = Map((
        *[Entry(key, Const(value)) for key, value in _POD.items()],
        Entry("containers", Items((Entry(None, container),))),
    ))
    node = Map((
        Entry("apiVersion", Const("v1")),
        Entry("kind", Const("Pod")),
        Entry("metadata", Map(tuple(metadata))),
        Entry("spec", pod),
    ))
    return Template(subject, node, template.flag)


def _script(pieces: list[TextPiece]) -> Node:
    return Text(tuple(pieces), "set -e\n")


def _port(item: Node) -> Leaf | Const | None:
    """The number of a port that one can connect to; None for one of another protocol, or that is not always there."""
    if any(value != "TCP" for value in _values(_at(item, "protocol"))):
        return None
    found = _at(item, "port")
    return found if isinstance(found, Leaf | Const) else None


def _values(node: Node | None) -> list[Any]:
    """What a scalar is in each environment that has it."""
    match node:
        case Const(value):
            return [value]
        case Leaf(hole):
            return [value for value in hole.values.values() if value is not ABSENT]
    return []


def _entries(node: Node | None) -> list[Entry]:
    match node:
        case Map(entries):
            return list(entries)
        case Const(value) if isinstance(value, dict):
            return [Entry(key, Const(item)) for key, item in value.items()]
    return []


def _items(node: Node | None) -> list[Node]:
    """The items of a list that are always there."""
    match node:
        case Items(entries):
            return [one.node for one in entries if not one.guards]
        case Const(value) if isinstance(value, list):
            return [Const(item) for item in value]
    return []


def _at(node: Node | None, *way: str) -> Node | None:
    """A part of a map that is always there; None for any other."""
    for key in way:
        node = next((one.node for one in _entries(node) if one.key == key and not one.guards), None)
    return node
