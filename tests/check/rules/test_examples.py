"""A rule is one file with all that people ask of it, and both of its examples are true."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from envcompile.check import rules
from envcompile.check.rules.catalogue import ABOUT_SUPPRESSIONS, ALL, RULES
from envcompile.check.rules.server.schema import RULE as SCHEMA
from tests.check.rules.inputs import example
from tests.harness.command import run_envc
from tests.harness.repository import environment

if TYPE_CHECKING:
    from envcompile.check.rule import Rule
    from tests.conftest import MakeProject

FOLDER = Path(rules.__file__).parent
CERTAIN = {"schema", "api-removed", "duplicate-env", "duplicate-ports", "volume-missing", "selector-mismatch"}
CERTAIN |= {"requests-over-limits", "rollout-stuck", "label-values", "name-length", "windows-hostprocess"}
"""Rules about what the API server refuses, too: what fires them is not valid."""


def named(rule: Rule) -> str:
    """The id of a test."""
    return rule.id


def test_a_rule_has_the_file_of_its_name() -> None:
    """Whoever reads an id knows where to look; whoever reads a file knows the id."""
    files = {path.stem.replace("_", "-") for path in FOLDER.glob("*/*.py") if path.stem != "__init__"}
    assert files == {rule.id for rule in ALL}


@pytest.mark.parametrize("rule", ALL, ids=named)
def test_a_rule_answers_every_question(rule: Rule) -> None:
    """What must be so, why, what to write, where to read more, an example of each kind."""
    for text in (rule.summary, rule.why, rule.fix):
        assert re.fullmatch(r"[A-Za-z`].*[^.]\.", text, re.DOTALL), text
    assert rule.source
    assert rule.links or rule in ABOUT_SUPPRESSIONS
    assert all(re.fullmatch(r"https://[\w.-]+/\S+[^.,]", link) for link in rule.links)
    assert rule.fires != rule.silent


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_the_firing_example_fires(rule: Rule) -> None:
    """With a resource of the example, a sentence and a mend."""
    inputs = example(rule.fires)
    hits = list(rule.find(inputs))
    assert hits
    names = {resource.id for resource in inputs.resources}
    for hit in hits:
        assert hit.resource in names
        assert hit.what
        assert hit.fix


@pytest.mark.parametrize("rule", RULES, ids=named)
def test_the_silent_example_is_silent(rule: Rule) -> None:
    """And it is one that the API server takes: people copy it."""
    inputs = example(rule.silent)
    assert not list(rule.find(inputs))
    assert not [hit for hit in SCHEMA.find(inputs) if hit.severity is None]


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.id not in CERTAIN], ids=named)
def test_the_firing_example_is_wrong_in_one_way(rule: Rule) -> None:
    """What only the rule minds is nothing that the schema minds."""
    assert not [hit for hit in SCHEMA.find(example(rule.fires)) if hit.severity is None]


@pytest.mark.parametrize("rule", ABOUT_SUPPRESSIONS, ids=named)
@pytest.mark.parametrize("fires", [True, False])
def test_the_examples_of_rules_about_suppressions(make_project: MakeProject, rule: Rule, *, fires: bool) -> None:
    """They are judged together with what other rules find, so the whole command is run."""
    project = make_project({
        "envc.yaml": "environments: [prod]\n",
        "overlays/prod/environment.yaml": environment("namespace: shop\n"),
        "base/api/pod.yaml": rule.fires if fires else rule.silent,
    })
    code, out, err = run_envc(project, "check", "--fail-on", "info")
    assert code == 1, err
    assert (f" {rule.id}: " in out) is fires


NEW = '''"""The rule `no-friday`."""

from envcompile.check.finding import Hit
from envcompile.check.rule import Rule


def _find(inputs):
    for resource in inputs.of_kind("", "ConfigMap"):
        if resource.id.name == "friday":
            yield Hit(resource.id, ("metadata", "name"), "it is called friday", "call it monday")


RULE = Rule(
    "no-friday", "error", "Nothing is called friday.", "a test", _find, alone=True,
    why="Because.", fix="Call it monday.", links=("https://example.com/friday",),
    fires="apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: friday}\\n",
    silent="apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: monday}\\n",
)
'''
NEW_IN_CEL = '''"""The rule `no-saturday`."""

from envcompile.check.cel.installed import is_installed
from envcompile.check.finding import Hit
from envcompile.check.rule import Rule


def _find(inputs):
    if not is_installed():
        return
    from envcompile.check.cel.engine import engine_for
    from envcompile.check.cel.tree import DYN

    program = engine_for(inputs.api.version).compile("object.metadata.name == 'saturday'", {"object": DYN})
    for resource in inputs.of_kind("", "ConfigMap"):
        if program.run({"object": resource.value}).value is True:
            yield Hit(resource.id, ("metadata", "name"), "it is called saturday", "call it monday")


RULE = Rule(
    "no-saturday", "error", "Nothing is called saturday.", "a test", _find, alone=True, in_cel=True,
    why="Because.", fix="Call it monday.", links=("https://example.com/saturday",),
    fires="apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: saturday}\\n",
    silent="apiVersion: v1\\nkind: ConfigMap\\nmetadata: {name: monday}\\n",
)
'''
RUN = """
import sys
sys.path.insert(0, sys.argv[1])
from envcompile.cli import main
from tests.docs.rules import reference
assert main(["check", "--list-rules"]) == 0
sys.stdout.write(reference())
sys.exit(main(["--project", sys.argv[2], "check"]))
"""
WITHOUT_ENGINE = """
import sys
sys.path.insert(0, sys.argv[1])
from envcompile.actions import not_evaluated
from envcompile.actions.own_rules import Own
not_evaluated.is_installed = lambda: False
sys.stdout.write(" ".join(sorted(not_evaluated.untried(Own()))))
"""


@pytest.mark.parametrize(
    ("file", "source", "day"), [("no_friday", NEW, "friday"), ("no_saturday", NEW_IN_CEL, "saturday")]
)
def test_a_rule_is_added_by_one_file(
    make_project: MakeProject, tmp_path: Path, file: str, source: str, day: str
) -> None:
    """It is dropped into a subject's folder, and runs, is listed and documented; nothing else is touched."""
    root = FOLDER.parents[2]
    for part in ("envcompile", "tests/docs"):
        shutil.copytree(root / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / f"envcompile/check/rules/hygiene/{file}.py").write_text(source)
    project = make_project({
        "envc.yaml": "environments: [prod]\n",
        "overlays/prod/environment.yaml": environment("namespace: shop\n"),
        "base/api/config.yaml": source.partition('fires="')[2].partition('"')[0].replace("\\n", "\n"),
    })
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(tmp_path), str(project)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    listed, _, rest = done.stdout.partition("# Rules")
    page, _, found = rest.rpartition("base/api/config.yaml:")
    assert f"\nno-{day} " in listed
    assert f"`no-{day}`" in page
    assert f"https://example.com/{day}" in page
    assert found.startswith("3:")
    assert f"error no-{day}: it is called {day}" in found
    without = subprocess.run(
        [sys.executable, "-c", WITHOUT_ENGINE, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (f"no-{day}" in without.stdout.split()) is ("in_cel=True" in source), without.stderr
