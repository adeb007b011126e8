"""Every page in a real browser, at a phone's and a desk's width, light and dark."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import pytest

from tests.pages.looking import DESKTOP, PHONE

if TYPE_CHECKING:
    from tests.pages.looking import Looker

PAGES: Final = (
    "/",
    "/timeline",
    "/timeline?env=prod&since=30d",
    "/checks",
    "/env/staging",
    "/compare/staging/prod",
    "/compare/HEAD~3/HEAD",
    "/r/prod/deployment/user-service",
    "/r/prod/deployment/user-service?lines=own",
    "/r/staging/configmap/user-service-config",
    "/r/prod/sealedsecret.bitnami.com/user-service-secret",
    "/search?q=image:video-encoder:latest",
    "/search?q=nothing+is+called+so",
    "/nowhere",
)


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wrong_with_a_page(
    looker: Looker, address: str, width: int, scheme: Literal["light", "dark"]
) -> None:
    """No message on the console, no request elsewhere, no sideways scrolling, nothing that axe-core finds."""
    found = {}
    for path in PAGES:
        with looker.page(width, scheme) as page:
            seen = looker.look(page, address + path, address)
            expected = [line for line in seen.problems if not (path == "/nowhere" and "404" in line)]
            if expected:
                found[path] = expected
    assert found == {}
