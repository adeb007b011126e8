"""What the API server refuses is named at its field, and what it takes is never called an error."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from envcompile.check.api.book import TABLES, full_name, read_book
from envcompile.check.api.formats import FORMS
from envcompile.check.api.patterns import bad_pattern
from envcompile.check.api.refusal import Place
from envcompile.check.api.sure import surely_right
from envcompile.check.api.validators import VALIDATORS
from envcompile.check.schema import complaints, look_in_full
from envcompile.kubernetes import load, supported_versions
from tests.check.api.samples import FOLDER, VALID, put, refused

API = load("1.37")
REFUSED = list(refused())
FRAGMENTS: list[tuple[str, dict[str, Any], str]] = [
    tuple(entry) for entry in yaml.safe_load((FOLDER / "fragments.yaml").read_text(encoding="utf-8"))
]
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def errors_of(value: Any, version: str = "1.37") -> dict[str, str]:
    """Field -> what is wrong, errors only."""
    return {
        ".".join(map(str, found.pointer)): found.what
        for found in complaints(load(version), value)
        if found.severity == "error"
    }


def _said(name: str, value: dict[str, Any]) -> dict[str, str]:
    place = Place("", "", "v1", {}, (), 37, is_namespaced=True)
    found = (said for validator in VALIDATORS[full_name(name)] for said in validator(value, place))
    return {".".join(map(str, pointer)): what for pointer, what in found}


@pytest.mark.parametrize("version", supported_versions())
@pytest.mark.parametrize("name", VALID)
def test_valid_objects_give_no_errors(name: str, version: str) -> None:
    """In every version that serves them."""
    value = VALID[name]
    group, _, served = value["apiVersion"].rpartition("/")
    if served in load(version).versions(group, value["kind"]):
        assert complaints(load(version), value) == []


@pytest.mark.parametrize("sample", REFUSED, ids=[sample.id for sample in REFUSED])
def test_what_is_refused_is_named_at_its_field(sample: Any) -> None:
    """One wrong field, one error there."""
    assert sample.at in errors_of(sample.value)


@pytest.mark.parametrize(("name", "value", "at"), FRAGMENTS, ids=[entry[0] for entry in FRAGMENTS])
def test_a_validator_names_the_field_of_its_type(name: str, value: dict[str, Any], at: str) -> None:
    """Types that stand in few kinds."""
    assert at in _said(name, value)


def test_every_module_of_validators_has_samples() -> None:
    """A module that no sample reaches would be believed without proof."""
    reached: set[str] = set()

    def noted(validators: Any, value: dict[str, Any], place: Place) -> None:
        for validator in validators:
            if any(True for _ in validator(value, place)):
                reached.add(validator.__module__)

    place = Place("", "", "v1", {}, (), 37, is_namespaced=True)
    for name, value, _ in FRAGMENTS:
        noted(VALIDATORS[full_name(name)], value, place)
    for sample in REFUSED:
        group, _, version = sample.value["apiVersion"].rpartition("/")
        kind = sample.value["kind"]
        for part, node in _parts(sample.value, API.node(group, version, kind)):
            noted(
                VALIDATORS.get(node.name, ()),
                part,
                Place(group, kind, version, sample.value, (), 37, is_namespaced=True),
            )
    assert {validator.__module__ for validators in VALIDATORS.values() for validator in validators} == reached


def _parts(value: Any, node: Any) -> Any:
    if node is None:
        return
    if isinstance(value, dict):
        if node.name:
            yield value, node
        for key, inner in value.items():
            yield from _parts(inner, node.child(key))
    elif isinstance(value, list):
        for inner in value:
            yield from _parts(inner, node.items)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_object_gives_a_traceback(data: st.DataObject) -> None:
    """Anything may stand anywhere: it is called wrong, or passed over."""
    value = copy.deepcopy(VALID[data.draw(st.sampled_from(sorted(VALID)))])
    paths = [path for path in _paths(value) if path]
    put(value, data.draw(st.sampled_from(paths)), data.draw(JUNK))
    for found in complaints(API, value):
        assert found.what


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_the_quick_way_calls_nothing_right_that_is_refused(data: st.DataObject) -> None:
    """Whatever stands anywhere: what it is sure of, the full look finds nothing wrong with."""
    value = copy.deepcopy(VALID[data.draw(st.sampled_from(sorted(VALID)))])
    paths = [path for path in _paths(value) if path]
    put(value, data.draw(st.sampled_from(paths)), data.draw(JUNK))
    if surely_right(API, value):
        assert look_in_full(API, value) == []


def test_the_quick_way_is_taken_for_most_of_what_is_right() -> None:
    """Else it would cost without use."""
    sure = [name for name, value in VALID.items() if surely_right(API, value)]
    assert len(sure) > 0.6 * len(VALID)


def _paths(value: Any, before: str = "") -> list[str]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [before]
    for key, inner in items:
        if "." not in str(key):
            found += _paths(inner, f"{before}.{key}".lstrip("."))
    return found


@pytest.mark.parametrize("version", supported_versions())
def test_the_tables_can_be_read_for_every_version(version: str) -> None:
    """Each word is a form that there is."""
    assert read_book(int(version.split(".")[1]))


def test_every_entry_of_the_tables_says_where_it_comes_from() -> None:
    """A function of Kubernetes' validation code."""
    for file in TABLES.glob("*.json"):
        if file.stem in {"enums", "names"}:
            continue
        table = yaml.safe_load(file.read_text(encoding="utf-8"))
        assert table["source"]
        for name, entry in table.get("types", table).items():
            assert name == "source" or entry["@"], (file.name, name)


def test_forms_pass_over_values_of_another_type() -> None:
    """That is said where types are checked, once."""
    for form in FORMS.values():
        for value in (None, {}, object()):
            form(value, "1")


def test_versions_differ_where_the_server_does() -> None:
    """A kind, a field and a value that came later."""
    value = copy.deepcopy(VALID["claim-of-device"])
    assert "apiVersion" in errors_of(value, "1.31")
    assert not errors_of(value, "1.35")
    service = copy.deepcopy(VALID["service"])
    service["metadata"]["name"] = "1web"
    assert "metadata.name" in errors_of(service, "1.35")
    assert not errors_of(service, "1.37")


def test_a_null_in_a_list_is_an_empty_item() -> None:
    """The API server decodes it so; what the item lacks is missing."""
    value = copy.deepcopy(VALID["deployment"])
    value["spec"]["template"]["spec"]["containers"].append(None)
    assert errors_of(value)["spec.template.spec.containers.1.name"]


@pytest.mark.parametrize(("number", "becomes"), [(5_000_000_000, 705_032_704), (2**32, 0), (2**33 + 7, 7), (2**63, 0)])
def test_a_number_that_does_not_fit_is_a_warning(number: int, becomes: int) -> None:
    """A create refuses it, an apply cuts it off: what it becomes is told."""
    value = copy.deepcopy(VALID["deployment"])
    value["spec"]["minReadySeconds"] = number
    assert errors_of(value).keys() <= {"spec.progressDeadlineSeconds"}
    [found] = [one for one in complaints(API, value) if one.pointer == ("spec", "minReadySeconds")]
    assert found.severity == "warning"
    assert f"it becomes {becomes}" in found.what


@pytest.mark.parametrize(("field", "number"), [("spec.replicas", 3_000_000_000), ("spec.minReadySeconds", 2**31)])
def test_a_number_that_does_not_fit_is_not_called_negative_for_what_it_becomes(field: str, number: int) -> None:
    """Neither a create nor an apply takes it: said is first that it does not fit."""
    value = copy.deepcopy(VALID["deployment"])
    put(value, field, number)
    assert "does not fit into 32 bits" in errors_of(value)[field]


@pytest.mark.parametrize("pattern", ["^[*+]$", "[]*+]", r"\[?", "[(?=]", "^(?:[()*+,;]|[%][0-9a-f]{2})+$"])
def test_a_sign_in_a_class_of_characters_repeats_nothing(pattern: str) -> None:
    """Go takes such a pattern; Gateway API's definitions have one."""
    assert bad_pattern(pattern) is None


@pytest.mark.parametrize("pattern", ["a**", "(?=a)", "[a]*+", r"[\1]", "[a]{2}+"])
def test_a_pattern_that_go_does_not_take_is_bad(pattern: str) -> None:
    """Also beside a class of characters."""
    assert bad_pattern(pattern)


def test_what_a_strict_server_passes_over_is_no_error() -> None:
    """A field below `items` that schemas do not have, an owner that stands twice, a claim's source that is dropped."""
    value = copy.deepcopy(VALID["definition"])
    size = {"type": "array", "items": {"type": "object", "required": [], "unheard": 1}}
    value["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["size"] = size
    assert not [field for field in errors_of(value) if "unheard" in field]
    owned = copy.deepcopy(VALID["config"])
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "1", "controller": True}
    owned["metadata"]["ownerReferences"] = [owner, dict(owner)]
    assert errors_of(owned) == {}
    claim = copy.deepcopy(VALID["claim"])
    claim["spec"]["dataSource"] = {"apiGroup": "a b", "kind": "Copy", "name": "one"}
    assert errors_of(claim) == {}


@pytest.mark.parametrize(
    ("name", "field", "content", "since"),
    [
        ("deployment", "spec.template.spec.containers.0.restartPolicy", "Sometimes", 35),
        ("policy", "spec.ingress.0.from.0.ipBlock.cidr", "10.0.0.1/8", 36),
        ("priority", "value", None, 38),
    ],
)
def test_an_older_version_does_not_refuse_what_came_later(name: str, field: str, content: Any, since: int) -> None:
    """As kube-apiserver answers when it emulates that version; nor what only older documents call required."""
    value = copy.deepcopy(VALID[name])
    put(value, field, content)
    for minor in range(34, 38):
        assert (field in errors_of(value, f"1.{minor}")) is (minor >= since)
