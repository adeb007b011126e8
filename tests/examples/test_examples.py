"""Each example builds to what is committed, has no error, and does what its page says."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.harness.command import run_envc
from tests.harness.repository import read_files

FOLDER = Path(__file__).parents[2] / "examples"
NAMES = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())


@pytest.fixture(params=NAMES)
def example(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of one example, without what a build remembers."""
    return copied(request.param, tmp_path)


def copied(name: str, tmp_path: Path) -> Path:
    """A copy of an example."""
    place = tmp_path / name
    shutil.copytree(FOLDER / name, place, ignore=shutil.ignore_patterns(".envc"))
    return place


def test_there_are_five() -> None:
    """And the page before them names each."""
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| \[([\w-]+)\]", text, re.MULTILINE) == [
        "kustomize-shop", "kustomize-components", "jsonnet-platform", "many-clusters", "secrets"
    ]  # fmt: skip
    assert set(re.findall(r"\]\(([\w-]+)/README.md\)", text)) == set(NAMES)


def test_an_example_is_built(example: Path) -> None:
    """What is committed is what its sources say, byte for byte."""
    before = read_files(example / "environments")
    del before[".gitattributes"]  # written where git would read it
    shutil.rmtree(example / "environments")
    built = run_envc(example, "build")
    assert built.code == 0, built.err
    assert read_files(example / "environments") == before


def test_an_example_has_no_error(example: Path) -> None:
    """Only advice is left."""
    checked = run_envc(example, "check")
    assert checked.code == 0, checked.out + checked.err
    assert " error " not in checked.out


def test_the_commands_of_its_page_run(example: Path) -> None:
    """Each of them, as it stands."""
    text = (example / "README.md").read_text(encoding="utf-8")
    commands = [part for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for part in re.split(r"\n|&&", block)]
    words = [re.findall(r"'([^']*)'|(\S+)", command) for command in commands if command.strip()]
    assert len(words) >= 2
    for parts in words:
        first, *arguments = [quoted or bare for quoted, bare in parts]
        assert first == "envc"
        done = run_envc(example, *arguments)
        assert done.code in ({0, 16} if arguments[0] == "compare" else {0}), done.err
        assert done.out or arguments[0] == "build"


def test_a_cluster_has_its_own_count(tmp_path: Path) -> None:
    """Three levels of `extends`, and the nearest says it."""
    root = copied("many-clusters", tmp_path)
    said = run_envc(root, "explain", "prod-us-1", "deployment/gateway", "spec.replicas").out
    assert "spec.replicas = 6" in said
    assert "spec.replicas = 3" in run_envc(root, "explain", "prod-eu-1", "deployment/gateway", "spec.replicas").out


def test_no_value_is_in_the_secrets_example() -> None:
    """Sealed in one environment, named in the other."""
    texts = {
        path.relative_to(FOLDER).as_posix(): path.read_text(encoding="utf-8")
        for path in (FOLDER / "secrets").rglob("*.yaml")
        if ".envc" not in path.parts
    }
    assert "kind: SealedSecret" in texts["secrets/environments/staging/orders/sealedsecret-orders.yaml"]
    assert "kind: ExternalSecret" in texts["secrets/environments/prod/orders/externalsecret-orders.yaml"]
    assert not [name for name, text in texts.items() if "postgres://" in text or "AGE-SECRET-KEY" in text]
