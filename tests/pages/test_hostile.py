"""Names, values, messages and people that want to be more than text: inert on every page, tried in a real browser."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

import pytest

from envcompile.model import ResourceId
from envcompile.pages.documents import document
from envcompile.pages.inert import LONGEST, inert
from envcompile.pages.links import Links
from envcompile.pages.site import Site
from envcompile.pages.templating import HERE
from tests.harness.command import run_envc
from tests.harness.repository import config_map, deployment, environment, write_files
from tests.history.conftest import new_folder
from tests.pages.asking import ask
from tests.pages.conftest import now, serving
from tests.pages.looking import DESKTOP, PHONE

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Dialog

    from tests.pages.looking import Looker

EVIL: Final = (
    '<script>window.pwned=1</script><img src=x onerror="window.pwned=2">"\'><svg onload=window.pwned=3>'
    "{{ 7*7 }}{% raw %}\u202egnp.exe\u001b[31mred javascript:window.pwned=4"
)
LONG: Final = "x" * 1_000_000
OWN_TARGET: Final = re.compile(
    r"[/#]|data:,$|\{\{ (?:links\.|href|page\.earlier|page\.every|page\.more|t\.address|one\.address)"
)
PAGES: Final = (
    "/",
    "/timeline",
    "/checks",
    "/cost",
    "/graph/prod",
    "/graph/prod?from=deployment/web",
    "/matrix",
    "/matrix?app=%3Cscript%3Ewindow.pwned%3D7%3C%2Fscript%3E",
    "/env/prod",
    "/compare/dev/prod",
    "/compare/HEAD~1/HEAD",
    "/r/prod/deployment/web",
    "/r/prod/configmap/evil",
    "/r/prod/configmap/huge",
    "/search?q=pwned",
    "/search?q=%3Cscript%3Ewindow.pwned%3D5%3C%2Fscript%3E",
    "/%3Cscript%3Ewindow.pwned%3D6%3C%2Fscript%3E",
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which everything that may be a text is one that attacks."""
    folder = tmp_path_factory.mktemp("hostile") / "project"
    folder.mkdir()
    made = new_folder(folder)
    quoted = json.dumps(EVIL)
    ignore = f"replicas-min: {EVIL}"
    write_files(
        made.root,
        {
            "base/web.yaml": deployment(image="nginx:1.27").replace(
                "metadata:\n  name: web\n", f"metadata:\n  name: web\n  annotations:\n    note: {quoted}\n", 1
            ),
            "base/evil.yaml": config_map("evil", text=quoted, **{"app.properties": f"|\n    evil={EVIL.strip()[:60]}"}),
            "base/huge.yaml": config_map("huge", text=LONG, lines="|\n" + "    line of text\n" * 5_000),
            "overlays/prod/web.yaml": (
                "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  annotations:\n"
                f"    envcompile.dev/ignore: {json.dumps(ignore)}\n    long: {LONG[:200_000]}\n"
            ),
            "overlays/prod/environment.yaml": environment("namespace: production\nlabels:\n  a: b\n"),
        },
    )
    made.git("config", "user.name", "<b onclick=window.pwned=7>\u202eA")
    made.commit("start")
    made.write(base__evil=config_map("evil", text=json.dumps(f"{EVIL}!")))
    made.commit(EVIL)
    made.record()
    return made.root


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_nothing_of_it_runs_or_breaks_a_page(looker: Looker, hostile: Path, width: int) -> None:
    """No script, no dialog, no request, no element of theirs, no link of theirs, no sideways scrolling."""
    site = Site(hostile, now)
    site.refresh()
    site.draw()
    report = hostile.parent / f"report-{width}.html"
    assert run_envc(hostile, "report", "--output", str(report)).code == 0
    opened: list[str] = []

    def refuse(dialog: Dialog) -> None:
        opened.append(dialog.message)
        dialog.dismiss()

    with serving(site) as address, looker.page(width, "light") as page:
        page.on("dialog", refuse)
        for target in (*(f"{address}{path}" for path in PAGES), report.as_uri()):
            home = address if target.startswith("http") else report.as_uri()
            page.goto(target)
            assert page.evaluate("() => window.pwned") is None, target
            assert page.locator("img, iframe, object, embed, svg[onload], [onclick], [onerror]").count() == 0, target
            assert page.locator("a:not([href^='/']):not([href^='#'])").count() == 0, target
            assert page.evaluate("() => document.documentElement.scrollWidth - window.innerWidth") <= 0, target
            text = page.locator("main").inner_text()
            assert not re.search(r"[\u202a-\u202e\u2066-\u2069\u001b]", text), target
            assert home
        assert opened == []
        page.goto(f"{address}/r/prod/configmap/evil")
        assert "<script>window.pwned=1</script>" in page.locator(".ym").inner_text()


def test_a_long_value_is_cut_and_says_so(hostile: Path) -> None:
    """A page stays small; the number of characters is told, and of many lines the rest is a link away."""
    site = Site(hostile, now)
    site.refresh()
    with serving(site) as address:
        page = ask(f"{address}/r/prod/configmap/huge").text
        assert len(page) < 1_000_000
        assert "more lines</a>" in page
        whole = ask(f"{address}/r/prod/configmap/huge?lines=every").text
        assert whole.count("line of text") == 5_000
        assert re.findall(r"\(([\d,]+) characters in all\)", whole) == ["1,000,002"]  # with its quotes
        assert len(ask(f"{address}/r/prod/deployment/web").text) < 100_000


def test_the_door_shows_what_acts_and_cuts_what_is_long() -> None:
    """Markup of templates passes; nothing else that is no text or number does."""
    assert inert("a\u202eb\u001b[1m\u0000") == "a\\u202eb\\x1b[1m\\x00"
    assert inert("é\n\t→ שלום") == "é\n\t→ שלום"
    assert len(inert("x" * 10**6)) < LONGEST + 50
    for value in (None, True, ["<b>"], {"a": 1}, object()):
        with pytest.raises(TypeError):
            inert(value)


def test_links_are_made_of_nothing_that_others_wrote_as_it_is() -> None:
    """Whatever the names are, an address begins with a slash or a number sign, and has no second slash after it."""
    links = Links({"prod": "production"})
    evil = ("javascript:alert(1)", "//evil.example.com", "..", "a/b?c#d", "<script>", "\u202e")
    for text in evil:
        resource = ResourceId(text, text, text, text)
        for address in (
            links.environment(text),
            links.resource(text, resource, 3),
            links.compare(text, text),
            links.change(text),
            links.page("timeline", q=text),
            links.graph(text, start=text),
        ):
            assert re.fullmatch(r"/[a-z][A-Za-z0-9/%?&=+._~#:-]*", address), address
            assert "//" not in address
            assert "/../" not in address


def test_every_link_of_a_template_is_made_by_links() -> None:
    """Or is one that the template itself spells; and nothing says that a value is safe."""
    for file in (HERE / "templates").glob("*.html"):
        text = file.read_text(encoding="utf-8")
        for target in re.findall(r'(?:href|src|action)="([^"]*)"', text):
            assert OWN_TARGET.match(target), (file.name, target)
        assert not re.search(r"\|\s*safe|autoescape|style=", text), file.name
        assert not re.search(r"\son[a-z]+=", text), file.name


@pytest.mark.parametrize("path", ["", "."])
def test_a_document_imports_no_module_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """`envc ui` is started in a checkout, and starts commands there, with whatever the user has set."""
    ran = tmp_path / "RAN"
    names = ("json", "re", "typing", "runpy", "envcompile", "sitecustomize", "usercustomize", "msgspec")
    planted = {f"{name}.py": f"open({str(ran)!r}, 'a').write('{name} ')\n" for name in names}
    files = {"base/web.yaml": config_map(), "overlays/dev/environment.yaml": environment()}
    root = write_files(tmp_path / "checkout", {**planted, **files})
    monkeypatch.chdir(root)
    monkeypatch.setenv("PYTHONPATH", path)
    assert document(root, ["list"]).status == 200
    assert not ran.exists()
