"""A hundred and more edits, and harmless happenings, as a real API server answered after both ways of applying."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from envcompile.check.policy.defaults import admitted
from envcompile.cluster.drift.compare import Rules, compare
from envcompile.kubernetes.api import load
from tests.cluster.drift.cases import EDITS, HARMLESS, OURS
from tests.cluster.drift.further import CALM, FURTHER
from tests.cluster.drift.record import recorded
from tests.cluster.drift.staging import APPLIERS

if TYPE_CHECKING:
    from envcompile.cluster.drift.compare import Difference
    from tests.cluster.drift.cases import Case
    from tests.cluster.drift.staging import Row

API: Final = load("1.37")
KEY: Final = b"k" * 32
CASES: Final = {case.name: case for case in (*EDITS, *FURTHER, *HARMLESS, *CALM)}
ROWS: Final = tuple(recorded())


class Found(NamedTuple):
    """What a method says of a row."""

    fields: tuple[str, ...]
    writers: frozenset[str]


def told(differences: tuple[Difference, ...]) -> Found:
    """The fields that differ, and the managers of those that somebody wrote."""
    fields = sorted(one.field.partition("[uid=")[0] for one in differences)
    return Found(tuple(fields), frozenset(one.writer.manager for one in differences if one.writer is not None))


def compared(row: Row, method: str) -> Found:
    """What a method says of a row; an object that is not there differs as a whole."""
    if row.live is None:
        return Found(("",), frozenset())
    group, _, version = row.desired["apiVersion"].rpartition("/")
    node = API.node(group, version, row.desired["kind"])
    rules = Rules(is_scaled=row.desired["metadata"]["name"] == "scaled" and row.desired["kind"] == "Deployment")
    if method == "dry-run":
        assert row.probe is not None
        return told(compare(row.desired, row.live, node, key=KEY, probe=row.probe, rules=rules))
    filled = admitted(API, row.desired, row.desired["metadata"]["namespace"])
    return told(compare(row.desired, row.live, node, key=KEY, filled=filled, rules=rules))


def due(row: Row, case: Case) -> Found:
    """What should be said."""
    fields = tuple(sorted(field.partition("[uid=")[0] for field in case.fields))
    writer = APPLIERS[row.mode] if case.writer == OURS else case.writer
    return Found(fields, frozenset({writer} - {""}))


@pytest.mark.parametrize("method", ["read", "dry-run"])
@pytest.mark.parametrize("row", ROWS, ids=[f"{row.mode}: {row.case}" for row in ROWS])
def test_a_case_is_told_as_it_is(row: Row, method: str) -> None:
    """Exactly the fields that were written, by the manager who wrote them; nothing of what is harmless."""
    case = CASES[row.case]
    found, wanted = compared(row, method), due(row, case)
    if method == "read" and row.mode in case.blind:
        assert found.fields == ()
        return
    assert found.fields == wanted.fields
    if case.writer != "?":
        assert found.writers == wanted.writers


def test_every_case_was_recorded_both_ways() -> None:
    """The table of the guide counts them: 143 edits, 28 happenings, one that reading is blind for."""
    assert len(ROWS) == 2 * len(CASES)
    assert (len(EDITS) + len(FURTHER), len(HARMLESS) + len(CALM)) == (143, 28)
    assert [(case.name, case.blind) for case in (*EDITS, *FURTHER) if case.blind] == [
        ("a key added under our own manager's name", ("client-side",))
    ]
    assert all(row.probe is not None for row in ROWS)


def _differences(row: Row, trusted: tuple[str, ...] = ()) -> tuple[Difference, ...]:
    assert row.live is not None
    group, _, version = row.desired["apiVersion"].rpartition("/")
    filled = admitted(API, row.desired, row.desired["metadata"]["namespace"])
    node = API.node(group, version, row.desired["kind"])
    return compare(row.desired, row.live, node, key=KEY, filled=filled, rules=Rules(trusted=trusted))


def test_what_a_trusted_manager_writes_is_no_drift() -> None:
    """As `managedFieldsManagers` has it; what is missing nobody wrote, so it is told all the same."""
    rows = [row for row in ROWS if CASES[row.case].writer == "kubectl-patch" and row.live is not None]
    assert len(rows) > 80
    for row in rows:
        left = _differences(row, ("kubectl-patch",))
        assert {one.kind for one in left} <= {"missing"}, row.case
        assert {one.kind for one in _differences(row, ("kubectl-edit",))} - {"missing"}, row.case


def test_no_value_of_a_secret_is_in_what_is_told() -> None:
    """Neither in clear nor in base64, whatever was done to it."""
    rows = [row for row in ROWS if row.desired["kind"] == "Secret"]
    told_of = repr([one for row in rows for one in _differences(row)])
    assert "<redacted>" in told_of
    for value in (
        "SECRET-VALUE-OF-A-PERSON",
        "U0VDUkVULVZBTFVFLU9GLUEtUEVSU09O",
        "cm9vdA==",
        "root",
        "b25l",
        "YWRtaW4=",
    ):
        assert value not in told_of
