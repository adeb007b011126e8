"""Installs the real hook managers that npm has, by name and pinned version, into the folder of all oracles."""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.oracles.catalogue import store_root

PACKAGES: Final = ("husky@9.1.7", "lefthook@2.2.1")
NAME: Final = "hook-managers"


class NpmError(Exception):
    """The packages cannot be installed; the message says what to do about it."""


def node_modules(environ: Mapping[str, str]) -> Path:
    """Find where the packages are, or will be once installed."""
    return store_root(environ) / "-".join([NAME, *PACKAGES]).replace("@", "-") / "node_modules"


def install(environ: Mapping[str, str]) -> Path:
    """Install the packages in one step, so that no other process ever sees half of them."""
    place = node_modules(environ)
    npm = shutil.which("npm", path=environ.get("PATH"))
    if npm is None:
        raise NpmError(f"npm is needed for {', '.join(PACKAGES)}: install Node.js and have `npm` on PATH")
    place.parent.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent.parent, prefix=f".{NAME}-") as scratch:
        options = ["--no-audit", "--no-fund", "--ignore-scripts", "--save-exact", "--loglevel=error"]
        command = [npm, "install", f"--prefix={scratch}", *options, *PACKAGES]
        done = subprocess.run(command, env=environ, cwd=scratch, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NpmError(f"{', '.join(PACKAGES)} cannot be installed:\n{done.stderr.strip()}")
        made = Path(scratch) / "node_modules"
        place.parent.mkdir(exist_ok=True)
        try:
            made.rename(place)
        except OSError:
            if not place.is_dir():  # somebody else was first
                raise
    return place
