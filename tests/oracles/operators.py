"""The definitions of the custom resources that the shop uses, each from its operator's own Go module."""

import os
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.kubernetes.generate_tables import MissingSourceError, module_folder
from tests.oracles.sealed_secrets import MANIFESTS

REQUIRED: Final = os.environ.get("ENVC_REQUIRE_ORACLES") == "1"
# Read while pytest collects: a test has a HOME of its own, where Go has downloaded nothing.
ENVIRON: Final = dict(os.environ)


class Definitions(NamedTuple):
    """The files of a Go module that define custom resources."""

    module: str
    version: str
    files: tuple[str, ...]


OPERATORS: Final = (
    Definitions(
        "github.com/external-secrets/external-secrets",
        "v1.3.2",
        (
            "config/crds/bases/external-secrets.io_externalsecrets.yaml",
            "config/crds/bases/external-secrets.io_secretstores.yaml",
        ),
    ),
    Definitions("github.com/kedacore/keda/v2", "v2.21.0", ("config/crd/bases/keda.sh_scaledobjects.yaml",)),
    Definitions("k8s.io/autoscaler/vertical-pod-autoscaler", "v1.8.1", ("deploy/vpa-v1-crd-gen.yaml",)),
    Definitions("github.com/cert-manager/cert-manager", "v1.21.2", ("deploy/crds/cert-manager.io_certificates.yaml",)),
)


def definition_files() -> list[Path]:
    """Find the files of all operators; a test is skipped where a module is not there and may not be downloaded."""
    return [MANIFESTS / "crd.yaml", *(file for operator in OPERATORS for file in _files(operator))]


def _files(operator: Definitions) -> list[Path]:
    try:
        folder = module_folder(operator.module, operator.version, ENVIRON, offline=not REQUIRED)
    except MissingSourceError as error:
        if REQUIRED:
            raise
        pytest.skip(f"{error}; run `go mod download {operator.module}@{operator.version}`")
    return [folder / file for file in operator.files]
