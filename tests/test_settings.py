"""The models of the settings files and the JSON Schemas made from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import msgspec
import pytest

from envcompile import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = get_args(settings.SchemaName)


def objects_of(schema: Any) -> Iterator[dict[str, Any]]:
    """Every part of a schema that describes the fields of a settings object."""
    if isinstance(schema, dict):
        if "properties" in schema:
            yield schema
        for part in schema.values():
            yield from objects_of(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from objects_of(part)


@pytest.mark.parametrize("name", NAMES)
def test_every_field_of_a_schema_is_described_and_no_other_is_allowed(name: settings.SchemaName) -> None:
    """Editors show the docstrings, and refuse what envc refuses."""
    schema = settings.json_schema(name)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    described = list(objects_of(schema))
    assert described
    for part in described:
        assert part["additionalProperties"] is False
        assert part["title"]
        assert part["description"]
        for field in part["properties"].values():
            assert field["description"]


def test_schemas_accept_what_the_models_read() -> None:
    """A schema and its model agree on a valid file, an unknown key, a wrong type and a missing key."""
    jsonschema_rs = pytest.importorskip("jsonschema_rs", reason="the schema validator is not installed")
    validator = jsonschema_rs.Draft202012Validator(settings.json_schema("environment"))
    head = {"apiVersion": "envcompile.dev/v1", "kind": "Environment"}
    samples: list[tuple[dict[str, Any], bool]] = [
        ({**head}, True),
        ({**head, "images": [{"name": "a", "newTag": "1"}], "sealing": {"scope": "strict"}}, True),
        ({**head, "params": {"deep": {"list": [1]}}, "replicas": {"a": 2}}, True),
        ({**head, "namespce": "x"}, False),
        ({**head, "images": [{"name": "a", "newTga": "1"}]}, False),
        ({**head, "labels": {"a": 1}}, False),
        ({**head, "rollout": "sometimes"}, False),
        ({"kind": "Environment"}, False),
    ]
    for value, valid in samples:
        assert validator.is_valid(value) is valid
        if valid:
            msgspec.convert(value, settings.Environment)
        else:
            with pytest.raises(msgspec.ValidationError):
                msgspec.convert(value, settings.Environment)


def test_schema_titles_are_the_files_names() -> None:
    """The title is what a person looks for."""
    assert [settings.json_schema(name)["title"] for name in NAMES] == [
        "envc.yaml",
        "environment.yaml",
        "Patch",
        "Generate",
    ]


def test_every_key_of_the_project_has_a_default() -> None:
    """`envc.yaml` is optional."""
    project = settings.Project()
    assert project.kubernetes_version == settings.DEFAULT_KUBERNETES_VERSION
    assert (project.merge_semantics, project.config_merge) == (1, "merge")


def test_settings_cannot_be_changed() -> None:
    """One environment's settings cannot leak into another's."""
    environment = settings.Environment(api_version="envcompile.dev/v1", kind="Environment")
    with pytest.raises(AttributeError):
        environment.namespace = "x"  # type: ignore[misc]
