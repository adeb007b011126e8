"""`envc graph`: every format says the same, and hostile names are inert in each."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET  # ruff: ignore[suspicious-xml-etree-import] - it reads our own text

import pytest

from tests.harness.command import run_envc
from tests.harness.repository import commit, deployment, environment, git

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

ACCOUNT = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: web}\n"
FILES = {
    "base/web.yaml": deployment().replace(
        "      containers:",
        "      serviceAccountName: web\n      volumes:\n"
        "      - {name: v, configMap: {name: settings}}\n      containers:",
    ),
    "base/account.yaml": ACCOUNT,
    "overlays/dev/environment.yaml": environment("namespace: a\n"),
    "overlays/prod/environment.yaml": environment("namespace: p\n"),
}


def parsed(text: str) -> ET.Element:
    """A picture."""
    return ET.fromstring(text)  # ruff: ignore[suspicious-xml-element-tree-usage] - it is our own text


SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def root(make_project: MakeProject) -> Path:
    """A Deployment with an account, and a ConfigMap that is not there."""
    return make_project(FILES)


def test_lines_say_who_needs_whom_what_is_missing_and_the_order(root: Path) -> None:
    """Of the last environment when none is named."""
    done = run_envc(root, "graph")
    assert (done.code, done.err) == (0, "")
    assert done.out == (
        "prod: 3 resources, 2 edges, 1 of what is needed is not there\n"
        "\n"
        "Deployment/web\n"
        "  needs   ConfigMap/settings  (volume)  ! not there\n"
        "  needs   ServiceAccount/web  (serviceAccountName)\n"
        "\n"
        "start order, by what needs what\n"
        "  wave 0\n"
        "    ServiceAccount/web\n"
        "  wave 1\n"
        "    Deployment/web\n"
    )


def test_what_breaks_without_a_resource(root: Path) -> None:
    """The title counts it, the lines name it."""
    done = run_envc(root, "graph", "prod", "--from", "serviceaccount/web", "--depth", "1")
    assert done.out.startswith("1 resource does not work in prod without ServiceAccount/web\n  Deployment/web\n")
    assert run_envc(root, "graph", "prod", "--from", "deployment/web").out.startswith(
        "Nothing in prod needs Deployment/web\n"
    )
    refused = run_envc(root, "graph", "prod", "--from", "deployment/wbe")
    assert (refused.code, "did you mean" in refused.err) == (2, True)
    assert run_envc(root, "graph", "prod", "--depth", "1").code == 2


def test_what_a_change_touches(root: Path) -> None:
    """It is marked, with what is near."""
    git(root, "init", "-q")
    commit(root)
    untouched = run_envc(root, "graph", "prod", "--affected", "--from", "HEAD")
    assert (untouched.code, untouched.out, untouched.err) == (0, "", "nothing in prod is touched\n")
    assert json.loads(run_envc(root, "graph", "prod", "--affected", "--from", "HEAD", "-o", "json").out)["nodes"] == []
    (root / "overlays/prod/account.yaml").write_text(f"{ACCOUNT}automountServiceAccountToken: false\n", "utf-8")
    for words in (("--affected",), ("--affected", "--from", "HEAD")):
        document = json.loads(run_envc(root, "graph", "prod", *words, "-o", "json").out)
        assert {node["id"].split(" ")[0]: node["changed"] for node in document["nodes"]} == {
            "ServiceAccount/web": True,
            "Deployment.apps/web": False,
        }
    assert ":::changed" in run_envc(root, "graph", "prod", "--affected", "-o", "mermaid").out


def test_every_format_has_all_nodes_and_edges(root: Path) -> None:
    """JSON, Mermaid, Graphviz, SVG and the page."""
    document = json.loads(run_envc(root, "graph", "prod", "-o", "json").out)
    assert (len(document["nodes"]), len(document["edges"])) == (3, 2)
    chart = run_envc(root, "graph", "prod", "-o", "mermaid").out
    assert chart.splitlines()[0] == "flowchart LR"
    assert (chart.count("["), chart.count(" --> "), chart.count(":::missing")) == (3, 2, 1)
    dot = run_envc(root, "graph", "prod", "-o", "dot").out
    assert (dot.count("label="), dot.count(" -> ")) == (3, 2)
    picture = parsed(run_envc(root, "graph", "prod", "-o", "svg").out)
    assert len(picture.findall(f"{SVG}g")) == 3
    assert len(picture.findall(f"{SVG}path")) == 2
    page = run_envc(root, "graph", "prod", "-o", "html").out
    assert "default-src 'none'" in page
    assert page.count("<tr><th scope=row>") == 4, "two edges, two waves"


def test_a_picture_is_cut_and_says_so(root: Path) -> None:
    """The worst stay."""
    done = run_envc(root, "graph", "prod", "-o", "svg", "--most", "2")
    assert done.err == "2 of 3 resources are drawn; --most N draws more\n"
    assert len(parsed(done.out).findall(f"{SVG}g")) == 2


def test_hostile_names_do_nothing(make_project: MakeProject) -> None:
    """No markup, no syntax, no escape sequence, no link, in any format."""
    hostile = 'x"]; click n0 "javascript:alert(1)"<script>alert(1)</script>\u202e\x1b[31m ::error::'
    value = json.dumps(f"http://web.p.svc/{hostile}")
    files = {
        "base/web.yaml": "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n",
        "base/map.yaml": (
            f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: map}}\ndata: {{{json.dumps(hostile)}: {value}}}\n"
        ),
        "overlays/prod/environment.yaml": environment("namespace: p\nchecks: {schema: warning}\n"),
    }
    root = make_project(files)
    for name in ("text", "json", "mermaid", "dot", "svg", "html"):
        done = run_envc(root, "graph", "prod", "-o", name)
        assert done.code == 0, done.err
        assert "\x1b" not in done.out
        assert "\u202e" not in done.out
        assert not any(line.lstrip().startswith("::") for line in done.out.splitlines())
        if name in {"svg", "html", "mermaid"}:
            assert "<script" not in done.out
            assert not re.search(r"^\s*click", done.out, re.MULTILINE)
        if name == "svg":
            assert parsed(done.out).tag.endswith("svg")
