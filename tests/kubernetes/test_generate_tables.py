"""The shipped tables are what the official OpenAPI says."""

import os

import pytest

from envcompile.kubernetes.tables import DATA
from tests.kubernetes.generate_tables import RELEASES, MissingSourceError, openapi_folder, render, table

REQUIRED = os.environ.get("ENVC_REQUIRE_ORACLES") == "1"
# Read while pytest collects: tests run with a HOME of their own, where Go has no module cache.
ENVIRON = dict(os.environ)
NEWEST = "1.37"


@pytest.mark.oracle
def test_the_newest_table_is_regenerated_to_the_byte() -> None:
    """From the Go module of that release, where it is in the module cache."""
    release = RELEASES[NEWEST]
    try:
        folder = openapi_folder(release, ENVIRON, offline=not REQUIRED)
    except MissingSourceError as error:
        if REQUIRED:
            raise
        pytest.skip(f"{error}; run `go mod download k8s.io/kubernetes@{release}`")
    assert render(table(release, folder)) == (DATA / f"{NEWEST}.json").read_text(encoding="utf-8")


def test_every_supported_version_has_its_release() -> None:
    """The list of releases and the folder of tables agree."""
    assert sorted(RELEASES) == sorted(path.stem for path in DATA.glob("*.json"))
