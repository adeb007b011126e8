"""Our strategic merge against kustomize's and Kubernetes' own.

Three oracles: the test tables of kustomize's kyaml (read from its Go source), `kustomize build` of a few hundred random
patches, and `kubectl patch --local --type=strategic`, which is the API server's merge. `differences.md` says where and
why we differ on purpose; the names there are the names here.
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
import yaml

from envcompile.compose.directives import DELETE, command_of_list, command_of_map, settled
from envcompile.compose.merge import MergeConflict, merge
from envcompile.kubernetes import Node, load
from envcompile.values import same
from tests.kubernetes.generate_tables import MissingSourceError, module_folder
from tests.oracles.catalogue import KUSTOMIZE_MODULE, pinned_version
from tests.oracles.random_resources import Chance
from tests.oracles.tools import Tools, run

REQUIRED: Final = os.environ.get("ENVC_REQUIRE_ORACLES") == "1"
ENVIRON: Final = dict(os.environ)
KYAML: Final = "sigs.k8s.io/kustomize/kyaml"
API: Final = load("1.35")

# The names stand in differences.md, each with its reason.
ORDER_DIFFERS: Final = (
    "merge k8s deployment containers - prepend",
    "merge k8s deployment volumes - prepend",
    "merge k8s deployment containers -- $patch directive",
    "merge Element -- add Element third",
)
RULE_DIFFERS: Final = (
    "infer merge keys merge'",
    "no infer merge keys merge using explicit schema as line comment'",
    "merge_primitive_items",
)


KUBERNETES_ORDER_DIFFERS: Final = ("delete from a set and add",)


class Vector(NamedTuple):
    """One case of kyaml's tables: laying the patch over the base gives the result."""

    name: str
    base: Any
    patch: Any
    result: Any


@pytest.fixture(scope="module")
def kyaml() -> Path:
    """The source of the kyaml that the pinned kustomize is built with."""
    version = pinned_version(KUSTOMIZE_MODULE, KYAML)
    try:
        return module_folder(KYAML, version, ENVIRON, offline=not REQUIRED)
    except MissingSourceError as error:
        if REQUIRED:
            raise
        pytest.skip(f"{error}; run `go mod download {KYAML}@{version}`")


def _go_string(text: str, field: str) -> str | None:
    """Read a string of a Go struct literal, in either kind of quotes."""
    found = re.search(rf'\b{field}:\s*(?:`([^`]*)`|"([^"]*)")', text)
    return None if found is None else found[1] if found[1] is not None else found[2]


def _document(text: str | None) -> Any:
    return next(iter(yaml.safe_load_all(text or "")), None)


def _vectors(folder: Path) -> Iterator[Vector]:
    """Read the tables of merge2: `{description: …, source: …, dest: …, expected: …}`."""
    for table in ("scalar", "list", "element", "map"):
        source = (folder / "yaml" / "merge2" / f"{table}_test.go").read_text(encoding="utf-8")
        for case in re.split(r"\n\t\{(?=\s*description:)", source)[1:]:
            name = _go_string(case, "description")
            assert name is not None
            patch, base, result = (_document(_go_string(case, field)) for field in ("source", "dest", "expected"))
            yield Vector(name, base, patch, result)


def node_of(value: Any) -> Node | None:
    """The schema of a resource."""
    if not isinstance(value, dict):
        return None
    group, _, version = str(value.get("apiVersion", "")).rpartition("/")
    return API.node(group, version, str(value.get("kind", "")))


def _normal(value: Any, node: Node | None) -> Any:
    """Sort the lists whose order has no meaning to the merge: keyed ones and sets."""
    if isinstance(value, dict):
        return {key: _normal(inner, node.child(key) if node else None) for key, inner in value.items()}
    if isinstance(value, list):
        items = [_normal(item, node.items if node else None) for item in value]
        return items if node is None or node.rule.strategy == "atomic" else sorted(items, key=_spelled)
    return value


def _spelled(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def test_the_vectors_of_kyaml_hold(kyaml: Path) -> None:
    """All 61: 54 to the letter, four with another order, three where kyaml guesses a key and we do not."""
    vectors = list(_vectors(kyaml))
    assert len(vectors) == 61
    exact = set()
    but_for_order = set()
    for vector in vectors:
        node = node_of(vector.base or vector.patch)
        result = merge(vector.base, vector.patch, node)
        if same(result, vector.result):
            exact.add(vector.name)
        elif same(_normal(result, node), _normal(vector.result, node)):
            but_for_order.add(vector.name)
    others = {vector.name for vector in vectors} - exact - but_for_order
    assert but_for_order == set(ORDER_DIFFERS)
    assert others == set(RULE_DIFFERS)
    assert sum(vector.name in exact for vector in vectors) == 54


def test_the_directives_of_kyaml_are_read_alike(kyaml: Path) -> None:
    """Which directive a patch holds, and what is left of the patch without it."""
    source = (kyaml / "yaml" / "merge2" / "smpdirective_test.go").read_text(encoding="utf-8")
    table = source.partition("errExpected string\n\t}{")[2].partition("\n\t}\n")[0]
    checked = 0
    for case in re.split(r"\n\t\t(?=[`\"])", table)[1:]:
        patch = _document(_go_string(case, "patch"))
        if _go_string(case, "errExpected") is not None:
            # A scalar has no directive: kyaml never asks, and fails when asked; to us it is a value like any other.
            assert settled(patch) == patch
            continue
        expected = re.search(r"expected:\s+smp(\w+)", case)
        assert expected is not None
        command = command_of_map(patch) if isinstance(patch, dict) else command_of_list(patch) or "merge"
        assert command == expected[1].lower()
        if command != DELETE:
            assert settled(patch) == _document(_go_string(case, "elided"))
        checked += 1
    assert checked == 8


def _kind(number: int) -> str:
    return ("Deployment", "Deployment", "Service", "Ingress")[number % 4]


def _by_identity(documents: Iterator[Any]) -> dict[tuple[str, str], Any]:
    return {(document["kind"], document["metadata"]["name"]): document for document in documents}


def _without_empty_annotations(resource: dict[str, Any]) -> dict[str, Any]:
    """Drop annotations that lost their last key, as kustomize does."""
    metadata = {key: inner for key, inner in resource["metadata"].items() if key != "annotations" or inner}
    return {**resource, "metadata": metadata}


def _without_nulls(value: Any) -> Any:
    """Drop null fields: kubectl leaves them in items that are new in a list, where the API server reads nothing."""
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def test_kustomize_builds_what_we_merge(kustomize: Path, tmp_path: Path) -> None:
    """200 random bases and patches in one kustomization, compared as values, the order of keyed lists aside."""
    chance = Chance(35)
    bases, patches = [], []
    for number in range(200):
        bases.append(chance.resource(f"r{number}", is_patch=False, kind=_kind(number)))
        patches.append(chance.resource(f"r{number}", is_patch=True, kind=_kind(number)))
        (tmp_path / f"patch{number}.yaml").write_text(yaml.safe_dump(patches[-1]), encoding="utf-8")
    # Not as JSON: kustomize gives a number the quotes of the string it replaces, and so makes it a string.
    (tmp_path / "base.yaml").write_text(yaml.safe_dump_all(bases), encoding="utf-8")
    kustomization = {"resources": ["base.yaml"], "patches": [{"path": f"patch{number}.yaml"} for number in range(200)]}
    (tmp_path / "kustomization.yaml").write_text(json.dumps(kustomization), encoding="utf-8")
    built = _by_identity(yaml.safe_load_all(run(kustomize, "build", tmp_path).expect_success().stdout))
    for base, patch in zip(bases, patches, strict=True):
        node = node_of(base)
        ours = merge(base, patch, node)
        theirs = built[base["kind"], base["metadata"]["name"]]
        assert _normal(_without_empty_annotations(ours), node) == _normal(theirs, node), (base, patch)


def _kubectl_patched(tools: Tools, bases: list[dict[str, Any]], patch: dict[str, Any], folder: Path) -> list[Any]:
    """What Kubernetes' own strategic merge makes of each base."""
    file = folder / "bases.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": bases}), encoding="utf-8")
    done = run(tools.kubectl, "patch", "--local", "-f", file, "--type=strategic", "-p", json.dumps(patch), "-o", "json")
    decoder, text, found = json.JSONDecoder(), done.expect_success().stdout.strip(), []
    while text:
        value, end = decoder.raw_decode(text)
        found.append(value)
        text = text[end:].strip()
    return found


def test_kubernetes_merges_what_we_merge(oracle_tools: Tools, tmp_path: Path) -> None:
    """20 random patches, each laid over 15 random Deployments by `kubectl patch --local`."""
    chance = Chance(137)
    node = API.node("apps", "v1", "Deployment")
    for _ in range(20):
        bases = [chance.deployment(f"d{number}", is_patch=False) for number in range(15)]
        patch = chance.deployment("", is_patch=True)
        del patch["metadata"]["name"]
        for base, theirs in zip(bases, _kubectl_patched(oracle_tools, bases, patch, tmp_path), strict=True):
            ours = merge(base, patch, node)
            assert _normal(ours, node) == _normal(_without_nulls(theirs), node), (base, patch)


def pod(**fields: Any) -> dict[str, Any]:
    """A Deployment with a pod spec, or a patch of it."""
    return {"spec": {"template": {"spec": fields}}}


NAMES: Final = [{"name": name, "image": name} for name in "abcd"]
DIRECTIVES: Final = {
    "delete an item": pod(containers=[{"name": "b", "$patch": "delete"}]),
    "delete what is not there": pod(containers=[{"name": "z", "$patch": "delete"}]),
    "replace a list": pod(containers=[{"name": "z", "image": "z"}, {"$patch": "replace"}]),
    "replace a map": pod(securityContext={"$patch": "replace", "runAsGroup": 7}),
    "order old items": pod(**{"$setElementOrder/containers": [{"name": name} for name in "dbca"]}),
    "order some items": pod(**{"$setElementOrder/containers": [{"name": name} for name in "da"]}),
    "order new items": pod(
        **{"$setElementOrder/containers": [{"name": name} for name in "zcb"]}, containers=[{"name": "z", "image": "z"}]
    ),
    "order and delete": pod(
        **{"$setElementOrder/containers": [{"name": name} for name in "dca"]},
        containers=[{"name": "b", "$patch": "delete"}, {"name": "a", "image": "new"}],
    ),
    "order a set": {"metadata": {"$setElementOrder/finalizers": ["x/n", "x/b", "x/a"], "finalizers": ["x/n"]}},
    "delete from a set": {"metadata": {"$deleteFromPrimitiveList/finalizers": ["x/a"]}},
    "delete from a set and add": {
        "metadata": {"$deleteFromPrimitiveList/finalizers": ["x/a"], "finalizers": ["x/c"]},
    },
    "retain keys": pod(volumes=[{"name": "v", "$retainKeys": ["name", "secret"], "secret": {"secretName": "s"}}]),
    "retain keys of a map": {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}},
    "null in a new subtree": pod(affinity={"podAffinity": None, "nodeAffinity": {}}),
    "null removes a list": pod(volumes=None),
    "an item twice": pod(containers=[{"name": "a", "image": "new"}, {"name": "a", "tty": True}]),
}


@pytest.mark.parametrize("name", DIRECTIVES)
def test_kubernetes_obeys_directives_as_we_do(oracle_tools: Tools, tmp_path: Path, name: str) -> None:
    """To the letter, the order of lists included but for the cases that are named."""
    base = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d", "finalizers": ["x/a", "x/b"]},
        "spec": {
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}},
            "template": {
                "spec": {
                    "containers": NAMES,
                    "securityContext": {"runAsUser": 1},
                    "volumes": [{"name": "v", "emptyDir": {"medium": "Memory"}}],
                }
            },
        },
    }
    [theirs] = _kubectl_patched(oracle_tools, [base], DIRECTIVES[name], tmp_path)
    node = API.node("apps", "v1", "Deployment")
    ours = merge(base, DIRECTIVES[name], node)
    assert same(ours, theirs) is (name not in KUBERNETES_ORDER_DIFFERS)
    assert same(_normal(ours, node), _normal(theirs, node))


REFUSED: Final = {
    "an item without its key": pod(containers=[{"image": "x"}]),
    "a directive that is none": pod(securityContext={"$patch": "remove"}),
    "keys that are not retained": {"spec": {"strategy": {"$retainKeys": ["type"], "rollingUpdate": {"maxSurge": 2}}}},
    "an order that leaves out an item of the patch": pod(
        **{"$setElementOrder/containers": [{"name": "a"}]}, containers=[{"name": "z", "image": "z"}]
    ),
    "an order that contradicts the patch": pod(
        **{"$setElementOrder/containers": [{"name": "y"}, {"name": "z"}]}, containers=[{"name": "z"}, {"name": "y"}]
    ),
    "an order that is no list": pod(**{"$setElementOrder/containers": "a"}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_kubernetes_refuses_what_we_refuse(oracle_tools: Tools, tmp_path: Path, name: str) -> None:
    """A patch that cannot be meant."""
    base = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d"},
        "spec": {
            "strategy": {"type": "RollingUpdate"},
            "template": {"spec": {"containers": NAMES, "securityContext": {}}},
        },
    }
    file = tmp_path / "base.json"
    file.write_text(json.dumps(base), encoding="utf-8")
    patch = json.dumps(REFUSED[name])
    theirs = run(oracle_tools.kubectl, "patch", "--local", "-f", file, "--type=strategic", "-p", patch, "-o", "json")
    assert not theirs.ok
    with pytest.raises(MergeConflict):
        merge(base, REFUSED[name], API.node("apps", "v1", "Deployment"))
