"""Who writes an object because its own resource owns it: not by a name, but by what the object says of its owner."""

from __future__ import annotations

from typing import Any

from envcompile.cluster.drift.injections import controllers_of
from envcompile.kubernetes.managedfields import owners_of

COMPILED = frozenset({("Bundle", "ca")})


def _live(manager: str = "trust-manager", **owner: Any) -> dict[str, Any]:
    reference = {"kind": "Bundle", "name": "ca", "uid": "1", "controller": True, **owner}
    owned: dict[str, Any] = {"f:metadata": {"f:ownerReferences": {}}, "f:data": {"f:ca.crt": {}}}
    entries = [
        {"manager": manager, "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": owned},
        {"manager": "other", "operation": "Update", "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:x": {}}}},
    ]
    return {"metadata": {"name": "ca", "ownerReferences": [reference], "managedFields": entries}}


def _controllers(live: dict[str, Any]) -> list[str]:
    return list(controllers_of(live, owners_of(live), COMPILED))


def test_who_made_it_the_property_of_a_compiled_resource_writes_it() -> None:
    """And nobody else does."""
    assert _controllers(_live()) == ["trust-manager"]


def test_an_owner_that_is_not_the_environments_or_does_not_control_excuses_nobody() -> None:
    """Nor does an owner that was put in by hand."""
    assert _controllers(_live(name="other")) == []
    assert _controllers(_live(controller=False)) == []
    assert _controllers(_live("kubectl-patch")) == []
    assert _controllers({"metadata": {}}) == []
