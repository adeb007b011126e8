"""`${{ params.NAME }}` and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from envcompile.errors import EnvcError
from envcompile.model import Document
from envcompile.sources.params import lookup, parameters_in, substitute
from envcompile.sources.tree import File
from tests.sources.messages import CONFIG_MAP, ENVIRONMENT, complaint, read

if TYPE_CHECKING:
    from tests.sources.conftest import Write

PARAMS: dict[str, Any] = {
    "domain": "example.com",
    "host": "api.${{ params.domain }}",
    "port": 8080,
    "ratio": 0.5,
    "debug": False,
    "nothing": None,
    "list": ["a", "${{ params.domain }}"],
    "db": {"host": "db", "ports": {"main": 5432}},
    "dotted.name": "dots",
}


def filled(value: Any) -> Any:
    """The value with parameters put in."""
    return substitute(Document(value, File("base/a.yaml", b""), 0, "base", generated=True), PARAMS).value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${{ params.domain }}", "example.com"),
        ("${{params.domain}}", "example.com"),
        ("${{   params.domain\t}}", "example.com"),
        ("https://${{ params.domain }}:${{ params.port }}/", "https://example.com:8080/"),
        ("${{ params.port }}", 8080),
        ("${{ params.port }} ", "8080 "),
        ("${{ params.ratio }}", 0.5),
        ("${{ params.debug }}", False),
        ("x${{ params.debug }}", "xfalse"),
        ("${{ params.nothing }}", None),
        ("${{ params.host }}", "api.example.com"),
        ("${{ params.list }}", ["a", "example.com"]),
        ("${{ params.db }}", {"host": "db", "ports": {"main": 5432}}),
        ("${{ params.db.ports.main }}", 5432),
        ("${{ params.dotted.name }}", "dots"),
    ],
)
def test_a_parameter_is_put_in(text: str, value: Any) -> None:
    """A string that is nothing but one parameter takes the parameter's type."""
    assert filled({"a": [text]}) == {"a": [value]}


@pytest.mark.parametrize(
    "text",
    [
        "${domain}",
        "$(DOMAIN)",
        "{{ params.domain }}",
        "${{ secrets.TOKEN }}",
        "${{ params.a + 1 }}",
        "${{params}}",
        "$$",
        "",
    ],
)
def test_everything_else_is_left_alone(text: str) -> None:
    """Shell, Kubernetes, Helm and GitHub keep their own syntax; the value stays the same object."""
    value = {"a": {"b": [text, 1, None]}}
    assert filled(value) is value


def test_keys_take_parameters_too() -> None:
    """`${{ params.domain }}` may name a host in a map."""
    assert filled({"${{ params.domain }}/x": "${{ params.port }}", "y": 1}) == {"example.com/x": 8080, "y": 1}
    assert filled({"${{ params.port }}": 1}) == {"8080": 1}


def test_unchanged_subtrees_are_shared() -> None:
    """What has no parameter is the same object in every environment."""
    value = {"same": {"deep": [1]}, "other": {"x": "${{ params.port }}"}}
    result = filled(value)
    assert result["same"] is value["same"]
    assert value["other"] == {"x": "${{ params.port }}"}


def test_uses_are_listed_with_their_pointers() -> None:
    """`explain` shows which parameters made a field."""
    value = {"a": ["x", "${{ params.b }}-${{ params.a }}${{ params.b }}"], "${{ params.k }}": 1, "z": "$x"}
    assert parameters_in(value) == [(("a", 1), ("b", "a")), (("${{ params.k }}",), ("k",))]


def test_parameters_that_use_each_other_in_a_circle_are_an_error() -> None:
    """The message shows the way round."""
    params = {"a": "${{ params.b }}", "b": "x${{ params.a }}"}
    with pytest.raises(Exception, match="parameters use each other in a circle: a -> b -> a"):
        lookup("a", params)


PROD = f"{ENVIRONMENT}params:\n  domain: x\n  deep: {{a: 1, list: [1]}}\n"


def test_mistakes_are_told_at_the_string(write: Write) -> None:
    """Inside of a block of text the very line is named."""
    data = (
        "data:\n"
        "  a: ${{ params.domian }}\n"
        "  b: |\n"
        "    one\n"
        "    two ${{ params.nope }}\n"
        "  c: x${{ params.deep.list }}\n"
        "  ${{ params.domain }}: '1'\n"
        "  x: '2'\n"
    )
    root = write({"overlays/prod/environment.yaml": PROD, "base/a.yaml": CONFIG_MAP + data})
    assert complaint(root) == (
        "error: there is no parameter `domian`\n"
        "  --> base/a.yaml:6:6\n"
        "hint: did you mean `domain`?\n"
        "\n"
        "error: there is no parameter `nope`\n"
        "  --> base/a.yaml:9:9\n"
        "hint: add it to `params` of environment.yaml; known are deep, deep.a, deep.list, domain\n"
        "\n"
        "error: the parameter `deep.list` is a list, and cannot stand inside of a longer string\n"
        "  --> base/a.yaml:10:6\n"
        "hint: name a parameter that holds a string, a number, true or false\n"
        "\n"
        "error: two keys of the map are `x` once parameters are put in\n"
        "  --> base/a.yaml:11:3\n"
        "hint: rename one of them"
    )


def test_parameters_reach_lists_and_patches(write: Write) -> None:
    """Substitution comes before the documents are told apart."""
    head = "apiVersion: envcompile.dev/v1\nkind: Patch\n"
    patch = f"{head}target: {{name: '${{{{ params.domain }}}}'}}\nmerge: {{a: '${{{{ params.deep }}}}'}}\n"
    items = (
        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: A, metadata: {name: '${{ params.domain }}'}}\n"
    )
    root = write({"overlays/prod/environment.yaml": PROD, "base/a.yaml": items, "overlays/prod/p.yaml": patch})
    environment = read(root)["prod"]
    (item,) = environment.layers[0].documents
    ((document, typed),) = environment.layers[1].patches
    assert item.value["metadata"]["name"] == "x"
    assert (typed.target.name, typed.merge) == ("x", {"a": {"a": 1, "list": [1]}})
    assert environment.parameters(item) == [(("metadata", "name"), ("domain",))]
    assert [use.names for use in environment.parameters(document)] == [("domain",), ("deep",)]


def test_files_without_parameters_are_shared_beside_files_with_them(write: Write) -> None:
    """One parameter in one file costs the others nothing."""
    root = write({
        "overlays/prod/environment.yaml": PROD,
        "overlays/dev/environment.yaml": PROD.replace("domain: x", "domain: d"),
        "base/a.yaml": CONFIG_MAP,
        "base/b.yaml": f"{CONFIG_MAP}data: {{d: '${{{{ params.domain }}}}'}}\n",
    })
    environments = read(root)
    (a1, b1), (a2, b2) = (environments[name].layers[0].documents for name in ("dev", "prod"))
    assert a1.value is a2.value
    assert (b1.value["data"], b2.value["data"]) == ({"d": "d"}, {"d": "x"})


def test_a_mistake_in_params_itself_is_told_at_the_parameter(write: Write) -> None:
    """Parameters are checked when they are put together, used or not."""
    root = write({"overlays/prod/environment.yaml": f"{ENVIRONMENT}params:\n  a: ${{{{ params.b }}}}\n"})
    with pytest.raises(EnvcError) as error:
        read(root)
    assert str(error.value) == (
        "error: there is no parameter `b`\n"
        "  --> overlays/prod/environment.yaml:4:6\n"
        "hint: add it to `params` of environment.yaml; known are a"
    )


@pytest.mark.parametrize(("name", "read_as"), [("n", "false"), ("Y", "true"), ("on", "true"), ("No", "false")])
def test_a_name_that_yaml_reads_as_a_truth_value_is_explained(write: Write, name: str, read_as: str) -> None:
    """YAML 1.1, which kubectl reads, has more words for true and false than people expect."""
    root = write({
        "overlays/prod/environment.yaml": f"{ENVIRONMENT}namespace: ${{{{ params.{name} }}}}\nparams:\n  {name}: a\n"
    })
    assert complaint(root) == (
        f"error: there is no parameter `{name}`\n"
        "  --> overlays/prod/environment.yaml:3:12\n"
        f'hint: write it in quotes under `params`, as `"{name}":`: YAML reads the bare word as {read_as}'
    )
