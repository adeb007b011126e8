"""The first repository builds as it is written, and nothing of others is overwritten."""

import json
from pathlib import Path

import pytest

from envcompile.actions.build import build
from envcompile.adopt import scaffold
from envcompile.errors import EnvcError
from envcompile.units.project import Project


def test_scaffold_builds_without_a_warning(tmp_path: Path) -> None:
    """A new repository compiles in every environment, in promotion order, and its environments differ."""
    scaffold(tmp_path / "shop")
    project = Project.open(tmp_path / "shop")
    results = build(project, [])
    assert [(result.environment, result.resources, result.warnings) for result in results] == [
        ("dev", 3, ()),
        ("staging", 3, ()),
        ("prod", 3, ()),
    ]
    prod = {resource.id.kind: resource.value for resource in project.compile("prod").resources}
    assert prod["ConfigMap"]["data"]["app.properties"] == (
        "greeting=Hello from hello.example.com\nlog.level=warn\ncache.seconds=300\n"
    )
    assert prod["Deployment"]["spec"]["replicas"] == 3
    assert prod["Deployment"]["spec"]["template"]["spec"]["containers"][0]["resources"] == {
        "requests": {"cpu": "200m", "memory": "128Mi"},
        "limits": {"memory": "256Mi"},
    }


def test_scaffold_lists_exactly_what_it_wrote(tmp_path: Path) -> None:
    """The list of files is complete."""
    written = scaffold(tmp_path)
    assert sorted(written) == sorted(path for path in tmp_path.rglob("*") if path.is_file())


def test_editors_find_the_schema_of_every_settings_file(tmp_path: Path) -> None:
    """The first line of each settings file leads to a JSON Schema that was written, too."""
    scaffold(tmp_path)
    for path in (tmp_path / "envc.yaml", *tmp_path.glob("overlays/*/environment.yaml")):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        schema = path.parent / first.removeprefix("# yaml-language-server: $schema=")
        assert json.loads(schema.read_text(encoding="utf-8"))["type"] == "object"


def test_scaffold_refuses_to_overwrite_and_writes_nothing(tmp_path: Path) -> None:
    """One file in the way is enough to leave the folder as it is."""
    (tmp_path / "base" / "hello").mkdir(parents=True)
    (tmp_path / "base" / "hello" / "service.yaml").write_text("mine\n", encoding="utf-8")
    with pytest.raises(EnvcError) as caught:
        scaffold(tmp_path)
    assert str(caught.value) == (
        "error: these files exist already, and envc never overwrites them: base/hello/service.yaml\n"
        "hint: choose another name or folder, or move them away"
    )
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / "base" / "hello" / "service.yaml"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, ".envc/\n"),
        ("*.log", "*.log\n.envc/\n"),
        ("*.log\n", "*.log\n.envc/\n"),
        (".envc/\n", ".envc/\n"),
        (".envc\n*.log\n", ".envc\n*.log\n"),
    ],
    ids=["none", "no-line-break", "others", "there", "there-without-slash"],
)
def test_git_ignores_the_cache_and_what_it_ignored_before(tmp_path: Path, before: str | None, after: str) -> None:
    """An existing .gitignore gets one line more, unless it has it."""
    if before is not None:
        (tmp_path / ".gitignore").write_text(before, encoding="utf-8")
    scaffold(tmp_path)
    assert (tmp_path / ".gitignore").read_text(encoding="utf-8") == after
