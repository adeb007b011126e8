"""`envc chart package` and `envc chart push`: the compiled chart as an archive, and in a registry, by the real helm."""

from __future__ import annotations

import hashlib
import re
import tempfile
from pathlib import Path
from typing import NamedTuple

from envcompile.charts.helm import Helm
from envcompile.errors import Problem, UsageError
from envcompile.files import write_atomically
from envcompile.sources.settingsrules import SEMVER
from envcompile.text import address as shown_address


class Wanted(NamedTuple):
    """How a chart is packed; what is empty is as Chart.yaml has it."""

    version: str = ""
    app_version: str = ""
    key: str = ""
    """The name of the key that signs it; empty for no signature."""
    keyring: str = ""
    """The file that has the key; empty for helm's own default."""


class Packaged(NamedTuple):
    """An archive of a chart."""

    archive: Path
    digest: str
    """SHA-256 of the file."""
    signature: Path | None


class Pushed(NamedTuple):
    """A chart in a registry."""

    reference: str
    """`oci://HOST/PATH/NAME:VERSION`."""
    digest: str
    """Of the manifest: who names it gets exactly this."""


def package(chart: Path, folder: Path, wanted: Wanted) -> Packaged:
    """Pack a chart.

    Args:
        chart: its folder.
        folder: where the archive is written; made when it is not there.
        wanted: version and signature.

    Raises:
        UsageError: there is no chart, or the version is none.
        EnvcError: helm refuses it.
        UnavailableError: there is no helm, or the folder cannot be written.
    """
    if not (chart / "Chart.yaml").is_file():
        raise UsageError([
            Problem(f"{chart} is not a chart: it has no Chart.yaml", "set `chart: {name: NAME}` in envc.yaml and build")
        ])
    if wanted.version and not re.fullmatch(SEMVER, wanted.version):
        fix = "write it as Semantic Versioning has it, such as 1.2.3"
        raise UsageError([Problem(f"--version cannot be `{wanted.version}`", fix)])
    if wanted.keyring and not wanted.key:
        raise UsageError([Problem("--keyring needs the name of a key", "add --key NAME")])
    options = [
        word
        for name, value in (("version", wanted.version), ("app-version", wanted.app_version))
        if value
        for word in (f"--{name}", value)
    ]
    if wanted.key:
        options += ["--sign", "--key", wanted.key]
        options += ["--keyring", str(Path(wanted.keyring).absolute())] if wanted.keyring else []
    with tempfile.TemporaryDirectory(prefix="envc-") as scratch:
        made = Path(scratch) / "archive"
        made.mkdir()
        packed = Helm.find(Path(scratch)).package(chart.absolute(), made, options)
        data = packed.read_bytes()
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / packed.name, data)
        proof = packed.with_name(f"{packed.name}.prov")
        signature = folder / proof.name if proof.is_file() else None
        if signature is not None:
            write_atomically(signature, proof.read_bytes())
    return Packaged(folder / packed.name, hashlib.sha256(data).hexdigest(), signature)


def push(archive: Path, address: str) -> Pushed:
    """Send an archive to a registry.

    Args:
        archive: the file that `package` wrote.
        address: `oci://HOST/PATH`, below which the chart goes by its name.

    Raises:
        UsageError: there is no such file, or the address is none of a registry.
        UnavailableError: there is no helm, or the registry does not take it.
    """
    if not archive.is_file():
        raise UsageError([Problem(f"there is no file {archive}", "`envc chart package` makes it, and names it")])
    if not re.fullmatch(r"oci://[^\s@]+", address):
        what = f"`{shown_address(address)}` is no address of a registry"
        raise UsageError([Problem(what, "write oci://HOST/PATH; `helm registry login HOST` keeps name and password")])
    with tempfile.TemporaryDirectory(prefix="envc-") as scratch:
        return Pushed(*Helm.find(Path(scratch)).push(archive.absolute(), address))
