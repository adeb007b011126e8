"""The values that cross the walls between rooms: frozen, comparable, and silent about secrets."""

from __future__ import annotations

import copy
import pickle  # ruff: ignore[suspicious-pickle-import] - what is tested is that it refuses
from typing import Any

import pytest

from envcompile.model import (
    HARMLESS_ANNOTATION,
    Bundle,
    Compiled,
    Composition,
    Document,
    Layer,
    Location,
    Resource,
    ResourceId,
    Step,
    is_harmless,
    without_values,
)
from envcompile.sources import File

PLAIN = "correct horse battery staple"
SECRET_ID = ResourceId("", "Secret", "prod", "token")


def secret(annotations: Any = None, **content: Any) -> Resource:
    """A Secret with this content."""
    metadata = {"name": "token", **({"annotations": annotations} if annotations else {})}
    value = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, **content}
    return Resource(SECRET_ID, value, "web", (Step("base", "base", None, (), None, value),))


def test_a_place_reads_as_editors_understand_it() -> None:
    """file:line:column."""
    assert str(Location("overlays/prod/web.yaml", 14, 9)) == "overlays/prod/web.yaml:14:9"


@pytest.mark.parametrize(
    ("identity", "text", "short"),
    [
        (ResourceId("", "Service", "prod", "web"), "Service/web (namespace prod)", "Service/web"),
        (ResourceId("apps", "Deployment", "", "web"), "Deployment.apps/web", "Deployment/web"),
        (ResourceId("", "Namespace", "", "prod"), "Namespace/prod", "Namespace/prod"),
    ],
)
def test_an_identity_in_words(identity: ResourceId, text: str, short: str) -> None:
    """With the group where there is one, and the namespace where there is one."""
    assert str(identity) == text
    assert identity.short == short


def test_records_are_frozen() -> None:
    """What one stage hands to the next is not changed by it."""
    file = File("base/a.yaml", b"")
    document = Document({}, file, 0, "base")
    for record, field in (
        (Compiled("prod", "", ()), "resources"),
        (Composition("prod", "", ()), "resources"),
        (document, "value"),
        (Layer("base", (document,), (), {}), "documents"),
        (secret(), "value"),
        (SECRET_ID, "name"),
    ):
        with pytest.raises(AttributeError):
            setattr(record, field, None)
        assert not hasattr(record, "__dict__")


@pytest.mark.parametrize(
    "content",
    [
        {"stringData": {"token": PLAIN}},
        {"data": {"token": "Y29ycmVjdA=="}},
        {"stringData": {"token": PLAIN}, "annotations": {HARMLESS_ANNOTATION: "other"}},
        {"stringData": {"token": PLAIN, "more": "x"}, "annotations": {HARMLESS_ANNOTATION: "token"}},
        {"stringData": {"token": PLAIN}, "annotations": {HARMLESS_ANNOTATION: ""}},
    ],
)
def test_compiled_refuses_to_exist_while_a_secret_is_in_clear(content: dict[str, Any]) -> None:
    """And the refusal does not say what the secret is."""
    with pytest.raises(ValueError, match=r"^Secret/token \(namespace prod\) still holds plaintext$"):
        Compiled("prod", "prod", (secret(**content),))


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"stringData": None, "data": {}},
        {"stringData": {"token": PLAIN}, "annotations": {HARMLESS_ANNOTATION: "token"}},
        {"stringData": {"a": "1", "b": "2"}, "annotations": {HARMLESS_ANNOTATION: " b , a "}},
        {"stringData": {"token": PLAIN}, "annotations": {HARMLESS_ANNOTATION: "*"}},
    ],
)
def test_a_secret_that_is_declared_harmless_may_pass(content: dict[str, Any]) -> None:
    """Key by key, or all of them."""
    resource = secret(**content)
    assert is_harmless(resource.value)
    assert Compiled("prod", "prod", (resource,)).resources == (resource,)


def test_a_throw_away_cluster_may_have_plaintext() -> None:
    """Only when the environment says so; a custom kind called Secret is no Secret."""
    resource = secret(stringData={"token": PLAIN})
    assert Compiled("prod", "prod", (resource,), plaintext_allowed=True).resources == (resource,)
    custom = resource._replace(id=ResourceId("example.com", "Secret", "prod", "token"))
    assert Compiled("prod", "prod", (custom,)).resources == (custom,)


def test_nothing_shows_what_a_secret_holds() -> None:
    """Neither `repr` nor `str` nor a format of anything that may hold one."""
    resource = secret(stringData={"token": PLAIN})
    composition = Composition("prod", "prod", (resource,))
    compiled = Compiled("prod", "prod", (resource,), plaintext_allowed=True)
    bundle = Bundle("prod", {"web/secret-token.yaml": PLAIN.encode()}, {"web/secret-token.yaml": "0"})
    file = File("overlays/prod/secret.yaml", PLAIN.encode())
    for value in (resource, resource.steps[0], composition, compiled, bundle, file, [composition], {"a": resource}):
        for text in (repr(value), str(value), f"{value}"):
            assert "battery" not in text
    assert repr(composition) == "Composition(prod: Secret/token (namespace prod))"


@pytest.mark.parametrize("serialise", [pickle.dumps, copy.deepcopy, copy.copy])
def test_a_composition_is_never_serialised(serialise: Any) -> None:
    """It may hold plaintext, so it does not leave the process."""
    composition = Composition("prod", "prod", (secret(stringData={"token": PLAIN}),))
    with pytest.raises(TypeError, match="never serialised"):
        serialise(composition)
    assert "battery" not in repr(composition)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            {"data": {"a": PLAIN}, "stringData": {"b": PLAIN}},
            {"data": {"a": "(hidden)"}, "stringData": {"b": "(hidden)"}},
        ),
        ({"data": PLAIN}, {"data": "(hidden)"}),
        ({"stringData": [PLAIN]}, {"stringData": "(hidden)"}),
        ({"type": "Opaque", "data": {}}, {"type": "Opaque", "data": {}}),
    ],
    ids=["values", "a text in place of a map", "a list in place of a map", "nothing to hide"],
)
def test_values_of_a_secret_in_clear_are_marked(content: Any, expected: Any) -> None:
    """Wherever a value can stand, also where no map is; the rest of the Secret stays as it is."""
    hidden = without_values(secret(**content), "(hidden)")
    assert hidden.value == {**secret().value, **expected}
    assert PLAIN not in str(hidden.value)


def test_what_kubectl_applied_last_is_marked_too() -> None:
    """The annotation holds the whole object."""
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": PLAIN, "a": "b"}
    hidden = without_values(secret(annotations, data={"a": PLAIN}), "(hidden)")
    assert PLAIN not in str(hidden.value)
    assert hidden.value["metadata"]["annotations"]["a"] == "b"


def test_harmless_values_and_other_kinds_stay() -> None:
    """They may be seen."""
    harmless = secret({HARMLESS_ANNOTATION: "*"}, data={"a": PLAIN})
    assert without_values(harmless, "(hidden)") is harmless
    config = Resource(ResourceId("", "ConfigMap", "prod", "c"), {"kind": "ConfigMap", "data": {"a": "b"}}, "web", ())
    assert without_values(config, "(hidden)") is config
