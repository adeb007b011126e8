"""Each kind of SOPS file is read as the real sops reads it: the same bytes, or both refuse; what differs is meant."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import pytest

from envcompile.secrets.backends import OriginError, Surroundings, read_value
from envcompile.secrets.references import BadReferenceError, parse_reference
from tests.oracles.sops_kinds import BASIC_WAYS, KINDS
from tests.oracles.sops_laboratory import Laboratory, SopsCannotError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.oracles.sops_kinds import Kind, Way

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.skipif(
        not (shutil.which("gpg") and shutil.which("ssh-keygen")), reason="gpg and ssh-keygen make the keys"
    ),
]

UNWRITTEN: Final = {"clear-huge-int", "typed-huge-int"}
"""What sops itself cannot write."""
REFUSED: Final[dict[str, tuple[Way, ...]]] = {
    # Clear text in a file of secrets: it is in git, and so has to be rotated first.
    "unencrypted-suffix": (("note_unencrypted",),),
    "own-suffix": (("note_clear",),),
    "encrypted-suffix": (("a",),),
    "encrypted-regex": (("kind",),),
    "unencrypted-regex": (("meta", "a"),),
    "encrypted-comment": (("b",),),
    "unencrypted-comment": (("a",),),
    # No values of one line of text: a map, and nothing.
    "missing": (("db",),),
    "pgp-missing": (("db",),),
    "typed-null": (("v",),),
    "json-null": (("v",),),
    # What only the program can open, where there is none.
    "pgp-without-program": BASIC_WAYS,
    "groups-without-program": BASIC_WAYS,
    "key-by-command": BASIC_WAYS,
    "newer-recipient": BASIC_WAYS,
}
"""Values that sops gives and envc does not."""
MORE: Final = {"keys-file-with-plugin", "keys-file-with-broken-line", "time-unquoted"}
"""Files that sops does not open for a fault beside the key that fits."""


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory, sops: Path) -> Generator[Laboratory]:
    """Those of one laboratory for all kinds of files."""
    pytest.importorskip("pyrage")
    made = Laboratory(tmp_path_factory.mktemp("sops"), sops)
    yield made
    made.close()


def _name(kind: Kind) -> str:
    return kind.name


def answers(kind: Kind, repository: Path, environ: dict[str, str]) -> dict[Way, bytes | None]:
    """What envc says of each value; None where it refuses, in words of its own."""
    surroundings = Surroundings(repository, environ)
    found: dict[Way, bytes | None] = {}
    for way in kind.ways:
        parts = "/".join(quote(part, safe="") for part in way)
        try:
            reference = parse_reference(f"ref+sops://{quote(kind.file)}#/{parts}")
            assert reference is not None
            found[way] = read_value(reference, surroundings).value.reveal()
        except (OriginError, BadReferenceError):
            found[way] = None
    return found


@pytest.mark.parametrize("kind", KINDS, ids=_name)
def test_a_kind_of_file_is_read_as_sops_reads_it(kind: Kind, keys: Laboratory) -> None:
    """Its own reader and the program give the same bytes, and neither trusts what the other does not."""
    try:
        repository, environ = keys.make(kind)
    except SopsCannotError:
        assert kind.name in UNWRITTEN
        return
    truth = keys.truth(kind, repository, environ)
    found = answers(kind, repository, environ)
    if kind.name in MORE:
        assert set(truth.values()) == {None}
        assert None not in found.values()
        return
    meant = {way: None if way in REFUSED.get(kind.name, ()) else value for way, value in truth.items()}
    assert found == meant
    assert all(truth[way] is not None for way in REFUSED.get(kind.name, ()))


def test_so_many_kinds_are_tried() -> None:
    """No name twice."""
    assert len({kind.name for kind in KINDS}) == len(KINDS) >= 170
    assert sum(len(kind.ways) for kind in KINDS) >= 410
