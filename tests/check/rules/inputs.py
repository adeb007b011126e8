"""Small environments for the tests of rules: documents of YAML, changed one thing at a time."""

from __future__ import annotations

import base64
import copy
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from envcompile.check.check_input import CheckInput, SealingKeys
from envcompile.check.rules.catalogue import RULES
from envcompile.kubernetes import load
from envcompile.kubernetes.fieldpath import format_field
from envcompile.model import Resource, ResourceId

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from envcompile.check.finding import Hit
    from envcompile.check.rule import Rule

HERE = Path(__file__).parent
CIPHERTEXT = base64.b64encode((512).to_bytes(2, "big") + bytes(512 + 16 + 9)).decode()
"""Has the form of a value sealed with a key of 4096 bits."""

KEYS = SealingKeys("kube-system", "sealed-secrets-controller")
Document = dict[str, Any]


def read(text: str) -> list[Document]:
    """The documents of a YAML text; `CIPHERTEXT` in it stands for a sealed value."""
    return [document for document in yaml.safe_load_all(text.replace("CIPHERTEXT", CIPHERTEXT)) if document]


def good() -> list[Document]:
    """The documents in which no rule finds anything."""
    return copy.deepcopy(_good())


@cache
def _good() -> list[Document]:
    return read((HERE / "good.yaml").read_text(encoding="utf-8"))


def inputs(documents: Iterable[Document], *, environment: str = "prod", version: str = "1.35") -> CheckInput:
    """An environment of documents, as a build would compose them."""
    known = list(documents)
    api = load(version).with_crds(known)
    resources = []
    for document in known:
        group, kind = document["apiVersion"].rpartition("/")[0], document["kind"]
        is_namespaced = api.is_namespaced(group, kind) is not False
        metadata = document["metadata"]
        namespace = metadata.get("namespace", "shop") if is_namespaced else ""
        resources.append(Resource(ResourceId(group, kind, namespace, metadata["name"]), document, "app", ()))
    return CheckInput(environment, resources, api, KEYS)


def change(documents: list[Document], step: dict[str, Any]) -> None:
    """Carry out one step of a sample.

    `{add: document}`, `{leave_out: Kind/name}`, or `{of: Kind/name, at: way, to: value}`; without `to` the field goes,
    with `times` the value is repeated.
    """
    if "add" in step:
        added = step["add"]
        documents.extend(read(added) if isinstance(added, str) else [added])
        return
    wanted = step.get("leave_out") or step["of"]
    [found] = [each for each in documents if f"{each['kind']}/{each['metadata']['name']}" == wanted]
    if "leave_out" in step:
        documents.remove(found)
        return
    at = step["at"]
    way = [int(part) if part.isdigit() else part for part in at.split(".")] if isinstance(at, str) else at
    holder: Any = found
    for part in way[:-1]:
        holder = holder.setdefault(part, {}) if isinstance(holder, dict) else holder[part]
    if "to" not in step:
        del holder[way[-1]]
    elif "times" in step:
        holder[way[-1]] = step["to"] * step["times"]
    elif isinstance(holder, list) and way[-1] == len(holder):
        holder.append(step["to"])
    else:
        holder[way[-1]] = step["to"]


def example(text: str) -> CheckInput:
    """The environment that an example of a rule stands for: `x*300` is 300 letters, what stands twice was before."""
    text = re.sub(r"\b(\w)\*(\d+)", lambda found: found[1] * int(found[2]), text)
    made = inputs(read(text))
    last = {resource.id: resource for resource in made.resources}
    older = {resource.id: resource.value for resource in made.resources if resource is not last[resource.id]}
    return CheckInput(made.environment, list(last.values()), made.api, made.keys, older)


def bad(sample: dict[str, Any]) -> CheckInput:
    """The good environment with the changes of a sample."""
    documents = good() if sample.get("start", "good") == "good" else []
    for step in sample.get("change", ()):
        change(documents, step)
    return inputs(documents, environment=sample.get("environment", "prod"), version=sample.get("version", "1.35"))


def samples() -> dict[str, list[dict[str, Any]]]:
    """The samples of bad.yaml by rule."""
    found: dict[str, list[dict[str, Any]]] = yaml.safe_load((HERE / "bad.yaml").read_text(encoding="utf-8"))
    return found


def found_in(environment: CheckInput, rules: Iterable[Rule] = RULES) -> Iterator[tuple[Rule, Hit]]:
    """What rules find in an environment."""
    for rule in rules:
        for hit in rule.find(environment):
            yield rule, hit


def told(rule: Rule, hit: Hit) -> str:
    """A finding as text, whole."""
    field = format_field(hit.pointer)
    return f"{hit.severity or rule.severity} {rule.id}: {hit.resource.short} {field}\n  {hit.what}\n  {hit.fix}\n"
