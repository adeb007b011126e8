"""The rules in `checks/` of a repository: read, checked, and tried on their own examples."""

from __future__ import annotations

import hashlib
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from envcompile import yamlio
from envcompile.actions.allowed_checks import VARIABLE
from envcompile.check.cel.installed import INSTALL, is_installed
from envcompile.check.check_input import CheckInput, SealingKeys
from envcompile.check.policy.ownrules import FOLDER, OwnRule, as_rule, refused
from envcompile.errors import EnvcError, Problems
from envcompile.kubernetes import load
from envcompile.kubernetes.tables import supported_versions
from envcompile.model import Document, Location, Resource, ResourceId
from envcompile.sources.settingsfile import read_model
from envcompile.sources.tree import File
from envcompile.yamlio.places import place

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from envcompile.check.rule import Rule
    from envcompile.limits import Limits
    from envcompile.sources import Tree

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")


class Idle(NamedTuple):
    """A file with rules that are not asked."""

    path: str
    why: str
    fix: str
    rules: tuple[str, ...]


class Own(NamedTuple):
    """The rules that a repository has of its own."""

    rules: tuple[Rule, ...] = ()
    in_cel: tuple[str, ...] = ()
    """Those that are expressions."""
    idle: tuple[Idle, ...] = ()
    stamp: str = ""
    """Names the bytes of the files, and which of them are run."""
    environments: Mapping[str, str] = MappingProxyType({})
    """Rule -> an environment that it is about, for those that are about some only."""

    @property
    def untried(self) -> frozenset[str]:
        """Rules that nothing is asked of here: they neither pass nor fail."""
        without = () if is_installed() else self.in_cel
        return frozenset([*without, *(rule for idle in self.idle for rule in idle.rules)])


def own_rules(tree: Tree, known: Iterable[str], allowed: Collection[str] = ()) -> Own:
    """The rules that a repository has of its own; nothing of it is run by reading them.

    Args:
        tree: its files.
        known: the names of the rules that come with envc.
        allowed: digests of files in Python that may be run when their rules are asked, if the tree is trusted.

    Raises:
        EnvcError: what is wrong with them, all of it.
    """
    reader = _Reader(known, allowed if tree.limits.is_trusted else ())
    for entry in tree.files(FOLDER):
        if entry.path.endswith((".yaml", ".yml")):
            reader.read_expressions(File(entry.path, tree.read(entry.path)))
        elif entry.path.endswith(".py"):
            reader.read_python(File(entry.path, tree.read(entry.path)), tree.limits)
    reader.problems.raise_any()
    return Own(
        tuple(reader.found.values()),
        tuple(reader.in_cel),
        tuple(reader.idle),
        " ".join(reader.seen),
        reader.environments,
    )


def digest_of(data: bytes) -> str:
    """What a file is allowed by."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class _Reader:
    """Reads the files, and gathers what is wrong with them."""

    def __init__(self, known: Iterable[str], allowed: Collection[str]) -> None:
        self.problems = Problems()
        self.found: dict[str, Rule] = {}
        self.in_cel: list[str] = []
        self.idle: list[Idle] = []
        self.seen: list[str] = []
        self.environments: dict[str, str] = {}
        self._taken = set(known)
        self._allowed = allowed
        self._newest = supported_versions()[-1]

    def read_expressions(self, file: File) -> None:
        """Take the rules of a file in YAML."""
        self.seen.append(digest_of(file.data))
        try:
            values = yamlio.load_all(file.data, file.path)
        except EnvcError as error:
            self.problems.extend(error)
            return
        for index, value in enumerate(values):
            if value is None:
                continue
            document = Document(value, file, index, FOLDER)
            own = read_model(OwnRule, document, self.problems)
            if own is None or not self._is_free(own.rule, where := place(document, ("rule",))):
                continue
            if (why := refused(own, self._newest)) is not None:
                what = f"the expression of `{own.rule}` cannot be used: {' '.join(why.split())}"
                fix = "correct it: `object`, `environment` and `namespaceName` are known"
                self.problems.add(what, fix, place(document, ("expression",)))
                continue
            self.found[own.rule] = as_rule(own, f"{where.file}:{where.line}")
            self.in_cel.append(own.rule)
            if own.match.environments:
                self.environments[own.rule] = own.match.environments[0]

    def read_python(self, file: File, limits: Limits) -> None:
        """Take the rules of a file in Python: they are asked where its bytes are allowed."""
        from envcompile.check.policy.pythonprocess import PythonProcess
        from envcompile.check.policy.pythonrules import UnreadableError, functions_in
        from envcompile.check.policy.pythonrules import as_rule as of_function

        digest = digest_of(file.data)
        try:
            functions = functions_in(file.data)
        except UnreadableError as error:
            self.problems.add(f"{file.path}: {error.what}", error.fix, Location(file.path, error.line, 1))
            return
        is_run = digest in self._allowed
        self.seen.append(f"{digest} {'run' if is_run else 'not run'}")
        process = PythonProcess(file.path, file.data.decode(), limits) if is_run else None
        free = [one for one in functions if self._is_free(one.id, Location(file.path, one.line, 1))]
        for function in free:
            self.found[function.id] = of_function(function, file.path, process)
            if function.said.environments:
                self.environments[function.id] = function.said.environments[0]
        if free and not is_run:
            why = "not run, because nobody allowed it as it is now"
            fix = f"read it; to allow it: envc check --allow-python, or {VARIABLE}={digest}"
            if not limits.is_trusted:
                why, fix = "not run, because the tree is not trusted", "no Python of such a tree is run"
            self.idle.append(Idle(file.path, why, fix, tuple(one.id for one in free)))

    def _is_free(self, rule: str, where: Location) -> bool:
        if not _NAME.fullmatch(rule):
            self.problems.add(f"`{rule}` is no name of a rule", "write lower-case words with hyphens", where)
            return False
        if rule in self._taken or rule in self.found:
            self.problems.add(f"there is a rule `{rule}` already", "give it a name of its own", where)
            return False
        return True


def try_examples(own: Own, version: str) -> list[str]:
    """Run rules on their own examples.

    Args:
        own: the rules.
        version: the minor version of Kubernetes.

    Returns:
        A sentence for each example that does not do what its name says, and for each that is missing.
    """
    told = [f"{idle.path}: {idle.why}: {idle.fix}" for idle in own.idle]
    if not is_installed() and own.in_cel:
        told.append(f"{FOLDER}/: nothing here reads the expressions of {', '.join(own.in_cel)}: {INSTALL}")
    for rule in own.rules:
        environment = own.environments.get(rule.id, "example")
        for name, text, wanted in (("fires", rule.fires, True), ("silent", rule.silent, False)):
            if not text.strip():
                told.append(f"{rule.source}: `{rule.id}` has no example `{name}`")
            elif (
                rule.id not in own.untried and bool(list(rule.find(_inputs(text, version, environment)))) is not wanted
            ):
                what = "finds nothing" if wanted else "finds something"
                told.append(f"{rule.source}: `{rule.id}` {what} in its example `{name}`")
    return told


def _inputs(text: str, version: str, environment: str) -> CheckInput:
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
    return CheckInput(environment, resources, api, SealingKeys("kube-system", "sealed-secrets-controller"))
