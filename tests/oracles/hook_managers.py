"""The real hook managers that npm has, by name and pinned version."""

from typing import Final

from tests.oracles.npm import NpmPackages

PACKAGES: Final = NpmPackages("hook-managers", ("husky@9.1.7", "lefthook@2.2.1"))
