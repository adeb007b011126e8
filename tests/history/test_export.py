"""The history for a warehouse: the same in both formats, in files that are whole or not there."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.actions.past import open_past
from envcompile.history.export import revisions, write_parquet
from tests.harness.command import run_envc
from tests.harness.repository import config_map, deployment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.history.conftest import Folder

pytestmark = pytest.mark.usefixtures("backend")


@pytest.fixture
def recorded(folder: Folder) -> Folder:
    """Four commits: a start, a change, one that changes nothing, and a removal."""
    folder.commit("start", base__more=config_map("more", k="'größe'"))
    folder.commit("two", base__web=deployment(replicas=2))
    folder.commit("nothing")
    (folder.root / "base" / "more.yaml").unlink()
    folder.commit("less")
    folder.record()
    return folder


def expected(line: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of a Parquet file that a line of JSON stands for."""
    row = {
        **{key: line[key] for key in ("environment", "commit", "parents", "message", "digest", "resources")},
        **{key: line[key] for key in ("problem", "complete")},
        **{f"{who}_{key}": line[who][key] for who in ("author", "committer") for key in ("name", "email")},
        "authored_at": datetime.fromisoformat(line["author"]["time"]),
        "committed_at": datetime.fromisoformat(line["committer"]["time"]),
    }
    changes = [
        {
            "api_group": change["group"],
            **{key: change[key] for key in ("kind", "namespace", "name")},
            "removed": change["content"] is None,
            "content": change["content"],
        }
        for change in line["changes"]
    ]
    nothing = dict.fromkeys(("api_group", "kind", "namespace", "name", "removed", "content"))
    return [{**row, **change} for change in changes or [nothing]]


def test_parquet_holds_what_the_lines_hold(recorded: Folder, tmp_path: Path) -> None:
    """Every revision, change and content; times are in UTC; rows come in several groups."""
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    lines = [json.loads(line) for line in run_envc(recorded.root, "history", "export").out.splitlines()]
    assert len(lines) == 8
    file = tmp_path / "history.parquet"
    with closing(open_past(recorded.root)) as past:
        count = write_parquet(file, revisions(past.store), at_once=5)
    table = parquet.read_table(file)
    rows = [
        {**row, "content": json.loads(row["content"]) if row["content"] is not None else None}
        for row in table.to_pylist()
    ]
    assert rows == [row for line in lines for row in expected(line)]
    assert parquet.ParquetFile(file).num_row_groups == 3
    assert (count, len(rows)) == (12, 12)
    assert rows[0]["committed_at"] == datetime(2023, 11, 14, 22, 17, 20, tzinfo=UTC)
    assert str(table.schema.field("committed_at").type) == "timestamp[ms, tz=UTC]"


def test_the_command_writes_a_file_and_says_so(recorded: Folder, tmp_path: Path) -> None:
    """Lines and Parquet; an unfit choice is answered."""
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    for form, what in (("parquet", "12 rows"), ("jsonl", "8 lines")):
        file = tmp_path / f"history.{form}"
        outcome = run_envc(recorded.root, "history", "export", "--format", form, "-o", str(file))
        assert (outcome.code, outcome.out, outcome.err) == (0, "", f"{file}: {what}\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["history.jsonl", "history.parquet", "project"]
    assert (tmp_path / "history.jsonl").read_text() == run_envc(recorded.root, "history", "export").out
    outcome = run_envc(recorded.root, "history", "export", "--format", "parquet")
    assert (outcome.code, outcome.err) == (
        2,
        "error: a Parquet file is not for a terminal\nhint: name a file: -o history.parquet\n",
    )
    outcome = run_envc(recorded.root, "history", "export", "-o", str(tmp_path / "nowhere" / "x"))
    assert (outcome.code, outcome.err) == (
        4,
        (
            f"error: {tmp_path}/nowhere/x cannot be written: no such file or directory\n"
            "hint: see to its folder, or name another file, then try again; the file is as it was\n"
        ),
    )


def test_what_a_commit_reaches_is_left_out(recorded: Folder) -> None:
    """For warehouses that are fed again and again."""
    outcome = run_envc(recorded.root, "history", "export", "--since", "HEAD~1")
    assert [json.loads(line)["message"] for line in outcome.out.splitlines()] == ["less", "less"]
    assert run_envc(recorded.root, "history", "export", "--since", "HEAD").out == ""


def test_a_failure_leaves_the_old_file(recorded: Folder, tmp_path: Path) -> None:
    """Nobody reads half a file."""
    pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    file = tmp_path / "history.parquet"
    file.write_bytes(b"old")
    with closing(open_past(recorded.root)) as past, pytest.raises(KeyError):
        write_parquet(file, [*revisions(past.store), {}], at_once=2)
    assert file.read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["history.parquet", "project"]


def test_without_pyarrow_it_is_said_what_to_install(
    recorded: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines of JSON need nothing."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    outcome = run_envc(recorded.root, "history", "export", "--format", "parquet", "-o", str(tmp_path / "x"))
    assert (outcome.code, outcome.err) == (
        2,
        "error: Parquet files need pyarrow\nhint: install it: pip install 'envcompile[warehouse]'\n",
    )
    assert run_envc(recorded.root, "history", "export").code == 0
