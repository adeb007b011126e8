"""The harness of the laws: it is the same for the same seed, knows every feature, and finds and shrinks a fault."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from tests.laws import sequences
from tests.laws.edits import EDITS, random_edit
from tests.laws.repositories import random_repository
from tests.laws.sequences import Sequence, changed_resources, explain
from tests.laws.test_where_it_ran import SEEDS
from tests.laws.workshop import ask

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.laws.workshop import Answer

FEATURES = (
    *("kind: Patch", "merge: {", "json6902:", "labelSelector: team=", "name: '*'", "optional: true", "$patch: delete"),
    *(
        "$patch: replace",
        "extends: [../common, ../nonprod]",
        "abstract: true",
        "forceNamespace: true",
        "namespace: build",
    ),
    *("app.properties", "values.yaml", "setup.ini", "data.json", "envcompile.dev/replace", "configMerge: replace"),
    *("importstr", "std.parseYaml", "import '../web/data.json'", "vendored.libsonnet", "function(environment)"),
    *(
        "std.extVar('environment')",
        "${{ params.color }}",
        "${NOT_MINE}",
        "images:",
        "replicas:",
        "exclude:",
        "podLabels",
        "selectorLabels",
    ),
    *(
        "labels:",
        "annotations:",
        "podAnnotations",
        "rollout: checksum",
        "rollout: reloader",
        "syncWaves: true",
        "chart:",
    ),
    *(
        "crds: [crds]",
        "scope: Cluster",
        "scope: Namespaced",
        "x-kubernetes-list-map-keys",
        "mergeKeys:",
        "kind: Widget",
    ),
    *("secretBackend: external", "ref+vault://", "envcompile.dev/plaintext", "sealed: ", "kind: ClusterRoleBinding"),
    *("envcompile.dev/depends-on", "envcompile.dev/ignore", "checks:", "environments: [dev, prod]"),
    *("kind: Generate", "literals:", "files: [", "envs: [", "behavior: replace", "rollout: suffix"),
    *("envcompile.dev/name-suffix: hash", "secret:\n  literals: [token=ref+vault://", "disableNameSuffixHash"),
    *("layout: app", "layout: environment", "envc: '>=0.1'", "owners:", "limits:", "cluster:"),
    *("rule: team-color", "@rule(", "ValidatingAdmissionPolicyBinding", "x-kubernetes-validations"),
    *("private.yaml", "in-clear-", "-> ../../files/", '"kind": "Service"'),
)


def test_every_feature_is_used() -> None:
    """Between them the first repositories hold everything that the language has."""
    texts = "\n".join(text for seed in range(60) for text in random_repository(seed).values())
    assert [feature for feature in FEATURES if feature not in texts] == []


def test_those_that_are_built_again_and_again_use_every_feature() -> None:
    """A new feature changes what is drawn: then other seeds are needed."""
    texts = "\n".join(text for seed in SEEDS for text in random_repository(seed).values())
    assert [feature for feature in FEATURES if feature not in texts] == []


def test_every_edit_happens() -> None:
    """Each does something to the first repositories, and the same to the same."""
    for _, edit in EDITS:
        told = [edit(Random(seed), random_repository(seed)) for seed in range(12)]
        assert any(told), edit.__name__
        assert told == [edit(Random(seed), random_repository(seed)) for seed in range(12)]


def test_a_path_is_a_file_or_a_folder() -> None:
    """However files are moved, what is left can be written to a disk."""
    chance, files = Random(1), random_repository(1)
    for _ in range(300):
        random_edit(chance, files)
        assert not [path for path in files if any(other.startswith(f"{path}/") for other in files)]


def test_a_fault_is_found_and_shrunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that forgets what a third step changed is caught; the message has what one needs to see it again."""

    def forgetful(root: Path, *arguments: str) -> Answer:
        answer = ask(root, *arguments)
        if root.name == "kept" and arguments == ("build",) and (root / "planted").exists():
            return answer._replace(files={path: data for path, data in answer.files.items() if "web" not in path})
        return answer

    def disturb(sequence: Sequence, chance: Random) -> tuple[list[str], tuple[str, ...]]:
        if chance.random() != Random("3/3").random():
            return ["nothing"], ()
        sequence._shop.put({**sequence._shop.files, "planted": ""})
        return ["a fault is planted"], ()

    monkeypatch.setattr(sequences, "ask", forgetful)
    monkeypatch.setattr(Sequence, "_disturb", disturb)
    place = tmp_path / "sequence"
    place.mkdir()
    fault = Sequence(3, place).play()
    assert fault is not None
    assert (fault.law, fault.step) == ("equal to fresh", 3)
    assert "missing here" in fault.text
    message = explain(3, fault, tmp_path)
    assert message.startswith("law `equal to fresh` does not hold for seed 3\n3. a fault is planted; then build")
    assert message.endswith("--seed 3 --sequences 1 --steps 3")


def test_what_must_be_named_and_what_may() -> None:
    """A value that differs must, bytes or a file that differ may, and chart and index are no resources."""
    text = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: here}\ndata: {x: '1'}\n"
    name = ("dev", "", "ConfigMap", "here", "a")
    one = {"dev/web/configmap-a.yaml": text, "chart/values.yaml": b"a: 1\n", "dev/.envc-index": b""}
    assert changed_resources(one, one) == (set(), set())
    assert changed_resources(one, {"dev/web/configmap-a.yaml": text.replace(b"1'", b"2'")}) == ({name}, {name})
    assert changed_resources(one, {"dev/api/configmap-a.yaml": text}) == (set(), {name})
    assert changed_resources(one, {}) == ({name}, {name})
