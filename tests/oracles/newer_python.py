"""A newer Python than the one that runs: CPython 3.14 as Pyodide, which npm has and node runs."""

from typing import Final

from tests.oracles.npm import NpmPackages

PACKAGES: Final = NpmPackages("newer-python", ("pyodide@314.0.7",))
