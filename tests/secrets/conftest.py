"""Fixtures of the secrets tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.secrets.repository import Repository

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository with the certificate of `prod` and two env vars to seal."""
    made = Repository(tmp_path, {"API_KEY": "correct horse battery staple", "JWT_SECRET": "jwt in clear"})
    made.certificate()
    return made
