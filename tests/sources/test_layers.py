"""How overlays extend each other, and the settings that come out."""

from __future__ import annotations

import subprocess
import sys
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcompile.model import Location
from envcompile.sources import WorkingTree, read_project
from envcompile.sources.layers import overlaid
from envcompile.values import same
from tests.harness.command import PACKAGE_ROOT
from tests.harness.repository import config_map, environment, write_files
from tests.sources.messages import CONFIG_MAP, ENVIRONMENT, blocks, complaint, read

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sources.conftest import Write


def extending(*names: str) -> str:
    """An environment.yaml that extends the named folders."""
    return f"{ENVIRONMENT}extends: [{', '.join(f'../{name}' for name in names)}]\n"


def test_extended_folders_lie_below_in_order(write: Write) -> None:
    """The first extended folder is the lowest, the environment itself the highest."""
    root = write({
        "overlays/prod/environment.yaml": extending("eu", "big"),
        "overlays/eu/environment.yaml": f"{extending('shared')}abstract: true\n",
        "overlays/big/a.yaml": CONFIG_MAP,
        "overlays/shared/environment.yaml": f"{ENVIRONMENT}abstract: true\n",
    })
    project = read_project(WorkingTree(root))
    assert project.environments == ("prod",)
    assert project.layers == {"prod": ("shared", "eu", "big", "prod")}
    layers = read(root)["prod"].layers
    assert [layer.name for layer in layers] == [
        "base",
        "overlays/shared",
        "overlays/eu",
        "overlays/big",
        "overlays/prod",
    ]


def test_a_diamond_is_laid_once(write: Write) -> None:
    """What two extended folders share lies where the first of them needs it."""
    root = write({
        "overlays/top/environment.yaml": extending("left", "right"),
        "overlays/left/environment.yaml": extending("low"),
        "overlays/right/environment.yaml": extending("other", "low"),
        "overlays/low/environment.yaml": ENVIRONMENT,
        "overlays/other/environment.yaml": ENVIRONMENT,
    })
    assert read_project(WorkingTree(root)).layers["top"] == ("low", "left", "other", "right", "top")


def test_two_hundred_environments_in_a_chain(write: Write) -> None:
    """Depth is no problem; each environment says one thing and inherits the rest."""
    files = {
        f"overlays/e{at:03}/environment.yaml": (
            f"{extending(f'e{at - 1:03}') if at else ENVIRONMENT}labels: {{l{at}: x}}\nnamespace: n{at}\n"
        )
        for at in range(200)
    }
    environments = read(write(files))
    last = environments["e199"]
    assert len(last.layers) == 201
    assert len(last.settings.labels) == 200
    assert last.settings.namespace == "n199"
    assert last.where(("labels", "l7")) == Location("overlays/e007/environment.yaml", 4, 14)


def test_circles_are_told_once_each_with_every_place(write: Write) -> None:
    """An environment that leads into a circle adds no second message."""
    root = write({
        "overlays/a/environment.yaml": extending("b"),
        "overlays/b/environment.yaml": extending("c"),
        "overlays/c/environment.yaml": f"{ENVIRONMENT}extends:\n- ../d\n- ../a\n",
        "overlays/d/environment.yaml": extending("d"),
        "overlays/e/environment.yaml": extending("c"),
    })
    assert complaint(root) == (
        "error: overlays extend each other in a circle: a -> b -> c -> a\n"
        "  --> overlays/a/environment.yaml:3:11\n"
        "  --> overlays/b/environment.yaml:3:11\n"
        "  --> overlays/c/environment.yaml:5:3\n"
        "hint: take one of these `extends` out\n"
        "\n"
        "error: the overlay `d` extends itself\n"
        "  --> overlays/d/environment.yaml:3:11\n"
        "hint: take one of these `extends` out"
    )


def test_a_long_ladder_above_a_circle_ends(write: Write) -> None:
    """Every folder is walked once, however many ways lead to it."""
    files = {"overlays/l0/environment.yaml": extending("l0")}
    for at in range(1, 40):
        files[f"overlays/l{at}/environment.yaml"] = extending(f"l{at - 1}", f"r{at}")
        files[f"overlays/r{at}/environment.yaml"] = extending(f"l{at - 1}")
    assert blocks(complaint(write(files)))[0].startswith("error: the overlay `l0` extends itself\n")


def test_paths_that_lead_to_no_overlay(write: Write) -> None:
    """Each wrong path has its own mend."""
    paths = ["../nonprd", "nonprod", "../../base", "../prod/sub", "/abs", "../../../x", "overlays/nonprod"]
    root = write({
        "overlays/prod/environment.yaml": f"{ENVIRONMENT}extends:\n" + "".join(f"- {path}\n" for path in paths),
        "overlays/nonprod/environment.yaml": ENVIRONMENT,
    })
    own_folder = "paths start at this environment's own folder: write `../<folder>`"
    no_folder = "which is no folder directly below overlays/"
    told = [
        ("../nonprd`, but there is no folder overlays/nonprd", "did you mean `../nonprod` or `../prod`?"),
        (f"nonprod`, {no_folder}", "did you mean `../nonprod`?"),
        ("../../base`, which is no overlay", "take it out: base/ is under every environment"),
        (f"../prod/sub`, {no_folder}", own_folder),
        (f"/abs`, {no_folder}", own_folder),
        (f"../../../x`, {no_folder}", own_folder),
        (f"overlays/nonprod`, {no_folder}", "did you mean `../nonprod`?"),
    ]
    assert blocks(complaint(root)) == [
        f"error: `extends` names `{what}\n  --> overlays/prod/environment.yaml:{line}:3\nhint: {fix}"
        for line, (what, fix) in enumerate(told, start=4)
    ]


LOW = """\
apiVersion: envcompile.dev/v1
kind: Environment
abstract: true
namespace: low
labels: {tier: low, low: "1"}
params: {db: {host: low, port: 5432}, list: [1, 2]}
images:
- {name: api, newTag: v1}
- {name: web, digest: "sha256:00000000000000000000000000000000"}
owners: ["@low"]
exclude: [{kind: Job}]
sealing: {scope: cluster-wide, certificate: low.pem}
syncWaves: true
"""
HIGH = """\
apiVersion: envcompile.dev/v1
kind: Environment
extends: [../low]
labels: {tier: high}
params: {db: {host: high}, list: [3]}
images:
- {name: web, newTag: v2}
- {name: new, newName: other}
owners: ["@high", "@low"]
exclude: [{kind: Job}, {name: debug-*}]
sealing: {controllerName: sealer}
rollout: checksum
"""


def test_settings_merge_from_the_lowest_layer_up(write: Write) -> None:
    """Scalars override, maps merge by key, images by name, lists of exclusions and owners add up."""
    environment = read(write({"overlays/low/environment.yaml": LOW, "overlays/high/environment.yaml": HIGH}))["high"]
    settings = environment.settings
    assert not settings.abstract
    assert settings.extends == ("../low",)
    assert settings.namespace == "low"
    assert settings.labels == {"tier": "high", "low": "1"}
    assert settings.params == {"db": {"host": "high", "port": 5432}, "list": [3]}
    assert [(image.name, image.new_tag, image.digest, image.new_name) for image in settings.images] == [
        ("api", "v1", None, None),
        ("web", "v2", None, None),
        ("new", None, None, "other"),
    ]
    assert settings.owners == ("@low", "@high")
    assert [(item.kind, item.name) for item in settings.exclude] == [("Job", "*"), ("*", "debug-*")]
    assert settings.sealing is not None
    assert (settings.sealing.scope, settings.sealing.controller_name) == ("cluster-wide", "sealer")
    assert (settings.rollout, settings.sync_waves) == ("checksum", True)
    assert environment.certificate == "overlays/low/low.pem"


def test_every_setting_knows_where_it_was_said(write: Write) -> None:
    """Messages point at the layer that set the value, also inside of merged maps and lists."""
    where = read(write({"overlays/low/environment.yaml": LOW, "overlays/high/environment.yaml": HIGH}))["high"].where
    low, high = "overlays/low/environment.yaml", "overlays/high/environment.yaml"
    assert where(("namespace",)) == Location(low, 4, 12)
    assert where(("labels", "low")) == Location(low, 5, 26)
    assert where(("labels", "tier")) == Location(high, 4, 16)
    assert where(("labels",)) == Location(high, 4, 9)
    assert where(("params", "db", "port")) == Location(low, 6, 32)
    assert where(("params", "db", "host")) == Location(high, 5, 21)
    assert where(("params", "list", 0)) == Location(high, 5, 35)
    assert where(("images", 0, "newTag")) == Location(low, 8, 23)
    assert where(("images", 1, "newTag")) == Location(high, 7, 23)
    assert where(("images", 2)) == Location(high, 8, 3)
    assert where(("owners", 1)) == Location(high, 9, 10)
    assert where(("exclude", 0, "kind")) == Location(low, 11, 18)
    assert where(("exclude", 1)) == Location(high, 10, 24)
    assert where(("extends", 0)) == Location(high, 3, 11)
    for nothing in (
        (),
        ("abstract",),
        ("cluster",),
        ("labels", "none"),
        ("images", 1, "digest"),
        ("params", "list", 1),
    ):
        assert where(nothing) is None


def test_the_certificate_is_the_nearest_one(write: Write) -> None:
    """Without a setting, the environment's own file is taken before an extended folder's."""
    root = write({
        "overlays/low/environment.yaml": f"{ENVIRONMENT}abstract: true\n",
        "overlays/low/sealed-secrets.pem": "",
        "overlays/a/environment.yaml": extending("low"),
        "overlays/b/environment.yaml": extending("low"),
        "overlays/b/sealed-secrets.pem": "",
        "overlays/c/environment.yaml": ENVIRONMENT,
    })
    environments = read(root)
    assert {name: environment.certificate for name, environment in environments.items()} == {
        "a": "overlays/low/sealed-secrets.pem",
        "b": "overlays/b/sealed-secrets.pem",
        "c": "overlays/c/sealed-secrets.pem",
    }
    assert "overlays/low/sealed-secrets.pem" in environments["a"].dependencies


def test_a_certificate_outside_of_the_project_is_an_error(write: Write) -> None:
    """The certificate is a source like every other file."""
    root = write({"overlays/prod/environment.yaml": f"{ENVIRONMENT}sealing: {{certificate: /etc/cert.pem}}\n"})
    assert complaint(root) == (
        "error: `sealing.certificate` is `/etc/cert.pem`, which leaves the project\n"
        "  --> overlays/prod/environment.yaml:3:24\n"
        "hint: copy the certificate into the overlay's folder: it is public and made to be committed"
    )


def test_settings_may_use_parameters_of_any_layer(write: Write) -> None:
    """A shared layer can be written once and filled in by each environment."""
    root = write({
        "overlays/low/environment.yaml": (
            f"{ENVIRONMENT}abstract: true\nnamespace: shop-${{{{ params.stage }}}}\nparams: {{stage: none}}\n"
        ),
        "overlays/prod/environment.yaml": f"{extending('low')}params: {{stage: prod}}\n",
    })
    assert read(root)["prod"].settings.namespace == "shop-prod"
    write({"overlays/prod/environment.yaml": f"{ENVIRONMENT}namespace: ${{{{ params.stag }}}}\nparams: {{stage: x}}\n"})
    assert complaint(root) == (
        "error: there is no parameter `stag`\n  --> overlays/prod/environment.yaml:3:12\nhint: did you mean `stage`?"
    )


TYPED = """\
replicas: {web: "${{ params.count }}", api: "${{ params.db.size }}"}
labels: {team: "${{ params.team }}"}
forceNamespace: ${{ params.forced }}
images: ${{ params.images }}
exclude: ["${{ params.left_out }}"]
sealing: {scope: "${{ params.scope }}", fingerprint: "sha256:${{ params.digits }}"}
kubernetesVersion: "1.${{ params.minor }}"
rollout: ${{ params.rollout }}
params:
  count: 3
  db: {size: 5}
  team: shop
  forced: true
  images: [{name: web, newTag: v1}, {name: api, newTag: v2}]
  left_out: {kind: Job}
  scope: cluster-wide
  digits: "0000000000000000000000000000000000000000000000000000000000000000"
  minor: 34
  rollout: reloader
"""


def test_a_setting_of_any_type_may_be_a_parameter(write: Write) -> None:
    """A string that is nothing but one parameter takes its type; formats are checked once parameters are put in."""
    settings = read(write({"overlays/prod/environment.yaml": ENVIRONMENT + TYPED}))["prod"].settings
    assert settings.replicas == {"web": 3, "api": 5}
    assert settings.labels == {"team": "shop"}
    assert settings.force_namespace
    assert [(image.name, image.new_tag) for image in settings.images] == [("web", "v1"), ("api", "v2")]
    assert [item.kind for item in settings.exclude] == ["Job"]
    assert settings.sealing is not None
    assert (settings.sealing.scope, settings.sealing.fingerprint) == ("cluster-wide", f"sha256:{'0' * 64}")
    assert (settings.kubernetes_version, settings.rollout) == ("1.34", "reloader")


def test_a_setting_below_a_parameter_is_where_the_parameter_stands(write: Write) -> None:
    """In the file there is nothing deeper to point at."""
    where = read(write({"overlays/prod/environment.yaml": ENVIRONMENT + TYPED}))["prod"].where
    file = "overlays/prod/environment.yaml"
    assert where(("replicas", "web")) == Location(file, 3, 17)
    assert where(("images", 1, "newTag")) == Location(file, 6, 1)
    assert where(("exclude", 0, "kind")) == Location(file, 7, 11)
    assert where(("images", 2)) is None


def test_a_parameter_of_the_wrong_type_is_named(write: Write) -> None:
    """With the place where it is used, the place that gives it its value, and all else that is wrong."""
    root = write({
        "overlays/low/environment.yaml": (
            f'{ENVIRONMENT}abstract: true\nreplicas: {{web: "${{{{ params.count }}}}"}}\n'
            "labels: {a: 1, b: '${{ params.count }}'}\n"
        ),
        "overlays/prod/environment.yaml": f"{extending('low')}params: {{count: many}}\n",
    })
    assert complaint(root) == (
        "error: `replicas.web` is a string, but has to be a whole number\n"
        "  --> overlays/low/environment.yaml:4:17\n"
        "  --> overlays/prod/environment.yaml:4:17\n"
        "hint: correct the parameter `count`, or: write the number without quotes\n"
        "\n"
        "error: `labels.a` is a whole number, but has to be a string\n"
        "  --> overlays/low/environment.yaml:5:13\n"
        "hint: put the value in quotes: YAML reads it as something other than text without them"
    )
    write({"overlays/low/environment.yaml": f"{ENVIRONMENT}kubernetesVersion: 1.${{{{ params.count }}}}\n"})
    assert complaint(root, "prod") == (
        "error: `kubernetesVersion` is `1.many`, which is no minor version\n"
        "  --> overlays/low/environment.yaml:3:20\n"
        "  --> overlays/prod/environment.yaml:4:17\n"
        'hint: correct the parameter `count`, or: write it as "1.35"'
    )


def test_a_mistake_inside_of_a_parameter_names_it(write: Write) -> None:
    """The setting's key is the place; what is wrong stands where the parameter is defined."""
    text = f"{ENVIRONMENT}images: ${{{{ params.images }}}}\nparams:\n  images: [{{name: a, newTga: b}}]\n"
    assert complaint(write({"overlays/prod/environment.yaml": text})) == (
        "error: unknown key `newTga` in `images[0]`\n"
        "  --> overlays/prod/environment.yaml:3:1\n"
        "  --> overlays/prod/environment.yaml:5:11\n"
        "hint: correct the parameter `images`, or: did you mean `newTag` or `newName`?"
    )


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ("abstract: ${{ params.a }}", "`abstract` is a string, but has to be true or false"),
        ("kind: ${{ params.a }}", "`kind` is `${{ params.a }}`, but has to be Environment"),
        ("params: ${{ params.a }}", "`params` is a string, but has to be a map"),
        ("extends: ['${{ params.a }}']", "`extends` names `${{ params.a }}`, which is no folder directly below"),
    ],
)
def test_what_the_parameters_depend_on_takes_none(write: Write, settings: str, what: str) -> None:
    """Which overlays there are decides which parameters there are."""
    text = "".join(line for line in ENVIRONMENT.splitlines(keepends=True) if line[:5] != settings[:5])
    assert complaint(write({"overlays/prod/environment.yaml": f"{text}{settings}\n"})).startswith(f"error: {what}")


# What layers of settings came to before a library merged them: the result may never differ from it.
def _reference(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        if key in {"exclude", "owners"}:
            items = merged[key] = list(merged.get(key, ()))
            for item in value:
                if item not in items:
                    items.append(item)
        elif key == "images":
            images = {image["name"]: image for image in merged.get(key, [])}
            for image in value:
                kept = dict(images.get(image["name"], {}))
                if image.get("newTag") is not None:
                    kept.pop("digest", None)
                if image.get("digest") is not None:
                    kept.pop("newTag", None)
                images[image["name"]] = {**kept, **image}
            merged[key] = list(images.values())
        else:
            merged[key] = _reference_map(merged.get(key), value)
    return merged


def _reference_map(below: Any, above: Any) -> Any:
    if type(below) is dict and type(above) is dict:
        return {**below, **{key: _reference_map(below.get(key), value) for key, value in above.items()}}
    return above


def _layers() -> st.SearchStrategy[dict[str, Any]]:
    """Settings of one layer: lists that are united, images, and anything else at any depth."""
    names = st.sampled_from(["a", "b", "c"])
    images = st.fixed_dictionaries(
        {"name": names}, optional={"newTag": st.sampled_from(["1", "2", None]), "digest": st.sampled_from(["x", None])}
    )
    values = st.recursive(
        st.sampled_from([None, True, 1, "x", "y"]),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "images", "owners"]), inner),
        max_leaves=6,
    )
    return st.fixed_dictionaries(
        {},
        optional={
            "exclude": st.lists(names | st.dictionaries(names, names, max_size=2), max_size=4),
            "owners": st.lists(names, max_size=4),
            "images": st.lists(images, max_size=4),
            "params": st.dictionaries(names, values, max_size=3),
            "replicas": values,
            "labels": values,
        },
    )


@given(st.lists(_layers(), min_size=1, max_size=4))
def test_layers_of_settings_come_to_what_they_always_did(layers: list[dict[str, Any]]) -> None:
    """Values, their types and the order of keys; and no layer is changed by what is laid over it."""
    before = deepcopy(layers)
    below: dict[str, Any] = {}
    expected: dict[str, Any] = {}
    for layer in layers:
        earlier = deepcopy(below)
        found = overlaid(below, layer)
        expected = _reference(expected, layer)
        assert same(below, earlier)
        assert same(found, expected)
        assert [*found] == [*expected]
        below = found
    assert same(layers, before)


def test_one_layer_alone_needs_no_library(tmp_path: Path) -> None:
    """A project whose environments extend nothing starts as fast as it did."""
    files = {"base/a.yaml": config_map(), "overlays/prod/environment.yaml": environment("params: {a: b}\n")}
    write_files(tmp_path, files)
    program = "import sys; from envcompile import Project; Project.open(sys.argv[1]).compile('prod')"
    check = f"{program}; assert 'deepmerge' not in sys.modules"
    subprocess.run([sys.executable, "-c", check, tmp_path], check=True, env={"PYTHONPATH": str(PACKAGE_ROOT)})
