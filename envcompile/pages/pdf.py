"""The report on paper: printed by a Chromium that is there already."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from envcompile.errors import Problem, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Mapping

PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge", "chrome")
_SECONDS: Final = 180


def printed(page: str, environ: Mapping[str, str]) -> bytes:
    """A page as PDF; nothing is fetched for it.

    Args:
        page: a report as HTML.
        environ: where programs are looked for (PATH).

    Raises:
        UnavailableError: no Chromium is there, or it does not print.
    """
    program = next((found for name in PROGRAMS if (found := shutil.which(name, path=environ.get("PATH")))), None)
    if program is None:
        what = "a PDF is printed by Chromium, and none is on PATH"
        fix = "install one (Debian: apt-get install chromium), or write HTML and print it in any browser"
        raise UnavailableError([Problem(what, fix)])
    with tempfile.TemporaryDirectory(prefix="envc-report-") as scratch:
        source, target = Path(scratch, "report.html"), Path(scratch, "report.pdf")
        source.write_text(page, encoding="utf-8")
        options = [
            "--headless",
            "--disable-gpu",
            "--no-pdf-header-footer",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={scratch}/profile",
            f"--print-to-pdf={target}",
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            options.append("--no-sandbox")  # its sandbox refuses to be set up by root
        try:
            done = subprocess.run(
                [program, *options, source.as_uri()],
                env={**environ, "HOME": scratch},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UnavailableError([Problem(f"{program} does not print: {error}", "try it by hand")]) from error
        if not target.is_file():
            said = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:] or ["it says nothing"]
            raise UnavailableError([Problem(f"{program} does not print: {said[0]}", "try it by hand")])
        return target.read_bytes()
