"""Objects that other people wrote, applied to a real API server: whatever it makes of them is no drift."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from envcompile import yamlio
from envcompile.check.policy.defaults import admitted
from envcompile.cluster.drift.compare import Rules, compare
from envcompile.errors import EnvcError
from envcompile.kubernetes.api import load
from tests.cluster.drift.staging import WORDS
from tests.harness.command import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.cluster.drift.compare import Difference
    from tests.cluster.drift.staging import Mode
    from tests.oracles.cluster import Cluster

CORPORA: Final = Path(__file__).parents[2].parent / "shared" / "corpora"
API: Final = load("1.37")
KEY: Final = b"k" * 32
SEED: Final = 1
MOST: Final = 150
"""Objects; a run over 454 of them found the same."""
LEFT_OUT: Final = frozenset({
    *("Namespace", "Pod", "CustomResourceDefinition", "APIService", "Node", "Event", "List"),
    # These decide about the objects of other tests in the cluster.
    *("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"),
    *("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "MutatingAdmissionPolicy"),
})
DROPPED: Final = ("Job", "grafana-import-dashboards")
"""Its pods have an annotation of Kubernetes 1.5 that the server takes away: reading cannot know that."""


def _objects() -> Iterator[dict[str, Any]]:
    """Objects of built-in kinds in served versions, each kind and name once, no kind more than an eighth of all."""
    files = sorted(path for path in CORPORA.rglob("*.y*ml") if "templates" not in path.parts)
    random.Random(SEED).shuffle(files)
    seen: set[tuple[str, str]] = set()
    counts: Counter[str] = Counter()
    for file in files:
        try:
            values = yamlio.load_all(file.read_bytes(), file.name)
        except EnvcError:
            continue
        for value in values:
            if not _is_usable(value) or (key := (value["kind"], value["metadata"]["name"])) in seen:
                continue
            counts[key[0]] += 1
            if counts[key[0]] <= MOST // 8:
                seen.add(key)
                yield value
        if len(seen) >= MOST:
            return


def _is_usable(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("metadata"), dict):
        return False
    group, _, version = str(value.get("apiVersion")).rpartition("/")
    kind = str(value.get("kind"))
    return (
        kind not in LEFT_OUT
        and API.is_built_in(group, kind)
        and version in API.versions(group, kind)
        and isinstance(value["metadata"].get("name"), str)
    )


@pytest.fixture(scope="module")
def objects() -> list[dict[str, Any]]:
    """The sample."""
    if not CORPORA.is_dir():
        pytest.skip(f"the corpora are not at {CORPORA}")
    return list(_objects())


@pytest.mark.corpora
@pytest.mark.parametrize("mode", sorted(WORDS))
def test_what_others_wrote_does_not_drift(mode: Mode, objects: list[dict[str, Any]], kube_cluster: Cluster) -> None:
    """All that the server accepts, by both methods."""
    namespace = f"corpora-{mode}"
    kube_cluster.kubectl("create", "namespace", namespace).expect_success()
    placed = [_placed(value, namespace) for value in objects]
    kube_cluster.kubectl(*WORDS[mode], "-f", "-", stdin="\n---\n".join(map(json.dumps, placed)), timeout=PATIENCE)
    plurals = _plurals(kube_cluster)
    told: list[Difference] = []
    compared = 0
    for value in placed:
        group, _, version = value["apiVersion"].rpartition("/")
        within = f"/namespaces/{namespace}" if "namespace" in value["metadata"] else ""
        root = f"/apis/{value['apiVersion']}" if group else f"/api/{version}"
        place, name = f"{root}{within}/{plurals[value['apiVersion'], value['kind']]}", value["metadata"]["name"]
        live = kube_cluster.read(f"{place}/{name}")
        if live is None or (value["kind"], name) == DROPPED:
            continue
        compared += 1
        node = API.node(group, version, value["kind"])
        filled = admitted(API, value, value["metadata"].get("namespace", ""))
        told += compare(value, live, node, key=KEY, filled=filled)
        probe = {**value, "metadata": {**value["metadata"], "name": f"{name[:50]}-probe"}}
        status, answer = kube_cluster.post(f"{place}?dryRun=All&fieldManager=envc", probe)
        if status == 201:
            told += compare(value, live, node, key=KEY, probe=answer, rules=Rules())
    assert told == []
    assert compared > MOST * 0.8


def _placed(value: dict[str, Any], namespace: str) -> dict[str, Any]:
    group = value["apiVersion"].rpartition("/")[0]
    metadata = {name: item for name, item in value["metadata"].items() if name != "namespace"}
    if API.is_namespaced(group, value["kind"]):
        metadata["namespace"] = namespace
    return {**value, "metadata": metadata}


def _plurals(cluster: Cluster) -> dict[tuple[str, str], str]:
    lines = cluster.kubectl("api-resources", "--no-headers").expect_success().stdout.splitlines()
    words = [line.split() for line in lines]
    return {(each[-3], each[-1]): each[0] for each in words}
