"""The wire format, scopes and structural checks."""

import base64
import json
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies

from envcompile.secrets.ciphertext import BrokenCiphertextError, Scope, foreign, label, take_apart
from envcompile.secrets.plaintext import Plaintext
from envcompile.secrets.privatekeys import read_private_keys
from envcompile.secrets.sealing import NoKeyOpensError, open_sealed, seal
from tests.secrets.repository import private_key

VECTORS = Path(__file__).parent / "vectors.json"


@pytest.mark.parametrize("scope", ["strict", "namespace-wide", "cluster-wide"])
@pytest.mark.parametrize(
    "value", [b"", b"text", bytes(range(256)), "zażółć 🔑".encode(), b"\xff\xfe\x00", b"a\n", b"x" * 900_000], ids=len
)
def test_what_is_sealed_opens_to_the_same_bytes(scope: Scope, value: bytes) -> None:
    """Bytes in, bytes out, in every scope."""
    bound = label(scope, "prod", "db")
    sealed = seal(private_key().public_key(), Plaintext(value), bound)
    assert open_sealed([private_key()], sealed, bound).reveal() == value


@settings(max_examples=30, deadline=None)
@given(strategies.binary(max_size=300), strategies.text(min_size=1, max_size=40))
def test_any_bytes_under_any_name_open(value: bytes, name: str) -> None:
    """Sealing then opening is the identity."""
    bound = label("strict", "prod", name)
    assert (
        open_sealed([private_key()], seal(private_key().public_key(), Plaintext(value), bound), bound).reveal() == value
    )


def test_labels_are_those_of_the_controller() -> None:
    """Strict is `namespace/name`, namespace-wide is the namespace, cluster-wide is empty."""
    assert label("strict", "prod", "db") == b"prod/db"
    assert label("namespace-wide", "prod", "db") == b"prod"
    assert label("cluster-wide", "prod", "db") == b""


@pytest.mark.parametrize(
    ("scope", "namespace", "name"),
    [
        ("strict", "prod", "other"),
        ("strict", "other", "db"),
        ("namespace-wide", "prod", "db"),
        ("cluster-wide", "prod", "db"),
    ],
    ids=["renamed", "moved", "wider annotation", "widest annotation"],
)
def test_a_strict_value_opens_nowhere_else(scope: Scope, namespace: str, name: str) -> None:
    """Renaming, moving and widening are refused."""
    sealed = seal(private_key().public_key(), Plaintext(b"x"), label("strict", "prod", "db"))
    with pytest.raises(NoKeyOpensError):
        open_sealed([private_key()], sealed, label(scope, namespace, name))


def test_the_layout_is_length_key_body() -> None:
    """Two bytes of length, the wrapped key, then the value and 16 bytes of tag; the length of the value is public."""
    sealed = seal(private_key().public_key(), Plaintext(b"12345"), b"")
    raw = base64.b64decode(sealed)
    assert raw[:2] == b"\x01\x00"
    assert len(raw) == 2 + 256 + 5 + 16
    assert take_apart(sealed).size == 5


def test_two_seals_of_one_value_have_nothing_in_common() -> None:
    """The session key is fresh for every value, so equal values do not show."""
    first, second = (seal(private_key().public_key(), Plaintext(b"same"), b"") for _ in range(2))
    assert take_apart(first).wrapped != take_apart(second).wrapped
    assert take_apart(first).body != take_apart(second).body


def test_values_made_by_kubeseal_open() -> None:
    """Fixed vectors made by kubeseal with a test-only key."""
    vectors = json.loads(VECTORS.read_text())
    keys = read_private_keys(vectors["key"].encode(), "vectors.json")
    for vector in vectors["values"]:
        bound = label(vector["scope"], vector["namespace"], vector["name"])
        assert open_sealed(keys, vector["sealed"], bound).reveal() == base64.b64decode(vector["plain"])


@pytest.mark.parametrize(
    ("sealed", "message"),
    [
        (17, "is not a text"),
        ("not base64!", "is not base64"),
        ("AgBy3i4OJSWK+PiTySYZZA9rO43cGDEQAx...", "is not base64"),
        ("Ag==", "has 1 bytes, too few for a sealed value"),
        (base64.b64encode(b"\x00\x05hello").decode(), "begins with a session key of 5 bytes, which no RSA key wraps"),
        (base64.b64encode(b"\x02\x00" + bytes(500)).decode(), "is cut off: 502 bytes, at least 530 expected"),
        (base64.b64encode(b"\x01\x00" + bytes(256)).decode(), "is cut off: 258 bytes, at least 274 expected"),
    ],
    ids=["number", "not base64", "the specification's own", "short", "no key length", "cut key", "no tag"],
)
def test_a_text_that_is_no_ciphertext_is_told_apart(sealed: object, message: str) -> None:
    """Row 22: the message says which structural test failed."""
    with pytest.raises(BrokenCiphertextError) as error:
        take_apart(sealed)
    assert str(error.value) == message


def test_a_value_for_another_key_length_is_foreign() -> None:
    """The length prefix gives the modulus of the certificate away."""
    parts = take_apart(seal(private_key().public_key(), Plaintext(b"x"), b""))
    assert foreign(parts, private_key().public_key().public_numbers().n) is None
    assert (
        foreign(parts, private_key(3072).public_key().public_numbers().n)
        == "its session key is wrapped for RSA-2048, the certificate is RSA-3072"
    )


def test_a_wrapped_key_above_the_modulus_is_certainly_foreign() -> None:
    """One-sided: larger is proof, smaller is none."""
    parts = take_apart(seal(private_key().public_key(), Plaintext(b"x"), b""))
    smaller = int.from_bytes(parts.wrapped, "big") | (1 << 2047)
    message = "its session key was wrapped for another certificate (it is larger than this one's modulus)"
    assert foreign(parts._replace(wrapped=b"\xff" * 256), smaller) == message
