"""What crosses from one process to another arrives as it was: values, settings, and every error with all it carries."""

from __future__ import annotations

import copy
import importlib
import inspect
import pickle  # ruff: ignore[suspicious-pickle-import] - the promise is about pickle
import pkgutil
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import pytest

import envcompile
from envcompile import Project
from envcompile.cluster.answers import ApiError
from envcompile.errors import EnvcError, Problem, UnavailableError, UsageError
from envcompile.forge.http import RefusedError
from envcompile.kubernetes import load
from envcompile.model import Compiled, Composition, Document, Layer, Location, Resource, ResourceId, Step
from envcompile.sources import File
from tests.harness.repository import ENVIRONMENT, write_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HERE = Location("base/web/cm.yaml", 6, 6)
PROBLEM = Problem("it is wrong", "mend it", (HERE,), ("a line", "another"))
CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: web
data: {a: "1"}
"""


def _pickled(protocol: int, value: Any) -> Any:
    data = pickle.dumps(value, protocol)
    return pickle.loads(data)  # ruff: ignore[suspicious-pickle-usage] - its own bytes


WAYS: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{f"pickle {protocol}": partial(_pickled, protocol) for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)},
}
"""The ways of a value to another place."""


def exceptions() -> list[type[Exception]]:
    """Every exception class that the package defines."""
    found = set()
    for module in pkgutil.walk_packages(envcompile.__path__, "envcompile."):
        if "migrations" in module.name or module.name.endswith("__main__"):
            continue
        for thing in vars(importlib.import_module(module.name)).values():
            if isinstance(thing, type) and issubclass(thing, Exception) and thing.__module__.startswith("envcompile"):
                found.add(thing)
    return sorted(found, key=lambda kind: (kind.__module__, kind.__name__))


def sample(kind: type[Exception]) -> Exception:
    """An exception made by its own constructor, each argument of it with a value of its own."""
    if issubclass(kind, RefusedError):
        return kind(403, "it is refused", "ask")
    if issubclass(kind, ApiError):
        return kind(PROBLEM, status=410, reason="Expired", message="too old", wait=1.5, details={"kind": "pods"})
    if issubclass(kind, EnvcError):
        return kind([PROBLEM, PROBLEM._replace(what="another")])
    if "__init__" not in vars(kind) and not any("__init__" in vars(base) for base in kind.__mro__ if _is_own(base)):
        return kind("what happened")
    values: dict[str, Any] = {}
    for number, name in enumerate(list(inspect.signature(kind.__init__).parameters)[1:]):
        fitting = {"known": ("1.33", "1.34"), "index": number, "line": number, "column": number}
        values[name] = fitting.get(name, f"{name} {number}")
    return kind(**values)


def _is_own(kind: type) -> bool:
    return kind.__module__.startswith("envcompile")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with a ConfigMap of one environment."""
    write_files(
        tmp_path, {"base/web/cm.yaml": CONFIG, "overlays/prod/environment.yaml": f"{ENVIRONMENT}namespace: prod\n"}
    )
    return Project.open(tmp_path)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", exceptions(), ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_an_error_arrives_as_it_was_raised(kind: type[Exception], way: str) -> None:
    """Case errors-do-not-survive-pickle: type, text, arguments and attributes, for every exception of the package."""
    error = sample(kind)
    arrived = WAYS[way](error)
    assert type(arrived) is kind
    assert str(arrived) == str(error)
    assert arrived.args == error.args
    assert vars(arrived) == vars(error)
    assert getattr(arrived, "exit_code", None) == getattr(error, "exit_code", None)


def test_every_family_of_errors_is_among_them() -> None:
    """The search for exception classes sees what it should."""
    assert {EnvcError, UsageError, UnavailableError, RefusedError} <= set(exceptions())
    assert len(exceptions()) > 20


@pytest.mark.parametrize("way", WAYS)
def test_an_error_keeps_its_notes_and_what_was_set_on_it(way: str) -> None:
    """Notes (PEP 678) and an exit code of its own arrive, too."""
    error = EnvcError([PROBLEM])
    error.exit_code = 16
    error.add_note("while looking at prod")
    arrived = WAYS[way](error)
    assert arrived.problems == (PROBLEM,)
    assert arrived.exit_code == 16
    assert arrived.__notes__ == ["while looking at prod"]


def _compile(root: Path) -> Compiled:
    return Project.open(root).compile("prod")


def test_a_worker_process_answers(project: Project) -> None:
    """Case compiled-does-not-survive-pickle: what a worker compiled comes back and equals what was compiled here."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        compiled = pool.submit(_compile, project.root).result()
    assert compiled.resources == project.compile("prod").resources


def test_an_error_of_a_worker_process_does_not_break_the_pool(tmp_path: Path) -> None:
    """Case errors-do-not-survive-pickle: the error comes back with its places, and the pool goes on working."""
    write_files(
        tmp_path,
        {"base/web/cm.yaml": CONFIG.replace('{a: "1"}', "a: b: c"), "overlays/prod/environment.yaml": ENVIRONMENT},
    )
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        with pytest.raises(EnvcError, match=r"base/web/cm\.yaml:5:") as raised:
            pool.submit(_compile, tmp_path).result()
        assert [place.file for problem in raised.value.problems for place in problem.where] == ["base/web/cm.yaml"]
        assert pool.submit(len, "still").result() == 5


def _values() -> dict[str, Any]:
    document = Document({"a": [1, True, None]}, File("base/a.yaml", b"a: [1, true]"), 0, "base", ("items", 0))
    step = Step("base", "base", document, (), None, {"a": 1})
    resource = Resource(ResourceId("apps", "Deployment", "prod", "web"), {"a": 1}, "web", (step,))
    return {
        "location": HERE,
        "problem": PROBLEM,
        "document": document,
        "step": step,
        "resource": resource,
        "layer": Layer("base", (document,), (), {"base/a.yaml": "web"}),
    }


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", _values())
def test_a_value_arrives_as_it_was(name: str, way: str) -> None:
    """Equal, and of its own type, with all that is in it."""
    value = _values()[name]
    arrived = WAYS[way](value)
    assert arrived == value
    assert type(arrived) is type(value)


@pytest.mark.parametrize("way", WAYS)
def test_settings_arrive_as_they_were(project: Project, way: str) -> None:
    """Those of the project and of an environment."""
    settings = (project.settings, project.compile_with_sources("prod").composed.sources.settings)
    assert WAYS[way](settings) == settings


@pytest.mark.parametrize("way", WAYS)
def test_compiled_resources_arrive_as_they_were(project: Project, way: str) -> None:
    """Case compiled-does-not-survive-pickle: environment, namespace, resources with their steps; frozen as before."""
    compiled = project.compile("prod")
    arrived = WAYS[way](compiled)
    assert (arrived.environment, arrived.namespace) == ("prod", "prod")
    assert arrived.resources == compiled.resources
    assert arrived.plaintext_allowed is False
    with pytest.raises(AttributeError, match="is frozen"):
        arrived.resources = ()


@pytest.mark.parametrize("way", WAYS)
def test_plaintext_stays_allowed_where_it_was(way: str) -> None:
    """A throw-away environment's Secrets travel as well: nothing else would be given back."""
    value = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "token"}, "stringData": {"token": "x"}}
    secret = Resource(ResourceId("", "Secret", "dev", "token"), value, "web", ())
    arrived = WAYS[way](Compiled("dev", "dev", (secret,), plaintext_allowed=True))
    assert arrived.plaintext_allowed
    assert arrived.resources == (secret,)


@pytest.mark.parametrize("way", WAYS)
def test_a_composition_goes_nowhere(way: str) -> None:
    """It may hold plaintext: that it refuses is said with the reason."""
    with pytest.raises(TypeError, match="may hold plaintext"):
        WAYS[way](Composition("prod", "", ()))


@pytest.mark.parametrize("way", WAYS)
def test_an_api_arrives_with_its_custom_kinds(way: str) -> None:
    """It answers as before; built-in tables are not sent but read where it arrives."""
    schema = {"type": "object", "properties": {"spec": {"type": "object"}}}
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "spec": {
            "group": "example.com",
            "scope": "Cluster",
            "names": {"kind": "Widget"},
            "versions": [{"name": "v1", "schema": {"openAPIV3Schema": schema}}],
        },
    }
    api = load("1.33").with_crds([crd])
    node = api.node("apps", "v1", "Deployment")
    arrived = WAYS[way](api)
    assert arrived.version == "1.33"
    assert arrived.kinds() == api.kinds()
    assert arrived.is_namespaced("example.com", "Widget") is False
    assert node is not None
    assert arrived.node("apps", "v1", "Deployment").fields == node.fields
    assert len(pickle.dumps(api)) < 10_000
