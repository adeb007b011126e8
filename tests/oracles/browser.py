"""A real browser that looks at pages: Debian's Chromium, and axe-core, which says who cannot use them."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.oracles.npm import NpmPackages

PACKAGES: Final = NpmPackages("browser", ("axe-core@4.14.1",))
PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome")


def axe(environ: Mapping[str, str]) -> Path:
    """Find the script that looks at a page."""
    return PACKAGES.node_modules(environ) / "axe-core" / "axe.min.js"


def chromium(environ: Mapping[str, str]) -> Path | None:
    """Find the browser; None where there is none."""
    return next((Path(found) for name in PROGRAMS if (found := shutil.which(name, path=environ.get("PATH")))), None)
