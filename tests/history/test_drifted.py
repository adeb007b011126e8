"""What ran otherwise than the sources said, from when to when; on SQLite and on PostgreSQL."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from envcompile.history.drifted import Difference, Noted, forget, note, standing
from envcompile.model import ResourceId

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.history.database import Database
    from tests.history.conftest import Folder

WEB = ResourceId("apps", "Deployment", "shop", "web")
SCALED = Difference(WEB, "spec.replicas", "changed", "1", "9", "kubectl", "base/web.yaml:6:13")
PAUSED = Difference(WEB, "spec.paused", "extra", "", "true", "kubectl", "")


@pytest.fixture
def database(backend: str, folder: Folder) -> Iterator[Database]:
    """The history database of a folder."""
    del backend
    folder.commit("start")
    folder.record()
    with closing(folder.past()) as past:
        yield past.store.database


def test_a_difference_is_there_from_when_it_was_found_first(database: Database) -> None:
    """Looking again changes only the time of the last look."""
    assert note(database, "prod", "eu", 5, [SCALED], 100) == Noted(1, 0)
    assert note(database, "prod", "eu", 6, [SCALED, PAUSED], 200) == Noted(1, 0)
    found = standing(database, "prod")
    assert found is not None
    assert (found.context, found.looked_at, found.compared) == ("eu", 200, 6)
    assert dict(found.found) == {SCALED: 100, PAUSED: 200}


def test_what_is_gone_and_comes_back_is_another_time(database: Database) -> None:
    """Both times are kept, and neither is taken for one."""
    for now, there in ((100, [SCALED]), (200, []), (300, [SCALED])):
        note(database, "prod", "eu", 5, there, now)
    rows = database.rows("SELECT found_at, gone_at FROM drift ORDER BY found_at")
    assert [tuple(row) for row in rows] == [(100, 200), (300, None)]


def test_environments_do_not_touch_each_other(database: Database) -> None:
    """Of who was never looked at nothing is known."""
    note(database, "prod", "eu", 5, [SCALED], 100)
    assert note(database, "dev", "local", 5, [], 200) == Noted(0, 0)
    found = standing(database, "prod")
    assert found is not None
    assert len(found.found) == 1
    assert standing(database, "test") is None


def test_old_differences_go_and_those_that_are_there_stay(database: Database) -> None:
    """However long they are there."""
    note(database, "prod", "eu", 5, [SCALED, PAUSED], 100)
    note(database, "prod", "eu", 5, [SCALED], 200)
    assert forget(database, 201, dry_run=True) == 1
    assert database.rows("SELECT COUNT(*) FROM drift")[0][0] == 2
    assert forget(database, 201, dry_run=False) == 1
    assert forget(database, 201, dry_run=False) == 0
    assert database.rows("SELECT COUNT(*) FROM drift")[0][0] == 1
