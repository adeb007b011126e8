"""Finds the oracle binaries and runs them; nothing here builds or downloads."""

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from tests.oracles.catalogue import ORACLES, binary

BUILD_COMMAND: Final = "python -m tests.oracles.build"

ON_DEMAND: Final = frozenset(oracle.name for oracle in ORACLES if oracle.on_demand)

# What a tool may see of the caller's environment: enough to run, nothing that changes what it answers.
_INHERITED: Final = ("HOME", "PATH", "TMPDIR")


class OracleUnavailableError(Exception):
    """An oracle that is not built, or cannot run on this machine; the message says what would change that."""


class OracleOnDemandError(OracleUnavailableError):
    """An oracle that no run has to have: it is built only when somebody names it."""


class OracleFailedError(Exception):
    """An oracle that ended with an error where the caller counted on success."""


@dataclass(frozen=True, slots=True)
class Tools:
    """Where each oracle's binary belongs; whether it is there, `require` tells."""

    kustomize: Path
    helm3: Path
    helm4: Path
    kubeseal: Path
    sealed_secrets_controller: Path
    kubeconform: Path
    kube_score: Path
    dyff: Path
    actionlint: Path
    sops: Path
    argocd: Path
    cel_admission: Path
    hpa_controller: Path
    vpa_recommender: Path
    kube_apiserver: Path
    kube_controller_manager: Path
    kube_scheduler: Path
    registry: Path
    kwok: Path
    metrics_server: Path
    kubectl: Path
    etcd: Path

    @classmethod
    def locate(cls, environ: Mapping[str, str]) -> Self:
        """Work out the paths from an environment, without looking at the disk."""
        return cls(**{oracle.name.replace("-", "_"): binary(oracle, environ) for oracle in ORACLES})


def require(*binaries: Path) -> None:
    """Refuse to go on while any of the given binaries is missing."""
    if missing := [path.name for path in binaries if not path.is_file()]:
        kind = OracleOnDemandError if ON_DEMAND.issuperset(missing) else OracleUnavailableError
        raise kind(f"not built: {', '.join(missing)}; run `{BUILD_COMMAND} {' '.join(missing)}`")


def require_all(tools: Tools) -> None:
    """Refuse to go on while any oracle is missing that is not built on demand."""
    require(*(getattr(tools, oracle.name.replace("-", "_")) for oracle in ORACLES if not oracle.on_demand))


@dataclass(frozen=True, slots=True)
class Result:
    """What a finished tool said."""

    command: tuple[str, ...]
    returncode: int
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        """Whether the tool ended with status 0."""
        return self.returncode == 0

    def expect_success(self) -> Self:
        """Return the result itself, or raise with the tool's own words."""
        if not self.ok:
            raise OracleFailedError(f"{' '.join(self.command)}: status {self.returncode}\n{self.stderr}{self.stdout}")
        return self


def run(
    command: Path,
    *arguments: str | Path,
    stdin: str = "",
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float = 120.0,
) -> Result:
    """Run a tool to its end in a bare environment plus `env`; a status other than 0 is an answer, not an exception."""
    words = (str(command), *map(str, arguments))
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    done = subprocess.run(
        words,
        input=stdin.encode(),
        cwd=cwd,
        env={**inherited, **(env or {})},
        capture_output=True,
        timeout=timeout,
        check=False,
    )
    return Result(words, done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
