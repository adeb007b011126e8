"""`kind: Generate` makes ConfigMaps and Secrets of files, env files and literals, as kustomize's generators do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from envcompile.cli import main
from envcompile.errors import EnvcError
from envcompile.units.project import Project
from tests.harness.command import run_envc
from tests.harness.repository import environment, write_files
from tests.units.test_suffix import WEB, project

if TYPE_CHECKING:
    from pathlib import Path

GENERATE = """\
apiVersion: envcompile.dev/v1
kind: Generate
metadata: {name: settings}
configMap:
  literals: [A=1, 'B="two"', "C=x=y"]
  files: [app.txt, other=../files/raw.bin]
  envs: [vars.env]
options:
  labels: {team: blue}
  immutable: true
"""
FILES = {
    "base/web/generate.yaml": GENERATE,
    "base/web/app.txt": "hello ${{ params.nobody }}\n",
    "base/files/raw.bin": "plain",
    "base/web/vars.env": "# a comment\n\n  D=4 \nE\nF=${X}\n",
}


def made(folder: Path, files: dict[str, str], settings: str = "") -> dict[str, Any]:
    """The only ConfigMap or Secret of prod."""
    found = project(folder, files, settings).compile("prod").resources
    (value,) = [each.value for each in found if each.id.kind in {"ConfigMap", "Secret"}]
    return value


def test_a_config_map_is_made_of_files_literals_and_env_files(tmp_path: Path) -> None:
    """Contents of files are taken as they are: no parameter is filled in, no environment variable is read."""
    assert made(tmp_path, FILES) == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings", "labels": {"team": "blue"}, "namespace": "shop"},
        "immutable": True,
        "data": {
            "A": "1",
            "B": "two",
            "C": "x=y",
            "D": "4 ",
            "E": "",
            "F": "${X}",
            "app.txt": "hello ${{ params.nobody }}\n",
            "other": "plain",
        },
    }


def test_bytes_that_are_no_text_are_binary_data(tmp_path: Path) -> None:
    """Base64, broken into lines as kustomize breaks it."""
    (tmp_path / "base/web").mkdir(parents=True)
    (tmp_path / "base/web/app.txt").write_bytes(b"\xff" * 60)
    text = GENERATE.replace("files: [app.txt, other=../files/raw.bin]\n", "files: [app.txt]\n").replace(
        "  envs: [vars.env]\n", ""
    )
    value = made(tmp_path, {"base/web/generate.yaml": text})
    assert value["binaryData"] == {"app.txt": "/" * 70 + "\n" + "/" * 10 + "\n"}
    assert set(value["data"]) == {"A", "B", "C"}


def test_an_edit_of_an_input_reaches_the_output(tmp_path: Path) -> None:
    """The files are inputs like any other: a build, a check and `affected` see the change."""
    project(tmp_path, FILES, "")
    at = ["--project", str(tmp_path)]
    assert main([*at, "build"]) == 0
    assert main([*at, "build", "--check"]) == 0
    (tmp_path / "base/web/vars.env").write_text("D=5\n", encoding="utf-8")
    assert main([*at, "build", "--check"]) == 16
    assert main([*at, "build"]) == 0
    assert Project.open(tmp_path).compile("prod").resources[0].value["data"]["D"] == "5"
    (output,) = (tmp_path / "environments/prod").rglob("configmap-settings.yaml")
    assert 'D: "5"' in output.read_text(encoding="utf-8")
    (tmp_path / "base/web/generate.yaml").write_text(GENERATE.replace("A=1", "A=2"), encoding="utf-8")
    assert main([*at, "build"]) == 0
    assert 'A: "2"' in output.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("behavior", "data"), [("merge", {"A": "2", "B": "two", "Z": "9"}), ("replace", {"A": "2", "Z": "9"})]
)
def test_an_overlay_lays_its_entries_over_or_in_the_place_of_the_base(
    tmp_path: Path, behavior: str, data: dict[str, str]
) -> None:
    """As kustomize's `behavior` says."""
    head = "apiVersion: envcompile.dev/v1\nkind: Generate\nmetadata: {name: settings}\n"
    files = {
        "base/web/generate.yaml": f"{head}configMap: {{literals: [A=1, B=two]}}\n",
        "overlays/prod/generate.yaml": f"{head}behavior: {behavior}\nconfigMap: {{literals: [A=2, Z=9]}}\n",
    }
    assert made(tmp_path, files)["data"] == data


@pytest.mark.parametrize("behavior", ["merge", "replace"])
@pytest.mark.parametrize("annotations", ["", "  annotations: {note: x}\n"])
def test_an_overlay_takes_away_the_suffix_and_that_nobody_may_change_it(
    tmp_path: Path, behavior: str, annotations: str
) -> None:
    """As kustomize does: names and options of an environment are what its own generator says."""
    head = "apiVersion: envcompile.dev/v1\nkind: Generate\nmetadata: {name: settings}\nconfigMap: {literals: [A=1]}\n"
    options = "options:\n  immutable: false\n  disableNameSuffixHash: true\n"
    over = f"{head}behavior: {behavior}\n{options}"
    base = f"{head}options:\n  immutable: true\n{annotations}"
    value = made(tmp_path, {"base/web/g.yaml": base, "overlays/prod/g.yaml": over}, "rollout: suffix\n")
    assert "immutable" not in value
    assert value["metadata"]["name"] == "settings"
    assert value["metadata"].get("annotations") == ({"note": "x"} if annotations else None)


def test_an_overlay_with_nothing_below_has_nothing_to_take_away(tmp_path: Path) -> None:
    """No null comes out."""
    text = (
        "apiVersion: envcompile.dev/v1\nkind: Generate\nmetadata: {name: settings}\nconfigMap: {literals: [A=1]}\n"
        "options: {immutable: false, disableNameSuffixHash: true}\n"
    )
    assert made(tmp_path, {"overlays/prod/g.yaml": text}, "rollout: suffix\n") == {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "settings", "namespace": "shop"},
        "data": {"A": "1"},
    }


def test_generated_names_take_a_suffix_where_the_environment_wants_it(tmp_path: Path) -> None:
    """`disableNameSuffixHash` is kustomize's option; other overlays patch the short name."""
    files = {**FILES, "base/web/web.yaml": WEB}
    found = project(tmp_path, files, "rollout: suffix\n").compile("prod").resources
    (config,) = [each for each in found if each.id.kind == "ConfigMap"]
    (web,) = [each for each in found if each.id.kind == "Deployment"]
    assert config.id.name.startswith("settings-")
    container = web.value["spec"]["template"]["spec"]["containers"][0]
    assert container["envFrom"][0]["configMapRef"]["name"] == config.id.name
    fixed = GENERATE.replace("  immutable: true\n", "  disableNameSuffixHash: true\n")
    (tmp_path / "base/web/generate.yaml").write_text(fixed, encoding="utf-8")
    assert "ConfigMap/settings" in {each.id.short for each in Project.open(tmp_path).compile("prod").resources}


SECRET = "apiVersion: envcompile.dev/v1\nkind: Generate\nmetadata: {name: login}\nsecret: {literals: [%s], type: x/y}\n"


def test_a_secret_in_clear_is_refused_and_a_reference_is_sealed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The rules are those of a Secret that somebody writes; its value is in no message."""
    project(tmp_path, {"base/web/s.yaml": SECRET % "password=hunter2"})
    assert main(["--project", str(tmp_path), "build"]) == 1
    told = capsys.readouterr().err
    assert "base/web/s.yaml:1:1" in told
    assert "hunter2" not in told
    assert "aHVudGVyMg" not in told
    project(tmp_path, {"base/web/s.yaml": SECRET % "password=ref+env://PASSWORD"})
    assert main(["--project", str(tmp_path), "build"]) == 1
    assert "envc secrets seal" in capsys.readouterr().err
    value = made(tmp_path, {"base/web/s.yaml": SECRET % "password=hunter2"}, "secretBackend: plaintext\n")
    assert (value["type"], value["data"]) == ("x/y", {"password": "aHVudGVyMg=="})


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("[vars.env]", "[gone.env]", "cannot read `base/web/gone.env`"),
        ("[vars.env]", "[../../../x]", "`../../../x` leads out of the project"),
        ("[vars.env]", "[/etc/passwd]", "`/etc/passwd` leads out of the project"),
        ("A=1", "A", "`A` is not KEY=value"),
        ("A=1", "'A B=1'", "`A B` cannot be a key of a ConfigMap"),
        ("A=1", "C=1", "the key `C` is there twice"),
        ("app.txt,", "a=b=c,", "`a=b=c` is not KEY=path"),
        ("configMap:", "secret: {}\nconfigMap:", "a Generate makes either a ConfigMap or a Secret"),
        ("configMap:", "behavior: replace\nconfigMap:", "`behavior: replace` in base has nothing to replace"),
        ("literals", "litterals", "unknown key `litterals`"),
    ],
)
def test_mistakes_are_told_at_their_place(tmp_path: Path, old: str, new: str, what: str) -> None:
    """Each names the line of the Generate."""
    files = {**FILES, "base/web/generate.yaml": GENERATE.replace(old, new)}
    with pytest.raises(EnvcError) as caught:
        project(tmp_path, files).compile("prod")
    (problem,) = [problem for problem in caught.value.problems if what in problem.what]
    assert problem.where[0].file == "base/web/generate.yaml"
    assert problem.fix


def test_a_line_without_a_name_is_told_by_its_number(tmp_path: Path) -> None:
    """The env file is named, and what it says is not shown."""
    files = {**FILES, "base/web/vars.env": "A1=1\n=hidden\n"}
    with pytest.raises(EnvcError) as caught:
        project(tmp_path, files).compile("prod")
    assert "line 2 of `vars.env` has no name of a variable before its `=`" in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_a_patch_that_jsonnet_makes_need_not_name_what_it_reaches(tmp_path: Path) -> None:
    """It is generated, too, and has no metadata of its own."""
    files = {
        "base/web/web.yaml": WEB,
        "overlays/prod/more.jsonnet": (
            "{apiVersion: 'envcompile.dev/v1', kind: 'Patch', metadata: {name: 'more'}, target: {kind: 'Deployment'},"
            " merge: {spec: {minReadySeconds: 3}}}"
        ),
    }
    (web,) = [each for each in project(tmp_path, files, "").compile("prod").resources if each.id.kind == "Deployment"]
    assert web.value["spec"]["minReadySeconds"] == 3


@pytest.mark.parametrize("field", ["configMap", "secret"])
def test_more_than_an_api_server_takes_is_refused_before_it_is_made(tmp_path: Path, field: str) -> None:
    """Two files, or one that is named thousands of times: the error is at the entry with which it is too much."""
    half = b"\xff" * 524_288
    text = "apiVersion: envcompile.dev/v1\nkind: Generate\nmetadata: {{name: large}}\n{0}:\n  files:\n{1}"
    names = "".join(f"  - k{number}=../../files/half\n" for number in range(5_000))
    files: dict[str, str | bytes] = {
        "overlays/prod/environment.yaml": environment("secretBackend: plaintext\n"),
        "files/half": half,
    }
    write_files(tmp_path, {**files, "base/web/generate.yaml": text.format(field, names)})
    done = run_envc(tmp_path, "build")
    assert done.code == 1
    assert "would hold more than 1 MiB, which no API server takes\n  --> base/web/generate.yaml:8:" in done.err
    (tmp_path / "base/web/generate.yaml").write_text(text.format(field, "".join(names.splitlines(keepends=True)[:2])))
    assert run_envc(tmp_path, "build").code == 0
