"""The documentation as a site: `python -m tests.docs.site FOLDER` builds `FOLDER/<version>/` of the guide and `docs/`.

The pages are the guide's own, so nothing is said twice; Zensical lays them out, with search, for light and dark. The
reference of the Python API is made of docstrings. No page asks another address for anything.
"""

from __future__ import annotations

import inspect
import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import envcompile

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "envcompile" / "guide"
ZENSICAL = Path(sysconfig.get_path("scripts")) / "zensical"


class Section(NamedTuple):
    """A part of the navigation."""

    title: str
    pages: tuple[str, ...]
    """Names of pages of the guide, or paths of files below the top folder."""


HOW_TO = "How to"
EXAMPLES = ("", "kustomize-shop/", "kustomize-components/", "jsonnet-platform/", "many-clusters/", "secrets/")
SECTIONS = (
    Section("Start", ("start",)),
    Section("Tutorials", ("adopt", "convert", *(f"examples/{name}README.md" for name in EXAMPLES))),
    Section(HOW_TO, ()),
    Section("Reference", ("commands", "environments", "rules", "api", "docs/operators.md", "docs/licences.md")),
    Section("How it works", ("composition", "explain", "scale", "docs/architecture.md", "SECURITY.md")),
    Section("Compared", ("docs/adoption.md", "docs/charts.md", "tests/benchmarks/README.md")),
    Section("Taking part", ("CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "CHANGELOG.md")),
)
"""Where pages stand; a page of the guide that is nowhere stands under `How to`, by name."""

_SETTINGS = """\
[project]
site_name = "envc"
site_description = "One Kubernetes configuration in, every environment out."
use_directory_urls = false
nav = {nav}

[project.theme]
variant = "modern"
font = false
features = ["content.code.copy", "navigation.footer", "navigation.sections", "search.highlight", "toc.follow"]

[[project.theme.palette]]
media = "(prefers-color-scheme: light)"
scheme = "default"
toggle.icon = "lucide/moon"
toggle.name = "dark"

[[project.theme.palette]]
media = "(prefers-color-scheme: dark)"
scheme = "slate"
toggle.icon = "lucide/sun"
toggle.name = "light"

[project.extra]
generator = false
"""
_REDIRECT = """\
<!doctype html>
<meta charset="utf-8">
<title>envc</title>
<meta http-equiv="refresh" content="0; url={version}/index.html">
<p><a href="{version}/index.html">envc {version}</a></p>
"""


class SiteError(Exception):
    """The site cannot be built; the message says what the generator said."""


def guide_pages() -> list[str]:
    """The names of all pages of the guide."""
    return sorted(path.stem for path in GUIDE.glob("*.md"))


def sections() -> Iterator[Section]:
    """The navigation, with the pages that no section names under `How to`."""
    named = {page for section in SECTIONS for page in section.pages}
    for section in SECTIONS:
        rest = [page for page in guide_pages() if page not in named] if section.title == HOW_TO else []
        yield section._replace(pages=(*section.pages, *rest))


def page_file(page: str) -> str:
    """The file of a page inside the site's sources."""
    return re.sub(r"/readme$", "", page.removesuffix(".md").lower()).replace("/", "-") + ".md"


def source_of(page: str) -> Path:
    """The file that a page is made of."""
    return ROOT / page if page.endswith(".md") else GUIDE / f"{page}.md"


def api_page() -> str:
    """The reference of the public names, made of their docstrings: signature, first paragraphs, public members."""
    lines = ["# Python API", "", inspect.cleandoc(envcompile.__doc__ or ""), ""]
    guide = (GUIDE / "api.md").read_text(encoding="utf-8").partition("\n")[2]
    lines += [guide.strip(), ""]
    for name in envcompile.__all__:
        value = getattr(envcompile, name)
        if isinstance(value, type):
            lines += _class_page(name, value)
    return "\n".join(lines) + "\n"


def _class_page(name: str, value: type) -> Iterator[str]:
    yield from (f"## {name}", "", _prose(value), "")
    for member, found in sorted(vars(value).items()):
        target: Any = found.__func__ if isinstance(found, classmethod | staticmethod) else found
        if member.startswith("_") or not (inspect.isfunction(target) or isinstance(target, property)):
            continue
        signature = "" if isinstance(target, property) else str(inspect.signature(target))
        yield from (f"### {name}.{member}", "", f"```python\n{member}{signature}\n```", "", _prose(target), "")


def _prose(value: object) -> str:
    text = inspect.getdoc(value) or ""
    # The sections of a docstring become lists of their own.
    text = re.sub(r"^(Args|Returns|Raises):$", r"**\1**\n", text, flags=re.MULTILINE)
    return re.sub(r"^ {4}(\w+): ", r"- `\1`: ", text, flags=re.MULTILINE)


def _linked(text: str, page: str) -> str:
    """A page with its links to other files of the repository turned into links to their pages."""
    pages = {
        source_of(name).relative_to(ROOT).as_posix(): page_file(name) for part in sections() for name in part.pages
    }
    here = source_of(page).parent.relative_to(ROOT)

    def turned(found: re.Match[str]) -> str:
        address, _, mark = found[2].partition("#")
        target = (Path("/") / here / address).resolve().relative_to("/").as_posix()
        return f"{found[1]}({pages[target]}{'#' + mark if mark else ''})" if target in pages else found[0]

    text = re.sub(r"(\[[^\]]*\])\(([^):\s]+\.md(?:#[\w-]+)?)\)", turned, text)
    # The generator would load what draws such a graph from another address.
    text = text.replace("```mermaid", "```text")
    return text.replace("](../../docs/pictures/", "](docs/pictures/")


def assemble(folder: Path) -> None:
    """Write the sources of the site into a folder."""
    docs = folder / "docs"
    docs.mkdir(parents=True)
    nav: list[str] = ['{"envc" = "index.md"}']
    (docs / "index.md").write_text(
        _linked((ROOT / "README.md").read_text(encoding="utf-8"), "README.md"), encoding="utf-8"
    )
    for section in sections():
        files = []
        for page in section.pages:
            text = api_page() if page == "api" else source_of(page).read_text(encoding="utf-8")
            (docs / page_file(page)).write_text(_linked(text, page), encoding="utf-8")
            files.append(json.dumps(page_file(page)))
        nav.append(f"{{{json.dumps(section.title)} = [{', '.join(files)}]}}")
    pictures = ROOT / "docs" / "pictures"
    if pictures.is_dir():
        shutil.copytree(pictures, docs / "docs" / "pictures")
    (folder / "zensical.toml").write_text(_SETTINGS.format(nav=f"[{', '.join(nav)}]"), encoding="utf-8")


def build(target: Path, version: str = envcompile.__version__) -> Path:
    """Build the site of one version beside those of others.

    Args:
        target: the folder of all versions; `index.html` in it leads to this one.
        version: the folder's name.

    Raises:
        SiteError: the generator warns of something.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        assemble(folder)
        done = subprocess.run(
            [str(ZENSICAL), "build", "--clean", "--strict"], cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode != 0 or "No issues found" not in done.stdout + done.stderr:
            raise SiteError(re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr))
        place = target / version
        shutil.rmtree(place, ignore_errors=True)
        target.mkdir(parents=True, exist_ok=True)
        shutil.copytree(folder / "site", place)
    (target / "index.html").write_text(_REDIRECT.format(version=version), encoding="utf-8")
    versions = sorted(path.name for path in target.iterdir() if path.is_dir())
    (target / "versions.json").write_text(json.dumps(versions) + "\n", encoding="utf-8")
    return place


if __name__ == "__main__":
    sys.stdout.write(f"{build(Path(sys.argv[1]))}\n")
