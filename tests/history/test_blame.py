"""Blame: the commit that gave a field its value, also through merges, moves in lists and new beginnings."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from envcompile.actions.blame import blame_fields
from envcompile.actions.past import compare, find, open_past, revision_at, revision_of
from envcompile.errors import UsageError
from tests.harness.repository import deployment, environment

if TYPE_CHECKING:
    from envcompile.history.blame import Blamed
    from tests.history.conftest import Folder

pytestmark = pytest.mark.usefixtures("backend")

IMAGE = "spec.template.spec.containers[name=web].image"


def asked(folder: Folder, field: str = "", resource: str = "deployment/web", name: str = "prod") -> dict[str, Blamed]:
    """What blame says, by field."""
    folder.record()
    with closing(open_past(folder.root)) as past:
        return {blamed.field: blamed for blamed in blame_fields(past, name, resource, field)[1]}


def test_each_field_has_its_own_commit(folder: Folder) -> None:
    """The last change counts, with the value before and the line that sets it now."""
    first = folder.commit("start")
    folder.commit("two", base__web=deployment(replicas=2))
    third = folder.commit("three", base__web=deployment(replicas=3))
    fourth = folder.commit(
        "image",
        overlays__prod__environment=environment(
            "namespace: production\nimages:\n  - name: nginx\n    newTag: '1.29'\n"
        ),
    )
    found = asked(folder)
    replicas = found["spec.replicas"]
    assert (replicas.commit, replicas.how, replicas.old, replicas.value) == (third, "changed", "2", 3)
    assert replicas.place == "base/web.yaml:6:13"
    image = found[IMAGE]
    assert (image.commit, image.old, image.value) == (fourth, '"nginx:1.27"', "nginx:1.29")
    assert image.place.startswith("overlays/prod/environment.yaml:")
    name = found["spec.template.spec.containers[name=web].name"]
    assert (name.commit, name.how, name.or_before, name.place) == (first, "created", False, "base/web.yaml:16:15")
    assert asked(folder, name="dev")[IMAGE].commit == first


def test_a_merged_change_is_the_branchs_not_the_merges(folder: Folder) -> None:
    """A merge is only named where it made something of its own."""
    folder.commit("start")
    folder.git("checkout", "-q", "-b", "side")
    side = folder.commit("on the side", base__web=deployment(replicas=5))
    folder.git("checkout", "-q", "main")
    main = folder.commit(
        "on main", base__settings="apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {color: red}\n"
    )
    folder.git("merge", "-q", "--no-edit", "--no-verify", "side")
    assert asked(folder, "spec.replicas")["spec.replicas"].commit == side
    assert asked(folder, "data.color", "configmap/settings")["data.color"].commit == main


def test_a_resource_that_came_with_a_merge_is_the_branchs(folder: Folder) -> None:
    """Created on a branch, merged: its commit is the one on the branch."""
    folder.commit("start")
    folder.git("checkout", "-q", "-b", "side")
    side = folder.commit("on the side", base__other=deployment("other"))
    folder.git("checkout", "-q", "main")
    folder.commit("on main", base__web=deployment(replicas=2))
    folder.git("merge", "-q", "--no-edit", "--no-verify", "side")
    found = asked(folder, "spec.replicas", "deployment/other")
    assert found["spec.replicas"].commit == side


def test_an_item_that_moves_keeps_its_commit(folder: Folder) -> None:
    """List items are told apart by their merge key."""
    text = deployment()
    first = folder.commit("start", base__web=text + "      - name: helper\n        image: helper:1\n")
    folder.commit(
        "a new first",
        base__web=text.replace("      containers:\n", "      containers:\n      - name: zero\n        image: zero:1\n")
        + "      - name: helper\n        image: helper:1\n",
    )
    found = asked(folder, "spec.template.spec.containers[name=helper].image")
    assert [blamed.commit for blamed in found.values()] == [first]


def test_a_resource_that_comes_back_begins_anew(folder: Folder) -> None:
    """What was deleted and written again is of the second commit."""
    folder.commit("start", base__other=deployment("other"))
    (folder.root / "base" / "other.yaml").unlink()
    folder.commit("gone")
    again = folder.commit("again", base__other=deployment("other"))
    found = asked(folder, "spec.replicas", "deployment/other")
    assert (found["spec.replicas"].commit, found["spec.replicas"].how) == (again, "created")


def test_a_history_that_begins_late_says_so(folder: Folder) -> None:
    """The first recorded commit is not blamed for what it may have found."""
    folder.commit("start")
    second = folder.commit("more", base__web=deployment(replicas=2))
    from envcompile.actions.record import record

    with closing(folder.past()) as past:
        record(past.repository, past.store, [second])
        (found,) = blame_fields(past, "prod", "deployment/web", "spec.replicas")[1]
    assert (found.commit, found.how, found.or_before) == (second, "created", True)


def test_unknown_fields_and_resources_are_named(folder: Folder) -> None:
    """A typing mistake gets an answer."""
    commit = folder.commit("start")
    with pytest.raises(UsageError) as caught:
        asked(folder, "spec.replica")
    assert str(caught.value) == (
        f"error: Deployment/web has no field `spec.replica` at {commit[:12]}\n"
        "hint: `envc history show` prints the resource"
    )
    with pytest.raises(UsageError) as caught:
        asked(folder, "", "deployment/webb")
    assert str(caught.value) == (
        f"error: prod at {commit[:12]} has no resource deployment/webb\nhint: did you mean `Deployment/web`?"
    )


def test_find_names_every_field_of_that_value(folder: Folder) -> None:
    """By the field's name or its whole path, at any recorded time."""
    folder.commit("start")
    folder.commit("new image", base__web=deployment(image="nginx:1.28"))
    folder.record()
    with closing(open_past(folder.root)) as past:
        now, then = revision_of(past, "prod", "HEAD"), revision_of(past, "prod", "HEAD~1")
        assert [(item.field, item.value) for item in find(past, "image=nginx:*", [now])] == [(IMAGE, "nginx:1.28")]
        assert [item.value for item in find(past, f"{IMAGE}=*", [then])] == ["nginx:1.27"]
        assert list(find(past, "image=nginx:1.27", [now])) == []
        assert [item.resource.short for item in find(past, "replicas=1", [now])] == ["Deployment/web"]


def test_a_time_means_the_commit_that_was_there(folder: Folder) -> None:
    """Between two commits it is the older one; before the first there is nothing."""
    first = folder.commit("start")
    folder.commit("later", base__web=deployment(replicas=2))
    folder.record()
    moment = folder.git("show", "-s", "--format=%cI", first)
    with closing(open_past(folder.root)) as past:
        assert revision_at(past, "prod", moment).commit == first
        with pytest.raises(UsageError) as caught:
            revision_at(past, "prod", "2001-01-01")
        assert str(caught.value) == "error: there was no commit at 2001-01-01\nhint: see `envc history log prod`"
        for text in ("teatime", "9999-12-31T23:59:59-23:00", "0001-01-01T00:00+23:00"):
            with pytest.raises(UsageError) as caught:
                revision_at(past, "prod", text)
            assert f"`{text}` is no time" in str(caught.value)


PROPERTIES = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  app.properties: |
    # how it listens
    server.port={port}
    server.host={host}
    log=info
"""


def test_a_key_of_a_file_has_its_own_commit(folder: Folder) -> None:
    """The commit that changed the key, not the one that last touched the file, with the line that sets it."""
    first = folder.commit("start", base__settings=PROPERTIES.format(port=80, host="a"))
    second = folder.commit("port", base__settings=PROPERTIES.format(port=8080, host="a"))
    third = folder.commit(
        "prod's own",
        overlays__prod__settings=PROPERTIES.format(port=9090, host="a").replace("    # how it listens\n", ""),
    )
    folder.commit("host", base__settings=PROPERTIES.format(port=8080, host="b"))
    port = r"data.app\.properties#server.port"
    (found,) = asked(folder, port, "configmap/settings", "dev").values()
    assert (found.commit, found.how, found.old, found.value) == (second, "changed", '"80"', "8080")
    assert (found.field, found.place) == (port, "base/settings.yaml:8:5")
    (found,) = asked(folder, port, "configmap/settings").values()
    assert (found.commit, found.old, found.place) == (third, '"8080"', "overlays/prod/settings.yaml:7:5")
    below = asked(folder, r"data.app\.properties#server", "configmap/settings", "dev")
    assert [blamed.key for blamed in below.values()] == ["server.port", "server.host"]
    (found,) = asked(folder, r"data.app\.properties#log", "configmap/settings", "dev").values()
    assert (found.commit, found.how, found.or_before) == (first, "created", False)
    with pytest.raises(UsageError) as caught:
        asked(folder, r"data.app\.properties#nothing", "configmap/settings", "dev")
    assert str(caught.value).startswith(r"error: ConfigMap/settings has no key `nothing` in `data.app\.properties` at ")


def test_a_merged_key_is_the_branchs(folder: Folder) -> None:
    """As for fields: the merge is only named for what it made itself."""
    folder.commit("start", base__settings=PROPERTIES.format(port=80, host="a"))
    folder.git("checkout", "-q", "-b", "side")
    side = folder.commit("side", base__settings=PROPERTIES.format(port=81, host="a"))
    folder.git("checkout", "-q", "main")
    folder.commit("main", base__web=deployment(replicas=2))
    folder.git("merge", "-q", "--no-edit", "--no-verify", "side")
    (found,) = asked(folder, r"data.app\.properties#server.port", "configmap/settings").values()
    assert (found.commit, found.old) == (side, '"80"')


CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: routes.example.com}
spec:
  group: example.com
  names: {kind: Route, plural: routes}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              rules:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [host]
                items:
                  type: object
                  properties: {host: {type: string}, weight: {type: integer}}
"""
ROUTE = """\
apiVersion: example.com/v1
kind: Route
metadata: {name: r}
spec:
  rules:
"""


def test_custom_kinds_are_read_with_the_definitions_of_their_time(folder: Folder) -> None:
    """Items of a custom resource's list are told apart by the keys of the CRD that is recorded with it."""
    rules = [f"  - {{host: {host}, weight: 1}}\n" for host in "abc"]
    folder.commit("start", base__crd=CRD, base__route=ROUTE + "".join(rules))
    folder.commit("another order", base__route=ROUTE + "".join(reversed(rules)).replace("a, weight: 1", "a, weight: 2"))
    folder.record()
    with closing(open_past(folder.root)) as past:
        older, newer = (revision_of(past, "prod", name) for name in ("HEAD~1", "HEAD"))
        fields = [field.field for found in compare(past, "prod", older, newer).resources for field in found.fields]
        assert "spec.rules[host=a].weight" in fields
        assert [item.field for item in find(past, "weight=2", [newer])] == ["spec.rules[host=a].weight"]
