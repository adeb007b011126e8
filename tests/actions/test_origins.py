"""Everything in an environment explained and blamed in one pass: the same answers as one question a field."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from envcompile.actions.blame import blame_fields
from envcompile.actions.explain import explain_field
from envcompile.actions.origins import Layer, environment_origins
from envcompile.actions.past import open_past
from envcompile.errors import UsageError
from envcompile.kubernetes.fieldpath import format_field
from envcompile.units.project import Project
from tests.harness.repository import config_map, deployment, environment, write_files
from tests.history.conftest import folder

if TYPE_CHECKING:
    from envcompile.actions.origins import EnvironmentOrigins, Origin, ResourceOrigins
    from tests.history.conftest import Folder

__all__ = ["folder"]

SHOP = Path(__file__).parents[2]


def named(found: EnvironmentOrigins) -> dict[str, ResourceOrigins]:
    """Resources by KIND/NAME."""
    return {one.id.short.lower(): one for one in found.resources}


def origin(found: EnvironmentOrigins, resource: str, field: str) -> Origin:
    """One field."""
    return next(one for one in named(found)[resource].fields if one.field == field)


def asked(folder: Folder, name: str = "prod") -> EnvironmentOrigins:
    """The environment with its history."""
    with closing(open_past(folder.root)) as past:
        return environment_origins(Project.open(folder.root), name, past)


def test_the_shop_at_once_is_the_shop_field_by_field() -> None:
    """Value, says and winner of every field are what `envc explain` says of each resource; without history no since."""
    project = Project.open(SHOP)
    found = environment_origins(project, "prod")
    assert len(found.resources) > 80
    assert found.unknown == "no history is recorded"
    for one in found.resources:
        identity = one.id
        kind = f"{identity.kind}.{identity.group}" if identity.group else identity.kind
        where = f"{identity.namespace}/" if identity.namespace else ""
        single = explain_field(project, "prod", f"{kind}/{where}{identity.name}", "")
        fields = {field.field: field for field in one.fields if not field.key}
        assert list(fields) == [field.field for field in single.fields]
        for field in single.fields:
            together = fields[field.field]
            assert together.since is None
            assert not together.is_uncommitted
            if together.value != "<redacted>":
                assert (together.value, together.says) == (field.value, field.says)
                places = [say.place for say in field.says]
                assert together.place == (places[-1] if places else None) or together.place == places[0]


def test_layers_are_called_as_people_call_them() -> None:
    """The folder's name, `settings` for an environment.yaml, `derived` for what envc computes."""
    found = environment_origins(Project.open(SHOP), "prod")
    container = "spec.template.spec.containers[name=user-service]"
    cpu = origin(found, "deployment/user-service", f"{container}.resources.requests.cpu")
    assert (cpu.value, cpu.layer, [say.value for say in cpu.overridden]) == ("500m", Layer("prod", "own"), ["200m"])
    assert origin(found, "deployment/user-service", f"{container}.image").layer == Layer("settings", "settings")
    assert origin(found, "deployment/user-service", f"{container}.name").layer == Layer("base", "base")
    derived = [
        field
        for one in found.resources
        for field in one.fields
        if field.layer.kind == "derived" and one.id.kind != "SealedSecret"
    ]
    assert {format_field(field.path[:2]) for field in derived} <= {"metadata.annotations", "spec.template"}
    dev = environment_origins(Project.open(SHOP), "dev")
    assert {field.layer.name for one in dev.resources for field in one.fields if field.layer.kind == "shared"} == {
        "nonprod"
    }


def test_keys_of_configuration_texts_are_fields() -> None:
    """Each with its own layer and line, and what an overlay's key overrides."""
    found = environment_origins(Project.open(SHOP), "prod")
    size = origin(
        found,
        "configmap/user-service-config",
        r"data.app\.properties#spring.datasource.hikari.maximum-pool-size",
    )
    assert (size.value, size.layer.name) == ("50", "prod")
    assert size.place is not None
    line = (SHOP / size.place.file).read_text(encoding="utf-8").splitlines()[size.place.line - 1]
    assert "maximum-pool-size=50" in line
    assert [str(say.value) for say in size.overridden] == ["20"]


def test_all_keys_of_a_text_are_explained_at_once() -> None:
    """`FIELD#` is every key, `FIELD#a` what is below it; each as when it is asked for alone."""
    project = Project.open(SHOP)
    every = explain_field(project, "prod", "configmap/user-service-config", r"data.app\.properties#").fields
    assert len(every) > 5
    for field in every:
        (single,) = explain_field(project, "prod", "configmap/user-service-config", field.field).fields
        assert single == field
    below = explain_field(project, "prod", "configmap/user-service-config", r"data.app\.properties#spring").fields
    assert below
    assert [field for field in every if "#spring." in field.field] == list(below)


def test_nothing_secret_is_among_the_origins(tmp_path: Path) -> None:
    """Neither what a Secret holds, nor ciphertext, nor what a layer wrote before it was sealed."""
    root = write_files(
        tmp_path / "project",
        {
            "base/secret.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: open}\nstringData: {a: hunter2}\n",
            "base/sealed.yaml": "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: sealed}\n"
            "spec: {encryptedData: {b: AgCiphertext}, template: {metadata: {name: sealed}}}\n",
            "overlays/prod/environment.yaml": environment("secretBackend: plaintext\nnamespace: p\n"),
            "overlays/prod/secret.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: open}\n"
            "stringData: {a: hunter3}\n",
        },
    )
    found = environment_origins(Project.open(root), "prod")
    assert origin(found, "secret/open", "stringData.a").value == "<redacted>"
    assert origin(found, "sealedsecret/sealed", "spec.encryptedData.b").value == "<redacted>"
    assert str(origin(found, "secret/open", "stringData.a").place) == "overlays/prod/secret.yaml:4:17"
    for word in ("hunter2", "hunter3", "AgCiphertext"):
        assert word not in repr(found)


def test_blame_at_once_is_blame_of_each_resource(folder: Folder) -> None:
    """Through merges, moves between environments' names, and keys of texts."""
    text = "a.b=1\na.c=2\n"
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: texts}\ndata:\n  app.properties: |\n"
    body = config + "".join(f"    {line}\n" for line in text.splitlines())
    folder.commit("start", base__texts=body)
    folder.git("checkout", "-q", "-b", "side")
    side = folder.commit("on the side", base__web=deployment(replicas=5))
    folder.git("checkout", "-q", "main")
    key = folder.commit("a key", base__texts=body.replace("a.c=2", "a.c=3"))
    folder.git("merge", "-q", "--no-edit", "--no-verify", "side")
    folder.git("mv", "overlays/prod", "overlays/live")
    folder.commit("another name")
    folder.commit("size", base__settings=config_map(color="blue", size="large"))
    folder.record()
    found = asked(folder, "live")
    assert origin(found, "deployment/web", "spec.replicas").since is not None
    assert getattr(origin(found, "deployment/web", "spec.replicas").since, "commit", "") == side
    changed = origin(found, "configmap/texts", r"data.app\.properties#a.c").since
    assert changed is not None
    assert (changed.commit, changed.old) == (key, '"2"')
    assert found.commits[key].message.strip() == "a key"
    with closing(open_past(folder.root)) as past:
        for one in found.resources:
            fields = {field.field: field for field in one.fields}
            _, single = blame_fields(past, "live", one.id.short, "")
            if one.id.name == "texts":
                single += blame_fields(past, "live", one.id.short, r"data.app\.properties#")[1]
            assert single
            for blamed in single:
                since = fields[blamed.field].since
                assert since is not None, blamed.field
                assert since == (blamed.commit, blamed.how, blamed.old, blamed.or_before)


def test_what_is_not_committed_has_no_since(folder: Folder) -> None:
    """The history tells of the commit; a value that is another one now is nobody's yet."""
    folder.commit("start")
    folder.record()
    folder.write(base__web=deployment(replicas=7), base__new=config_map("new", a="b"))
    found = asked(folder)
    replicas = origin(found, "deployment/web", "spec.replicas")
    assert (replicas.value, replicas.is_uncommitted, replicas.since) == (7, True, None)
    assert origin(found, "configmap/new", "data.a").is_uncommitted
    image = origin(found, "deployment/web", "spec.template.spec.containers[name=web].image")
    assert image.since is not None
    assert not image.is_uncommitted


def test_a_commit_that_is_not_recorded_is_said_so(folder: Folder) -> None:
    """Not guessed from the one before."""
    folder.commit("start")
    folder.record()
    commit = folder.commit("more", base__web=deployment(replicas=2))
    found = asked(folder)
    assert found.unknown == f"commit {commit[:12]} is not recorded"
    assert found.commit == ""
    assert all(field.since is None and not field.is_uncommitted for one in found.resources for field in one.fields)


def test_an_environment_that_is_none_is_refused(folder: Folder) -> None:
    """With a message, as everywhere."""
    with pytest.raises(UsageError, match="nowhere"):
        environment_origins(Project.open(folder.root), "nowhere")
