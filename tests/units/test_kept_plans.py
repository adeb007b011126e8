"""Plans that builds keep are those that a fresh look at the files makes, whatever was edited since."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from envcompile.sources import WorkingTree
from envcompile.units.project import Project
from tests.harness.command import run_envc
from tests.harness.repository import commit, deployment, write_files

if TYPE_CHECKING:
    from pathlib import Path

DEV = "apiVersion: envcompile.dev/v1\nkind: Environment\nnamespace: dev\n"
PATCH = (
    "kind: Patch\napiVersion: envcompile.dev/v1\ntarget: {kind: Deployment}\n"
    "merge: {metadata: {labels: {tier: LABEL}}}\n"
)
IMPORTING = "std.parseYaml(importstr '../../lib/map.yaml')"
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\ndata: {a: 'VALUE'}\n"
FILES = {
    "envc.yaml": "environments: [dev, prod]\n",
    "overlays/dev/environment.yaml": DEV,
    "overlays/prod/environment.yaml": DEV.replace("dev\n", "prod\n"),
    "overlays/prod/web.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}\n",
    "overlays/prod/patch.yaml": PATCH,
    "base/web/deployment.yaml": deployment(),
    "base/web/map.yaml": MAP.replace("NAME", "one"),
    "base/shop/deployment.yaml": deployment("shop"),
    "base/shop/imported.jsonnet": IMPORTING,
    "base/shop/values.yaml": MAP.replace("NAME", "values").replace("VALUE", "${{ params.size }}"),
    "lib/map.yaml": MAP.replace("NAME", "imported"),
}
for name in ("dev", "prod"):
    FILES[f"overlays/{name}/environment.yaml"] += "params: {size: small}\n"


@pytest.mark.parametrize(
    ("path", "before", "after", "holds"),
    [
        ("base/web/map.yaml", "VALUE", "other", True),
        ("base/web/deployment.yaml", "replicas: 1", "replicas: 2", True),
        ("overlays/prod/web.yaml", "replicas: 3", "replicas: 4", True),
        ("overlays/prod/patch.yaml", "LABEL", "front", True),
        ("base/web/map.yaml", "one", "two", False),
        ("base/web/map.yaml", "VALUE", "${{ params.size }}", False),
        ("base/web/map.yaml", "kind: ConfigMap", "kind: Secret", False),
        ("overlays/prod/patch.yaml", "kind: Deployment", "kind: ConfigMap", False),
        ("overlays/prod/environment.yaml", "small", "large", False),
        ("base/shop/values.yaml", "params.size", "params.size }}${{ params.size", False),
        ("lib/map.yaml", "VALUE", "other", False),
        ("envc.yaml", "[dev, prod]", "[prod, dev]", False),
    ],
)
def test_a_kept_plan_is_the_one_that_the_files_make(
    tmp_path: Path, path: str, before: str, after: str, *, holds: bool
) -> None:
    """Units, keys and all else of a plan are the same with and without what builds keep; values alone keep it."""
    root = write_files(tmp_path, FILES)
    assert run_envc(root, "build").code == 0
    text = (root / path).read_text()
    assert before in text
    (root / path).write_text(text.replace(before, after))
    known, fresh = Project.open(root), Project(WorkingTree(root))
    assert (known.kept is not None) is holds
    assert known.environments == fresh.environments
    for environment in fresh.environments:
        one, other = known.plan(environment), fresh.plan(environment)
        assert one._replace(sources=other.sources, api=other.api) == other
        assert one.joined_from == other.joined_from
        assert one.sources.settings == other.sources.settings
        assert one.sources.own_files == other.sources.own_files


def test_an_edit_after_an_edit_finds_what_the_last_build_kept(tmp_path: Path) -> None:
    """Each build of all environments keeps its plans for the next; a new or removed file is planned anew."""
    root = write_files(tmp_path, FILES)
    assert run_envc(root, "build").code == 0
    for number in ("7", "8"):
        write_files(root, {"base/web/deployment.yaml": deployment(replicas=int(number))})
        assert Project.open(root).kept is not None
        assert "1 changed" in run_envc(root, "build").err
        assert f"replicas: {number}" in (root / "environments/dev/web/deployment-web.yaml").read_text()
    write_files(root, {"base/web/new.yaml": MAP.replace("NAME", "new")})
    assert Project.open(root).kept is None
    assert "1 added" in run_envc(root, "build").err
    (root / "base/web/new.yaml").unlink()
    assert Project.open(root).kept is None
    assert "1 removed" in run_envc(root, "build").err


def test_what_an_edit_leaves_is_what_a_first_build_keeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what an edit touched is packed anew: records of the same files are the same bytes."""
    # Of files that changed a moment ago less is kept, and how long that lasts is a matter of the clock.
    monkeypatch.setattr("envcompile.seentimes.GRANULARITY_NS", 0)
    monkeypatch.setattr("envcompile.seentimes.FINE_NS", 0)
    root = write_files(tmp_path / "edited", FILES)
    assert run_envc(root, "build").code == 0
    edits = {
        "base/web/deployment.yaml": deployment(replicas=7),
        "overlays/prod/web.yaml": FILES["overlays/prod/web.yaml"],
    }
    edits["overlays/prod/web.yaml"] = edits["overlays/prod/web.yaml"].replace("3", "4")
    write_files(root, edits)
    assert Project.open(root).kept is not None
    assert run_envc(root, "build").code == 0
    for name in ("inputs", "of-dev", "of-prod", "project"):
        file = root / ".envc/units" / f"built-{name}"
        assert file.is_file()
        file.rename(file.with_suffix(".kept"))
    (root / ".envc/cache").rename(root / ".envc/before")
    assert run_envc(root, "build").code == 0
    for name in ("inputs", "of-dev", "of-prod", "project"):
        file = root / ".envc/units" / f"built-{name}"
        assert file.read_bytes() == file.with_suffix(".kept").read_bytes()


def test_questions_between_builds_leave_alone_what_is_kept(tmp_path: Path) -> None:
    """However often a file is edited and asked about before the next build, the plans of the last one hold."""
    root = write_files(tmp_path, FILES)
    assert run_envc(root, "build").code == 0
    for number, words in enumerate((("explain", "dev", "Deployment/web"), ("build", "dev"), ("build", "--check")), 7):
        write_files(root, {"base/web/deployment.yaml": deployment(replicas=number)})
        run_envc(root, *words)
        assert Project.open(root).kept is not None


def test_a_damaged_plan_is_made_anew(tmp_path: Path) -> None:
    """What is kept may be lost or damaged at any time."""
    root = write_files(tmp_path, FILES)
    assert run_envc(root, "build").code == 0
    expected = Project(WorkingTree(root)).plan("prod").units
    file = root / ".envc/units/built-of-prod"
    file.write_bytes(file.read_bytes().replace(b"base/web", b"base/WEB"))
    assert Project.open(root).plan("prod").units == expected
    file.unlink()
    assert Project.open(root).plan("prod").units == expected


@pytest.mark.parametrize("folder", ["defs", "base/defs"])
@pytest.mark.parametrize("lost", ["built-of-dev", "built-inputs", "built-project", "scans"])
def test_a_folder_of_definitions_is_no_file_of_a_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, lost: str
) -> None:
    """`crds:` may name a folder, however old it is and whatever of the memo is gone."""
    crd = (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets.example.com}\n"
        "spec:\n  group: example.com\n  names: {kind: Widget, plural: widgets}\n  scope: Namespaced\n"
        "  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]\n"
    )
    plain = {path: text for path, text in FILES.items() if not path.startswith(("lib/", "base/shop/imported"))}
    root = write_files(tmp_path, {**plain, "envc.yaml": f"crds: [{folder}]\n", f"{folder}/widget.yaml": crd})
    commit(root)
    for times in ("GRANULARITY_NS", "FINE_NS"):
        monkeypatch.setattr(f"envcompile.seentimes.{times}", -(10**15))  # all is old enough to be sure of
    for _ in range(2):
        outcome = run_envc(root, "build")
        assert (outcome.code, outcome.err.count("error")) == (0, 0), outcome.err
        (root / ".envc/units" / lost).unlink(missing_ok=True)
        shutil.rmtree(root / "environments")
