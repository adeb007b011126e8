"""The one door to the program `helm`: it fetches, renders, packs and pushes; what it needs to log in stays its own."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile import yamlio
from envcompile.errors import EnvcError, Problem, UnavailableError, fail
from envcompile.text import address, without_passwords

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from envcompile.model import Location

_TIME_LIMIT: Final = 300
"""Seconds of one call."""
_MOST_LINES: Final = 10
_LOOPBACK: Final = re.compile(r"oci://(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?/")
_MISSING: Final = re.compile(
    r"no chart (?:version|name) found|chart .* not found|not found in .* (?:repository|index)|repo .* not found"
    r"|could not locate a version|unable to locate any tags|improper constraint|invalid (?:version|constraint)"
    r"|: not found|name unknown",
    re.IGNORECASE,
)
"""What helm says when the repository answered and lacks what was asked for."""


class Source(NamedTuple):
    """Where a chart is to be had; the address holds no password (`sources/settingsrules.py`)."""

    repository: str
    chart: str

    def __str__(self) -> str:
        return f"{self.chart} of {address(self.repository)}"


class Helm:
    """One helm on this machine.

    Args:
        path: the program.
        scratch: a folder that nobody else uses, for what it leaves behind and as its working folder.
    """

    def __init__(self, path: str, scratch: Path) -> None:
        self._path = path
        self._scratch = scratch
        self._known: dict[str, str] | None = None

    @classmethod
    def find(cls, scratch: Path) -> Helm:
        """The helm on PATH.

        Raises:
            UnavailableError: there is none.
        """
        import shutil

        path = shutil.which("helm")
        if path is None:
            what = "no helm was found on PATH: it fetches, renders, packs and pushes charts"
            fix = "install it from https://helm.sh/docs/intro/install/; `envc build` does without it"
            raise UnavailableError([Problem(what, fix)])
        return cls(os.path.abspath(path), scratch)  # ruff: ignore[os-path-abspath] - the working folder is another

    def pull(self, source: Source, version: str | None, folder: Path, where: Sequence[Location] = ()) -> Path:
        """Fetch the newest archive that fits a version or a range into an empty folder.

        Raises:
            EnvcError: the repository has none.
            UnavailableError: it does not answer.
        """
        self._ask("pull", source, version, where, "--destination", str(folder))
        found = sorted(folder.glob("*.tgz"))
        if len(found) != 1:
            raise fail(f"helm fetched no archive of {source}", "try `helm pull` with the same address", *where)
        return found[0]

    def newest(self, source: Source, version: str | None, where: Sequence[Location] = ()) -> str:
        """The newest version that fits a range, by Semantic Versioning; prereleases count only where the range has one.

        Raises:
            EnvcError: the repository has none.
            UnavailableError: it does not answer.
        """
        said = yamlio.load_all(self._ask("show chart", source, version, where), "Chart.yaml", last_wins=True)
        return str(said[0]["version"])

    def chart_name(self, chart: Path) -> str:
        """The name of a chart on this machine.

        Args:
            chart: its folder or archive.

        Raises:
            EnvcError: helm reads no chart there.
        """
        done = self._run(["show", "chart", str(chart.resolve())], str(chart))
        if done.returncode != 0:
            raise fail(f"helm reads no chart in {chart}", "this is what helm says", trace=_words(done.stderr))
        said = yamlio.load_all(done.stdout, "Chart.yaml", last_wins=True)
        return str(said[0]["name"])

    def template(
        self, arguments: Sequence[str], shown: str, where: Sequence[Location] = (), hidden: Sequence[str] = ()
    ) -> bytes:
        """What `helm template` prints.

        Args:
            arguments: of the command.
            shown: names the chart in messages.
            where: the place of the chart in envc.yaml.
            hidden: texts that no message shows, should helm quote them.

        Raises:
            EnvcError: the chart refuses its values, or its templates are wrong; helm's own words are part of it.
        """
        done = self._run(["template", *arguments], shown)
        if done.returncode != 0:
            what = f"helm cannot render {shown}"
            said = _words(done.stderr)
            for text in sorted(hidden, key=len, reverse=True):
                said = [line.replace(text, "…") for line in said]
            raise fail(what, "this is what helm says; correct the values", *where, trace=said)
        return done.stdout

    def package(self, chart: Path, folder: Path, options: Sequence[str]) -> Path:
        """Pack a chart into an empty folder; the archive.

        Args:
            chart: the folder of the chart.
            folder: where the archive is put.
            options: such as `--version 1.2.3`, as helm has them.

        Raises:
            EnvcError: helm refuses the chart, or cannot sign it.
        """
        done = self._run(["package", str(chart), "--destination", str(folder), *options], str(chart))
        found = sorted(folder.glob("*.tgz"))
        if done.returncode != 0 or len(found) != 1:
            raise fail(f"helm cannot pack {chart}", "this is what helm says", trace=_words(done.stderr))
        return found[0]

    def push(self, archive: Path, address: str) -> tuple[str, str]:
        """Send an archive to a registry; where it is from now on, and the digest that the registry gave.

        Args:
            archive: the file; a signature beside it goes with it.
            address: `oci://HOST/PATH`.

        Raises:
            UnavailableError: the registry does not take it.
        """
        plain = ["--plain-http"] if _LOOPBACK.match(f"{address.rstrip('/')}/") else []
        done = self._run(["push", str(archive), address, *plain], address)
        said = (done.stdout + b"\n" + done.stderr).decode(errors="replace")
        pushed, digest = re.search(r"^Pushed: (\S+)", said, re.MULTILINE), re.search(r"sha256:[0-9a-f]{64}", said)
        if done.returncode != 0 or pushed is None or digest is None:
            what = f"helm could not push {archive.name} to {without_passwords(address)}"
            fix = "this is what helm says; `helm registry login HOST` keeps what a registry asks for"
            raise UnavailableError([Problem(what, fix, (), tuple(_words(done.stderr)))])
        return f"oci://{pushed[1]}", digest[0]

    def _ask(self, verb: str, source: Source, version: str | None, where: Sequence[Location], *more: str) -> bytes:
        command = [*verb.split(), *self._address(source), *more]
        if version is not None:
            command += ["--version", version]
        done = self._run(command, str(source))
        if done.returncode == 0:
            return done.stdout
        said = _words(done.stderr)
        wanted = f" in {version}" if version is not None else ""
        if any(map(_MISSING.search, said)):
            what = f"there is no {source}{wanted}"
            raise fail(what, "correct `repository`, `chart` or `version`", *where, trace=said)
        what = f"helm could not fetch {source}"
        fix = "this is what helm says; `helm registry login` and `helm repo add` keep what a repository asks for"
        raise UnavailableError([Problem(what, fix, tuple(where), tuple(said))])

    def _address(self, source: Source) -> list[str]:
        """How helm is told of a chart; a repository that its user added is asked with what was added, as a password."""
        repository = source.repository.rstrip("/")
        if repository.startswith("oci://"):
            plain = ["--plain-http"] if _LOOPBACK.match(f"{repository}/") else []
            return [f"{repository}/{source.chart}", *plain]
        alias = repository.removeprefix("@") if repository.startswith("@") else self._aliases().get(repository)
        if alias is None:
            return [source.chart, "--repo", repository]
        self._run(["repo", "update", alias], str(source))
        return [f"{alias}/{source.chart}"]

    def _aliases(self) -> dict[str, str]:
        """The repositories that helm's user added: address -> name."""
        if self._known is None:
            done = self._run(["repo", "list", "--output", "json"], "repositories")
            try:
                found: list[Any] = yamlio.load_all(done.stdout, "repositories") if done.returncode == 0 else []
            except EnvcError:
                found = []
            entries = found[0] if found and isinstance(found[0], list) else []
            self._known = {str(one.get("url", "")).rstrip("/"): str(one.get("name", "")) for one in entries}
        return self._known

    def _run(self, arguments: Sequence[str], shown: str) -> subprocess.CompletedProcess[bytes]:
        surroundings = {name: text for name, text in os.environ.items() if name not in {"HELM_DEBUG", "HELM_NAMESPACE"}}
        try:
            return subprocess.run(
                [self._path, *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_TIME_LIMIT,
                check=False,
                cwd=self._scratch,
                env=surroundings,
            )
        except subprocess.TimeoutExpired as error:
            what = f"helm did not answer within {_TIME_LIMIT} seconds: {shown}"
            raise UnavailableError([Problem(what, "try again later, or look at the network")]) from error
        except OSError as error:
            what = f"helm cannot be started: {error.strerror}"
            raise UnavailableError([Problem(what, f"look at {self._path}")]) from error


def _words(stderr: bytes) -> list[str]:
    """What helm says, without its warnings and without passwords of addresses."""
    lines = [line for line in stderr.decode(errors="replace").splitlines() if line.strip()]
    told = [line for line in lines if not re.match(r"level=|WARNING|W\d{4} ", line)] or lines
    return [without_passwords(line) for line in told[-_MOST_LINES:]]
