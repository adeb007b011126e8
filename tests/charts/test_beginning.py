"""Addresses that stand for charts; no helm is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envcompile.charts.beginning import is_address, read_address
from envcompile.charts.helm import Source
from envcompile.errors import UsageError
from tests.harness.command import run_envc

if TYPE_CHECKING:
    from pathlib import Path

OCI = "oci://registry.example.com/charts"


@pytest.mark.parametrize(
    ("text", "version", "wanted"),
    [
        (f"{OCI}/web", None, (Source(OCI, "web"), None)),
        (f"{OCI}/web:1.2.3", None, (Source(OCI, "web"), "1.2.3")),
        (f"{OCI}/web", "^1", (Source(OCI, "web"), "^1")),
        ("oci://127.0.0.1:5000/web", None, (Source("oci://127.0.0.1:5000", "web"), None)),
        ("https://charts.example.com/stable/web", "~2", (Source("https://charts.example.com/stable", "web"), "~2")),
        ("@example/web", None, (Source("@example", "web"), None)),
    ],
)
def test_an_address_is_a_repository_and_a_name(
    text: str, version: str | None, wanted: tuple[Source, str | None]
) -> None:
    """As `charts:` has them; the tag of a registry is the version."""
    assert is_address(text)
    assert read_address(text, version) == wanted


@pytest.mark.parametrize(
    ("text", "version", "words"),
    [
        ("https://charts.example.com", None, "names no chart"),
        ("https://charts.example.com/web-1.2.3.tgz", None, "is the address of an archive"),
        ("https://me:sesame@charts.example.com/web", None, "holds a user's name or password"),
        (f"{OCI}/web:1.2.3", "2", "says the version 1.2.3, and `--version` 2"),
    ],
)
def test_other_addresses_are_refused(text: str, version: str | None, words: str) -> None:
    """With what is wrong, and never with a password."""
    with pytest.raises(UsageError) as refused:
        read_address(text, version)
    assert words in str(refused.value)
    assert "sesame" not in str(refused.value)


@pytest.mark.parametrize("text", ["charts/web", "web-1.2.3.tgz", "./oci", "podinfo/podinfo"])
def test_a_path_is_no_address(text: str) -> None:
    """Folders and archives are read here."""
    assert not is_address(text)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("--from-helm", f"{OCI}/web", "--skip", "templates"), "are for charts of one's own"),
        (("--from-helm", f"{OCI}/web", "--helm", "clean"), "are for charts of one's own"),
        (("--from-helm", "web", "--version", "1"), "--version is for addresses, and `web` is a path"),
        (("--version", "1"), "are for charts"),
    ],
)
def test_options_that_say_nothing_are_refused(tmp_path: Path, words: tuple[str, ...], what: str) -> None:
    """Before anything is fetched."""
    done = run_envc(tmp_path, "init", "new", *words)
    assert done.code == 2
    assert what in done.err
