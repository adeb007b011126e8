"""Two sides of a file that envc wrote are merged by keys: what one side alone changed is taken, the rest is refused."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from envcompile.emit.merging import merge
from envcompile.yamlio import dump
from envcompile.yamlio.load import load_all

if TYPE_CHECKING:
    from collections.abc import Callable

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  template:
    spec:
      containers:
      - name: web
        image: nginx:1
        resources:
          requests:
            cpu: "1"
            memory: 1Gi
        args:
        - one
        - two
      - name: sidecar
        image: side:1
"""
VALUES = """\
global:
  # -- resources of many kinds · a label of theirs
  tier: prod

# Needs redis.
app:
  # -- Deployment/app · number of pods
  replicas: 2
  config:
    text: |-
      one

      three

redis:
  # -- StatefulSet/redis · number of pods
  replicas: 1
"""


def merged(base: str, ours: str, theirs: str, path: str = "web.yaml") -> str | None:
    """The merged text; the same whichever side is ours, up to the order of what both add."""
    found = merge(base.encode(), ours.encode(), theirs.encode(), path)
    back = merge(base.encode(), theirs.encode(), ours.encode(), path)
    assert (found is None) == (back is None)
    if found is None or back is None:
        return None
    if path.endswith(".yaml"):
        key = msgspec.json.encode
        assert sorted(load_all(found, ""), key=key) == sorted(load_all(back, ""), key=key)
    return found.decode()


def change(text: str, *pairs: tuple[str, str]) -> str:
    """A text with other words in it."""
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    return text


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (('cpu: "1"', 'cpu: "2"'), ("memory: 1Gi", "memory: 2Gi")),
        (("nginx:1", "nginx:2"), ("        resources:\n", "        workingDir: /\n        resources:\n")),
        (("nginx:1", "nginx:2"), ("side:1", "side:2")),
        (("        - two\n", "        - two\n        - three\n"), ("side:1", "side:2")),
        (("      - name: sidecar\n        image: side:1\n", ""), ("memory: 1Gi", "memory: 2Gi")),
        (("  replicas: 2\n", ""), ("  template:\n", "  paused: true\n  template:\n")),
        (("  name: web\n", "  name: web\n  labels:\n    a: b\n"), ("  name: web\n", "  name: web\n  namespace: x\n")),
    ],
)
def test_neighbours_merge(ours: tuple[str, str], theirs: tuple[str, str]) -> None:
    """Fields in neighbouring lines, of one container and of two."""
    assert merged(DEPLOYMENT, change(DEPLOYMENT, ours), change(DEPLOYMENT, theirs)) is not None


def test_one_thing_of_both_is_never_hidden() -> None:
    """A field that both set, a list without names, a removal of what the other changed, one text block."""
    for ours, theirs in [
        (("replicas: 2", "replicas: 3"), ("replicas: 2", "replicas: 4")),
        (("        - two\n", "        - two\n        - three\n"), ("        - two\n", "        - two\n        - x\n")),
        (("      - name: sidecar\n        image: side:1\n", ""), ("side:1", "side:2")),
        (
            ("  replicas: 2\n", "  replicas: 2\n  paused: true\n"),
            ("  replicas: 2\n", "  replicas: 2\n  paused: false\n"),
        ),
    ]:
        assert merged(DEPLOYMENT, change(DEPLOYMENT, ours), change(DEPLOYMENT, theirs)) is None
    assert (
        merged(VALUES, change(VALUES, ("      one", "      uno")), change(VALUES, ("      three", "      tre"))) is None
    )


def test_applications_are_added_where_a_build_has_them() -> None:
    """Both between the same two: in order, with what stands before each; a comment of both decides nothing."""
    found = merged(
        VALUES,
        change(VALUES, ("redis:\n", "job:\n  replicas: 1\n\nredis:\n"), ("# Needs redis.", "# Needs job, redis.")),
        change(VALUES, ("redis:\n", "api:\n  replicas: 1\n\n# Needs app.\ncron:\n  replicas: 2\n\nredis:\n")),
    )
    assert found is not None
    assert "\n\napi:\n  replicas: 1\n\n# Needs app.\ncron:\n  replicas: 2\n\njob:\n  replicas: 1\n\nredis:\n" in found
    assert "      one\n\n      three\n\napi:" in found
    assert "# Needs job, redis.\napp:\n" in found


def test_the_first_and_the_last_application_may_be_new() -> None:
    """Of values that differ in an environment, where nothing stood before or all of it goes."""
    head = "# What prod sets differently from values.yaml.\n"
    found = merged(head + "{}\n", head + "b:\n  x: 1\n", head + "a:\n  x: 1\n", "values-prod.yaml")
    assert found == head + "a:\n  x: 1\nb:\n  x: 1\n"
    assert merged(VALUES, "aaa: 1\n\n" + VALUES, VALUES + "\nzzz: 1\n") == "aaa: 1\n\n" + VALUES + "\nzzz: 1\n"


def test_resources_of_one_file_are_merged_one_by_one() -> None:
    """Those of the layouts `app` and `environment`, each behind a line `---`."""

    def stream(*texts: str) -> str:
        return "".join("---\n" + text for text in texts)

    def of(name: str, replicas: int = 2) -> str:
        return change(DEPLOYMENT, ("name: web", f"name: {name}"), ("replicas: 2", f"replicas: {replicas}"))

    base = stream(of("a"), of("z"))
    assert merged(base, stream(of("a", 3), of("b"), of("z")), stream(of("a"), of("c"), of("z"))) == stream(
        of("a", 3), of("b"), of("c"), of("z")
    )
    assert merged(base, stream(of("z")), stream(of("a"), of("m"), of("z", 5))) == stream(of("m"), of("z", 5))
    assert merged(base, stream(of("z")), stream(of("a", 4), of("z"))) is None


def test_a_schema_is_merged_as_json() -> None:
    """Written as it was; of another form nobody can tell."""

    def written(value: Any) -> str:
        return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"

    base = {"properties": {"app": {"type": "object"}, "tags": {}}}
    ours = {"properties": {"app": {"type": "object"}, "job": {"a": 1}, "tags": {}}}
    theirs = {"properties": {"app": {"type": "object"}, "api": {"b": 1}, "tags": {}}}
    both = {"properties": {"app": {"type": "object"}, "api": {"b": 1}, "job": {"a": 1}, "tags": {}}}
    name = "chart/values.schema.json"
    assert merged(written(base), written(ours), written(theirs), name) == written(both)
    assert merged(written(base), msgspec.json.encode(ours).decode(), written(theirs), name) is None


@pytest.mark.parametrize(
    "text",
    ["a: {{ .x }}\n", "{a: 1}\n", "a: 1\na: 2\n", "- 1\n- 2\n", "a:\n\tb: 1\n", "\udcff", "a: 1"],
)
def test_what_is_not_understood_is_refused(text: str) -> None:
    """Templates, other styles, repeated keys: git's own merge of lines stands."""
    data = [f"{text}{more}".encode("utf-8", "surrogateescape") for more in ("", "y: 1\n", "z: 1\n")]
    assert merge(data[0], data[1], data[2], "x.yaml") is None


def test_nesting_is_bounded() -> None:
    """A branch may hold anything."""
    deep = "".join(f"{' ' * level}a:\n" for level in range(5000))
    assert merge(deep.encode(), (deep + " " * 5000 + "b: 1\n").encode(), (deep + "z: 1\n").encode(), "x.yaml") is None


def edited(random_: random.Random, value: dict[str, Any], own: str) -> dict[str, Any]:
    """A resource in which one side changed, added and took away fields that only it touches."""
    found: dict[str, Any] = {}
    for key, item in value.items():
        if isinstance(item, dict):
            found[key] = edited(random_, item, own)
        elif not key.startswith(own) or random_.random() < 0.5:
            found[key] = item
        elif random_.random() < 0.7:
            found[key] = f"{own} {random_.random()}"
        if random_.random() < 0.2:
            found[f"{own}-new-{random_.randrange(10**6)}"] = {"x": own} if random_.random() < 0.3 else own
    return found


def grown(random_: random.Random, depth: int) -> dict[str, Any]:
    """A map whose fields are each touched by one side at most."""
    scalars: list[Callable[[], Any]] = [lambda: 1, lambda: "two\nlines\n", lambda: "yes", lambda: None, lambda: [1, 2]]
    found: dict[str, Any] = {}
    for number in range(random_.randrange(2, 6)):
        key = f"{random_.choice(['ours', 'theirs', 'common'])}-{number}"
        found[key] = grown(random_, depth - 1) if depth and random_.random() < 0.4 else random_.choice(scalars)()
    return found


def test_whatever_each_side_does_to_its_own_fields_merges() -> None:
    """Random resources as a build writes them; the values are those of both sides, whichever is ours."""
    random_ = random.Random(7)
    for _ in range(300):
        base = {"kind": "X", "data": grown(random_, 3)}
        ours, theirs = edited(random_, base, "ours"), edited(random_, base, "theirs")
        texts = [dump(value) for value in (base, ours, theirs)]
        assert merged(*texts) is not None, texts
