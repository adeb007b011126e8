"""Changes of container images."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcompile.compose.images import ImageChanges
from envcompile.kubernetes.images import ImageReference, parse_image
from envcompile.model import ResourceId
from envcompile.settings import Image

SHA = "sha256:" + "0" * 64
OTHER_SHA = "sha256:" + "f" * 64
DEPLOYMENT = ResourceId("apps", "Deployment", "", "web")


@pytest.mark.parametrize(
    ("text", "name", "tag", "digest"),
    [
        ("nginx", "nginx", "", ""),
        ("nginx:1.27", "nginx", "1.27", ""),
        (f"nginx@{SHA}", "nginx", "", SHA),
        (f"nginx:1.27@{SHA}", "nginx", "1.27", SHA),
        ("localhost:5000/nginx", "localhost:5000/nginx", "", ""),
        ("localhost:5000/nginx:1", "localhost:5000/nginx", "1", ""),
        ("r.example.com:443/a/b/c:v1-rc.1_2", "r.example.com:443/a/b/c", "v1-rc.1_2", ""),
        (f"r.example.com:443/a@{SHA}", "r.example.com:443/a", "", SHA),
        ("[::1]:5000/a:1", "[::1]:5000/a", "1", ""),
    ],
)
def test_a_reference_taken_apart(text: str, name: str, tag: str, digest: str) -> None:
    """A colon before the last slash belongs to the registry's port."""
    assert parse_image(text) == ImageReference(name, tag, digest)


@given(
    st.from_regex(r"[a-z0-9.]{1,8}(:[0-9]{1,4}/[a-z0-9]{1,5})?(/[a-z0-9_-]{1,8}){0,2}", fullmatch=True),
    st.from_regex(r"(\w[\w.-]{0,8})?", fullmatch=True),
    st.sampled_from(["", SHA]),
)
def test_a_reference_reads_as_it_was_written(name: str, tag: str, digest: str) -> None:
    """Taking apart and putting together changes nothing."""
    reference = ImageReference(name, tag, digest)
    assert parse_image(str(reference)) == reference


def changed(images: list[str], *entries: Image) -> list[str]:
    """The images of a Deployment's containers after the entries."""
    changes = ImageChanges(entries)
    value = {"spec": {"template": {"spec": {"containers": [{"image": image} for image in images]}}}}
    for _, after in changes.apply(DEPLOYMENT, value):
        value = after
    return [container["image"] for container in value["spec"]["template"]["spec"]["containers"]]


@pytest.mark.parametrize(
    ("before", "entry", "after"),
    [
        ("a:1", Image(name="a", new_tag="2"), "a:2"),
        ("a", Image(name="a", new_tag="2"), "a:2"),
        (f"a:1@{SHA}", Image(name="a", new_tag="2"), "a:2"),
        ("a:1", Image(name="a", new_name="b/c"), "b/c:1"),
        (f"a:1@{SHA}", Image(name="a", new_name="b"), f"b:1@{SHA}"),
        ("a:1", Image(name="a", digest=OTHER_SHA), f"a@{OTHER_SHA}"),
        (f"a:1@{SHA}", Image(name="a", digest=OTHER_SHA), f"a@{OTHER_SHA}"),
        ("a:1", Image(name="a", new_tag="2", digest=SHA), f"a:2@{SHA}"),
        ("r:5000/a:1", Image(name="r:5000/a", new_tag="2"), "r:5000/a:2"),
        ("r:5000/a:1", Image(name="a", new_tag="2"), "r:5000/a:1"),
        ("ab:1", Image(name="a", new_tag="2"), "ab:1"),
        ("a:1", Image(name="a:1", new_tag="2"), "a:1"),
        ("a:1", Image(name="a", new_tag="1"), "a:1"),
    ],
)
def test_one_entry(before: str, entry: Image, after: str) -> None:
    """A new tag drops the digest, which would contradict it, and the reverse; names match whole."""
    assert changed([before], entry) == [after]


def test_entries_do_not_chain() -> None:
    """Each image is changed once, by the entry of its own name: names can even be exchanged."""
    entries = (Image(name="a", new_name="b"), Image(name="b", new_name="a"))
    assert changed(["a:1", "b:2", "a:3"], *entries) == ["b:1", "a:2", "b:3"]


@pytest.mark.parametrize(
    ("resource", "value", "reached"),
    [
        (ResourceId("", "Pod", "", "p"), {"spec": {"initContainers": [{"image": "a"}]}}, True),
        (ResourceId("", "Pod", "", "p"), {"spec": {"ephemeralContainers": [{"image": "a"}]}}, True),
        (ResourceId("example.com", "X", "", "p"), {"spec": {"deep": [{"containers": [{"image": "a"}]}]}}, True),
        (ResourceId("example.com", "X", "", "p"), {"spec": {"image": "a"}}, False),
        (ResourceId("", "ConfigMap", "", "p"), {"containers": [{"image": "a"}]}, False),
        (ResourceId("networking.k8s.io", "Ingress", "", "p"), {"containers": [{"image": "a"}]}, False),
        (DEPLOYMENT, {"spec": {"template": {"spec": {"containers": [{"image": 1}, "a", None, {}]}}}}, False),
        (DEPLOYMENT, {"spec": {"template": {"spec": {"containers": {"image": "a"}}}}}, False),
    ],
)
def test_where_images_are_looked_for(resource: ResourceId, value: dict[str, Any], *, reached: bool) -> None:
    """Containers of built-in workloads, and lists of containers anywhere in custom resources."""
    changes = ImageChanges((Image(name="a", new_tag="2"),))
    assert bool(list(changes.apply(resource, value))) is reached
    assert bool(changes.used()) is reached


def test_values_are_shared_and_never_changed() -> None:
    """What no entry concerns is the same object; the resource itself stays as it was."""
    value: dict[str, Any] = {"spec": {"containers": [{"image": "a:1"}, {"image": "b:1"}], "volumes": [{}]}}
    [(position, after)] = list(
        ImageChanges((Image(name="a", new_tag="2"),)).apply(ResourceId("", "Pod", "", "p"), value)
    )
    assert position == 0
    assert value["spec"]["containers"][0] == {"image": "a:1"}
    assert after["spec"]["volumes"] is value["spec"]["volumes"]
    assert after["spec"]["containers"][1] is value["spec"]["containers"][1]
