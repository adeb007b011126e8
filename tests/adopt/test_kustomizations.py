"""Which kustomizations are environments, and what is said when they cannot be rendered."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from envcompile.adopt import from_kustomize
from envcompile.adopt.kustomization_files import find_kustomizations
from envcompile.adopt.kustomizations import read_kustomizations
from envcompile.adopt.kustomize import own_words
from envcompile.adopt.roots import choose_environments
from envcompile.errors import EnvcError, UnavailableError, UsageError

if TYPE_CHECKING:
    from tests.adopt.conftest import Write

BASE = "resources: [web.yaml]\n"
OVERLAY = "resources: [../../base]\n"

# Prints the object that a kustomization names in a comment, as the real program would print what it makes.
FAKE = """\
#!/bin/sh
[ "$1" = "{word}" ] || exit 9
folder="$2"
if grep -q broken "$folder/kustomization.yaml"; then
  echo "Error: accumulating resources: no such file" >&2
  exit 1
fi
sed -n 's/^# //p' "$folder/kustomization.yaml"
"""


def chosen(source: Path) -> dict[str, list[str]]:
    """The folders to render for each environment."""
    return choose_environments(find_kustomizations(source))[0]


def notes(source: Path) -> list[str]:
    """What is said about the choice."""
    return choose_environments(find_kustomizations(source))[1]


def test_folders_below_overlays_are_environments(write: Write) -> None:
    """The usual layout, with something beside it that no overlay uses."""
    source = write({
        "base/kustomization.yaml": BASE,
        "overlays/dev/kustomization.yaml": OVERLAY,
        "overlays/prod/kustomization.yml": OVERLAY,
        "tools/Kustomization": BASE,
    })
    assert chosen(source) == {"dev": ["overlays/dev"], "prod": ["overlays/prod"]}
    assert notes(source) == ["left out, because no overlay uses them: tools"]


def test_overlays_of_several_applications_are_joined_by_name(write: Write) -> None:
    """An environment is everything that is called so."""
    source = write({
        f"{app}/{folder}/kustomization.yaml": OVERLAY if "/" in folder else BASE
        for app in ("a", "b")
        for folder in ("base", "overlays/prod")
    })
    assert chosen(source) == {"prod": ["a/overlays/prod", "b/overlays/prod"]}


def test_nested_overlays_are_environments_when_nothing_above_them_is(write: Write) -> None:
    """A folder of overlays that is no kustomization itself gives their names a first part."""
    source = write({
        "base/kustomization.yaml": BASE,
        "overlays/prod/eu/kustomization.yaml": "resources: [../../../base]\n",
        "overlays/prod/us/kustomization.yaml": "resources: [../../../base]\n",
    })
    assert chosen(source) == {"prod-eu": ["overlays/prod/eu"], "prod-us": ["overlays/prod/us"]}


def test_without_overlays_names_of_folders_tell_the_environments(write: Write) -> None:
    """Components are none, and neither are Flux's own Kustomizations."""
    source = write({
        "apps/base/kustomization.yaml": BASE,
        "apps/dev/kustomization.yaml": "resources: [../base]\ncomponents: [../extra]\n",
        "apps/prod/kustomization.yaml": "bases: [../base/]\n",
        "apps/extra/kustomization.yaml": "kind: Component\n",
        "clusters/kustomization.yaml": "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\n",
    })
    assert chosen(source) == {"dev": ["apps/dev"], "prod": ["apps/prod"]}
    assert notes(source) == [
        "there is no overlays/ folder: names of folders tell the environments: dev is apps/dev; prod is apps/prod"
    ]


def test_stages_join_what_several_folders_hold(write: Write) -> None:
    """`web/dev` and `api/dev` are one environment; where no name is a stage, each unused kustomization is one."""
    names = ("web/dev", "web/prod", "api/dev", "api/prod")
    source = write({f"{name}/kustomization.yaml": BASE for name in names})
    assert chosen(source) == {"dev": ["api/dev", "web/dev"], "prod": ["api/prod", "web/prod"]}
    for name in names:
        (source / name / "kustomization.yaml").unlink()
    source = write({f"{name}/kustomization.yaml": BASE for name in ("blue", "green")})
    assert chosen(source) == {"blue": ["blue"], "green": ["green"]}
    assert notes(source) == [
        "there is no overlays/ folder: environments are the kustomizations that no other one uses: blue, green"
    ]


def test_a_single_kustomization_is_one_environment(write: Write) -> None:
    """A folder that is a kustomization itself."""
    source = write({"kustomization.yaml": BASE})
    assert chosen(source) == {"default": ["."]}


def install(name: str, word: str) -> None:
    """Put a program on PATH that behaves as far as these tests need it."""
    folder = Path("bin").absolute()
    folder.mkdir(exist_ok=True)
    program = folder / name
    program.write_text(FAKE.format(word=word), encoding="utf-8")
    program.chmod(0o755)
    os.environ["PATH"] = f"{folder}:/usr/bin:/bin"


RENDERED = """\
# apiVersion: v1
# kind: ConfigMap
# metadata: {{name: web, namespace: {0}}}
# data: {{stage: {0}}}
"""


@pytest.mark.parametrize(("name", "word"), [("kustomize", "build"), ("kubectl", "kustomize")])
def test_what_the_program_prints_is_brought_over(write: Write, name: str, word: str) -> None:
    """Either program will do."""
    source = write({f"overlays/{env}/kustomization.yaml": RENDERED.format(env) for env in ("dev", "prod")})
    install(name, word)
    adoption = from_kustomize(source, Path("new"))
    assert adoption.is_equal
    assert [(each.name, each.origin, each.objects) for each in adoption.environments] == [
        ("dev", "overlays/dev", 1),
        ("prod", "overlays/prod", 1),
    ]
    assert Path("new/overlays/prod/environment.yaml").read_text(encoding="utf-8").endswith("namespace: prod\n")


def test_a_failing_build_is_reported_in_the_programs_words(write: Write) -> None:
    """All overlays are tried, and every failure is told."""
    source = write({
        "overlays/dev/kustomization.yaml": RENDERED.format("dev"),
        "overlays/prod/kustomization.yaml": "resources: [broken]\n",
    })
    install("kustomize", "build")
    with pytest.raises(EnvcError) as caught:
        read_kustomizations(source)
    assert str(caught.value) == (
        "error: `kustomize build old/overlays/prod` fails\n"
        "  --> old/overlays/prod/kustomization.yaml:1:1\n"
        "      Error: accumulating resources: no such file\n"
        "hint: mend the kustomization until `kustomize build old/overlays/prod` succeeds; "
        "`--skip-broken` or `--skip GLOB` leaves it out"
    )


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ("Error: no such file\n", ["Error: no such file"]),
        (
            'E1130 17:29:45.272711    9596 run.go:72] "command failed" err="path \\"x\\" is no file\\nat all"\n',
            ['path "x" is no file', "at all"],
        ),
        (
            'E1130 17:30:04.275211   10194 run.go:72] "command failed" err=<\n\tno host\n\t: exit 1\n >\n',
            ["no host", ": exit 1"],
        ),
    ],
)
def test_kubectl_says_what_is_wrong_without_the_stamp_of_its_log(told: str, words: list[str]) -> None:
    """A person reads the reason, no time, process and line of a program."""
    assert own_words(told) == words


def test_an_overlay_without_objects_is_left_out(write: Write) -> None:
    """Nothing to build is no environment."""
    source = write({
        "overlays/dev/kustomization.yaml": "resources: []\n",
        "overlays/prod/kustomization.yaml": RENDERED.format("prod"),
    })
    install("kustomize", "build")
    found = read_kustomizations(source)
    assert [environment.name for environment in found.environments] == ["prod"]
    assert found.notes == ("left out, because it holds no objects: overlays/dev",)


def test_without_a_program_the_message_says_where_to_get_one(write: Write) -> None:
    """Something outside is unavailable: exit code 4."""
    source = write({"kustomization.yaml": BASE})
    Path("bin").mkdir()
    os.environ["PATH"] = str(Path("bin").absolute())
    with pytest.raises(UnavailableError) as caught:
        read_kustomizations(source)
    assert caught.value.exit_code == 4
    assert str(caught.value) == (
        "error: neither `kustomize` nor `kubectl` is on PATH, and kustomizations can only be read by rendering them\n"
        "hint: install kustomize (https://kubectl.docs.kubernetes.io/installation/kustomize/), or render each overlay "
        "elsewhere into DIR/<environment>.yaml and use --from-manifests DIR"
    )


def test_a_folder_without_kustomizations_is_sent_to_the_other_option(write: Write) -> None:
    """Plain manifests come in the other way."""
    source = write({"web.yaml": "kind: Service\n"})
    with pytest.raises(EnvcError) as caught:
        read_kustomizations(source)
    assert str(caught.value) == (
        "error: `old` holds no kustomization\n"
        "hint: name the folder above base/ and overlays/; plain manifests come in with --from-manifests, "
        "charts with --from-helm"
    )


def test_a_missing_folder_is_a_usage_error(tmp_path: Path) -> None:
    """A slip in the path is said before anything else."""
    with pytest.raises(UsageError):
        read_kustomizations(tmp_path / "old")
