"""`envc cost` as people and pull requests see it."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

from tests.harness.command import run_envc
from tests.harness.repository import commit, environment, write_files

if TYPE_CHECKING:
    from pathlib import Path

WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers:
      - {{name: web, image: 'nginx:1.27', resources: {{requests: {{cpu: "1", memory: {memory}}}}}}}
"""


def project(root: Path) -> Path:
    """Two environments with one workload, of which one costs another price."""
    write_files(
        root,
        {
            "base/web/web.yaml": WEB.format(replicas=2, memory="1Gi"),
            "overlays/dev/environment.yaml": environment("namespace: dev\n"),
            "overlays/prod/environment.yaml": environment("namespace: prod\n"),
        },
    )
    commit(root)
    return root


def test_a_pull_request_is_told_what_it_costs(tmp_path: Path) -> None:
    """By environment, with the fields; and nothing where nothing costs another amount."""
    root = project(tmp_path)
    write_files(root, {"base/web/web.yaml": WEB.format(replicas=4, memory="2Gi")})
    comment = run_envc(root, "pr", "comment", "--dry-run", "--from", "HEAD").out
    # 2 x (23.07603 + 3.09301) = 52.33808 before; 4 x (23.07603 + 6.18602) = 117.0482 after
    assert "#### Costs" in comment
    assert "| **dev** | +64.71 | 117.05 |  |" in comment
    assert "| **prod** | +64.71 | 117.05 |  |" in comment
    assert "- `Deployment/web` `spec.replicas` from `2` to `4`: +52.34 in dev, +52.34 in prod" in comment
    assert "containers[name=web].resources.requests.memory` from `1Gi` to `2Gi`: +12.37 in dev" in comment
    assert "USD a month of 730 hours, estimated with OpenCost defaults" in comment
    write_files(root, {"base/web/web.yaml": WEB.format(replicas=2, memory="1Gi").replace("1.27", "1.28")})
    assert "Costs" not in run_envc(root, "pr", "comment", "--dry-run", "--from", "HEAD").out


def test_prices_that_are_wrong_leave_the_comment(tmp_path: Path) -> None:
    """It says why costs are not known, and nothing that stands in the file is markup."""
    root = project(tmp_path)
    write_files(
        root,
        {
            "base/web/web.yaml": WEB.format(replicas=4, memory="2Gi"),
            "prices.yaml": "apiVersion: envcompile.dev/v1\nkind: Prices\n'<img src=x> @everybody `x`': 1\n",
        },
    )
    comment = run_envc(root, "pr", "comment", "--dry-run", "--from", "HEAD").out
    assert "Costs are not known" in comment
    assert "| **prod** |" in comment
    assert "\n<img" not in comment


def test_hostile_prices_are_inert_in_a_comment(tmp_path: Path) -> None:
    """A name of a list is text."""
    root = project(tmp_path)
    listed = (
        "apiVersion: envcompile.dev/v1\nkind: Prices\nname: '<script>alert(1)</script> @ops [x](https://evil)'\n"
        "source: x\nasOf: 2026-01-01\ncurrency: USD\nrates: [{cpuCoreHour: 1, memoryGibHour: 1}]\n"
    )
    write_files(root, {"base/web/web.yaml": WEB.format(replicas=4, memory="2Gi"), "prices.yaml": listed})
    comment = run_envc(root, "pr", "comment", "--dry-run", "--from", "HEAD").out
    assert "#### Costs" in comment
    assert "<script>" not in comment
    assert "@ops" not in comment
    assert "[x](" not in comment


def test_figures_agree(tmp_path: Path) -> None:
    """Text and JSON say the same; the difference is what it costs after less what it cost before."""
    root = project(tmp_path)
    before = json.loads(run_envc(root, "cost", "prod", "--format", "json").out)["environments"][0]["monthly"]
    write_files(root, {"base/web/web.yaml": WEB.format(replicas=4, memory="2Gi")})
    after = json.loads(run_envc(root, "cost", "prod", "--format", "json").out)["environments"][0]["monthly"]
    told = json.loads(run_envc(root, "cost", "prod", "--diff", "HEAD", "-o", "json").out)["environments"][0]
    assert (before["expected"], after["expected"]) == (52.33808, 117.0482)
    assert (told["before"], told["after"]) == (before, after)
    assert round(told["added"]["expected"], 6) == round(after["expected"] - before["expected"], 6)
    assert "prod: 117.05 USD a month" in run_envc(root, "cost", "prod").out
    assert "prod: +64.71 USD a month, 117.05 then" in run_envc(root, "cost", "--diff", "HEAD").out


def test_an_environment_that_is_new_costs_all_of_it(tmp_path: Path) -> None:
    """And one in which nothing differs is named."""
    root = project(tmp_path)
    write_files(root, {"overlays/test/environment.yaml": environment("namespace: test\n")})
    out = run_envc(root, "cost", "--diff", "HEAD").out
    assert "test: +52.34 USD a month, 52.34 then" in out
    assert "costs the same: dev, prod" in out


def test_prices_that_cannot_be_read(tmp_path: Path) -> None:
    """Exit 2, with what to do."""
    outcome = run_envc(project(tmp_path), "cost", "--prices", "none.yaml")
    assert outcome.code == 2
    assert "the prices none.yaml cannot be read" in outcome.err


def test_costs_for_a_spreadsheet_are_those_of_json(tmp_path: Path) -> None:
    """Line by line: now, what a change adds, and what a period cost; nothing in them is a formula."""
    root = project(tmp_path)
    rows = _csv(root, "cost")
    documents = json.loads(run_envc(root, "cost", "-o", "json").out)["environments"]
    assert [(row["environment"], row["name"], float(row["expected"]), float(row["memory_gib"])) for row in rows] == [
        (one["environment"], item["resource"]["name"], item["monthly"]["expected"], item["memoryGib"])
        for one in documents
        for item in one["items"]
    ]
    run_envc(root, "history", "import")
    write_files(
        root, {"base/web/web.yaml": WEB.format(replicas=4, memory="2Gi").replace("name: web}", "name: web}", 1)}
    )
    changes = json.loads(run_envc(root, "cost", "--diff", "HEAD", "-o", "json").out)["environments"]
    assert [
        (row["field"], row["old"], row["new"], float(row["added"])) for row in _csv(root, "cost", "--diff", "HEAD")
    ] == [
        (cause["field"], str(cause["old"]), str(cause["new"]), cause["added"]["expected"])
        for one in changes
        for item in one["items"]
        for cause in item["causes"]
    ]
    commit(root)
    run_envc(root, "history", "import")
    over = json.loads(run_envc(root, "cost", "--since", "2020-01-01", "-o", "json").out)["environments"]
    told = _csv(root, "cost", "--since", "2020-01-01")
    assert [float(row["added"]) for row in told if row["commit"]] == [
        step["added"]["expected"] for one in over for step in one["steps"]
    ]
    assert [float(row["after"]) for row in told if not row["commit"]] == [one["monthly"]["expected"] for one in over]


def test_costs_for_a_comment(tmp_path: Path) -> None:
    """A line for each environment, with price list and currency above; a name cannot end its cell."""
    root = project(tmp_path)
    text = run_envc(root, "cost", "-o", "markdown").out
    assert text.startswith("USD a month of 730 hours, estimated with OpenCost defaults")
    assert "| dev | 52.34 | 52.34 |" in text
    assert "#### prod" in text
    assert "| Deployment/web | 52.34 | 52.34 |  |" in text
    write_files(root, {"base/web/web.yaml": WEB.format(replicas=4, memory='"2Gi"')})
    added = run_envc(root, "cost", "--diff", "HEAD", "-o", "markdown").out
    assert "| dev | +64.71 | 117.05 |" in added
    assert "spec.replicas: 2 -\\> 4" in added or "spec.replicas: 2 -&gt; 4" in added or "spec.replicas: 2 -> 4" in added


def _csv(root: Path, *words: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(run_envc(root, *words, "-o", "csv").out)))
