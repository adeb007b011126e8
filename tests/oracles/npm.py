"""Packages of npm, by name and pinned version, installed into the folder of all oracles."""

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.oracles.catalogue import store_root


class NpmError(Exception):
    """The packages cannot be installed; the message says what to do about it."""


class NpmPackages(NamedTuple):
    """Packages that are installed together."""

    name: str
    packages: tuple[str, ...]

    def __str__(self) -> str:
        return ", ".join(self.packages)

    def node_modules(self, environ: Mapping[str, str]) -> Path:
        """Find where the packages are, or will be once installed."""
        folder = "-".join([self.name, *self.packages]).replace("@", "-").replace("/", "-")
        return store_root(environ) / folder / "node_modules"

    def install(self, environ: Mapping[str, str]) -> Path:
        """Install the packages in one step, so that no other process ever sees half of them."""
        place = self.node_modules(environ)
        npm = shutil.which("npm", path=environ.get("PATH"))
        if npm is None:
            raise NpmError(f"npm is needed for {self}: install Node.js and have `npm` on PATH")
        place.parent.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent.parent, prefix=f".{self.name}-") as scratch:
            options = ["--no-audit", "--no-fund", "--ignore-scripts", "--save-exact", "--loglevel=error"]
            command = [npm, "install", f"--prefix={scratch}", *options, *self.packages]
            done = subprocess.run(command, env=environ, cwd=scratch, capture_output=True, text=True, check=False)
            if done.returncode:
                raise NpmError(f"{self} cannot be installed:\n{done.stderr.strip()}")
            made = Path(scratch) / "node_modules"
            place.parent.mkdir(exist_ok=True)
            try:
                made.rename(place)
            except OSError:
                if not place.is_dir():  # somebody else was first
                    raise
        return place
