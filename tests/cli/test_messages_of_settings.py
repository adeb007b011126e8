"""What is wrong with settings, parameters, jsonnet and the project itself is said whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.messages import PROD, WEB, Wrong, assert_says, with_settings
from tests.harness.command import run_envc
from tests.harness.repository import config_map, environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

KNOWN_VERSIONS = "1.30, 1.31, 1.32, 1.33, 1.34, 1.35, 1.36, 1.37"

CASES = {
    "an unknown key, and others": Wrong(
        with_settings("namspace: x\nimages: [{nam: a}]\n"),
        """\
error: unknown key `namspace`
  --> overlays/prod/environment.yaml:3:1
hint: did you mean `namespace` or `forceNamespace`?

error: `name` is missing in `images[0]`
  --> overlays/prod/environment.yaml:4:10
hint: add `name:`

error: unknown key `nam` in `images[0]`
  --> overlays/prod/environment.yaml:4:11
hint: did you mean `name` or `newName`?

3 errors
""",
    ),
    "an unknown parameter": Wrong(
        {**with_settings("params: {domain: x}\n"), "base/web/c.yaml": config_map(url="https://${{ params.domian }}/")},
        """\
error: there is no parameter `domian`
  --> base/web/c.yaml:6:8
hint: did you mean `domain`?
""",
    ),
    "overlays that extend each other": Wrong(
        {
            **WEB,
            "overlays/a/environment.yaml": environment("extends: [../b]\n"),
            "overlays/b/environment.yaml": environment("extends:\n- ../a\n"),
        },
        """\
error: overlays extend each other in a circle: a -> b -> a
  --> overlays/a/environment.yaml:3:11
  --> overlays/b/environment.yaml:4:3
hint: take one of these `extends` out
""",
    ),
    "a jsonnet error": Wrong(
        {**PROD, "base/web/x.jsonnet": "local f(x) = error 'no ' + x;\n{ a: f('way') }\n"},
        """\
error: jsonnet: no way
  --> base/web/x.jsonnet:1:14
      base/web/x.jsonnet:1:14-29  function <f>
      base/web/x.jsonnet:2:6-14  object <anonymous>
      Field "a"
      During manifestation
hint: mend the jsonnet file: the trace leads from the place that failed to the place that asked for it
""",
    ),
    "an image that nobody uses": Wrong(
        with_settings("images:\n- {name: ngnix, newTag: a}\n"),
        """\
error: `images` names `ngnix`, which no container uses
  --> overlays/prod/environment.yaml:4:10
hint: did you mean `nginx`?
""",
    ),
    "replicas of a workload that is not there": Wrong(
        with_settings("replicas:\n  wbe: 3\n"),
        """\
error: `replicas` names the workload `wbe`, which this environment does not have
  --> overlays/prod/environment.yaml:4:8
hint: did you mean `web`?
""",
    ),
    "replicas of what has none": Wrong(
        {**with_settings("replicas:\n  settings: 3\n"), "base/web/c.yaml": config_map()},
        """\
error: `replicas` names the workload `settings`, which this environment does not have
  --> overlays/prod/environment.yaml:4:13
hint: remove the line, or add the workload
""",
    ),
    "an exclusion that leaves nothing out": Wrong(
        with_settings("exclude:\n- {kind: Deployment}\n- {kind: Deployment, name: wb*}\n"),
        """\
error: `exclude` entry Deployment/wb* leaves nothing out
  --> overlays/prod/environment.yaml:5:3
hint: remove the entry, or correct its kind or name (both are globs)
""",
    ),
    "a pod label that is selected by": Wrong(
        with_settings("podLabels:\n  tier: front\n  app: other\n"),
        """\
error: `podLabels` sets `app`, by which Deployment.apps/web selects its pods
  --> overlays/prod/environment.yaml:5:8
hint: choose another label: selectors stay as they are
""",
    ),
    "an unknown Kubernetes version": Wrong(
        with_settings("kubernetesVersion: '1.99'\n"),
        f"""\
error: Kubernetes 1.99 is not known to this version of envc
  --> overlays/prod/environment.yaml:3:20
hint: write one of {KNOWN_VERSIONS}, or upgrade envc
""",
    ),
    "an unknown Kubernetes version of the project": Wrong(
        {**WEB, **PROD, "envc.yaml": "kubernetesVersion: '1.12'\n"},
        f"""\
error: Kubernetes 1.12 is not known to this version of envc
  --> envc.yaml:1:20
hint: write one of {KNOWN_VERSIONS}, or upgrade envc
""",
    ),
    "merge keys of a built-in kind": Wrong(
        {
            **WEB,
            **PROD,
            "envc.yaml": "mergeKeys:\n- {group: apps, kind: Deployment, path: spec.conditions, keys: [image]}\n",
        },
        """\
error: Deployment.apps is built in: its lists merge by Kubernetes' rules
  --> envc.yaml:2:3
hint: correct or remove the entry
""",
    ),
    "another version of the semantics": Wrong(
        {**WEB, **PROD, "envc.yaml": "mergeSemantics: 2\n"},
        """\
error: `mergeSemantics` is `2`, but has to be 1
  --> envc.yaml:1:17
hint: write 1
""",
    ),
    "an unknown environment": Wrong(
        {**WEB, **PROD},
        """\
error: there is no environment `prdo`
hint: did you mean `prod`?
""",
        code=2,
        command=("build", "prdo"),
    ),
    "no environment at all": Wrong(
        WEB,
        """\
error: this project has no environment: no folder below overlays/ holds an environment.yaml
hint: `envc init` creates one
""",
        code=2,
    ),
    "an environment called chart": Wrong(
        {**WEB, "overlays/chart/environment.yaml": environment()},
        """\
error: `chart` cannot name an environment: environments/chart is the Helm chart
  --> overlays/chart/environment.yaml:1:1
hint: rename the folder
""",
    ),
    "a symlink out of the repository": Wrong(
        {**WEB, **PROD, "base/more": "-> /etc"},
        """\
error: the symlink `base/more` leaves the repository: it points to `/etc`
  --> base/more:1:1
hint: copy the files into the repository: a build reads nothing outside of it
""",
    ),
    "a symlinked file out of the repository": Wrong(
        {**WEB, **PROD, "overlays/prod/more.yaml": "-> ../../../../outside.yaml"},
        """\
error: the symlink `overlays/prod/more.yaml` leaves the repository: it points to `../../../../outside.yaml`
  --> overlays/prod/more.yaml:1:1
hint: copy the files into the repository: a build reads nothing outside of it
""",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_whole_message(case: Wrong, make_project: MakeProject) -> None:
    """Nothing is written, and the message is exactly this."""
    assert_says(make_project(case.files), case)


@pytest.mark.parametrize("command", [("build",), ("show", "prod"), ("affected", "x"), ("explain", "prod", "a/b")])
def test_a_folder_that_is_no_project(command: tuple[str, ...], tmp_path: Path) -> None:
    """Every command says what a project is."""
    outcome = run_envc(tmp_path, *command)
    assert outcome.err == (
        f"error: `{tmp_path}` is in no project: neither it nor a folder above holds base/, overlays/ or envc.yaml\n"
        "hint: name the project with `--project DIR`, or create one with `envc init`\n"
    )
    assert outcome.code == 2
