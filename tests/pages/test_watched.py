"""Pages say of a watched cluster what is there and what is not, and of any other that it is not known."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from envcompile.actions.live_places import database_of
from envcompile.history.database import connect
from envcompile.history.drifted import Difference, note
from envcompile.history.livetimes import SECOND
from envcompile.model import ResourceId
from envcompile.pages.environment import environment_page
from envcompile.pages.links import Links
from envcompile.pages.overview import overview
from envcompile.pages.resource import resource_page
from envcompile.pages.site import Site
from tests.harness.repository import commit, config_map, deployment, environment, git
from tests.history.clusters import START, fill

if TYPE_CHECKING:
    from pathlib import Path

    from envcompile.pages.state import State
    from tests.conftest import MakeProject

NOW = START // SECOND + 3600


@pytest.fixture
def root(make_project: MakeProject) -> Path:
    """Two environments: `prod` has a cluster that was watched for an hour, `dev` one that was not."""
    place = make_project({
        "base/web/web.yaml": "---\n".join([deployment("web"), deployment("other"), config_map("web")]),
        "overlays/dev/environment.yaml": environment("namespace: shop\ncluster: {context: dev}\n"),
        "overlays/prod/environment.yaml": environment("namespace: shop\ncluster: {context: prod}\n"),
        "envc.yaml": "environments: [dev, prod]\n",
    })
    git(place, "init", "--quiet")
    commit(place)
    return place


def state_of(root: Path) -> State:
    """The state that pages show."""
    site = Site(root, lambda: NOW)
    site.refresh()
    return site.state


def facts_of(state: State, resource: str, name: str = "prod") -> dict[str, str]:
    """What the page of a resource tells beside its manifest."""
    return dict(resource_page(state, name, resource, {}, Links(), NOW).facts)


def test_nothing_is_said_of_what_nobody_watched(root: Path) -> None:
    """Neither that all is well nor that it is not."""
    state = state_of(root)
    page = overview(state, NOW)
    assert [(row.cluster, row.cluster_words) for row in page.environments] == [("off", "not watched")] * 2
    assert "none is watched" in page.sub
    assert facts_of(state, "deployment/web")["Cluster"] == "not watched"


def test_what_is_there_and_what_is_not(root: Path) -> None:
    """Of the kinds that were watched; a kind that was not counts on neither side."""
    fill(database_of(root))
    state = state_of(root)
    page = overview(state, NOW)
    assert [(row.cluster, row.cluster_words) for row in page.environments] == [
        ("off", "not watched"),
        ("changed", "1 of 2 not there"),
    ]
    assert "Not in the cluster: 1 resource of prod, by what `envc watch` stored" in page.sub
    own = environment_page(state, "prod", {}, Links(), NOW)
    assert "Not in the cluster prod: Deployment/other. `envc drift prod --record` compares field by field." in own.sub
    assert facts_of(state, "deployment/web")["Cluster"] == "there since 14 Nov (prod)"
    assert facts_of(state, "deployment/web")["Last event"].endswith("Unhealthy of Pod/web-1-a: Unhealthy of the tests")
    assert facts_of(state, "deployment/other")["Cluster"] == "not there (prod)"
    assert facts_of(state, "configmap/web")["Cluster"] == "not watched"
    assert facts_of(state, "deployment/web", "dev")["Cluster"] == "not watched"


def test_what_came_later_is_seen_half_a_minute_later(root: Path) -> None:
    """The state of the sources is the same, that of the cluster is asked anew."""
    state = state_of(root)
    assert not state.presences(NOW)
    fill(database_of(root))
    assert not state.presences(NOW + 29)
    assert state.presences(NOW + 30)["prod"].missing[0].name == "other"


def test_recorded_drift_is_shown(root: Path) -> None:
    """On the overview, on the environment's page, and field by field on the resource's."""
    web = ResourceId("apps", "Deployment", "shop", "web")
    secret = ResourceId("", "Secret", "shop", "key")
    found = [
        Difference(web, "spec.replicas", "changed", "1", "9", "kubectl", "base/web/web.yaml:6:13"),
        Difference(
            ResourceId("apps", "Deployment", "shop", "other"), "", "missing", "", "", "", "base/web/web.yaml:1:1"
        ),
        Difference(secret, "data.password", "changed", "", "", "kubectl", ""),
    ]
    with closing(connect(database_of(root))) as database:
        note(database, "prod", "prod-eu", 3, found, NOW - 7200)
        note(database, "prod", "prod-eu", 3, found[:2], NOW - 60)
    state = state_of(root)
    page = overview(state, NOW)
    assert [(row.cluster, row.cluster_words) for row in page.environments] == [
        ("off", "not watched"),
        ("changed", "2 of 3 differ"),
    ]
    assert "Otherwise in the cluster than compiled: 2 resources of prod" in page.sub
    assert "2 resources of 3 differed from what is compiled." in environment_page(state, "prod", {}, Links(), NOW).sub
    assert facts_of(state, "deployment/web")["Drift"] == (
        "spec.replicas: 9 is live, 1 is compiled, by kubectl, since 14 Nov"
    )
    assert facts_of(state, "deployment/other")["Drift"] == "not in the cluster, since 14 Nov"
    assert facts_of(state, "configmap/web")["Drift"].startswith("none on 14 Nov at ")
    assert "Drift" not in facts_of(state, "deployment/web", "dev")


def test_no_drift_is_shown_too(root: Path) -> None:
    """With the day of the last look: an old answer is not taken for one of now."""
    with closing(connect(database_of(root))) as database:
        note(database, "prod", "prod-eu", 3, [], NOW - 86_400)
    state = state_of(root)
    page = overview(state, NOW)
    assert page.environments[1].cluster_words == "no drift 13 Nov"
    assert "Prod had no drift when" in page.sub
