"""Every question of the dashboards is asked of a recorded database: Datasette's of SQLite, Grafana's of PostgreSQL."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import pytest

from envcompile import yamlio
from tests.harness.command import run_envc
from tests.harness.repository import config_map
from tests.history.conftest import START

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from envcompile.history.database import Database
    from tests.history.conftest import Folder

# Read while pytest collects: each test has a home of its own, where nothing is installed.
DATASETTE: Final = shutil.which("datasette")
IMAGE = (
    "apiVersion: envcompile.dev/v1\nkind: Environment\nnamespace: production\nimages: [{name: nginx, newTag: '1.28'}]\n"
)
GRAFANA = json.loads(run_envc(None, "history", "dashboard", "grafana").out)
QUERIES = yamlio.load_all(run_envc(None, "history", "dashboard", "datasette").out.encode(), "metadata.yaml")[0][
    "databases"
]["history"]["queries"]


def record(folder: Folder) -> None:
    """A start, a configuration that Bo approved, an image that nobody did, and a commit that does not compile."""
    folder.commit("start")
    folder.commit("green\n\nReviewed-by: Bo <bo@example.com>", base__settings=config_map(color="green", size="small"))
    folder.commit("prod takes 1.28", overlays__prod__environment=IMAGE)
    folder.commit("broken", base__settings="kind: [")
    folder.record()


def ask(folder: Folder, name: str, **parameters: str) -> list[Any]:
    """The rows that a canned question of Datasette gives; parameters that are not given are empty."""
    query = QUERIES[name]
    order = re.findall(r":([a-z]+)\b", query["sql"])
    assert set(order) == set(query.get("params", []))
    with closing(folder.past()) as past:
        statement = re.sub(r":[a-z]+\b", "?", query["sql"])
        return past.store.database.rows(statement, [parameters.get(word, "") for word in order])


def test_datasettes_questions_have_answers(folder: Folder) -> None:
    """Each one is asked; what they say is what was recorded."""
    record(folder)
    assert {row[1] for row in ask(folder, "changes")} == {"dev", "prod"}
    (row,) = ask(folder, "changes", environment="prod", field="color")
    assert row[3:7] == ("ConfigMap/settings", "data.color", '"blue"', '"green"')
    (row,) = ask(folder, "image_changes", image="1.28")
    assert row[1:5] == ("prod", "Deployment/web", "nginx:1.27", "nginx:1.28")
    assert [row[3] for row in ask(folder, "unapproved")] == ["prod takes 1.28"]
    assert ask(folder, "unapproved", environment="dev") == []
    assert [(row[1], row[2]) for row in ask(folder, "changes_a_week")] == [("dev", 1), ("prod", 2)]
    assert {row[0] for row in ask(folder, "busiest_fields")} >= {"data.color"}
    assert [row[:3] for row in ask(folder, "people")] == [("dev", "Ada", 1), ("prod", "Ada", 2)]
    assert {row[1] for row in ask(folder, "broken")} == {"dev", "prod"}


def test_what_a_merge_brought_in_came_with_the_merge(
    folder: Folder, new_postgres: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As lanes and figures have it: the commit of the branch is no second arrival."""
    monkeypatch.setenv("ENVC_HISTORY_URL", new_postgres())
    folder.commit("start")
    folder.git("checkout", "-q", "-b", "topic")
    folder.commit("prod takes 1.28", overlays__prod__environment=IMAGE)
    folder.git("checkout", "-q", "main")
    folder.commit("other", base__settings=config_map(color="green", size="small"))
    folder.git("merge", "--quiet", "--no-ff", "--no-edit", "topic")
    merge = folder.git("rev-parse", "HEAD")
    folder.record()
    with closing(folder.past()) as past:
        for statement in _statements():
            past.store.database.run(statement)
        rows = past.store.database.rows("SELECT commit, image FROM envc_image ORDER BY time")
        line = past.store.database.rows("SELECT hash FROM envc_line WHERE hash <> ''")
    assert rows == [(merge, "nginx:1.28")]
    assert len(line) == 3
    monkeypatch.delenv("ENVC_HISTORY_URL")
    folder.record()
    (row,) = ask(folder, "image_changes")
    assert (row[4], merge.startswith(row[6])) == ("nginx:1.28", True)
    assert [row[1:3] for row in ask(folder, "unapproved", environment="prod")] == [("prod", "Ada"), ("prod", "Ada")]
    assert [row[1:3] for row in ask(folder, "changes_a_week")] == [("dev", 1), ("prod", 2)]
    assert {row[0] for row in ask(folder, "changes_a_week")} == {"2023-11-13"}


@pytest.mark.skipif(DATASETTE is None, reason="there is no datasette on PATH (pip install datasette)")
def test_datasette_itself_answers_them(folder: Folder, tmp_path: Path) -> None:
    """The metadata is opened by the real one: every canned question is a page there, with the rows of its SQL."""
    record(folder)
    metadata = tmp_path / "metadata.yaml"
    metadata.write_text(run_envc(None, "history", "dashboard", "datasette").out, encoding="utf-8")
    file = str(folder.root / ".envc" / "history.db")
    for name in QUERIES:
        asked = [str(DATASETTE), "--immutable", file, "--metadata", str(metadata), "--get"]
        done = subprocess.run(
            [*asked, f"/history/{name}.json?_shape=arrays"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["rows"] == [list(row) for row in ask(folder, name)], name


def test_every_question_is_asked_above() -> None:
    """A further one needs its answer here."""
    assert set(QUERIES) == {
        "changes",
        "image_changes",
        "unapproved",
        "changes_a_week",
        "busiest_fields",
        "people",
        "broken",
    }


def substituted(sql: str) -> str:
    """A query as Grafana sends it, for the day that was recorded and both environments."""
    sql = re.sub(
        r"\$__timeGroupAlias\((\w+), '(\d+)d'\)",
        lambda found: (
            f'floor(extract(epoch from {found[1]})/{int(found[2]) * 86400})*{int(found[2]) * 86400} AS "time"'
        ),
        sql,
    )
    span = f"BETWEEN to_timestamp({START - 86400}) AND to_timestamp({START + 86400})"
    sql = re.sub(r"\$__timeFilter\((\w+)\)", rf"\1 {span}", sql)
    sql = sql.replace("$environment", "'dev','prod'")
    assert "$" not in sql
    return sql


def test_grafanas_questions_have_answers(
    folder: Folder, new_postgres: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The views are made twice without harm; panels, the variable and the annotations give what was recorded."""
    monkeypatch.setenv("ENVC_HISTORY_URL", new_postgres())
    record(folder)
    with closing(folder.past()) as past:
        database = past.store.database
        for statement in [*_statements(), *_statements()]:
            database.run(statement)
        panels = {panel["title"]: _rows(database, panel["targets"][0]["rawSql"]) for panel in GRAFANA["panels"]}
        (annotation,) = GRAFANA["annotations"]["list"]
        told = _rows(database, annotation["target"]["rawSql"])
        (variable,) = [each for each in GRAFANA["templating"]["list"] if each["type"] == "query"]
        assert [row[0] for row in _rows(database, variable["query"])] == ["dev", "prod"]
    assert [row[1:] for row in panels["Changes a day"]] == [("dev", 1), ("prod", 2)]
    assert [row[1:] for row in panels["Deployments a week"]] == [("prod", 1)]
    assert [row[1:5] for row in panels["Images"]] == [("prod", "Deployment/web", "nginx:1.27", "nginx:1.28")]
    assert len(panels["Changes"]) == 3
    assert panels["Fields that change most"][0][:2] == ("data.color", 2)
    assert panels["People"][0][:2] == ("Ada", 2)
    assert {row[1] for row in panels["Commits that do not compile"]} == {"dev", "prod"}
    assert [row[1:] for row in told] == [
        ("dev: green (Ada, 1 resources)", "dev,envc"),
        ("prod: green (Ada, 1 resources)", "prod,envc"),
        ("prod: prod takes 1.28 (Ada, 1 resources)", "prod,envc"),
    ]


def _statements() -> list[str]:
    text = run_envc(None, "history", "dashboard", "views").out
    text = re.sub(r"^--.*$", "", text, flags=re.MULTILINE)
    return [statement for part in text.split(";\n") if (statement := part.strip().rstrip(";"))]


def _rows(database: Database, sql: str) -> list[Any]:
    return database.rows(substituted(sql))
