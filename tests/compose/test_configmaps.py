"""Configuration files inside ConfigMaps, laid over each other by the layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from envcompile import EnvcError
from envcompile.compose.configmaps import replaced_keys
from tests.compose.inmemory import composed
from tests.harness.compiled import complaint, value_of
from tests.harness.repository import environment

if TYPE_CHECKING:
    from tests.conftest import MakeProject


def config(data: Any, **annotations: str) -> dict[str, Any]:
    """A ConfigMap with these entries."""
    metadata = {"name": "a", **({"annotations": annotations} if annotations else {})}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}


def merged(base: dict[str, Any], *patches: dict[str, Any], merge_texts: bool = True) -> Any:
    """The data of a ConfigMap after its patches."""
    return composed([base], *([patch] for patch in patches), merge_texts=merge_texts)["ConfigMap/a"].value["data"]


@pytest.mark.parametrize(
    ("name", "base", "patch", "after"),
    [
        ("a.properties", "x=1\ny=2\n", "y=3\n", "x=1\ny=3\n"),
        ("a.env", "X=1\nY=2\n", "Y=3\n", "X=1\nY=3\n"),
        ("a.ini", "[s]\nx=1\n", "[s]\ny=2\n", "[s]\nx=1\ny=2\n"),
        ("a.toml", "x = 1\n", "y = 2\n", "x = 1\ny = 2\n"),
        ("a.yaml", "x: 1\n", "y: 2\n", "x: 1\ny: 2\n"),
        ("a.yml", "x: 1\n", "y: 2\n", "x: 1\ny: 2\n"),
        ("a.json", '{"x": 1}', '{"y": 2}', '{"x": 1, "y": 2}'),
        (".env", "X=1\n", "Y=2\n", "X=1\nY=2\n"),
        ("a.txt", "x=1\n", "y=2\n", "y=2\n"),
        ("properties", "x=1\n", "y=2\n", "y=2\n"),
        ("a.properties.tmpl", "x=1\n", "y=2\n", "y=2\n"),
    ],
)
def test_the_ending_of_the_key_tells_the_format(name: str, base: str, patch: str, after: str) -> None:
    """Other texts are replaced."""
    assert merged(config({name: base}), config({name: patch})) == {name: after}


def test_three_layers_merge_one_after_the_other() -> None:
    """Keys of all of them are there, the last one wins."""
    patches = [config({"a.properties": text}) for text in ("b=low\nc=low\n", "c=top\n")]
    assert merged(config({"a.properties": "a=base\nb=base\nc=base\n"}), *patches) == {
        "a.properties": "a=base\nb=low\nc=top\n"
    }


@pytest.mark.parametrize(
    ("annotation", "kept"),
    [("a.properties", "b"), (" b.properties , a.properties ", ""), ("*", ""), ("other", "ab"), ("", "ab")],
)
def test_the_annotation_replaces_whole_texts(annotation: str, kept: str) -> None:
    """Keys are listed with commas; `*` stands for all."""
    base = config({f"{name}.properties": "x=1\ny=1\n" for name in "ab"})
    patch = config({f"{name}.properties": "x=2\n" for name in "ab"}, **{"envcompile.dev/replace": annotation})
    found = merged(base, patch)
    assert {name for name in "ab" if "y=1" in found[f"{name}.properties"]} == set(kept)


def test_without_merging_texts_are_values_like_any_other() -> None:
    """That is what kustomize does."""
    assert merged(config({"a.yaml": "x: 1"}), config({"a.yaml": "y: ["}), merge_texts=False) == {"a.yaml": "y: ["}


def test_null_removes_an_entry_and_an_entry_may_come_back() -> None:
    """A text is merged only with a text that is there."""
    base = config({"a.yaml": "x: 1\n", "b.yaml": "x: 1\n"})
    assert merged(base, config({"a.yaml": None})) == {"b.yaml": "x: 1\n"}
    assert merged(base, config({"a.yaml": None}), config({"a.yaml": "y: 2\n"})) == {
        "b.yaml": "x: 1\n",
        "a.yaml": "y: 2\n",
    }


@pytest.mark.parametrize("data", [None, {}, {"$patch": "delete"}, {"a.yaml": "x: 1\n"}])
def test_a_patch_without_another_text_is_an_ordinary_patch(data: Any) -> None:
    """Texts that are the same are not even parsed."""
    base = config({"a.yaml": "x: 1\n", "broken.yaml": "x: ["})
    found = composed([base], [config(data)])["ConfigMap/a"].value.get("data")
    assert found == {**base["data"], **(data or {})} if data is not None and "$patch" not in data else found is None


def test_binary_data_is_replaced() -> None:
    """Only `data` holds texts."""
    base = {**config({}), "binaryData": {"a.properties": "eA=="}}
    patch = {**config({}), "binaryData": {"a.properties": "eQ=="}}
    assert composed([base], [patch])["ConfigMap/a"].value["binaryData"] == {"a.properties": "eQ=="}


def test_a_custom_kind_called_configmap_is_none() -> None:
    """The rule is for the core API's ConfigMap."""
    base, patch = config({"a.properties": "x=1\n"}), config({"a.properties": "y=2\n"})
    base["apiVersion"] = patch["apiVersion"] = "example.com/v1"
    assert merged(base, patch) == {"a.properties": "y=2\n"}


@pytest.mark.parametrize("metadata", [None, [], {"annotations": []}, {"annotations": {"envcompile.dev/replace": 1}}])
def test_odd_metadata_asks_for_nothing(metadata: Any) -> None:
    """The shape is somebody else's business."""
    assert replaced_keys({"metadata": metadata}) == frozenset()


TEXT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata:\n  a.properties: |\n    x=1\n  a.yaml: {}\n"


@pytest.mark.parametrize(
    ("written", "line"),
    [
        ("|\n    x: 1\n    x: 2", 9),
        ("|-\n\n    x: 1\n    x: 2", 10),
        ('"x: 1\\nx: 2"', 7),
        (">\n    x: 1\n\n    x: 2", 7),
    ],
    ids=["literal", "literal after a blank line", "quoted", "folded"],
)
def test_the_place_of_a_bad_line(make_project: MakeProject, written: str, line: int) -> None:
    """The line inside the file where the text has lines of its own there, else the text's own place."""
    root = make_project({
        "base/app/a.yaml": TEXT.format("'x: 0'"),
        "overlays/prod/environment.yaml": environment(),
        "overlays/prod/a.yaml": TEXT.format(written),
    })
    message = complaint(root)
    assert message.splitlines()[1].startswith(f"  --> overlays/prod/a.yaml:{line}:")


@pytest.mark.parametrize(
    ("key", "written", "message"),
    [
        (
            "a.yaml",
            "|\n    x: 1\n    x: 2",
            "`a.yaml` does not parse: the key `x` is defined twice in one map, first on line 8",
        ),
        (
            "a.yaml",
            '"x: 1\\nx: 2"',
            "`a.yaml` does not parse, line 2 of its text: the key `x` is defined twice in one map, first on line 1",
        ),
        (
            "a.yaml",
            "|\n    m:\n        a: 1\n      b: 2",
            "`a.yaml` does not parse: the line does not fit into the map that begins on line 8",
        ),
        (
            "a.properties",
            "|\n\n    x=2\n    x=3",
            "`a.properties` cannot be merged: `x` is set twice, to different values: here and on line 9",
        ),
        (
            "a.json",
            '|\n    {"x": 1,\n    "x": 2}',
            "`a.json` does not parse: `x` is repeated; it stands on line 8 too",
        ),
        (
            "a.json",
            '\'{"x": 1, "x": 2}\'',
            "`a.json` does not parse, line 1 of its text: `x` is repeated; it stands on line 1 too",
        ),
    ],
)
def test_lines_in_the_words_of_a_message_are_those_of_the_file(
    make_project: MakeProject, key: str, written: str, message: str
) -> None:
    """Where the text has no lines of its own in the file, the message says that it counts inside of the text."""
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  # one\n"
    root = make_project({
        "base/app/a.yaml": f"{head}  a.properties: x=1\n  a.json: '{{}}'\n  a.yaml: 'x: 0'\n",
        "overlays/prod/environment.yaml": environment(),
        "overlays/prod/a.yaml": f"{head}  # two\n  {key}: {written}\n",
    })
    assert complaint(root).splitlines()[0] == f"error: {message}"


@pytest.mark.parametrize(
    ("key", "base", "overlay", "message"),
    [
        ("a.yaml", "{x: 1}", "[1]", "the whole text is a map in the base and a list here"),
        ("a.json", "[]", '{"x": 1}', "the whole text is a list in the base and a map here"),
        ("a.json", '{"x": {}}', '{"x": 1}', "`x` is a map in the base and a number here"),
        ("a.yaml", "x: 1", "y: 1\n---\nz: 2", "the text holds 2 YAML documents, which cannot be merged key by key"),
    ],
)
def test_texts_that_contradict_each_other_parse(key: str, base: str, overlay: str, message: str) -> None:
    """Nothing is wrong with either of them, so nobody is told that it does not parse."""
    with pytest.raises(EnvcError) as error:
        merged(config({key: base}), config({key: overlay}))
    assert str(error.value).splitlines()[0].startswith(f"error: `{key}` cannot be merged")
    assert str(error.value).splitlines()[0].endswith(f": {message}")


def test_lines_of_a_text_that_no_file_holds_are_counted_in_the_text(make_project: MakeProject) -> None:
    """The text of the layers below is the merge of several files."""
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  a.ini: |\n"
    root = make_project({
        "base/app/a.yaml": f"{head}    [s]\n    x = 1\n      y = 2\n",
        "overlays/low/a.yaml": f"{head}    z = 1\n",
        "overlays/prod/environment.yaml": environment("extends: [../low]\n"),
        "overlays/prod/a.yaml": f"{head}    [s]\n    x = 3\n",
    })
    assert complaint(root) == (
        "error: `a.ini` cannot be merged, line 4 of its text: "
        "`x` is overridden, and this line may continue its value or be a key of its own\n"
        "  --> overlays/low/a.yaml:5:10\n"
        "hint: indent it like `x` when it is a key"
    )


def test_a_bad_text_of_a_lower_layer_is_shown_there(make_project: MakeProject) -> None:
    """The layer that wrote the text, not the one that made it matter; jsonnet has no lines of its own."""
    root = make_project({
        "base/app/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
        "overlays/low/a.yaml": TEXT.format("|\n    x: ["),
        "overlays/prod/environment.yaml": environment("extends: [../low]\n"),
        "overlays/prod/a.yaml": TEXT.format("'x: 1'"),
        "base/app/b.jsonnet": "{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'b'}, data: {'b.json': '{'}}",
        "overlays/prod/b.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\ndata: {b.json: '{}'}\n",
    })
    places = [line for line in complaint(root).splitlines() if "-->" in line]
    assert places == ["  --> base/app/b.jsonnet:1:1", "  --> overlays/low/a.yaml:8:5"]


def test_a_text_of_a_kind_patch(make_project: MakeProject) -> None:
    """It merges like a document's, and its lines are found inside of `merge`."""
    patch = (
        "apiVersion: envcompile.dev/v1\nkind: Patch\ntarget: {{kind: ConfigMap}}\nmerge:\n  data:\n    a.yaml: |\n{}"
    )
    files = {
        "base/app/a.yaml": TEXT.format("|\n    x: 1\n    y: 1"),
        "overlays/prod/environment.yaml": environment(),
    }
    root = make_project({**files, "overlays/prod/p.yaml": patch.format("      y: 2\n")})
    assert value_of(root, "ConfigMap/a")["data"]["a.yaml"] == "x: 1\ny: 2\n"
    (root / "overlays/prod/p.yaml").write_text(patch.format("      y: 2\n      y: 3\n"))
    assert complaint(root).splitlines()[1] == "  --> overlays/prod/p.yaml:8:7"
