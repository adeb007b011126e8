"""Clusters in the database: every version once, intervals that touch and never overlap, on both kinds of database."""

from __future__ import annotations

import base64
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from envcompile.actions.live import FOREVER, Live
from envcompile.errors import UsageError
from envcompile.history.database import connect
from envcompile.history.livedoctor import examine
from envcompile.history.livegc import Retention, collect, size_of, sizes
from envcompile.history.livereading import LiveReader
from envcompile.history.livetimes import DAY, SECOND, Measured, Rated
from envcompile.history.times import microseconds_of
from envcompile.kubernetes.api import load
from tests.harness.command import PATIENCE
from tests.history.clusters import (
    DEPLOYMENTS,
    PASSWORD,
    PODS,
    REPLICA_SETS,
    SECRETS,
    START,
    Filled,
    deployment,
    event,
    fill,
    owned,
    secret,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MINUTE = 60 * SECOND


@pytest.fixture(params=["sqlite", "postgresql", "timescaledb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'history.db'}"
    made: str = (
        request.getfixturevalue("new_postgres")()
        if request.param == "postgresql"
        else request.getfixturevalue("new_timescale")
    )
    return made


@pytest.fixture
def filled(url: str) -> Iterator[Filled]:
    """An empty database, open."""
    made = Filled(url)
    yield made
    made.close()


@pytest.fixture
def live(url: str) -> Iterator[Live]:
    """The small cluster, to be asked."""
    fill(url)
    database = connect(url)
    reader = LiveReader(database)
    yield Live(reader, reader.clusters()[0], load("1.35"))
    database.close()


def _intervals(filled: Filled) -> list[tuple[int, int | None]]:
    rows = filled.database.rows("SELECT valid_from, valid_to FROM live_version ORDER BY object_id, valid_from")
    return [((row[0] - START) // SECOND, None if row[1] is None else (row[1] - START) // SECOND) for row in rows]


def test_versions_follow_each_other(filled: Filled) -> None:
    """A change ends the version before; what is seen again, or differs in nothing that is kept, is no version."""
    web = deployment("web", 1)
    assert filled.see(DEPLOYMENTS, [web], 0) == (1, 0, 0, 0)
    assert filled.see(DEPLOYMENTS, [web], 1) == (0, 0, 0, 1)
    assert filled.see(DEPLOYMENTS, [deployment("web", 2)], 2) == (0, 0, 0, 1)
    assert filled.see(DEPLOYMENTS, [deployment("web", 3, replicas=2)], 3) == (0, 1, 0, 0)
    assert filled.see(DEPLOYMENTS, [], 4, gone=[deployment("web", 4, replicas=2)]) == (0, 0, 1, 0)
    assert _intervals(filled) == [(0, 180), (180, 240)]
    assert not examine(filled.database).damage


def test_an_object_that_is_there_many_times_in_a_batch(filled: Filled) -> None:
    """Made, changed twice and gone between two looks: each version is there, none overlaps."""
    versions = [deployment("web", number, replicas=number) for number in (1, 2, 3)]
    assert filled.see(DEPLOYMENTS, versions, 1, gone=[versions[-1]]) == (1, 2, 1, 0)
    rows = filled.database.rows("SELECT valid_from, valid_to FROM live_version ORDER BY valid_from")
    assert [row[1] - row[0] for row in rows] == [1, 1, 1]
    assert not examine(filled.database).damage


def test_a_list_finds_what_went_meanwhile(filled: Filled) -> None:
    """What a whole list does not have is gone; what it has is not, and other kinds are not touched."""
    filled.see(DEPLOYMENTS, [deployment("a", 1), deployment("b", 2)], 0)
    filled.see(PODS, [owned("Pod", "p", "")], 0)
    assert filled.see(DEPLOYMENTS, [deployment("a", 1)], 5, everything=["uid-shop-a"]) == (0, 0, 1, 1)
    assert _intervals(filled) == [(0, None), (0, 300), (0, None)]


def test_one_namespace_that_is_watched_says_nothing_of_others(filled: Filled) -> None:
    """A list of a namespace lets nothing be gone elsewhere."""
    filled.see(DEPLOYMENTS, [deployment("a", 1), deployment("b", 2, namespace="other")], 0)
    written = filled.store.write(
        filled.cluster, DEPLOYMENTS, [], now=START + MINUTE, compare=filled.compare, namespace="shop", everything=[]
    )
    assert written.gone == 1
    assert [row[0] for row in filled.database.rows("SELECT name FROM live_object WHERE gone_at IS NULL")] == ["b"]


def test_an_object_of_the_same_name_is_another_one(filled: Filled) -> None:
    """Deleted and made anew: two objects, told apart by their uids."""
    again = deployment("web", 9)
    again["metadata"]["uid"] = "another"
    filled.see(DEPLOYMENTS, [deployment("web", 1)], 0)
    assert filled.see(DEPLOYMENTS, [again], 2, gone=[deployment("web", 5)]) == (1, 0, 1, 0)
    assert _intervals(filled) == [(0, 120), (120, None)]


def test_an_object_that_comes_back_has_a_gap(filled: Filled) -> None:
    """A kind that was taken away and put back with the same objects: they were not there in between."""
    filled.see(DEPLOYMENTS, [deployment("web", 1)], 0, position="7")
    assert filled.store.drop(filled.cluster, DEPLOYMENTS, START + MINUTE) == 1
    assert filled.store.positions(filled.cluster) == {}
    assert filled.see(DEPLOYMENTS, [deployment("web", 1)], 2) == (1, 0, 0, 0)
    assert _intervals(filled) == [(0, 60), (120, None)]
    assert not examine(filled.database).damage


def test_a_clock_that_goes_back_makes_no_overlap(filled: Filled) -> None:
    """Versions follow each other whatever the clock says."""
    filled.see(DEPLOYMENTS, [deployment("web", 1)], 10)
    filled.see(DEPLOYMENTS, [deployment("web", 2, replicas=2)], 5)
    filled.see(DEPLOYMENTS, [], 1, gone=[deployment("web", 3)])
    assert not examine(filled.database).damage
    assert filled.database.rows("SELECT COUNT(*) FROM live_version")[0][0] == 2


def test_where_to_go_on_is_stored_with_the_rows(filled: Filled) -> None:
    """In the middle of a list nobody knows where to go on from."""
    filled.see(DEPLOYMENTS, [deployment("web", 1)], 0, position="41")
    assert filled.store.positions(filled.cluster) == {("apps", "deployments", ""): "41"}
    filled.see(DEPLOYMENTS, [deployment("web", 2)], 1)
    assert filled.store.positions(filled.cluster) == {("apps", "deployments", ""): "41"}
    filled.see(DEPLOYMENTS, [deployment("web", 3)], 2, position="")
    assert filled.store.positions(filled.cluster) == {}


def test_one_watcher_of_a_cluster(filled: Filled, url: str) -> None:
    """A second one would store what was as what came after; another cluster is another matter."""
    if filled.times.layout == "timescaledb":
        pytest.skip("the TimescaleDB of npm takes one connection at a time")
    second = Filled(url)
    with ExitStack() as first, ExitStack() as other:
        assert filled.store.take(filled.cluster, first)
        assert not second.store.take(second.cluster, other)
        assert second.store.take(second.cluster + 1, other)
        first.close()
        filled.close()
        deadline = time.monotonic() + PATIENCE  # a server takes note of an end by and by
        while not second.store.take(second.cluster, other):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    second.close()


def test_no_value_of_a_secret_is_stored(filled: Filled) -> None:
    """Neither it nor its base64 is in any column of any table; that it changed, and to what it was before, is."""
    filled.see(SECRETS, [secret(1)], 0)
    filled.see(SECRETS, [secret(2, "another")], 1)
    filled.see(SECRETS, [secret(3)], 2)
    reader = LiveReader(filled.database)
    rows = filled.database.rows("SELECT content_id FROM live_version ORDER BY valid_from")
    assert rows[0] == rows[2] != rows[1]
    texts = [*reader.bodies([row[0] for row in rows]).values()]
    for table in ("live_object", "live_field", "live_version"):
        texts += [repr(tuple(row)).encode() for row in filled.database.rows(f"SELECT * FROM {table}")]  # ruff: ignore[hardcoded-sql-expression] - tables of ours
    for value in (PASSWORD, "another"):
        for text in texts:
            assert value.encode() not in text
            assert base64.b64encode(value.encode()).rstrip(b"=") not in text


def test_the_state_at_any_time(live: Live) -> None:
    """What there was then, not what there is now."""
    then = live.state(START + 5 * MINUTE, wanted="deploy")
    assert [(one.object.name, one.value["spec"]["replicas"]) for one in then] == [("old", 1), ("web", 1)]
    now = live.state(START + 60 * MINUTE, wanted="deployments.apps")
    assert [(one.object.name, one.value["spec"]["replicas"]) for one in now] == [("web", 3)]
    assert live.state(START - MINUTE) == []
    assert len(live.state(START + MINUTE, namespace="shop")) == 5
    with pytest.raises(UsageError, match=r"deploy/old was not there at that time(?s:.*)live log deploy/old"):
        live.state(START + 60 * MINUTE, wanted="deploy/old")
    with pytest.raises(UsageError, match=r"no kind `deplyment`(?s:.*)did you mean `Deployment`"):
        live.state(START, wanted="deplyment")


def test_the_log_of_an_object(live: Live) -> None:
    """Each version with its fields, their values before and after, and who wrote them."""
    entries = live.log("deploy/web")
    assert [(entry.what, (entry.at - START) // MINUTE) for entry in entries] == [
        ("changed", 20),
        ("changed", 10),
        ("created", 0),
    ]
    image = entries[0].fields[0]
    assert (image.field, image.old, image.new, image.manager) == (
        "spec.template.spec.containers[name=app].image",
        '"app:1"',
        '"app:2"',
        "argocd",
    )
    replicas = next(step for step in entries[1].fields if step.field == "spec.replicas")
    assert (replicas.old, replicas.new, replicas.manager, replicas.at) == ("1", "3", "kubectl", "2023-11-14T22:23:20Z")
    assert [entry.what for entry in live.log("deploy/old")] == ["gone", "created"]
    assert [entry.at for entry in live.log("deploy/web", most=1)] == [entries[0].at]


def test_blame(live: Live) -> None:
    """Who gave each field its value: from the change, or from when the object was first seen."""
    found = {one.field: one for one in live.blame("deployment/web")}
    replicas, image = found["spec.replicas"], found["spec.template.spec.containers[name=app].image"]
    assert (replicas.manager, (replicas.at - START) // MINUTE, replicas.value) == ("kubectl", 10, 3)
    assert (image.manager, (image.at - START) // MINUTE) == ("argocd", 20)
    assert found["spec.template.spec.containers[name=app].name"].manager == "argocd"
    (only,) = live.blame("deployment/web", field="spec.replicas")
    assert only == replicas
    with pytest.raises(UsageError, match=r"has no field `spec\.nothing`"):
        live.blame("deploy/web", field="spec.nothing")
    with pytest.raises(UsageError, match="was never seen"):
        live.blame("deploy/nothing")


def test_events_of_an_object_and_of_what_it_owns(live: Live) -> None:
    """The Deployment's events are those of its pods, too; newest first, within a time."""
    assert [one.reason for one in live.events(wanted="deploy/web")] == ["Unhealthy", "BackOff"]
    assert live.events(wanted="deploy/old") == []
    assert [one.times for one in live.events(since=START + 10 * MINUTE)] == [3]
    assert [one.reason for one in live.events(namespace="shop", most=1)] == ["Unhealthy"]
    assert live.events(until=START) == []


def test_an_event_is_stored_once(filled: Filled) -> None:
    """A relist brings all events again."""
    from envcompile.actions.live_objects import happening_of

    one = happening_of(event(1, "x", "BackOff", "2023-11-14T22:20:00Z"))
    for _ in range(2):
        filled.times.add_events(filled.cluster, [one])
    assert filled.database.rows("SELECT COUNT(*) FROM live_event")[0][0] == 1


def test_an_event_that_is_told_several_times_in_a_second(filled: Filled) -> None:
    """The count of the last one holds, in one batch and in the next; an older one that comes late does not."""
    from envcompile.actions.live_objects import happening_of

    told = [happening_of(event(1, "x", "BackOff", "2023-11-14T22:20:00Z"))._replace(times=times) for times in (1, 3, 2)]
    filled.times.add_events(filled.cluster, told)
    assert filled.database.rows("SELECT times FROM live_event") == [(3,)]
    filled.times.add_events(filled.cluster, [told[2], told[0]._replace(times=7)])
    filled.times.add_events(filled.cluster, [told[0]])
    assert filled.database.rows("SELECT times FROM live_event") == [(7,)]


def test_a_workload_that_is_not_known_yet_is_noted_later(filled: Filled) -> None:
    """Figures come before the ReplicaSets are listed: the pod belongs to nobody until its owners are there."""
    reader = LiveReader(filled.database)

    def measure(minute: int) -> str:
        workload = reader.workload_of(filled.cluster, "shop", "web-1-a")
        filled.times.add_usage(
            filled.cluster, [Measured("shop", "web-1-a", "app", workload, START + minute * MINUTE, 1.0, 1)]
        )
        return str(filled.database.rows("SELECT workload FROM live_series")[0][0])

    assert measure(0) == ""
    filled.see(PODS, [owned("Pod", "web-1-a", "uid-shop-web-1")], 1)
    assert measure(1) == ""
    filled.see(REPLICA_SETS, [owned("ReplicaSet", "web-1", "uid-shop-web")], 2)
    assert measure(2) == ""
    filled.see(DEPLOYMENTS, [deployment("web", 1)], 3)
    assert measure(3) == "Deployment/web"
    used = reader.usage(filled.cluster, "live_usage", START, START + DAY, workload="Deployment/web")
    assert len(used) == 4


def test_the_managers_of_an_object_are_those_it_was_made_with(filled: Filled) -> None:
    """Also where the first look brings it several times."""
    filled.see(DEPLOYMENTS, [deployment("web", 1, manager="first"), deployment("web", 2, manager="second")], 0)
    number = filled.database.rows("SELECT id FROM live_object")[0][0]
    assert b"first" in LiveReader(filled.database).managers(number)


def test_counts(live: Live) -> None:
    """How many there are at the end, and what happened in the time."""
    counts = {one.kind: one for one in live.reader.counts(live.cluster.number, START + MINUTE, START + 60 * MINUTE)}
    assert counts["Deployment"][3:] == (1, 0, 2, 1)
    assert counts["Secret"][3:] == (1, 0, 1, 0)
    assert counts["Pod"][3:] == (1, 0, 0, 0)
    first = {one.kind: one for one in live.reader.counts(live.cluster.number, 0, START + MINUTE)}
    assert first["Deployment"][3:] == (2, 2, 0, 0)


def test_usage_is_rolled_up(filled: Filled) -> None:
    """Averages and the most of five minutes and of an hour, the same however often they are made."""
    rows = [
        Measured("shop", "web-1-a", "app", "Deployment/web", START + minute * MINUTE, float(minute), 1000 * minute)
        for minute in range(20)
    ]
    filled.times.add_usage(filled.cluster, rows)
    filled.times.add_usage(filled.cluster, rows[:3])
    for _ in range(2):
        filled.times.roll_up(START, START + 20 * MINUTE)
    reader = LiveReader(filled.database)
    raw = reader.usage(filled.cluster, "live_usage", START, START + DAY, workload="Deployment/web")
    assert len(raw) == 20
    five = reader.usage(filled.cluster, "live_usage_5m", START - DAY, START + DAY, pod="web-1-a")
    assert sum(one.samples for one in five) == 20
    assert [one.cpu_most for one in five] == [1.0, 6.0, 11.0, 16.0, 19.0]
    hour = reader.usage(filled.cluster, "live_usage_1h", START - DAY, START + DAY, namespace="shop")
    assert [(one.samples, one.cpu) for one in hour] == [(20, 9.5)]


def test_rates_are_stored_beside_usage(filled: Filled) -> None:
    """Of pods, and of a workload as a whole; rolled up and let go like usage, and never taken for it."""
    rated = [
        Rated("shop", "web-1-a", "requests", "Deployment/web", START + minute * MINUTE, 10.0 * minute)
        for minute in range(20)
    ]
    whole = Rated("shop", "", "errors", "Deployment/web", START, 0.5)
    filled.times.add_rates(filled.cluster, [*rated, whole])
    filled.times.add_rates(filled.cluster, [rated[0]._replace(value=99.0)])
    filled.times.roll_up(START, START + 20 * MINUTE)
    reader = LiveReader(filled.database)
    raw = reader.rates(filled.cluster, "live_rate", START, START + DAY, workload="Deployment/web")
    assert [one.value for one in raw if one.name == "requests"][:3] == [0.0, 10.0, 20.0]
    assert sorted({one.name for one in raw}) == ["errors", "requests"]
    assert len(raw) == 21
    five = reader.rates(filled.cluster, "live_rate_5m", START - DAY, START + DAY, pod="web-1-a")
    assert [one.value_most for one in five] == [10.0, 60.0, 110.0, 160.0, 190.0]
    (hour, one) = reader.rates(filled.cluster, "live_rate_1h", START - DAY, START + DAY, namespace="shop")
    assert sorted([(hour.name, hour.value, hour.samples), (one.name, one.value, one.samples)]) == [
        ("errors", 0.5, 1),
        ("requests", 95.0, 20),
    ]
    assert reader.usage(filled.cluster, "live_usage", START, START + DAY) == []
    collected = collect(filled.database, Retention(), START + 20 * DAY)
    assert collected.usage >= 1
    assert reader.rates(filled.cluster, "live_rate", START, START + DAY) == []
    assert len(reader.rates(filled.cluster, "live_rate_5m", START - DAY, START + DAY)) == 6


def test_what_grows_is_kept_in_the_way_of_the_server(filled: Filled, request: pytest.FixtureRequest) -> None:
    """Continuous aggregates of TimescaleDB, partitions of PostgreSQL that are put in order once they are whole."""
    kind = request.node.callspec.params["url"]
    assert (filled.times.layout, filled.times.rollups) == {
        "sqlite": ("plain", "tables"),
        "postgresql": ("partitions", "tables"),
        "timescaledb": ("timescaledb", "aggregates"),
    }[kind]
    rows = [Measured("shop", "p", container, "", START + day * DAY, 1.0, 1) for day in range(3) for container in "abc"]
    filled.times.add_usage(filled.cluster, rows)
    done = filled.times.arrange_before(START + 2 * DAY)
    assert done == (2 if kind == "postgresql" else 0)
    assert filled.times.arrange_before(START + 2 * DAY) == 0
    assert len(LiveReader(filled.database).usage(filled.cluster, "live_usage", START, START + 9 * DAY)) == 9


def test_old_rows_go(filled: Filled) -> None:
    """What ended, happened or was measured long ago goes; what is there stays, however old it is."""
    filled.see(DEPLOYMENTS, [deployment("web", 1), deployment("old", 2)], 0)
    filled.see(DEPLOYMENTS, [deployment("web", 3, replicas=2)], 1, gone=[deployment("old", 4)])
    for days in (0, 30):
        at = START + days * DAY
        filled.times.add_usage(filled.cluster, [Measured("shop", "p", "c", "", at, 1.0, 1)])
    now = START + 40 * DAY
    kept = Retention(versions=20)
    assert collect(filled.database, kept, now, dry_run=True)[:6] == (1, 0, 0, 0, 2, 1)
    assert collect(filled.database, kept, now)[:7] == (1, 0, 0, 0, 2, 1, 2)
    assert _intervals(filled) == [(60, None)]
    assert filled.database.rows("SELECT COUNT(*) FROM live_usage")[0][0] == 1
    assert not any(collect(filled.database, kept, now))
    filled.times.add_usage(filled.cluster, [Measured("shop", "p", "c", "", START, 1.0, 1)])
    assert not examine(filled.database).damage
    assert size_of(filled.database) > 0
    assert {one.name for one in sizes(filled.database)} >= {"live_version", "live_usage"}


def test_damage_is_found(filled: Filled) -> None:
    """A version that was lost, and a content that is another, are told."""
    filled.see(DEPLOYMENTS, [deployment("web", 1), deployment("b", 2)], 0)
    filled.database.run("DELETE FROM live_version WHERE object_id = (SELECT MIN(object_id) FROM live_version)")
    filled.database.run("UPDATE live_content SET body = digest WHERE id = (SELECT MAX(id) FROM live_content)")
    assert examine(filled.database).damage == (
        "1 objects are there without a version",
        "1 contents are not what their digests say",
    )


@pytest.mark.parametrize(
    ("text", "seconds"), [("2h", -7200), ("7d", -604800), ("90s", -90), ("2023-11-14T22:13:20Z", 0)]
)
def test_times(text: str, seconds: int) -> None:
    """How long ago, or when."""
    assert microseconds_of(text, START) == START + seconds * SECOND


@pytest.mark.parametrize("text", ["", "soon", "7y", "99999-01-01"])
def test_what_is_no_time(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(UsageError, match="is no time"):
        microseconds_of(text, START)
    assert START < FOREVER
