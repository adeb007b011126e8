"""No value of a secret is on any page, in clear or sealed, nor in any form of the report."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from envcompile.pages.site import Site
from envcompile.yamlio import load_all
from tests.harness.command import run_envc
from tests.harness.repository import environment, write_files
from tests.pages.asking import ask
from tests.pages.conftest import now, serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pages.shop import Shop

PLAIN = "correct-horse-battery"
ENCODED = "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5"


def sealed_values(shop: Shop) -> list[str]:
    """Every ciphertext of the shop."""
    values = []
    for file in shop.root.glob("overlays/*/sealed.yaml"):
        for document in load_all(file.read_bytes(), file.name):
            for entry in document.values():
                values += re.findall(r"[A-Za-z0-9+/=]{60,}", str(entry))
    return values


def test_no_ciphertext_is_anywhere(shop: Shop, address: str) -> None:
    """Pages of everything that has something to do with it, and the report in each form."""
    ciphertexts = sealed_values(shop)
    assert len(ciphertexts) > 20
    texts = [
        ask(f"{address}{path}").text
        for path in (
            "/",
            "/timeline",
            "/checks",
            "/matrix",
            "/matrix?app=user-service",
            "/graph/prod",
            "/graph/prod?from=sealedsecret.bitnami.com/user-service-secret",
            "/cost",
            "/env/prod?all=1",
            "/compare/staging/prod",
            "/compare/dev/prod",
            "/compare/HEAD~12/HEAD",
            "/r/prod/sealedsecret.bitnami.com/user-service-secret",
            "/search?q=value:Ag",
            "/search?q=AgB",
        )
    ]
    texts += [run_envc(shop.root, "report", "--format", name).out for name in ("html", "json", "csv", "markdown")]
    for text in texts:
        assert [one[:30] for one in ciphertexts if one in text] == []


@pytest.fixture
def in_clear(tmp_path: Path) -> Path:
    """A throw-away environment whose Secret stands in clear."""
    secret = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: door}}\nstringData: {{key: {PLAIN}}}\n"
    encoded = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: gate}}\ndata: {{key: {ENCODED}}}\n"
    return write_files(
        tmp_path / "clear",
        {
            "base/door.yaml": secret,
            "base/gate.yaml": encoded,
            "overlays/dev/environment.yaml": environment("secretBackend: plaintext\n"),
            "overlays/local/environment.yaml": environment("secretBackend: plaintext\nnamespace: local\n"),
        },
    )


def test_no_value_in_clear_is_anywhere(in_clear: Path) -> None:
    """Neither as it is nor in base64, although the environment's manifests hold it."""
    site = Site(in_clear, now)
    site.refresh()
    site.draw()
    with serving(site) as address:
        texts = [
            ask(f"{address}{path}").text
            for path in (
                "/",
                "/env/dev",
                "/r/dev/secret/door",
                "/r/local/secret/gate",
                "/compare/dev/local",
                "/matrix",
                "/graph/dev",
                "/cost",
                f"/search?q=value:{PLAIN[:5]}",
                "/checks",
            )
        ]
    assert "door" in texts[2]
    texts += [run_envc(in_clear, "report", "--format", name).out for name in ("html", "json", "csv", "markdown")]
    for text in texts:
        assert PLAIN not in text
        assert ENCODED not in text
