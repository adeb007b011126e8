"""Whether the engine of expressions is there; nothing heavy is needed to ask."""

from __future__ import annotations

import importlib.util
from typing import Final

INSTALL: Final = "pip install 'envcompile[policy]'"
"""What to do where the engine is missing."""


def is_installed() -> bool:
    """Tell whether expressions can be compiled."""
    return importlib.util.find_spec("cel_expr_python") is not None
