"""What a report and the pages cost over a year of edits: `python -m tests.benchmarks.bench_pages [SERVICES] [COMMITS]`.

Services in four environments get an edit a commit; all are recorded. The report is a process of its own, pages are made
in this one as `envc ui` makes them, the first time and again. Times are those of the processor.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from envcompile.pages.routes import ROUTES, Asked
from envcompile.pages.server import settle
from envcompile.pages.site import Site
from envcompile.pages.templating import compile_templates
from tests.benchmarks.year_of_edits import make_year

REPORT_LIMIT: Final = 10.0
"""Seconds for 100 services and 25,600 revisions."""
SIZE_LIMIT: Final = 1_500_000
PAGE_LIMIT: Final = 0.1
FIRST: Final = frozenset({"/", "/matrix", "/timeline", "/graph", "/cost", "/checks"})
"""The pages of the bar, which are made before somebody opens them."""


def report(root: Path) -> tuple[float, int]:
    """Seconds of the processor for `envc report`, and the bytes of the page."""
    file = root.parent / "report.html"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "envcompile", "--project", str(root), "report", "--output", str(file)]
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return took, file.stat().st_size


ASKED: Final[tuple[tuple[str, dict[str, str], dict[str, str]], ...]] = (
    *((address, {}, {}) for address in ("/", "/matrix", "/timeline", "/graph", "/cost", "/checks")),
    ("/matrix", {}, {"field": "replicas"}),
    ("/matrix", {}, {"app": "service-042"}),
    ("/matrix", {}, {"only": "unintended"}),
    ("/timeline", {}, {"q": "042"}),
    ("/graph/{environment}", {"environment": "prod"}, {"from": "deployment/service-042"}),
    ("/env/{environment}", {"environment": "prod"}, {}),
    ("/r/{environment}/{kind}/{name}", {"environment": "prod", "kind": "deployment", "name": "service-042"}, {}),
    ("/compare/{left}/{right}", {"left": "staging", "right": "prod"}, {}),
    ("/compare/{left}/{right}", {"left": "HEAD~30", "right": "HEAD"}, {}),
    ("/search", {}, {"q": "service-042"}),
    ("/search", {}, {"q": "value:no-such-text"}),
    ("/search", {}, {"q": "image:service-042"}),
    (
        "/search",
        {},
        {"q": f"image:service-042 at:{time.strftime('%Y-%m-%d', time.gmtime(time.time() - 100 * 86_400))}"},
    ),
)
"""Pages, each with the parts and the query of its address."""


def pages(root: Path) -> dict[str, tuple[float, float]]:
    """Address -> seconds for the first view of a page, and for a later one."""
    compile_templates()
    site = Site(root, lambda: int(time.time()))
    site.refresh()
    site.draw()
    settle()
    routes = {route.pattern: route for route in ROUTES}
    found = {}
    for address, parts, query in ASKED:
        times = []
        for _ in range(3):
            begun = time.thread_time()
            routes[address].make(site, Asked(parts, query))
            times.append(time.thread_time() - begun)
        found[f"{address.format(**parts)}{f'?{urlencode(query)}' if query else ''}"] = times[0], min(times[1:])
    return found


def main(services: int, commits: int) -> int:
    """Print the figures; the exit code is 1 when one is above its limit."""
    with tempfile.TemporaryDirectory(prefix="envc-pages-") as folder:
        root = Path(folder) / "project"
        root.mkdir()
        make_year(root, services, commits, int(time.time()) - 3600)
        subprocess.run(
            [sys.executable, "-m", "envcompile", "--project", str(root), "history", "import"],
            check=True,
            capture_output=True,
        )
        took, size = report(root)
        print(f"report {took:.1f} s, {size / 1e6:.2f} MB")
        slow = took > REPORT_LIMIT or size > SIZE_LIMIT
        for address, (first, again) in pages(root).items():
            print(f"{address:44} {first * 1000:6.0f} ms, then {again * 1000:4.0f} ms")
            slow = slow or (again if address in FIRST else first) > PAGE_LIMIT
    return int(slow)


if __name__ == "__main__":
    os.environ.setdefault("GIT_CONFIG_NOSYSTEM", "1")
    numbers = [int(text) for text in sys.argv[1:]]
    raise SystemExit(main(*(numbers + [100, 6399][len(numbers) :])))
