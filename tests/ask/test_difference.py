"""What reviewers are told about a change: renames, keys of embedded files, classes of change, requests."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.actions.diff import read_keys
from envcompile.ask.difference import compare
from envcompile.ask.formats import as_json, unified
from envcompile.ask.lines import resource_lines
from envcompile.ask.markdown import blocks, page
from envcompile.ask.requests import requests_of
from envcompile.ask.text import describe
from envcompile.kubernetes.podrequests import quantity
from tests.ask.samples import API, config, deployment, resource, sealed, secret

if TYPE_CHECKING:
    from envcompile.ask.difference import EnvironmentDiff
    from envcompile.model import Resource

CANARY = "czNjcjN0LWNhbmFyeQ=="


def diff(old: list[Resource], new: list[Resource], name: str = "prod") -> EnvironmentDiff:
    """Compare with embedded files read."""
    return compare(name, old, new, API, read_keys=read_keys)


def lines(found: EnvironmentDiff) -> list[str]:
    """Every line of a difference."""
    return [f"{line.sign} {line.text}" for item in found.resources for line in resource_lines(item)]


def test_containers_are_matched_by_name_not_by_position() -> None:
    """A container put in front of others changes none of them."""
    old = resource("Pod", "web", spec={"containers": [{"name": "main", "image": "a:1"}]})
    new = resource(
        "Pod", "web", spec={"containers": [{"name": "proxy", "image": "p:1"}, {"name": "main", "image": "a:2"}]}
    )
    assert lines(diff([old], [new])) == [
        "- spec.containers[name=main].image: a:1",
        "+ spec.containers[name=main].image: a:2",
        "+ spec.containers[name=proxy]:",
        "+   name: proxy",
        "+   image: p:1",
        "- spec.containers: in this order: [name=main]",
        "+ spec.containers: in this order: [name=proxy], [name=main]",
    ]


def test_configuration_files_are_compared_key_by_key() -> None:
    """Keys that moved are no change; comments do not count when a key changed."""
    found = diff([config("a=1\nb=2\nc=3\n")], [config("# new\nc=3\nb=20\na=1\nd=4\n")])
    assert lines(found) == [
        r"- data.app\.properties#b: " + '"2"',
        r"+ data.app\.properties#b: " + '"20"',
        r"+ data.app\.properties#d: " + '"4"',
    ]
    assert found.facets == ("config",)


@pytest.mark.parametrize("file", ["app.properties", "app.yaml", "run.sh"])
def test_files_without_changed_keys_show_their_lines(file: str) -> None:
    """A changed comment, and a file that is not made of keys, are shown as text."""
    found = diff([config("# one\na: 1\n", file=file)], [config("# two\na: 1\n", file=file)])
    assert lines(found)[-3:-1] == ["-   # one", "+   # two"]


def test_texts_that_differ_in_line_breaks_only_say_so() -> None:
    """A change that no line shows is still told."""
    found = diff([config("one\ntwo", file="x.txt")], [config("one\ntwo\n", file="x.txt")])
    assert lines(found) == [r"  data.x\.txt:", "    only line breaks differ"]


def test_a_renamed_resource_is_one_change() -> None:
    """The same kind with mostly the same content was renamed; another kind never was."""
    old = [deployment("web", replicas=3, command=["a"], args=["b"]), config("a=1\n", name="web")]
    new = [deployment("site", replicas=4, command=["a"], args=["b"])]
    found = diff(old, new)
    assert [(item.kind, item.resource.short, item.was.short if item.was else "") for item in found.resources] == [
        ("removed", "ConfigMap/web", ""),
        ("renamed", "Deployment/site", "Deployment/web"),
    ]
    assert [field.field for field in found.resources[1].fields] == ["spec.replicas"]


def test_a_resource_that_shares_little_is_not_taken_for_a_rename() -> None:
    """What has little in common was removed and added."""
    found = diff([config("a=1\n", name="one")], [config("b=2\n", name="two")])
    assert [item.kind for item in found.resources] == ["removed", "added"]


@pytest.mark.parametrize(
    ("old", "new", "facets"),
    [
        (deployment(image="a:1"), deployment(image="a:2"), ("image",)),
        (deployment(replicas=1), deployment(replicas=2), ("replicas",)),
        (deployment(), deployment(resources={"requests": {"cpu": 1}}), ("resources",)),
        (deployment(), deployment(env=[{"name": "A", "value": "1"}]), ("config",)),
        (deployment(), deployment(ports=[{"containerPort": 80}]), ("network",)),
        (deployment(), deployment(tty=True), ("workload",)),
        (config("a=1\n"), config("a=2\n"), ("config",)),
        (sealed(a="x"), sealed(a="y"), ("secret",)),
        (resource("Service", "a", spec={"type": "A"}), resource("Service", "a", spec={"type": "B"}), ("network",)),
        (resource("Role", "a", rules=[]), resource("Role", "a", rules=[{"verbs": ["get"]}]), ("RBAC",)),
        (resource("Widget", "a", api="x.io/v1", spec=1), resource("Widget", "a", api="x.io/v1", spec=2), ("other",)),
    ],
)
def test_each_change_has_its_class(old: Resource, new: Resource, facets: tuple[str, ...]) -> None:
    """Reviewers sort changes by what can go wrong."""
    assert diff([old], [new]).facets == facets


def test_a_comments_code_cannot_be_left_from_inside() -> None:
    """The fence is longer than every run of backticks in it, and a name in the head is code unless it is harmless."""
    text = "a\n```\n</details>\n`````\n@octocat\n"
    written = page([diff([], [resource("Widget", "@octocat", api="x.io/v1", spec=text)])])
    assert "``````diff\n" in written
    assert written.count("\n``````\n") == 1
    assert "<code>Widget.x.io/@octocat</code>" in written
    assert "<b>Widget.x.io/plain</b>" in page([diff([], [resource("Widget", "plain", api="x.io/v1", spec=1)])])
    assert "<code>Widget.x.io/www.evil.example</code>" in page([
        diff([], [resource("Widget", "www.evil.example", api="x.io/v1", spec=1)])
    ])


@pytest.mark.parametrize("kind", [secret, sealed])
def test_secrets_are_never_shown(kind: Any) -> None:
    """Not changed, not added, not removed, in no format; only that it happened is told."""
    several = [
        diff([kind(a=CANARY, b="x", c=CANARY)], [kind(a=f"{CANARY}2", b="x", d=CANARY)]),
        diff([], [kind(a=CANARY)]),
        diff([kind(a=CANARY)], []),
    ]
    printed = [page(several), str(as_json(several)), "\n".join(unified(several)), *(str(lines(one)) for one in several)]
    assert not [text for text in printed if CANARY in text]
    assert "<redacted>" in printed[0]


def test_what_happened_to_sealed_values_is_told() -> None:
    """Re-sealed, sealed and removed are what a reviewer needs to know."""
    found = diff([sealed(a="x", b="y")], [sealed(a="z", c="w")])
    assert lines(found) == [
        "! spec.encryptedData.a: re-sealed",
        "! spec.encryptedData.b: removed",
        "! spec.encryptedData.c: sealed",
    ]


def test_the_short_description_hides_secrets_too() -> None:
    """What watching and promoting print obeys the same rule."""
    from envcompile.ask.changes import changes

    assert list(describe(changes([secret(a=CANARY)], [secret(a="eA==", b=CANARY)], API))) == [
        "~ Secret/keys (namespace shop)",
        "    data.a: changed",
        "    data.b: added",
    ]


def test_a_copy_of_a_secret_in_an_annotation_is_hidden() -> None:
    """A client-side apply leaves the whole object behind."""
    from envcompile.ask.redact import redacted

    value = {"metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": CANARY, "a": "b"}}}
    assert CANARY not in str(redacted(secret().id, value))


def test_requests_count_replicas_sidecars_and_the_largest_init_container() -> None:
    """The sum is what the scheduler reserves."""
    asked = deployment(replicas=3, resources={"requests": {"cpu": "250m"}, "limits": {"memory": "1Gi"}})
    pod = asked.value["spec"]["template"]["spec"]
    pod["initContainers"] = [
        {"name": "sidecar", "restartPolicy": "Always", "resources": {"requests": {"cpu": "50m"}}},
        {"name": "migrate", "resources": {"requests": {"cpu": 1, "memory": "64Mi"}}},
    ]
    scaled = deployment("jobs", replicas=None, resources={"requests": {"cpu": 1}})
    target = {"scaleTargetRef": {"kind": "Deployment", "name": "jobs"}, "minReplicas": 4}
    autoscaler = resource("HorizontalPodAutoscaler", "jobs", api="autoscaling/v2", spec=target)
    total = requests_of([asked, scaled, autoscaler])
    assert (float(total.cpu), int(total.memory)) == (3 * 1.05 + 4, 3 * 1024**3)


@pytest.mark.parametrize(
    ("text", "amount"),
    [("250m", 0.25), ("1.5Gi", 1.5 * 1024**3), (2, 2), ("1e3", 1000), ("2k", 2000), ("x", 0), ("", 0)],
)
def test_quantities_are_read_as_kubernetes_reads_them(text: Any, amount: float) -> None:
    """Suffixes of both kinds and exponents; what is none counts as nothing."""
    assert quantity(text) == Fraction(amount)


def test_a_quantity_with_a_huge_exponent_takes_no_memory() -> None:
    """A hostile number is nothing."""
    assert quantity("1e999999999") == 0


def test_the_comment_folds_equal_changes_of_several_environments_into_one_block() -> None:
    """Four environments with one change are read once."""
    several = [diff([deployment(image="a:1")], [deployment(image="a:2")], name) for name in ("dev", "prod")]
    assert page(several) == (
        "| environment | added | changed | removed | class of change | requests | approval |\n"
        "|---|--:|--:|--:|---|---|---|\n"
        "| **dev** |  | 1 |  | image |  |  |\n"
        "| **prod** |  | 1 |  | image |  |  |\n"
        "\n"
        "<details><summary><b>Deployment.apps/web</b> changed in dev, prod (image)</summary>\n"
        "\n"
        "```diff\n"
        "- spec.template.spec.containers[name=main].image: a:1\n"
        "+ spec.template.spec.containers[name=main].image: a:2\n"
        "```\n"
        "\n"
        "</details>\n"
    )


def test_fences_inside_of_a_value_do_not_end_the_block() -> None:
    """A fence is longer than any run of backticks inside of it."""
    (block,) = blocks([diff([config("a\n", file="x.md")], [config("````\nb\n", file="x.md")])])
    assert block.markdown().count("\n`````") == 2


def test_a_block_that_is_too_large_is_cut_between_lines_and_closed() -> None:
    """Half a line, or an open fence, would break the rest of the comment."""
    (block,) = blocks([diff([], [config("".join(f"key{n}=ü\n" for n in range(2000)))])])
    cut = block.markdown(3000)
    assert len(cut.encode()) <= 3000
    assert cut.endswith("more lines are not shown here.\n\n</details>\n")
    assert cut.count("```") == 2


def test_unified_lines_ignore_the_order_of_keys() -> None:
    """A key that only moved is no line."""
    old = resource("Service", "web", spec={"type": "A", "selector": {"a": "1", "b": "2"}})
    new = resource("Service", "web", spec={"selector": {"b": "2", "a": "1"}, "type": "B"})
    found = [line for line in unified([diff([old], [new])]) if line[0] in "+-"]
    assert found == ["--- a/prod/shop/Service/web", "+++ b/prod/shop/Service/web", "-  type: A", "+  type: B"]


def test_json_has_old_and_new_of_each_field() -> None:
    """Programs get the values themselves."""
    (environment,) = as_json([diff([deployment(replicas=1)], [deployment(replicas=2)])])
    assert environment["resources"][0]["fields"] == [{"field": "spec.replicas", "old": 1, "new": 2}]
    assert environment["classes"] == ["replicas"]


def test_text_cannot_deceive_its_reader() -> None:
    """Neither a terminal's commands nor marks that turn the direction of reading get through."""
    found = diff([config("a\n", file="run.sh")], [config("a \x1b[2J \u202egnp.exe\n", file="run.sh")])
    assert lines(found)[-1] == r"+   a \x1b[2J \u202egnp.exe"


def test_owners_cannot_break_the_table() -> None:
    """A strange owner stays in its cell."""
    found = compare("prod", [], [config("a=1\n")], API, owners=("@a`|b",))
    assert "| `@a\ufffd\ufffdb` |\n" in page([found])


def test_kustomize_hash_names() -> None:
    """A name with another hash of its content is the same object, its lines are compared: case kustomize-hash-names.

    Whatever little is alike: a file of one line. Two of one name stay apart, as nobody can tell which became which.
    """
    old = resource("ConfigMap", "conf-t87m5549gh", data={"web.conf": "listen one\n"})
    new = resource("ConfigMap", "conf-m9869mh2hf", data={"web.conf": "listen two\n"})
    found = diff([old], [new])
    assert [(item.kind, item.was) for item in found.resources] == [("renamed", old.id)]
    assert lines(found) == ["  data.web\\.conf:", "    @@ -1 +1 @@", "-   listen one", "+   listen two"]
    other = resource("ConfigMap", "conf-5tk6h2c9mf", data={"a": "b"})
    assert [item.kind for item in diff([old], [new, other]).resources] == ["added", "added", "removed"]
    plain = resource("ConfigMap", "conf-abcdefghij", data={"a": "b"})
    assert [item.kind for item in diff([old], [plain]).resources] == ["added", "removed"]
