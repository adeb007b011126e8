"""The rules in `checks/` of a repository: read, checked, and tried on their own examples; nothing of it is run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from envcompile import yamlio
from envcompile.check.check_input import Scene, SealingKeys
from envcompile.check.policy.ownrules import FOLDER, OwnRule, as_rule, refused
from envcompile.errors import EnvcError, Problems
from envcompile.kubernetes import load
from envcompile.kubernetes.tables import supported_versions
from envcompile.model import Document, Resource, ResourceId
from envcompile.sources.settingsfile import read_model
from envcompile.sources.tree import File
from envcompile.yamlio.places import place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from envcompile.check.rule import Rule
    from envcompile.sources import Tree

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


def own_rules(tree: Tree, known: Iterable[str]) -> tuple[Rule, ...]:
    """The rules that a repository has of its own.

    Args:
        tree: its files.
        known: the names of the rules that come with envc.

    Raises:
        EnvcError: what is wrong with them, all of it.
    """
    problems = Problems()
    found: dict[str, Rule] = {}
    taken = set(known)
    newest = supported_versions()[-1]
    for entry in tree.files(FOLDER):
        if not entry.path.endswith((".yaml", ".yml")):
            continue
        file = File(entry.path, tree.read(entry.path))
        try:
            values = yamlio.load_all(file.data, file.path)
        except EnvcError as error:
            problems.extend(error)
            continue
        for index, value in enumerate(values):
            if value is None:
                continue
            document = Document(value, file, index, FOLDER)
            own = read_model(OwnRule, document, problems)
            if own is None:
                continue
            where = place(document, ("rule",))
            if not _NAME.fullmatch(own.rule):
                problems.add(f"`{own.rule}` is no name of a rule", "write lower-case words with hyphens", where)
            elif own.rule in taken or own.rule in found:
                problems.add(f"there is a rule `{own.rule}` already", "give it a name of its own", where)
            elif (why := refused(own, newest)) is not None:
                what = f"the expression of `{own.rule}` cannot be used: {' '.join(why.split())}"
                problems.add(
                    what,
                    "correct it: `object`, `environment` and `namespaceName` are known",
                    place(document, ("expression",)),
                )
            else:
                found[own.rule] = as_rule(own, f"{where.file}:{where.line}")
    problems.raise_any()
    return tuple(found.values())


def try_examples(rules: Iterable[Rule], version: str) -> list[str]:
    """Run rules on their own examples.

    Args:
        rules: own rules.
        version: the minor version of Kubernetes.

    Returns:
        A sentence for each example that does not do what its name says, and for each that is missing.
    """
    told = []
    for rule in rules:
        for name, text, wanted in (("fires", rule.fires, True), ("silent", rule.silent, False)):
            if not text.strip():
                told.append(f"{rule.source}: `{rule.id}` has no example `{name}`")
            elif bool(list(rule.find(_scene(text, version)))) is not wanted:
                what = "finds nothing" if wanted else "finds something"
                told.append(f"{rule.source}: `{rule.id}` {what} in its example `{name}`")
    return told


def _scene(text: str, version: str) -> Scene:
    api = load(version)
    resources = []
    for value in yamlio.load_all(text.encode(), "the example"):
        if not isinstance(value, dict):
            continue
        group, metadata = str(value.get("apiVersion", "")).rpartition("/")[0], value.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        identity = ResourceId(
            group, str(value.get("kind", "")), str(metadata.get("namespace", "example")), str(metadata.get("name", ""))
        )
        resources.append(Resource(identity, value, "example", ()))
    return Scene("example", resources, api, SealingKeys("kube-system", "sealed-secrets-controller"))
