"""The generator of the benchmarks: what it promises to those who compare tools with it."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.benchmarks.generate import main
from tests.benchmarks.generate_forms import FORMS, Logical
from tests.benchmarks.generate_patches import GeneratorError, patches
from tests.benchmarks.generate_values import TRICKY
from tests.benchmarks.reading import differences, expected_objects, rendered_objects
from tests.harness.command import run_envc
from tests.harness.repository import read_files

if TYPE_CHECKING:
    from pathlib import Path

SERVICES = 5


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small repository in every form."""
    folder = tmp_path_factory.mktemp("generated")
    assert main([str(folder), "--services", str(SERVICES)]) == 0
    return folder


def test_the_same_arguments_give_the_same_bytes(generated: Path, tmp_path: Path) -> None:
    """A figure can be measured again by anyone."""
    assert main([str(tmp_path), "--services", str(SERVICES)]) == 0
    assert read_files(tmp_path) == read_files(generated)


def test_another_seed_gives_another_repository(generated: Path, tmp_path: Path) -> None:
    """The seed is not forgotten on the way."""
    assert main([str(tmp_path), "--services", str(SERVICES), "--seed", "8"]) == 0
    assert read_files(tmp_path / "expected") != read_files(generated / "expected")


def test_a_smaller_repository_is_a_prefix_of_a_larger_one(generated: Path, tmp_path: Path) -> None:
    """So that the growth of a figure is due to size alone."""
    assert main([str(tmp_path), "--services", str(SERVICES + 3), "--forms", "envc", "expected"]) == 0
    small, large = read_files(generated / "envc"), read_files(tmp_path / "envc")
    assert small.items() <= large.items()
    for environment in ("dev", "test", "staging", "prod"):
        file = f"expected/{environment}.jsonl"
        assert (tmp_path / file).read_bytes().startswith((generated / file).read_bytes())


def test_a_bump_changes_one_base_file(generated: Path, tmp_path: Path) -> None:
    """The next commit to service 2, which reaches every environment."""
    assert main([str(tmp_path), "--services", str(SERVICES), "--bump", "2"]) == 0
    before, after = read_files(generated), read_files(tmp_path)
    name = Logical(SERVICES).names()[2]
    assert {path for path in before if path.startswith("envc/") and before[path] != after[path]} == {
        f"envc/base/{name}/deployment.yaml"
    }
    for environment in ("dev", "test", "staging", "prod"):
        wanted, found = (expected_objects(each / f"expected/{environment}.jsonl") for each in (generated, tmp_path))
        assert [str(each).partition(": .")[2].partition(":")[0] for each in differences(wanted, found)] == [
            "spec.template.spec.terminationGracePeriodSeconds"
        ]


def test_every_tricky_string_is_somewhere() -> None:
    """A hundred services hold every string that writers of YAML get wrong."""
    text = "".join(text for _, text in FORMS["expected"](Logical(100, 1)))
    assert [each for each in TRICKY if json.dumps(each, ensure_ascii=False) not in text] == []


def test_envc_compiles_the_expected_objects(generated: Path, tmp_path: Path) -> None:
    """As kubectl reads them, with every list in the order of the sources."""
    root = tmp_path / "envc"
    shutil.copytree(generated / "envc", root)
    assert run_envc(root, "build").code == 0
    for environment in ("dev", "test", "staging", "prod"):
        wanted = expected_objects(generated / f"expected/{environment}.jsonl")
        found = rendered_objects(root / "environments" / environment)
        assert len(wanted) == 7 * SERVICES
        assert differences(wanted, found) == []


def test_differences_are_found_in_value_type_and_presence() -> None:
    """A reader that takes `"1"` for 1 would call wrong output equal."""
    one = {("v1", "ConfigMap", "n", "c"): {"data": {"a": "1", "b": ["x"]}}}
    other = {("v1", "ConfigMap", "n", "c"): {"data": {"a": 1, "b": ["x", "y"]}}, ("v1", "Secret", "n", "s"): {}}
    assert [str(each) for each in differences(one, other)] == [
        'ConfigMap/c (namespace n): .data.a: 1 instead of "1"',
        'ConfigMap/c (namespace n): .data.b: ["x", "y"] instead of ["x"]',
        "Secret/s (namespace n): is not expected",
    ]
    assert differences({("v1", "A", "", "a"): {"x": True}}, {("v1", "A", "", "a"): {"x": 1}}) != []


def test_the_order_of_keyed_lists_counts_only_when_asked() -> None:
    """Patched variables are at the front of what kustomize prints."""
    items = [{"name": "a"}, {"name": "b"}]
    one, other = ({("v1", "Pod", "", "p"): {"env": found}} for found in (items, items[::-1]))
    assert differences(one, other) != []
    assert differences(one, other, keyed_order=False) == []


def test_two_documents_of_one_identity_are_refused(tmp_path: Path) -> None:
    """Otherwise a tool that renders an object twice would pass."""
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n"
    (tmp_path / "twice.yaml").write_text(f"{text}---\n{text}", encoding="utf-8")
    with pytest.raises(ValueError, match=r"two documents are v1/ConfigMap//c"):
        rendered_objects(tmp_path)


def test_a_patch_that_would_remove_something_is_refused() -> None:
    """The forms could not all say it, so the generator never does."""
    metadata = {"name": "c"}
    base = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "1"}}]
    with pytest.raises(GeneratorError, match="an environment removes data: the generator has no such patch"):
        patches(base, [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}])
