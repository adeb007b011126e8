"""`envc promote` carries settings from one environment to the next, and touches no other byte of the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness.command import run_envc
from tests.harness.repository import config_map, deployment, environment, read_files

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

SHA = "sha256:" + "1" * 64
STAGING = f"""\
apiVersion: envcompile.dev/v1
kind: Environment
namespace: staging
images:
- {{name: web, newTag: "2.0"}}
- {{name: api, newTag: "2.1", newName: mirror/api}}
- {{name: pin, digest: "{SHA}"}}
replicas: {{web: 2}}
params:
  domain: staging.example.com
  feature: "on"
"""
PROD = """\
# prod: ask before you touch
apiVersion: envcompile.dev/v1
kind: Environment
namespace: production   # never change
images:

# the front end
- name: web
  newTag: '1.9'   # blessed by QA
- {name: pin, newTag: "1"}   # written on one line
replicas:
    web:   5
params:
  domain: example.com   # public


# the end
"""
PROMOTED = f"""\
# prod: ask before you touch
apiVersion: envcompile.dev/v1
kind: Environment
namespace: production   # never change
images:

# the front end
- name: web
  newTag: "2.0"   # blessed by QA
- {{name: pin, digest: "{SHA}"}}   # written on one line
- name: api
  newName: mirror/api
  newTag: "2.1"
replicas:
    web:   5
params:
  domain: example.com   # public
  feature: "on"


# the end
"""
PATH = "overlays/prod/environment.yaml"
FILES = {
    "envc.yaml": "environments: [staging, prod]\n",
    **{f"base/{name}/deployment.yaml": deployment(name, image=f"{name}:0") for name in ("web", "api", "pin")},
    "base/web/config.yaml": config_map(url="https://${{ params.domain }}/"),
    "overlays/staging/environment.yaml": STAGING,
    PATH: PROD,
}
CHANGES = f"""\
~ Deployment.apps/api (namespace production)
    spec.template.spec.containers[name=api].image: api:0 -> mirror/api:2.1
~ Deployment.apps/pin (namespace production)
    spec.template.spec.containers[name=pin].image: pin:1 -> pin@{SHA}
~ Deployment.apps/web (namespace production)
    spec.template.spec.containers[name=web].image: web:1.9 -> web:2.0
"""
CARRIED = f"""\
images[web]: web:1.9 -> web:2.0
images[api]: (not set) -> mirror/api:2.1
images[pin]: pin:1 -> pin@{SHA}
params.feature: (not set) -> on
"""


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    """Staging is ahead of prod."""
    return make_project(FILES)


def test_images_and_missing_parameters_move(project: Path) -> None:
    """Comments, quotes, blank lines and the order of everything else stay byte for byte."""
    outcome = run_envc(project, "promote", "staging", "prod")
    assert outcome.out == CHANGES
    assert outcome.err == f"{CARRIED}{PATH} is edited; `envc build prod` writes the result\n"
    assert outcome.code == 0
    assert (project / PATH).read_text() == PROMOTED
    assert not list((project / "overlays/prod").glob(".*"))
    again = run_envc(project, "promote", "staging", "prod")
    assert (again.out, again.err, again.code) == ("", "prod already has what staging has\n", 0)


def test_a_dry_run_writes_nothing(project: Path) -> None:
    """And prints the same."""
    before = read_files(project)
    outcome = run_envc(project, "promote", "staging", "prod", "--dry-run")
    assert outcome.out == CHANGES
    assert outcome.err == f"{CARRIED}dry run: {PATH} is unchanged\n"
    assert read_files(project) == before


def test_one_application(project: Path) -> None:
    """Only the images that its containers use; nothing else moves."""
    assert run_envc(project, "promote", "staging", "prod", "--app", "web").code == 0
    assert (project / PATH).read_text() == PROD.replace("'1.9'", '"2.0"')


@pytest.mark.parametrize(
    ("options", "before", "after"),
    [
        (("--param", "domain"), "domain: example.com ", "domain: staging.example.com "),
        (("--param", "*"), "domain: example.com ", "domain: staging.example.com "),
        (("--replicas",), "web:   5", "web:   2"),
    ],
)
def test_what_moves_when_asked(project: Path, options: tuple[str, ...], before: str, after: str) -> None:
    """Parameters that the target sets itself, and replicas."""
    assert run_envc(project, "promote", "staging", "prod", *options).code == 0
    assert (project / PATH).read_text() == PROMOTED.replace(before, after)


def test_the_promoted_environment_runs_what_the_other_runs(project: Path) -> None:
    """What was printed is what a build gives."""
    run_envc(project, "promote", "staging", "prod")
    assert run_envc(project, "build").code == 0
    for name in ("web", "api", "pin"):
        staging, prod = (
            (project / f"environments/{place}/{name}/deployment-{name}.yaml").read_text()
            for place in ("staging", "prod")
        )
        assert [line for line in staging.splitlines() if "image:" in line] == [
            line for line in prod.splitlines() if "image:" in line
        ]


def test_inherited_settings_are_overridden_in_the_targets_own_file(make_project: MakeProject) -> None:
    """The layer that others share is left alone."""
    root = make_project({
        **FILES,
        "overlays/common/environment.yaml": environment("abstract: true\nimages: [{name: web, newTag: '1'}]\n"),
        PATH: environment("extends: [../common]\nparams: {domain: x}\n"),
    })
    assert run_envc(root, "promote", "staging", "prod", "--app", "web").code == 0
    assert (root / PATH).read_text() == environment(
        'extends: [../common]\nparams: {domain: x}\nimages:\n- name: web\n  newTag: "2.0"\n'
    )


def test_windows_line_ends_stay(make_project: MakeProject) -> None:
    """An editor's choice is not envc's to change."""
    root = make_project({**FILES, PATH: PROD.replace("\n", "\r\n").encode()})
    assert run_envc(root, "promote", "staging", "prod", "--app", "web").code == 0
    assert (root / PATH).read_bytes() == PROD.replace("'1.9'", '"2.0"').replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    ("arguments", "what", "fix"),
    [
        (("prod", "prod"), "prod cannot be promoted to itself", "name two environments"),
        (("stagin", "prod"), "there is no environment `stagin`", "did you mean `staging`?"),
        (("staging", "prdo"), "there is no environment `prdo`", "did you mean `prod`?"),
        (("staging", "prod", "--app", "wbe"), "there is no application `wbe`", "did you mean `web`?"),
        (("staging", "prod", "--param", "domian"), "there is no parameter `domian`", "did you mean `domain`?"),
    ],
)
def test_what_cannot_be_promoted(project: Path, arguments: tuple[str, ...], what: str, fix: str) -> None:
    """Wrong usage, exit 2, nothing written."""
    outcome = run_envc(project, "promote", *arguments)
    assert outcome.err == f"error: {what}\nhint: {fix}\n"
    assert outcome.code == 2
    assert (project / PATH).read_text() == PROD


def test_a_promotion_that_would_not_compile_is_not_written(make_project: MakeProject) -> None:
    """The edited file is compiled before it is written."""
    typo = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: wbe}\n"
    root = make_project({**FILES, "overlays/prod/web.yaml": typo})
    outcome = run_envc(root, "promote", "staging", "prod")
    assert outcome.code == 1
    assert outcome.err.startswith("error: the patch has no target: Deployment.apps/wbe ")
    assert (root / PATH).read_text() == PROD
