"""`envc rule`: what people read when a finding is not clear to them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from envcompile.check.rules.catalogue import ALL
from tests.harness.command import run_envc

if TYPE_CHECKING:
    from pathlib import Path


def test_a_rule_says_all_that_it_knows(tmp_path: Path) -> None:
    """What, why, fix, both examples, scope and source, without a project."""
    code, out, err = run_envc(tmp_path, "rule", "image-latest")
    assert (code, err) == (0, "")
    assert out.startswith("image-latest (warning): An image is named by a tag of its own")
    parts = [
        "\nwhy: ",
        "\nfix: ",
        "\nit fires for:\n\n    apiVersion: v1\n",
        "\nit is silent for:\n\n    apiVersion: v1\n",
    ]
    places = [out.index(part) for part in [*parts, "\nit looks at: each resource alone\nsource: kubernetes.io, Images"]]
    assert places == sorted(places)
    assert out.endswith("\nhttps://kubernetes.io/docs/concepts/containers/images/#image-names\n")


def test_all_rules_and_the_list_of_them(tmp_path: Path) -> None:
    """`--all` has every rule whole; without it each has a line."""
    every = run_envc(tmp_path, "rule", "--all")[1]
    listed = run_envc(tmp_path, "rule")[1].splitlines()
    assert [line.split()[0] for line in listed] == sorted(rule.id for rule in ALL)
    assert all(f"\n{rule.id} ({rule.severity}): " in f"\n{every}" for rule in ALL)
    assert every.count("\nit fires for:\n") == len(ALL)


def test_rules_for_programs(tmp_path: Path) -> None:
    """JSON has the same fields for each."""
    [rule] = json.loads(run_envc(tmp_path, "rule", "pdb-missing", "--format", "json")[1])["rules"]
    keys = ["id", "grade", "mended", "scope", "what", "why", "fix", "source", "links", "fires", "silent"]
    assert [*rule] == keys
    assert rule["scope"] == "environment"
    every = json.loads(run_envc(tmp_path, "rule", "--all", "--format", "json")[1])["rules"]
    assert len(every) == len(ALL)
    assert all([*each] == keys for each in every)


def test_a_mistyped_rule(tmp_path: Path) -> None:
    """Each with the nearest name."""
    code, out, err = run_envc(tmp_path, "rule", "image-lates", "xyzzy")
    assert (code, out) == (2, "")
    assert "there is no rule `image-lates`" in err
    assert "did you mean `image-latest`?" in err
    assert "`envc rule` lists the rules" in err


def test_the_first_word_of_rules(tmp_path: Path) -> None:
    """What `--select` takes is no rule's name: those that begin so are named."""
    code, _, err = run_envc(tmp_path, "rule", "image")
    assert code == 2
    assert err == "error: there is no rule `image`\nhint: these begin with it: `image-latest`, `image-not-digest`\n"
