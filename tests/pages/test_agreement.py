"""Figures on pages and in the report are those that the commands print for programs."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any

from envcompile.pages.report import report_html
from envcompile.pages.site import Site
from tests.harness.command import run_envc
from tests.pages.asking import ask
from tests.pages.conftest import now

if TYPE_CHECKING:
    from tests.pages.shop import Shop


def said(shop: Shop, *command: str) -> Any:
    """What a command prints for programs."""
    return json.loads(run_envc(shop.root, *command, "--format", "json").out)


def words(text: str) -> str:
    """The text of a page without its markup, on one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def rows_of(text: str, begin: str) -> dict[str, str]:
    """The rows whose ids begin so, as text, by the rest of the id."""
    found = re.findall(rf'<tr id="{begin}([^"]+)"(.*?)</tr>', text, re.DOTALL)
    return {name: words(f"<tr {row}") for name, row in found}


def test_the_first_page_counts_as_list_does(shop: Shop, address: str) -> None:
    """Resources and findings of every environment; so does the report."""
    page = ask(f"{address}/").text
    listed = said(shop, "list")["environments"]
    report = report_html(Site(shop.root, now).state, shop.root, now())
    for text in (page, report):
        rows = rows_of(text, "e-")
        assert list(rows) == [one["environment"] for one in listed]
        for one in listed:
            row, counts = rows[one["environment"]], one["findings"]
            assert f" {one['resources']} " in f"{row} ", one["environment"]
            for grade, count in counts.items():
                name = "note" if grade == "info" else grade
                told = re.search(rf"(\d+) {name}s?\b", row)
                assert (int(told[1]) if told else 0) == count, (one["environment"], grade, row)


def test_the_verdict_is_of_the_findings(shop: Shop, address: str) -> None:
    """The title counts what `envc check` finds, the worst environment first; the last one is named."""
    (title,) = map(words, re.findall(r"<h1>(.*?)</h1>", ask(f"{address}/").text))
    counts: dict[str, dict[str, int]] = {}
    for finding in said(shop, "check", "--fail-on", "never")["findings"]:
        counts.setdefault(finding["environment"], {}).setdefault(finding["severity"], 0)
        counts[finding["environment"]][finding["severity"]] += 1
    assert counts["test"]["error"] == 1
    assert counts["staging"]["warning"] == 2
    assert title == "Test has 1 error, staging 2 warnings; prod has none"


def test_versions_are_what_the_manifests_run(shop: Shop, address: str) -> None:
    """Each with the day and the person that history blame names."""
    rows = rows_of(ask(f"{address}/").text, "v-deployment-")
    assert (
        "v1.5.0-rc.2 23 Nov Jonas v1.5.0-rc.2 24 Nov Jonas v1.4.3 10 Nov Jonas v1.4.2 19 Oct Jonas 18 days"
        in rows["user-service"]
    )
    field = "spec.template.spec.containers[name=user-service].image"
    (blamed,) = said(shop, "history", "blame", "staging", "deployment/user-service", field)["fields"]
    assert (blamed["author"], blamed["time"][:10]) == ("Jonas Lind", "2026-11-10")
    assert "latest moving tag 20 Nov Tomás" in rows["video-encoder"]


def test_the_timeline_has_every_recorded_change(shop: Shop, address: str) -> None:
    """Commit by commit what `history log` and `history show` tell; what changed is counted right."""
    page = ask(f"{address}/timeline").text
    recorded = [
        (name, one["commit"])
        for name in ("dev", "test", "staging", "prod")
        for one in said(shop, "history", "log", name)["revisions"]
        if one["changed"] and len(one["parents"])
    ]
    shown = re.findall(r'<tr id="c([0-9a-f]{10})', page)
    assert sorted(shown) == sorted(commit[:10] for _, commit in recorded)
    assert f"{len(recorded)} changes reached an environment" in words(page)
    rows = rows_of(page, "c")
    (head,) = [row for row in rows.values() if "Prod: sessions end after 20 minutes" in row]
    assert "15m → 20m spring.session.timeout Priya Nair" in head
    assert head.count("nobody") == 1


def test_a_comparison_has_what_compare_finds(shop: Shop, address: str) -> None:
    """As many settings as `envc compare` has fields, of which sealed values are only counted."""
    page = words(ask(f"{address}/compare/staging/prod").text)
    (compared,) = said(shop, "compare", "staging", "prod")["environments"]
    kinds = {"changed", "renamed"}
    fields = [field for one in compared["resources"] if one["change"] in kinds for field in one["fields"]]
    sealed = [field for field in fields if "secret" in field]
    assert f"staging → prod: {len(fields) - len(sealed)} settings differ" in page
    assert f"{len(sealed)} sealed values" in page


def test_a_manifest_is_what_show_prints(shop: Shop, address: str) -> None:
    """Line by line; each with the place that explain names."""
    page = ask(f"{address}/r/prod/deployment/user-service").text
    lines = re.findall(r'<td class="y">(.*?)</td>', page)
    without = [re.sub(r"<s>.*?</s>|<span class=\"src\">.*?</span>", "", line) for line in lines]
    text = "\n".join(html.unescape(re.sub(r"<[^>]+>", "", line)) for line in without)
    assert f"{text}\n" == run_envc(shop.root, "show", "prod", "deployment/user-service").out.removeprefix("---\n")
    explained = {one["field"]: one for one in said(shop, "explain", "prod", "deployment/user-service")["fields"]}
    cpu = explained["spec.template.spec.containers[name=user-service].resources.requests.cpu"]
    (place,) = [say["place"] for say in cpu["says"] if say["wins"]]
    assert place.rpartition(":")[0] in page
    assert "19 Nov Priya" in words(page)
    assert "500m was 200m" in words(page).replace("500m 200m", "500m was 200m")


def test_search_knows_what_ran_when(shop: Shop, address: str) -> None:
    """By the recorded states, as `history find --at` does; and the days it ran."""
    page = words(ask(f"{address}/search?q=image:user-service:v1.4.2").text)
    assert "user-service:v1.4.2 runs in prod" in page
    before = "image=*user-service:v1.4.2*"
    found = said(shop, "history", "find", before, "--at", "2026-11-01T00:00+00:00")["found"]
    there = sorted({one["environment"] for one in found})
    page = words(ask(f"{address}/search?q=image:user-service:v1.4.2+at:2026-11-01T00:00%2B00:00").text)
    assert there == ["dev", "prod", "staging", "test"]
    assert "ran in dev, test, staging and prod at 2026-11-01" in page


def test_the_report_for_programs_says_the_same(shop: Shop) -> None:
    """Findings and changes of the JSON are those of `check` and of the history."""
    report = said(shop, "report")
    found = said(shop, "check", "--fail-on", "never")["findings"]
    assert sum(len(one["environments"]) for one in report["findings"]) == len(found)
    changes = sum(
        bool(one["changed"] and one["parents"])
        for name in ("dev", "test", "staging", "prod")
        for one in said(shop, "history", "log", name)["revisions"]
    )
    assert len(report["changes"]) == changes
    assert report["title"] == "Test has 1 error, staging 2 warnings; prod has none"
