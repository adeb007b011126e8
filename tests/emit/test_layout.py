"""Which file a resource is in, and what a file of several holds."""

from __future__ import annotations

import pytest

from envcompile.emit.layout import arrange, file_of, join, take_apart, with_others

PLACES = (
    "web/deployment-web.yaml",
    "api/service-api.yaml",
    "web/service.serving.knative.dev-web.yaml",
    "web/namespace-prod.yaml",
    "api/configmap-api.yaml",
)
MAP = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: %s\n"


def test_a_file_holds_what_others_need_first() -> None:
    """By kind as it is applied, then by place; which order they come in does not matter."""
    expected = ["web/namespace-prod.yaml", "api/configmap-api.yaml", "api/service-api.yaml"]
    expected += ["web/service.serving.knative.dev-web.yaml", "web/deployment-web.yaml"]
    assert arrange(PLACES, "environment") == {"manifests.yaml": expected}
    assert arrange(reversed(PLACES), "environment") == {"manifests.yaml": expected}
    assert arrange(PLACES, "app") == {
        "web.yaml": [place for place in expected if place[0] == "w"],
        "api.yaml": [place for place in expected if place[0] == "a"],
    }
    assert arrange(PLACES, "resource") == {place: [place] for place in PLACES}


def test_every_resource_is_in_the_file_that_it_is_said_to_be_in() -> None:
    """For each layout."""
    for layout in ("resource", "app", "environment"):
        files = arrange(PLACES, layout)
        assert all(place in files[file_of(place, layout)] for place in PLACES)


@pytest.mark.parametrize("texts", [[MAP % b"a"], [MAP % b"a", MAP % b"b"], [b"a: |\n  ---\n  b\n", b"c: '---'\n"]])
def test_what_is_joined_comes_apart(texts: list[bytes]) -> None:
    """Also as git writes it on Windows, and where a text quotes the mark."""
    joined = join(texts, "app")
    assert take_apart(joined) == texts
    assert take_apart(joined.replace(b"\n", b"\r\n")) == texts
    assert take_apart(join(texts[:1], "resource")) == texts[:1]


def test_one_resource_is_put_into_a_file_of_several() -> None:
    """In its old one's place, or behind its kind; what cannot be read is left to who asked."""
    role = b"apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: r\n"
    now = join([MAP % b"a", MAP % b"b", role], "app")
    new = (MAP % b"b") + b"data: {}\n"
    assert with_others(now, {("", "ConfigMap", "", "b"): new}) == join([MAP % b"a", new, role], "app")
    other = MAP % b"c"
    assert with_others(now, {("", "ConfigMap", "", "c"): other}) == join([MAP % b"a", MAP % b"b", other, role], "app")
    assert with_others(b"a: [", {("", "ConfigMap", "", "c"): other}) is None
