"""Manifests for package managers, made of the archives of a release: `python -m tests.packaging.manifests FOLDER`."""

from __future__ import annotations

import gzip
import hashlib
import io
import sys
import tarfile
import tomllib
from pathlib import Path
from string import Template

from envcompile import __version__

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "docs" / "packaging"
PLATFORMS = ("darwin", "linux")


def homepage() -> str:
    """The project's address, which stands in `[project.urls]` and nowhere else."""
    about = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    urls: dict[str, str] = about["project"]["urls"]
    return urls["Homepage"]


def plugin_archive() -> bytes:
    """The archive of the kubectl plugin: a script and the licence, the same bytes each time."""
    packed = io.BytesIO()
    # Compressed apart: tarfile's own way puts the clock into the head.
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, source, mode in (
            ("kubectl-envc", TEMPLATES / "kubectl-envc", 0o755),
            ("LICENSE", ROOT / "LICENSE", 0o644),
        ):
            text = source.read_text(encoding="utf-8").replace("$VERSION_OF_THE_RELEASE", __version__).encode()
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            entry.mode = mode
            archive.addfile(entry, io.BytesIO(text))
    return gzip.compress(packed.getvalue(), mtime=0)


def filled(template: str, digest: str) -> str:
    """A manifest with the version, the addresses and a digest (SHA-256, hex) filled in."""
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    return Template(text).substitute(
        version=__version__,
        homepage=homepage(),
        release=f"{homepage()}/releases/download/v{__version__}",
        digest=digest,
    )


def write(folder: Path) -> None:
    """Write what package managers read beside the archives of a release.

    Args:
        folder: holds the sdist already.
    """
    source = folder / f"envcompile-{__version__}.tar.gz"
    plugin = plugin_archive()
    (folder / "kubectl-envc.tar.gz").write_bytes(plugin)
    (folder / "envc.rb").write_text(
        filled("homebrew.rb", hashlib.sha256(source.read_bytes()).hexdigest()), encoding="utf-8"
    )
    (folder / "krew.yaml").write_text(filled("krew.yaml", hashlib.sha256(plugin).hexdigest()), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
