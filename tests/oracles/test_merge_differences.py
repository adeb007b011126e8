"""Where we differ from kustomize on purpose; `differences.md` says why."""

import re
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
import yaml

from envcompile.compose.merge import MergeConflict, merge
from envcompile.values import same
from tests.oracles.test_merge_oracle import KUBERNETES_ORDER_DIFFERS, ORDER_DIFFERS, RULE_DIFFERS, node_of, pod
from tests.oracles.tools import run


class Difference(NamedTuple):
    """A patch that kustomize lays on otherwise: both results, `conflict` for ours when the patch is refused."""

    base: dict[str, Any]
    patch: dict[str, Any]
    ours: Any
    kustomize: Any


def _ports(*items: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"ports": list(items)}}


CONFLICT: Final = "conflict"
TWO: Final = [{"name": "a", "image": "a"}, {"name": "b", "image": "b"}]
CLAIM: Final = {"name": "c", "resourceClaimName": "c"}
UDP: Final = {"port": 53, "protocol": "UDP"}

# The names stand in differences.md, each with its reason.
DIFFERENCES: Final = {
    "order of keyed lists": Difference(
        pod(containers=TWO),
        pod(containers=[{"name": "b", "image": "new"}]),
        pod(containers=[{"name": "a", "image": "a"}, {"name": "b", "image": "new"}]),
        pod(containers=[{"name": "b", "image": "new"}, {"name": "a", "image": "a"}]),
    ),
    "place of new items": Difference(
        pod(containers=TWO),
        pod(containers=[{"name": "n", "image": "n"}]),
        pod(containers=[*TWO, {"name": "n", "image": "n"}]),
        pod(containers=[{"name": "n", "image": "n"}, *TWO]),
    ),
    "an item without its key": Difference(
        pod(containers=TWO), pod(containers=[{"image": "new"}]), CONFLICT, pod(containers=[])
    ),
    "replace in an item": Difference(
        pod(containers=TWO),
        pod(containers=[{"name": "a", "$patch": "replace", "command": ["x"]}]),
        pod(containers=[{"name": "a", "command": ["x"]}, {"name": "b", "image": "b"}]),
        pod(containers=TWO),
    ),
    "an item twice in the patch": Difference(
        pod(containers=TWO),
        pod(containers=[{"name": "a", "tty": True}, {"name": "a", "image": "new"}]),
        pod(containers=[{"name": "a", "image": "new", "tty": True}, {"name": "b", "image": "b"}]),
        pod(containers=[{"name": "a", "image": "a", "tty": True}, {"name": "b", "image": "b"}]),
    ),
    "fields younger than Kubernetes 1.21": Difference(
        pod(resourceClaims=[CLAIM]),
        pod(resourceClaims=[{**CLAIM, "name": "d"}]),
        pod(resourceClaims=[CLAIM, {**CLAIM, "name": "d"}]),
        pod(resourceClaims=[{**CLAIM, "name": "d"}]),
    ),
    "a port without its protocol": Difference(
        _ports(UDP), _ports({"port": 53, "name": "dns"}), _ports(UDP, {"port": 53, "name": "dns"}), _ports(UDP)
    ),
    "the default protocol": Difference(
        _ports({"port": 80}),
        _ports({"port": 80, "protocol": "TCP", "targetPort": 8080}),
        _ports({"port": 80, "protocol": "TCP", "targetPort": 8080}),
        _ports({"port": 80}),
    ),
    "a second protocol": Difference(
        _ports({"port": 53, "name": "a"}),
        _ports({**UDP, "name": "b"}),
        _ports({"port": 53, "name": "a"}, {**UDP, "name": "b"}),
        _ports({"port": 53, "name": "a"}),
    ),
    "an item of a list without keys": Difference(
        pod(tolerations=[{"key": "a"}, {"key": "b"}]),
        pod(tolerations=[{"key": "a", "$patch": "delete"}]),
        CONFLICT,
        pod(tolerations=[{"key": "a", "$patch": "delete"}]),
    ),
    "$setElementOrder": Difference(
        pod(containers=TWO),
        pod(**{"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}),
        pod(containers=TWO[::-1]),
        pod(**{"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}, containers=TWO),
    ),
    "$deleteFromPrimitiveList": Difference(
        {"metadata": {"finalizers": ["x/a", "x/b"]}},
        {"metadata": {"$deleteFromPrimitiveList/finalizers": ["x/a"]}},
        {"metadata": {"finalizers": ["x/b"]}},
        {"metadata": {"$deleteFromPrimitiveList/finalizers": ["x/a"], "finalizers": ["x/a", "x/b"]}},
    ),
    "$retainKeys": Difference(
        pod(volumes=[{"name": "v", "emptyDir": {}}]),
        pod(volumes=[{"name": "v", "$retainKeys": ["name"]}]),
        pod(volumes=[{"name": "v"}]),
        pod(volumes=[{"name": "v", "$retainKeys": ["name"], "emptyDir": {}}]),
    ),
}


def _whole(part: dict[str, Any]) -> dict[str, Any]:
    """A resource around the fields a case is about."""
    is_service = "ports" in part.get("spec", {})
    head = {"apiVersion": "v1", "kind": "Service"} if is_service else {"apiVersion": "apps/v1", "kind": "Deployment"}
    return {**head, **part, "metadata": {"name": "x", **part.get("metadata", {})}}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_the_difference_to_kustomize_is_the_one_we_chose(kustomize: Path, tmp_path: Path, name: str) -> None:
    """When kustomize changes its mind, or we do, `differences.md` must say so."""
    case = DIFFERENCES[name]
    base, patch = _whole(case.base), _whole(case.patch)
    (tmp_path / "base.yaml").write_text(yaml.safe_dump(base), encoding="utf-8")
    (tmp_path / "patch.yaml").write_text(yaml.safe_dump(patch), encoding="utf-8")
    kustomization = {"resources": ["base.yaml"], "patches": [{"path": "patch.yaml"}]}
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(kustomization), encoding="utf-8")
    assert yaml.safe_load(run(kustomize, "build", tmp_path).expect_success().stdout) == _whole(case.kustomize)
    if case.ours == CONFLICT:
        with pytest.raises(MergeConflict):
            merge(base, patch, node_of(base))
    else:
        assert same(merge(base, patch, node_of(base)), _whole(case.ours))


def test_every_difference_is_written_down() -> None:
    """The tuples here and the list for people are the same list."""
    written = (Path(__file__).parent / "differences.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| `([^`]+)` \|", written, re.MULTILINE)
    assert named == [*ORDER_DIFFERS, *RULE_DIFFERS, *KUBERNETES_ORDER_DIFFERS, *DIFFERENCES]
