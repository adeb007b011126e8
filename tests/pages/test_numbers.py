"""Figures of matrix, costs, graph and frameworks: on the pages and in the report they are those of the commands."""

from __future__ import annotations

import html
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.actions.compliance import frameworks_named, trend
from envcompile.git.repository import open_repository
from envcompile.history.times import stamp
from envcompile.pages.report import report_html
from envcompile.pages.routes import ROUTES, Asked
from envcompile.pages.site import Site
from tests.pages.asking import ask
from tests.pages.conftest import now
from tests.pages.test_agreement import said, words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.pages.shop import Shop


def table(text: str, heading: str) -> Iterator[list[str]]:
    """The rows of the first table after a text, cell by cell."""
    after = text[text.index(heading) :]
    body = after[after.index("<tbody") : after.index("</table>")]
    for row in re.findall(r"<tr.*?</tr>", body, re.DOTALL):
        yield [words(cell) for cell in re.findall(r"<t[hd][ >].*?</t[hd]>", row, re.DOTALL)]


@pytest.fixture(scope="module")
def report(shop: Shop) -> str:
    """The report of the same project."""
    return report_html(Site(shop.root, now).state, shop.root, now())


def test_the_matrix_counts_what_matrix_counts(shop: Shop, address: str) -> None:
    """Differences in all and of each service, how many are on purpose, and the percentage."""
    page = ask(f"{address}/matrix").text
    counted = said(shop, "matrix")
    unintended = counted["differences"] - counted["onPurpose"]
    assert f"{counted['differences']} settings differ between environments, {unintended} not on purpose" in words(page)
    assert f"{counted['percentage']} % here" in words(page)
    for service in counted["services"]:
        (group,) = re.findall(rf'id="m-{re.escape(service["app"])}">(.*?)</tr>', page, re.DOTALL)
        told = words(f"<tr>{group}")
        left = service["differences"] - service["onPurpose"]
        assert re.search(rf"\b{left} not on purpose" if left else r"\b\d+ (on purpose|with a finding)", told), told


def test_the_matrix_shows_the_values_of_matrix(shop: Shop, address: str) -> None:
    """Every row of one field, value by value."""
    page = ask(f"{address}/matrix?field=replicas").text
    counted = said(shop, "matrix", "--field", "replicas")
    shown = sorted(
        (cells[0].rpartition(" ")[2], *(cell.split(" ")[0] for cell in cells[1:])) for cells in _bodies(page)
    )
    wanted = sorted(
        (
            f"{row['resource']['kind']}/{row['resource']['name']}",
            *(str(cell["value"]) if cell["there"] else "–" for cell in row["cells"]),
        )
        for row in counted["rows"]
    )
    assert len(wanted) > 10
    assert shown == wanted


def _bodies(page: str) -> Iterator[list[str]]:
    for row in re.findall(r"<tr><th scope=\"row\" class=\"f f2\">.*?</tr>", page, re.DOTALL):
        yield [words(cell) for cell in re.findall(r"<t[hd][ >].*?</t[hd]>", row, re.DOTALL)]


def test_costs_are_those_of_cost(shop: Shop, address: str, report: str) -> None:
    """Of each environment at its least and at most, and of each workload; so does the report."""
    costed = said(shop, "cost")
    page = ask(f"{address}/cost").text
    for environment in costed["environments"]:
        name, monthly = environment["environment"], environment["monthly"]
        for text in (words(page), words(report)):
            assert f"{monthly['least']:,.0f} USD {name} a month at the least" in text, name
        own = ask(f"{address}/cost?env={name}").text
        rows = {cells[0].split(" ")[0]: cells for cells in table(own, 'id="h-s"')}
        for item in environment["items"]:
            cells = rows[item["resource"]["name"]]
            amounts = item["monthly"]
            assert f"{amounts['expected']:,.2f}" in cells, (name, cells)
            assert cells[-1] == f"{amounts['most']:,.2f}", (name, cells)
        assert len([name for name in rows if name != environment["environment"]]) == len(environment["items"])


def test_costs_over_time_are_those_of_cost_since(shop: Shop, site: Site, address: str, report: str) -> None:
    """What each environment cost then and now, what was spent, and the commits that made it dearer."""
    costed = said(shop, "cost", "--since", stamp(site.state.begin(now()), utc=True))
    for text in (ask(f"{address}/cost").text, report):
        assert text.count('<svg class="sv"', text.index('id="h-over"')) >= 2
        rows = {cells[0]: cells for cells in table(text, 'id="h-over"')}
        for one in costed["environments"]:
            monthly, steps = one["monthly"]["expected"], one["steps"]
            # The command reads later than the page does: since then an environment has cost what it costs now.
            later = datetime.fromisoformat(costed["until"]).timestamp() - now()
            spent = one["spent"]["expected"] - monthly * later / (costed["hoursAMonth"] * 3600)
            first = steps[0]["before"]["expected"] if steps else monthly
            shown = rows[one["environment"]]
            assert shown[1:3] == [f"{first:,.2f}", f"{monthly:,.2f}"]
            assert abs(float(shown[3].replace(",", "")) - spent) < 0.01
            assert shown[4] == str(len(steps))
    assert sum(len(one["steps"]) for one in costed["environments"]) > 0


def test_the_graph_is_that_of_graph(shop: Shop, address: str) -> None:
    """Its counts, every edge around a resource, and the start order wave by wave."""
    page = ask(f"{address}/graph/prod?from=deployment/user-service&depth=1").text
    whole = said(shop, "graph", "prod")
    near = said(shop, "graph", "prod", "--from", "deployment/user-service", "--depth", "1")
    assert len(near["edges"]) > 5
    shown = {(cells[0], cells[1], cells[2].removesuffix(", not there")) for cells in table(page, 'id="h-l"')}
    wanted = {tuple(_short(part) for part in (edge["from"], edge["kind"], edge["to"])) for edge in near["edges"]}
    assert shown == wanted
    waves = [(cells[0], cells[1]) for cells in table(page, 'id="h-w"')]
    assert waves == [(str(wave["wave"]), str(len(wave["resources"]))) for wave in whole["start"]]
    everything = words(ask(f"{address}/graph/prod").text)
    there = [node for node in whole["nodes"] if not node["missing"]]
    assert f"prod: {len(there)} resources, {len(whole['edges'])} edges" in everything


def _short(name: str) -> str:
    """`Deployment/app` for `Deployment.apps/app (namespace production)`."""
    kind, slash, rest = name.partition("/")
    return f"{kind.partition('.')[0]}/{rest.partition(' ')[0]}" if slash else name


def test_frameworks_are_those_of_compliance(shop: Shop, address: str, report: str) -> None:
    """How many controls hold of those that are asked, and which are broken."""
    told = said(shop, "compliance")
    for page in (ask(f"{address}/checks").text, report):
        rows = list(table(page, 'id="h-fw"'))
        assert len(rows) == len(told["frameworks"])
        for framework, cells in zip(told["frameworks"], rows, strict=True):
            assert html.unescape(cells[0]).startswith(framework["title"])
            for environment, cell in zip(framework["environments"], cells[1:], strict=True):
                asked = environment["holds"] + environment["broken"]
                assert cell.startswith(f"{environment['holds']} of {asked}"), (framework["title"], cell)
                broken: list[Any] = [one["control"] for one in environment["controls"] if one["state"] == "broken"]
                assert all(control in cell for control in broken[:3]), (broken, cell)


def test_the_trend_is_that_of_compliance(shop: Shop, site: Site, report: str) -> None:
    """Findings and broken controls of each week, of every environment; the last week is what `envc compliance` says."""
    names = site.state.names
    ends = [now() - 7 * 86_400 * number for number in range(7, -1, -1)]
    points = trend(open_repository(shop.root), shop.root, names, frameworks_named(()), ends)
    wanted = {name: [one for one in points if one.environment == name] for name in names}
    assert report.count('<svg class="sv"', report.index('id="h-trend"')) >= 2
    rows = {cells[0]: cells[1:] for cells in table(report, 'id="h-trend"')}
    assert rows == {
        name: [f"{one.findings:,} {sum(one.broken.values())} broken" for one in held] for name, held in wanted.items()
    }
    assert len(rows[names[-1]]) == len(ends)
    told = said(shop, "compliance")["frameworks"]
    for name in names:
        broken = sum(one["broken"] for each in told for one in each["environments"] if one["environment"] == name)
        assert rows[name][-1].endswith(f" {broken} broken")


def test_the_trend_appears_on_the_page_of_checks(shop: Shop) -> None:
    """Once it is worked out; until then the page names the command."""
    site = Site(shop.root, now)
    site.refresh()
    route = next(one for one in ROUTES if one.pattern == "/checks")
    assert b"envc compliance --trend 8" in route.make(site, Asked({}, {})).body
    site.look_back()
    assert b'id="h-trend"' in route.make(site, Asked({}, {})).body
