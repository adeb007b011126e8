"""The shipped formats and enums are what the official OpenAPI says."""

import os

import pytest

from tests.kubernetes.generate_formats import enums, made
from tests.kubernetes.generate_tables import GO_MODULE, RELEASES, MissingSourceError, module_folder

REQUIRED = os.environ.get("ENVC_REQUIRE_ORACLES") == "1"
# Read while pytest collects: tests run with a HOME of their own, where Go has no module cache.
ENVIRON = dict(os.environ)


@pytest.mark.oracle
def test_formats_and_enums_are_regenerated_to_the_byte() -> None:
    """From the Go module of the newest release, where it is in the module cache."""
    release = RELEASES[max(RELEASES)]
    try:
        folder = module_folder(GO_MODULE, release, ENVIRON, offline=not REQUIRED)
    except MissingSourceError as error:
        if REQUIRED:
            raise
        pytest.skip(f"{error}; run `go mod download {GO_MODULE}@{release}`")
    for path, text in made(release, folder).items():
        assert path.read_text(encoding="utf-8") == text


def test_enums_are_read_from_go() -> None:
    """The form in which Kubernetes' generated definitions say them."""
    text = (
        "func schema_k8sio_api_core_v1_Thing(ref common.ReferenceCallback) common.OpenAPIDefinition {\n"
        '\t\t\t\t\t"policy": {\n\t\t\t\t\t\tEnum: []interface{}{"Always", "Never"},\n\t\t\t\t\t},\n}\n'
    )
    assert list(enums(text)) == [("core.v1.Thing", "policy", ["Always", "Never"])]
