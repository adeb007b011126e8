"""What kube-apiserver estimates rules of custom kinds at: `python -m tests.oracles.cel_estimates` asks it anew.

Nothing but a refusal tells an estimate. So every rule of tests/check/cel/estimates.txt stands in a list that may be so
long that the rule is refused, and the refusal says by how much it is too dear. Wanted is the length of that list (after
`#`): it decides how many digits are told.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.oracles.cluster import Cluster, running_cluster
from tests.oracles.tools import Tools

FOLDER = Path(__file__).parents[1] / "check" / "cel"
RULES = FOLDER / "estimates.txt"
ANSWERS = FOLDER / "estimates.jsonl"
_ANY_LENGTH = -1
_SHAPES: dict[str, Any] = {
    "s": {"type": "string", "maxLength": 100},
    "un": {"type": "string"},
    "e": {"type": "string", "enum": ["one", "three", "ö"]},
    "n": {"type": "integer"},
    "d": {"type": "number"},
    "yes": {"type": "boolean"},
    "by": {"type": "string", "format": "byte", "maxLength": 40},
    "t": {"type": "string", "format": "date-time"},
    "day": {"type": "string", "format": "date"},
    "dur": {"type": "string", "format": "duration"},
    "ios": {"x-kubernetes-int-or-string": True},
    "lim": {"x-kubernetes-int-or-string": True, "maxLength": 12},
    "names": {"type": "array", "maxItems": 7, "items": {"type": "string", "maxLength": 11}},
    "free": {"type": "array", "items": {"type": "string"}},
    "ints": {"type": "array", "maxItems": 9, "items": {"type": "integer"}},
    "labels": {"type": "object", "maxProperties": 5, "additionalProperties": {"type": "string", "maxLength": 20}},
    "open": {"type": "object", "additionalProperties": {"type": "string"}},
    "objs": {
        "type": "array",
        "maxItems": 6,
        "items": {
            "type": "object",
            "required": ["k"],
            "properties": {
                "k": {"type": "string", "maxLength": 8},
                "n": {"type": "integer"},
                "in": {"type": "array", "maxItems": 3, "items": {"type": "string", "maxLength": 4}},
            },
        },
    },
    "by-key": {
        "type": "object",
        "maxProperties": 4,
        "additionalProperties": {"type": "object", "properties": {"v": {"type": "string", "maxLength": 6}}},
    },
    "deep": {"type": "object", "properties": {"a": {"type": "object", "properties": {"b": {"type": "string"}}}}},
}


def rules() -> list[tuple[str, int]]:
    """Every rule with the length of the list that it stands in; -1 for one that nothing bounds."""
    found = []
    for line in RULES.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            text, _, length = line.rpartition(" # ")
            found.append((text, int(length)))
    return found


def schema(text: str, length: int) -> dict[str, Any]:
    """The schema of a whole object with a rule in it."""
    items = {"type": "object", "properties": _SHAPES, "x-kubernetes-validations": [{"rule": text}]}
    around: dict[str, Any] = {"type": "array", "items": items}
    if length != _ANY_LENGTH:
        around["maxItems"] = length
    return {"type": "object", "properties": {"spec": {"type": "object", "properties": {"list": around}}}}


def ask(cluster: Cluster, text: str, length: int) -> list[str]:
    """What the server says to a rule; nothing where it takes it."""
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "boxes.lab.example.com"},
        "spec": {
            "group": "lab.example.com",
            "scope": "Namespaced",
            "names": {"plural": "boxes", "singular": "box", "kind": "Box", "listKind": "BoxList"},
            "versions": [
                {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema(text, length)}}
            ],
        },
    }
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All"
    status, answer = cluster.post(path, definition)
    if status < 300:
        return []
    causes = answer.get("details", {}).get("causes", ())
    words = [str(cause["message"]) for cause in causes if "contributed to" not in cause["message"]]
    return [word.removeprefix("Forbidden: ") for word in words] or [str(answer.get("message"))]


def write(cluster: Cluster) -> None:
    """Ask about all rules, and write down what is said."""
    lines = [json.dumps([text, length, *ask(cluster, text, length)], ensure_ascii=False) for text, length in rules()]
    ANSWERS.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> int:
    """Write the answers anew."""
    tools = Tools.locate(os.environ)
    with tempfile.TemporaryDirectory() as folder, running_cluster(tools, Path(folder)) as cluster:
        write(cluster)
    return 0


if __name__ == "__main__":
    sys.exit(main())
