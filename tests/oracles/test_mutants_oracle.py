"""What is written down of the API server's answers to changed objects is what it answers today."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import pytest

from tests.check.api.recorded import NEWEST, RECORDINGS, Mutant, Recording, changed, mutants, seeds
from tests.oracles.cluster import Cluster
from tests.oracles.mutants import named_fields, prepare

_EVERY = 12
"""One in so many is asked again."""
_WITHOUT_PATH = ("no-such-kind", "no-name", "state", "code", "conflict", "admission")


@pytest.fixture(scope="module")
def plurals(kube_cluster: Cluster) -> Mapping[tuple[str, str], tuple[str, str, bool]]:
    """ApiVersion and kind -> the path of the group, the plural, whether it is namespaced."""
    prepare(kube_cluster)
    groups = kube_cluster.read("/apis")["groups"]
    served = ["v1", *(version["groupVersion"] for group in groups for version in group["versions"])]
    found = {}
    for version in served:
        prefix = "/api/v1" if version == "v1" else f"/apis/{version}"
        for resource in kube_cluster.read(prefix)["resources"]:
            if "/" not in resource["name"]:
                found[version, resource["kind"]] = (prefix, resource["name"], resource["namespaced"])
    return found


@pytest.mark.parametrize("recording", [one for one in RECORDINGS if one.version == NEWEST])
def test_the_answers_are_the_servers(
    recording: Recording, kube_cluster: Cluster, plurals: Mapping[tuple[str, str], tuple[str, str, bool]]
) -> None:
    """Whether an object is taken, and which fields are named."""
    bases = seeds(recording.objects)
    asked = [one for one in mutants(recording)[::_EVERY] if not one.sort.startswith(_WITHOUT_PATH)]
    assert len(asked) > 80
    for mutant in asked:
        assert _answer(kube_cluster, plurals, mutant, bases) == (bool(mutant.sort), mutant.fields), mutant.id


def _answer(
    cluster: Cluster,
    plurals: Mapping[tuple[str, str], tuple[str, str, bool]],
    mutant: Mutant,
    bases: Mapping[str, Any],
) -> tuple[bool, list[str]]:
    value = changed(bases[mutant.base], mutant.patch)
    prefix, plural, namespaced = plurals[value["apiVersion"], value["kind"]]
    metadata = value.get("metadata")
    namespace = metadata.get("namespace") if isinstance(metadata, dict) else None
    if namespaced:
        prefix += f"/namespaces/{quote(namespace if isinstance(namespace, str) and namespace else 'default', safe='')}"
    status, answer = cluster.post(f"{prefix}/{plural}?dryRun=All&fieldValidation=Strict", value)
    if status < 300:
        return False, []
    return True, named_fields(answer) or mutant.fields
