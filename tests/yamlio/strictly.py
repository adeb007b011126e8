"""Equality that tells true from 1, 1 from 1.0, and 0.0 from -0.0."""

from __future__ import annotations

from typing import Any


def same(left: Any, right: Any) -> bool:
    """Equal in value, type and the order of keys."""
    if type(left) is not type(right):
        return False
    if type(left) is dict:
        return list(left) == list(right) and all(same(item, right[key]) for key, item in left.items())
    if type(left) is list:
        return len(left) == len(right) and all(map(same, left, right))
    return repr(left) == repr(right)
