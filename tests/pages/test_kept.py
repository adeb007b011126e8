"""What the next state of a project takes over from the former one is what it would have worked out itself."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from envcompile.actions.past import open_past
from envcompile.actions.record import record
from envcompile.actions.since import with_origins
from envcompile.pages.seen import look
from envcompile.pages.site import Site
from tests.harness.repository import commit, config_map, deployment, environment, git, write_files

if TYPE_CHECKING:
    from pathlib import Path

    from envcompile.actions.origins import ResourceOrigins
    from envcompile.pages.state import State
    from tests.conftest import MakeProject
    from tests.pages.shop import Shop

NOW = 1_790_000_000
PATCH = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec: {{replicas: {count}}}\n"


@pytest.fixture
def root(make_project: MakeProject) -> Path:
    """Three applications in two environments, recorded."""
    place = make_project({
        **{f"base/{name}.yaml": deployment(name) for name in ("web", "api", "worker")},
        "base/map.yaml": config_map("map", a="1"),
        "overlays/dev/environment.yaml": environment("namespace: dev\n"),
        "overlays/prod/environment.yaml": environment("namespace: prod\n"),
        "overlays/prod/web.yaml": PATCH.format(name="web", count=3),
        "envc.yaml": "environments: [dev, prod]\n",
        ".gitignore": ".envc/\n",
    })
    git(place, "init", "--quiet")
    commit(place)
    _record(place)
    return place


def _record(root: Path) -> None:
    with closing(open_past(root, create=True)) as past:
        record(past.repository, past.store, past.repository.walk(["HEAD"], oldest_first=True))


def _prepared(site: Site) -> State:
    """The newest state, with everything that is worked out before somebody asks."""
    site.refresh()
    site.draw()
    return site.state


def _told(state: State) -> dict[str, object]:
    """What pages say of a state."""
    return {
        "origins": {name: state.origins(name, ()) for name in state.compiled},
        "events": state.events,
        "marks": state.marks,
        "delivered": state.delivered(NOW),
        "cost": state.cost_history(NOW),
        "matrix": state.matrix("", ""),
        "dated": state.dated(state.findings),
    }


def _taken_over(before: State, after: State, name: str) -> set[str]:
    """The resources of an environment that were not explained anew."""
    old: dict[int, ResourceOrigins] = {id(one): one for one in before.origins(name, ()).resources}
    return {one.id.name for one in after.origins(name, ()).resources if id(one) in old}


def test_after_an_edit_only_its_unit_is_explained_anew(root: Path) -> None:
    """And every page says what it would say had there been no former state."""
    site = Site(root, lambda: NOW)
    before = _prepared(site)
    write_files(root, {"overlays/prod/web.yaml": f"# ours\n{PATCH.format(name='web', count=5)}"})
    after = _prepared(site)
    assert after is not before
    assert _taken_over(before, after, "dev") == {"web", "api", "worker", "map"}
    assert _taken_over(before, after, "prod") == {"api", "worker", "map"}
    assert _told(after) == _told(_prepared(Site(root, lambda: NOW)))


def test_nothing_is_taken_over_when_something_was_recorded(root: Path) -> None:
    """Since when fields are as they are may be otherwise everywhere."""
    site = Site(root, lambda: NOW)
    before = _prepared(site)
    write_files(root, {"overlays/prod/web.yaml": PATCH.format(name="web", count=5)})
    commit(root, "five")
    _record(root)
    after = _prepared(site)
    assert _taken_over(before, after, "dev") == set()
    assert _told(after) == _told(_prepared(Site(root, lambda: NOW)))


def test_a_setting_of_an_environment_changes_all_of_it(root: Path) -> None:
    """A label on everything is a say in every resource; the other environment is as it was."""
    site = Site(root, lambda: NOW)
    before = _prepared(site)
    write_files(root, {"overlays/prod/environment.yaml": environment("namespace: prod\nlabels: {team: blue}\n")})
    after = _prepared(site)
    assert _taken_over(before, after, "prod") == set()
    assert _taken_over(before, after, "dev") == {"web", "api", "worker", "map"}
    assert _told(after) == _told(_prepared(Site(root, lambda: NOW)))


def test_the_mark_of_the_history_changes_with_it(root: Path) -> None:
    """Not with a file that is saved."""
    first = look(root)
    write_files(root, {"base/web.yaml": f"# ours\n{deployment('web')}"})
    second = look(root)
    assert second.identity != first.identity
    assert second.history == first.history != ""
    commit(root, "ours")
    third = look(root)
    assert third.history != second.history


def test_findings_are_dated_as_the_command_dates_them(shop: Shop, site: Site) -> None:
    """By the origins of fields that pages have at hand, not by asking the history for each resource."""
    state = site.state
    assert state.dated(state.findings) == with_origins(shop.root, state.findings)


def test_findings_of_edited_files_are_dated_as_the_command_dates_them(root: Path) -> None:
    """A value that is not committed, in a file that is, and one in a file that changed beside it."""
    write_files(
        root,
        {
            "base/api.yaml": f"# ours\n{deployment('api')}",
            "overlays/prod/worker.yaml": PATCH.format(name="worker", count=0),
            "base/map.yaml": config_map("map", a="2"),
        },
    )
    state = _prepared(Site(root, lambda: NOW))
    assert state.findings
    assert state.dated(state.findings) == with_origins(root, state.findings)
