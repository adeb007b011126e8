"""Lead times, lags and changes that are taken back, worked out by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envcompile.actions.past import open_past
from envcompile.actions.timeline import deliveries, timeline
from envcompile.errors import UsageError
from envcompile.git.repository import Commit
from envcompile.history.delivery import DAY, WEEK, FieldStep, delivery, waiting
from envcompile.history.times import moment_of
from envcompile.history.trailers import approvals
from envcompile.history.versions import Arrival, version_of
from envcompile.model import ResourceId
from tests.harness.repository import deployment
from tests.history.conftest import START

if TYPE_CHECKING:
    from tests.history.conftest import Folder

WEB = ResourceId("apps", "Deployment", "shop", "web")
HOUR = 3600


def commit(name: str, at: int) -> Commit:
    """A commit of a name and time."""
    return Commit(name, (), "Ada", "ada@example.com", at, "Ada", "ada@example.com", at, name)


def came(environment: str, before: str, image: str, name: str, at: int, *, first: bool = False) -> Arrival:
    """An image that came to the one container of the one workload."""
    return Arrival(environment, WEB, "web", before, image, commit(name, at), first)


LANES = {
    "dev": [
        came("dev", "", "web:1", "c0", 0, first=True),
        came("dev", "web:1", "web:2", "c1", 1 * DAY),
        came("dev", "web:2", "web:3", "c3", 3 * DAY),
        came("dev", "web:3", "web:4", "c6", 8 * DAY),
    ],
    "prod": [
        came("prod", "", "web:1", "c0", 0, first=True),
        came("prod", "web:1", "web:2", "c4", 4 * DAY),
        came("prod", "web:2", "web:3", "c5", 5 * DAY),
        came("prod", "web:3", "web:2", "c7", 9 * DAY),
        came("prod", "web:2", "other:9", "c8", 10 * DAY),
        came("prod", "other:9", "web:3", "c9", 11 * DAY),
    ],
}


def test_lead_time_is_from_where_an_image_first_arrived() -> None:
    """Three days for 2, two for 3; what came back, or from nowhere, has none; the first record is no deployment."""
    changed = [(f"c{number}", number * DAY) for number in range(12)]
    found = delivery("prod", LANES, [], changed, 0, 2 * WEEK)
    assert found.lead_times == (2 * DAY, 3 * DAY)
    assert found.median_lead_time == pytest.approx(2.5 * DAY)
    assert (found.deployments, found.deployments_a_week) == (5, 2.5)
    assert delivery("dev", LANES, [], changed, 0, 2 * WEEK).median_lead_time is None


def test_the_period_bounds_what_counts() -> None:
    """Its begin is in it, its end is not; lead times look back beyond it."""
    found = delivery("prod", LANES, [], [("c4", 4 * DAY), ("c5", 5 * DAY)], 4 * DAY, 5 * DAY)
    assert (found.changes, found.deployments, found.lead_times) == (1, 1, (3 * DAY,))


@pytest.mark.parametrize(("hours", "failed"), [(1, 1), (24, 1), (25, 0)])
def test_a_change_failed_when_it_was_set_back_within_a_day(hours: int, failed: int) -> None:
    """To the value of before, in the same field, by another commit."""
    steps = [
        FieldStep("a", 0, "Deployment/web", "spec.replicas", "2", "4"),
        FieldStep("b", hours * HOUR, "Deployment/web", "spec.replicas", "4", "2"),
    ]
    found = delivery("prod", LANES, steps, [("a", 0), ("b", hours * HOUR)], 0, WEEK)
    assert found.failure_rate == failed / 2
    assert [(back.commit, back.by, back.seconds) for back in found.taken_back] == [("a", "b", hours * HOUR)][:failed]


def test_another_value_is_no_way_back() -> None:
    """Nor is another field, nor a change of what was changed between."""
    steps = [
        FieldStep("a", 0, "Deployment/web", "spec.replicas", "2", "4"),
        FieldStep("b", HOUR, "Deployment/web", "spec.replicas", "4", "3"),
        FieldStep("c", 2 * HOUR, "Deployment/web", "spec.replicas", "3", "2"),
        FieldStep("d", 3 * HOUR, "Deployment/other", "spec.replicas", "4", "2"),
    ]
    assert delivery("prod", LANES, steps, [("a", 0)], 0, WEEK).taken_back == ()
    assert delivery("prod", LANES, [], [], 0, WEEK).failure_rate is None


def test_what_waits_for_the_next_environment() -> None:
    """Since when, how many commits, and how many versions it is behind."""
    line = [f"c{number}" for number in range(10)]
    (found,) = waiting(LANES, line, 12 * DAY)
    assert (found.source, found.target, found.image, found.behind) == ("dev", "prod", "web:4", "web:3")
    assert (found.seconds, found.commits, found.versions) == (4 * DAY, 3, 1)
    moving = {**LANES, "dev": [*LANES["dev"], came("dev", "web:4", "web:latest", "c9", 11 * DAY)]}
    assert waiting(moving, line, 12 * DAY) == []


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("registry.example.com:5000/shop/web:v1.2", "v1.2"),
        ("web@sha256:0123456789abcdef0123456789abcdef", "0123456789ab"),
        ("web:v1@sha256:0123456789abcdef0123456789abcdef", "v1@0123456789ab"),
        ("registry.example.com:5000/web", "registry.example.com:5000/web"),
    ],
)
def test_the_version_of_an_image(image: str, version: str) -> None:
    """A registry's port is no tag."""
    assert version_of(image) == version


def test_who_approved() -> None:
    """Trailers of the last paragraph; a subject alone has none, and signing off is no approval."""
    message = (
        "Subject\n\nReviewed-by: in the text\n\nApproved-by: Ada <a@x>\nreviewed-by: Bo <b@x>\nSigned-off-by: C <c@x>\n"
    )
    assert approvals(message) == ("Ada <a@x>", "Bo <b@x>")
    assert approvals("Reviewed-by: Ada <a@x>") == ()
    assert approvals("Subject\n\nAcked-by: Ada\nAcked-by: Ada") == ("Ada",)


def test_when_people_say_since() -> None:
    """An age, or a time."""
    assert moment_of("30d", 100 * DAY) == 70 * DAY
    assert moment_of("2w", 100 * DAY) == 86 * DAY
    assert moment_of("12h", DAY) == DAY // 2
    assert moment_of("90m", DAY) == DAY - 5400
    assert moment_of("2023-11-14T22:13:20Z", 0) == 1_700_000_000
    with pytest.raises(UsageError, match="soon"):
        moment_of("soon", 0)


def test_the_lanes_of_a_repository(folder: Folder) -> None:
    """An image comes to dev, then to prod with an approval; a branch that was merged is one commit of the line."""
    folder.commit("start")
    image = "apiVersion: envcompile.dev/v1\nkind: Environment\nimages: [{name: nginx, newTag: '%s'}]\n"
    folder.commit("dev takes 1.28", overlays__dev__environment=image % "1.28")
    named = image % "1.28" + "namespace: production\n"
    folder.commit("prod takes 1.28\n\nApproved-by: Bo <bo@example.com>", overlays__prod__environment=named)
    folder.git("checkout", "-q", "-b", "topic")
    folder.commit("dev takes 1.29", overlays__dev__environment=image % "1.29")
    folder.git("checkout", "-q", "main")
    folder.git("merge", "--quiet", "--no-ff", "--no-edit", "topic")
    merge = folder.git("rev-parse", "HEAD")
    folder.commit("another workload", base__api=deployment("api"))
    folder.record()
    past = open_past(folder.root)
    try:
        now = START + 3600
        found = timeline(past, ["dev", "prod"], [], now)
        told = {
            name: [
                (came.arrival.resource.name, version_of(came.arrival.image), came.lead, came.approved_by)
                for came in lane
            ]
            for name, lane in found.lanes.items()
        }
        assert told["dev"] == [
            ("web", "1.27", None, ()),
            ("web", "1.28", None, ()),
            ("web", "1.29", None, ()),
            ("api", "1.29", None, ()),
        ]
        assert [(row[0], row[1], row[3]) for row in told["prod"]] == [
            ("web", "1.27", ()),
            ("web", "1.28", ("Bo <bo@example.com>",)),
            ("api", "1.28", ()),
        ]
        prod = found.lanes["prod"][1]
        assert prod.lead == prod.arrival.commit.committed_at - found.lanes["dev"][1].arrival.commit.committed_at
        assert found.lanes["dev"][2].arrival.commit.hash == merge
        assert {(each.name, each.image, each.behind) for each in found.waiting} == {
            ("web", "nginx:1.29", "nginx:1.28"),
            ("api", "nginx:1.29", "nginx:1.28"),
        }
        only = timeline(past, ["dev", "prod"], ["prod"], now, service="api")
        assert [len(lane) for lane in only.lanes.values()] == [1]
        figures = {
            each.environment: (each.changes, each.deployments)
            for each in deliveries(past, ["dev", "prod"], [], now).environments
        }
        assert figures == {"dev": (3, 3), "prod": (2, 2)}
        with pytest.raises(UsageError, match="no workload"):
            timeline(past, [], [], now, service="webb")
        with pytest.raises(UsageError, match="recorded are api, web"):
            timeline(past, [], [], now, service="payments")
        with pytest.raises(UsageError, match="no environment"):
            timeline(past, [], ["staging"], now)
    finally:
        past.close()


def test_what_comes_back_and_an_environment_of_another_name(folder: Folder) -> None:
    """A revert has no lead time, in the lane as in the figures; nothing waits for an environment that is gone."""
    folder.commit("start")
    image = "apiVersion: envcompile.dev/v1\nkind: Environment\nimages: [{name: nginx, newTag: '%s'}]\n"
    folder.commit("dev takes 1.28", overlays__dev__environment=image % "1.28")
    named = "namespace: production\n"
    folder.commit("prod takes 1.28", overlays__prod__environment=image % "1.28" + named)
    folder.git("revert", "--no-edit", "HEAD")
    folder.git("mv", "overlays/prod", "overlays/live")
    folder.commit("prod is called live")
    folder.commit("dev takes 1.29", overlays__dev__environment=image % "1.29")
    folder.record()
    past = open_past(folder.root)
    try:
        now = START + 86_400 * 365 * 20
        found = timeline(past, ["dev", "live"], [], now)
        prod = [(version_of(came.arrival.image), came.lead is not None) for came in found.lanes["prod"]]
        assert prod == [("1.27", False), ("1.28", True), ("1.27", False)]
        assert [(version_of(came.arrival.image), came.lead) for came in found.lanes["live"]] == [("1.27", None)]
        figures = deliveries(past, ["dev", "live"], [], now)
        assert {(each.source, each.target) for each in (*found.waiting, *figures.waiting)} == {("dev", "live")}
        told = {each.environment: len(each.lead_times) for each in figures.environments}
        assert told == {"dev": 0, "live": 0, "prod": 1}
    finally:
        past.close()
