"""What an environment calls its own is found as whole words, and another one's as parts of names."""

from __future__ import annotations

import pytest

from envcompile.ask.folding import fold
from envcompile.ask.ownwords import own_words
from envcompile.model import Resource, ResourceId

DEV = own_words("dev", "development", {"domain": "api.dev.example.com", "limit": "100"})
TEST = own_words("test", "testing", {"domain": "api.test.example.com"})
STAGING = own_words("staging", "staging", {"domain": "api.staging.example.com", "issuer": "letsencrypt-prod"})
PROD = own_words("prod", "production", {"domain": "api.example.com", "issuer": "letsencrypt-prod"})


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("redis.development.svc:6379", "redis.production.svc:6379"),
        ("https://api.dev.example.com/x", "https://api.example.com/x"),
        ("products-dev", "products-prod"),
        ("dev", "production"),
    ],
)
def test_own_words_stand_for_the_same(left: str, right: str) -> None:
    """Name and namespace are both the environment itself; parameters by their names."""
    assert DEV.neutral(left) == PROD.neutral(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [("devices", "produces"), ("redis.testing.svc", "redis.production.svc"), ("100", "200"), ("a", "b")],
)
def test_other_words_stay(left: str, right: str) -> None:
    """Parts of words, amounts, and another environment's words are what they are."""
    assert DEV.neutral(left) != PROD.neutral(right)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("redis.testing.svc.cluster.local", "testing"),
        ("https://api.dev.example.com/", "dev"),
        ("products-prod", "prod"),
        ("redis.staging.svc", ""),
        ("production", ""),
        ("letsencrypt-prod", ""),
        ("latest:v1", ""),
        ("devices.example.com", ""),
    ],
)
def test_a_part_of_a_name_names_another_environment(text: str, word: str) -> None:
    """A word alone is a profile, a parameter may have such a part, a word within a word is none."""
    assert STAGING.foreign(text, [DEV, TEST, PROD]) == word


def test_a_parameter_that_is_anothers_host_is_found() -> None:
    """It was copied from there with its environment.yaml."""
    copied = own_words("staging", "staging", {"kafka": "kafka.prod.example.com:9092"})
    assert copied.foreign("kafka.prod.example.com:9092", [PROD]) == "prod"


def test_what_is_each_ones_own_is_folded_and_counted() -> None:
    """In maps, lists and lines of texts; what differs besides stays, untouched values are the same objects."""
    identity = ResourceId("", "ConfigMap", "", "a")
    left = {"data": {"t.properties": "a=1\nhost=redis.development.svc\n", "x": "api.dev.example.com", "y": "1"}}
    right = {"data": {"t.properties": "a=2\nhost=redis.production.svc\n", "x": "api.example.com", "y": "2"}}
    other = Resource(ResourceId("", "ConfigMap", "", "b"), {"data": {"x": "production"}}, "", ())
    folded = fold([Resource(identity, left, "", ())], [Resource(identity, right, "", ()), other], DEV, PROD)
    assert folded.times == 2
    assert folded.resources[0].value["data"] == {
        "t.properties": "a=2\nhost=redis.development.svc\n",
        "x": "api.dev.example.com",
        "y": "2",
    }
    assert folded.resources[1] is other
