"""A further scheme of references is one further file."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from envcompile.secrets import schemes as folder
from envcompile.secrets.backends import public_version, read_value
from envcompile.secrets.references import BadReferenceError, parse_reference
from envcompile.secrets.scheme import schemes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.secrets.repository import Repository

KEYRING = '''
"""A keyring, as somebody might add it."""
from envcompile.secrets.backends import Resolved
from envcompile.secrets.plaintext import Plaintext
from envcompile.secrets.scheme import Refusal, Scheme


def _resolve(reference, surroundings):
    return Resolved(Plaintext(f"{reference.path}/{reference.fragment[0]}".encode()), reference.parameter("collection"))


SCHEME = Scheme(
    _resolve,
    parameters=("collection",),
    needs_fragment=True,
    judge=lambda reference: Refusal("names a path", "name a service") if "/" in reference.path else None,
    version=lambda reference, surroundings: "7",
)
'''


@pytest.fixture
def keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The built-in schemes and one more."""
    (tmp_path / "keyring.py").write_text(KEYRING, encoding="utf-8")
    name = f"{folder.__name__}.keyring"
    monkeypatch.setattr(folder, "__path__", [*folder.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, name, raising=False)
    yield
    sys.modules.pop(name, None)


def test_the_built_in_schemes_are_there_in_one_order() -> None:
    """What tells them apart is said in each, not where they are used."""
    assert [(name, one.needs_fragment, one.is_local, one.is_typed_in) for name, one in schemes().items()] == [
        ("env", False, True, False),
        ("file", False, True, False),
        ("prompt", False, True, True),
        ("sops", True, True, False),
        ("vault", True, False, False),
    ]


@pytest.mark.usefixtures("keyring")
def test_a_scheme_is_added_by_one_file(repository: Repository) -> None:
    """Its references are read, judged and refused by what the file says."""
    reference = parse_reference("ref+keyring://db?collection=work#/password")
    assert reference is not None
    resolved = read_value(reference, repository.surroundings())
    assert (resolved.value.reveal(), resolved.version) == (b"db/password", "work")
    assert public_version(reference, repository.surroundings()) == "7"
    for text, what in (
        ("ref+keyring://db", "does not say which value of `db`"),
        ("ref+keyring://db?colection=work#/password", "has an unknown parameter `colection`"),
        ("ref+keyring://a/b#/password", "names a path"),
    ):
        with pytest.raises(BadReferenceError, match=what):
            parse_reference(text)
