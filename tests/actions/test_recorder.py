"""A recorder that remembers gives what one gives that does not, whatever people commit."""

from __future__ import annotations

from contextlib import closing
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.actions.opening import open_repository
from envcompile.actions.recorder import Recorder
from envcompile.history.database import connect
from envcompile.history.store import Store
from tests.harness.repository import commit, git
from tests.history.edits import begin, edit

if TYPE_CHECKING:
    from pathlib import Path

    from envcompile.history.database import Database


def everything(database: Database) -> dict[str, list[Any]]:
    """All that is recorded, without numbers and the time of recording."""
    return {
        "commits": database.rows(
            "SELECT hash, first_parent, parents, author_name, message, tool, inputs FROM recorded_commit ORDER BY hash"
        ),
        "revisions": database.rows(
            "SELECT c.hash, e.name, p.hash, r.digest, r.resources, r.problem FROM revision r "
            "JOIN recorded_commit c ON c.id = r.commit_id JOIN environment e ON e.id = r.environment_id "
            "LEFT JOIN revision b ON b.id = r.base_id LEFT JOIN recorded_commit p ON p.id = b.commit_id "
            "ORDER BY c.hash, e.name"
        ),
        "changes": database.rows(
            "SELECT c.hash, e.name, x.api_group, x.kind, x.namespace, x.name, k.digest, k.size, h.file "
            "FROM resource_change h JOIN revision r ON r.id = h.revision_id "
            "JOIN recorded_commit c ON c.id = r.commit_id JOIN resource x ON x.id = h.resource_id "
            "JOIN environment e ON e.id = x.environment_id LEFT JOIN content k ON k.id = h.content_id "
            "ORDER BY c.hash, e.name, x.api_group, x.kind, x.namespace, x.name"
        ),
        "fields": database.rows(
            "SELECT c.hash, e.name, x.api_group, x.kind, x.namespace, x.name, f.field, f.how, f.old, f.new, f.place "
            "FROM field_change f JOIN revision r ON r.id = f.revision_id "
            "JOIN recorded_commit c ON c.id = r.commit_id JOIN resource x ON x.id = f.resource_id "
            "JOIN environment e ON e.id = x.environment_id ORDER BY c.hash, e.name, f.id"
        ),
        "contents": database.rows("SELECT digest, size FROM content ORDER BY digest"),
    }


@pytest.mark.parametrize("seed", [1, 2, 3, *[pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 16)]])
def test_a_commit_compiled_from_its_parents_is_what_the_whole_is(seed: int, tmp_path: Path) -> None:
    """Digests, contents, files, changed fields and their places, and what does not compile."""
    chance = Random(seed)
    root = tmp_path / "project"
    begin(root)
    commit(root, "start")
    repository = open_repository(root)
    with (
        closing(connect(f"sqlite:///{tmp_path}/quick.db")) as quick,
        closing(connect(f"sqlite:///{tmp_path}/whole.db")) as whole,
        Recorder(repository, Store(quick)) as first,
    ):
        good = ""
        for number in range(60):
            name = commit(root, f"change {number}")
            facts = repository.commit(name)
            written = first.record(facts)
            with Recorder(repository, Store(whole), remembers=False) as second:
                assert written == second.record(facts)
            mine, plain = everything(quick), everything(whole)
            for table in mine:
                assert mine[table] == plain[table], (seed, number, table)
            if not written.fails:
                good = name
            elif chance.random() < 0.8:
                git(root, "rm", "-rq", ".")
                git(root, "checkout", good, "--", ".")
            for _ in range(chance.choice([1, 1, 1, 1, 2])):
                edit(root, chance)
