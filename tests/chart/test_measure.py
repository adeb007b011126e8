"""The figures of `docs/charts.md` are counted alike for every chart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.chart import emit
from tests.chart.measure import PLACES, Counted, count
from tests.chart.samples import chart_input, deployment, service
from tests.harness.repository import write_files

if TYPE_CHECKING:
    from pathlib import Path

VALUES = """\
# How many.
replicaCount: 1
image:
  # Where from.
  repository: nginx
  tag: ""
nodeSelector: {}
pdb: {create: true}
"""


def test_a_chart_of_people_is_counted(tmp_path: Path) -> None:
    """Comments above a value or a map around it; an empty map is a place; another spelling is the same place."""
    chart = write_files(tmp_path, {"values.yaml": VALUES})
    assert count(chart) == Counted(8, 5, 2, 2, 40, False, 2, False)


def test_a_chart_of_ours_has_a_comment_on_every_value(tmp_path: Path) -> None:
    """The schema tells of places that values.yaml does not show; the pods of `helm test` count."""
    files = emit(chart_input({"prod": [deployment("web"), service("web")]}, renames=True, test_image="busybox:1.37"))
    found = count(write_files(tmp_path, files))
    assert (found.told, found.has_schema, found.has_tests) == (100, True, True)
    assert len(PLACES) > found.places > 10
