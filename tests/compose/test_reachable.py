"""A glob looks at the resources that it may match, however many others there are."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcompile.compose import reachable, settings, targets
from envcompile.compose.reachable import Names, Patterns, Reachable
from envcompile.compose.targets import may_reach
from envcompile.model import ResourceId
from envcompile.settings import Target
from tests.harness.compiled import resources
from tests.harness.repository import environment

if TYPE_CHECKING:
    from tests.conftest import MakeProject

SIGNS = "ab-[]!*?"
COUNT = 2_000
FORMS = {
    "the end": "*-c{0}",
    "the middle": "*-c{0}*",
    "the start": "web-c{0}*",
    "classes": "web-[cd]{0}",
    "one sign": "we?-c{0}",
    "no glob": "web-c{0}",
}
"""Globs that match one of many names, or a few."""


@given(st.lists(st.text("ab-[]", min_size=1, max_size=9), max_size=9), st.text(SIGNS, min_size=1, max_size=9))
def test_names_are_those_that_the_glob_matches(names: list[str], glob: str) -> None:
    """None is left out and none is there in vain, also when more come."""
    found = Names()
    for name in names:
        found.add(name)
        found.matching(glob)
    assert sorted(found.matching(glob)) == sorted({name for name in names if fnmatchcase(name, glob)})


@given(
    st.lists(st.tuples(*[st.text("ab", max_size=3)] * 3), max_size=9),
    st.tuples(*[st.none() | st.text("ab*?", min_size=1, max_size=3)] * 3),
)
def test_no_resource_of_a_target_is_missed(names: list[tuple[str, ...]], globs: tuple[str | None, ...]) -> None:
    """By whichever of its globs it is looked for."""
    known = [ResourceId("", kind.upper(), namespace, name) for kind, namespace, name in names]
    kind, namespace, name = globs
    target = Target(kind=kind, namespace=namespace, name=name)
    found = {one for one in Reachable(known).candidates(target) if may_reach(target, one)}
    assert found == {one for one in known if may_reach(target, one)}


@pytest.mark.parametrize(
    ("form", "is_one_application"),
    [*((form, True) for form in FORMS.values()), (FORMS["the end"], False)],
    ids=[*FORMS, "many applications"],
)
def test_many_patches_look_at_few_resources_each(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch, form: str, *, is_one_application: bool
) -> None:
    """2,000 patches of 2,000 resources: what is compared is a small part of four millions, bounded by its number."""
    compared = 0

    def counted(text: str, glob: str) -> bool:
        nonlocal compared
        compared += 1
        return fnmatchcase(text, glob)

    one = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: web-c{0}}}\n"
    patch = "apiVersion: envcompile.dev/v1\nkind: Patch\ntarget: {{name: '{0}'}}\nmerge: {{data: {{a: b}}}}\n"
    numbers = [f"{number:04}" for number in range(COUNT)]
    files = {
        f"base/{'app' if is_one_application else f'app{start}'}/all{start}.yaml": "---\n".join(
            one.format(number) for number in numbers[start : start + 100]
        )
        for start in range(0, COUNT, 100)
    }
    monkeypatch.setattr(reachable, "fnmatchcase", counted)
    monkeypatch.setattr(targets, "fnmatchcase", counted)
    made = resources(
        make_project({
            **files,
            "overlays/prod/environment.yaml": environment(),
            "overlays/prod/p.yaml": "---\n".join(patch.format(form.format(number)) for number in numbers),
        })
    )
    assert len(made) == COUNT
    assert all(resource.value["data"] == {"a": "b"} for resource in made.values())
    assert compared < 50 * COUNT


@given(st.lists(st.text(SIGNS, min_size=1, max_size=9), max_size=9), st.text("ab-[]", min_size=1, max_size=9))
def test_globs_are_those_that_match_the_name(globs: list[str], name: str) -> None:
    """The other way about: of many globs none that matches a name is passed over."""
    found = set(Patterns(enumerate(globs)).candidates(name))
    assert found >= {number for number, glob in enumerate(globs) if fnmatchcase(name, glob)}


@pytest.mark.parametrize("form", ["*-c{0}*", "web-c{0}-x"])
def test_many_exclusions_are_compared_with_few_resources_each(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    """2,000 globs, or names, of what is left out, of 2,000 resources."""
    compared = 0

    def counted(text: str, glob: str) -> bool:
        nonlocal compared
        compared += 1
        return fnmatchcase(text, glob)

    one = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: web-c{0}-x}}\n"
    numbers = [f"{number:04}" for number in range(COUNT)]
    left_out = "".join(f"- {{kind: ConfigMap, name: '{form.format(number)}'}}\n" for number in numbers[1:])
    monkeypatch.setattr(settings, "fnmatchcase", counted)
    made = resources(
        make_project({
            "base/app/all.yaml": "---\n".join(one.format(number) for number in numbers),
            "overlays/prod/environment.yaml": environment(f"exclude:\n{left_out}"),
        })
    )
    assert [resource.id.name for resource in made.values()] == ["web-c0000-x"]
    assert compared < 50 * COUNT
