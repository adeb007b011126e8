"""Mending findings in the files: what has one right answer, where it was written, and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from envcompile.actions.build import compile_all
from envcompile.actions.fix import plan_fix, write_fix
from envcompile.units.project import Project
from tests.harness.command import run_envc
from tests.harness.repository import commit, environment, git, write_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from envcompile.units.project import CompiledEnvironment
    from tests.conftest import MakeProject

BEFORE = """\
# The API of the shop.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
  uid: 0d1a2c4e-8f6b-4a4e-9d53-1b7f3f1f8a55
  creationTimestamp: "2026-01-01T00:00:00Z"
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: |
      {"a": 1}
spec:
  # three of them
  replicas: "3"
  selector: {matchLabels: {app: api}}
  template:
    metadata:
      labels: {app: api}
      annotations:
        seccomp.security.alpha.kubernetes.io/pod: runtime/default
    spec:
      serviceAccount: api   # the old name
      nodeSelector:
        beta.kubernetes.io/os: linux
      containers:
      - name: api
        image: shop/api:v1.4.2
        env:
        - {name: PORT, value: 8080}
        - name: DEBUG
          value: yes  # of course
        ports: [{containerPort: "80"}]
status:
  replicas: 3
"""
AFTER = """\
# The API of the shop.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
spec:
  # three of them
  replicas: 3
  selector: {matchLabels: {app: api}}
  template:
    metadata:
      labels: {app: api}
    spec:
      serviceAccountName: api   # the old name
      nodeSelector:
        kubernetes.io/os: linux
      containers:
      - name: api
        image: shop/api:v1.4.2
        env:
        - {name: PORT, value: "8080"}
        - name: DEBUG
          value: "yes"  # of course
        ports: [{containerPort: 80}]
      automountServiceAccountToken: false
      securityContext:
        seccompProfile:
          type: RuntimeDefault
"""
OTHERS = """\
apiVersion: networking.k8s.io/v1beta1
kind: Ingress
metadata:
  name: api
  annotations:
    kubernetes.io/ingress.class: nginx
spec:
  rules:
  - host: api.example.com
    http:
      paths:
      - path: /
        backend: {serviceName: api, servicePort: http}
---
apiVersion: policy/v1beta1
kind: PodDisruptionBudget
metadata: {name: api}
spec: {minAvailable: 1, selector: {matchLabels: {app: api}}}
---
apiVersion: v1
kind: Service
metadata: {name: api}
spec:
  selector: {app: api}
  ports:
  - {name: http, port: 80, targetPort: "80"}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: api}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: api-prod}
"""
PATCH = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  template:
    spec:
      serviceAccount: api-prod
      containers:
      - name: api
        env:
        - {name: LEVEL, value: 1}
"""
MENDED = "schema,cluster-leftover,deprecated-field,api-removed,api-deprecated,automount-token"


def two(make_project: MakeProject, files: Mapping[str, str]) -> Path:
    """A project of dev and prod."""
    return make_project({
        "envc.yaml": "environments: [dev, prod]\n",
        "overlays/dev/environment.yaml": environment("namespace: dev\n"),
        "overlays/prod/environment.yaml": environment("namespace: prod\n"),
        **files,
    })


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    """What there is to mend in a base and in an overlay."""
    files = {"base/api/deployment.yaml": BEFORE, "base/api/others.yaml": OTHERS, "overlays/prod/api.yaml": PATCH}
    return two(make_project, files)


def values(root: Path) -> dict[str, Any]:
    """Every compiled resource of both environments."""
    opened = Project.open(root)
    return {f"{name} {one.id}": one.value for name in ("dev", "prod") for one in opened.compile(name).resources}


def test_each_field_is_mended_where_it_was_written(project: Path) -> None:
    """Base and overlay, comments and layout kept; the check is silent then, and a second run has nothing to do."""
    code, shown, said = run_envc(project, "fix", "--write")
    assert (code, said) == (0, "mended 15 places in 3 files; `envc build` writes the result\n")
    assert (project / "base/api/deployment.yaml").read_text() == AFTER
    assert (project / "overlays/prod/api.yaml").read_text() == (
        PATCH.replace("serviceAccount:", "serviceAccountName:").replace("value: 1", 'value: "1"')
    )
    mended = list(yaml.safe_load_all((project / "base/api/others.yaml").read_text()))
    backend = {"service": {"name": "api", "port": {"name": "http"}}}
    path = {"path": "/", "backend": backend, "pathType": "ImplementationSpecific"}
    assert mended[0] == {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "api"},
        "spec": {"ingressClassName": "nginx", "rules": [{"host": "api.example.com", "http": {"paths": [path]}}]},
    }
    assert mended[1]["apiVersion"] == "policy/v1"
    assert mended[2]["spec"]["ports"][0]["targetPort"] == 80
    assert shown.count("--- a/") == 3
    found = run_envc(project, "check", "--select", MENDED)
    assert (found.code, found.out) == (0, "")
    assert run_envc(project, "fix") == (0, "", "there is nothing to mend\n")


def test_the_difference_comes_first_and_git_can_apply_it(project: Path) -> None:
    """Without --write no file changes."""
    commit(project)
    code, shown, said = run_envc(project, "fix")
    assert (code, said) == (0, "15 places in 3 files to mend: envc fix --write\n")
    assert git(project, "status", "--porcelain") == ""
    (project.parent / "fix.patch").write_text(shown)
    git(project, "apply", str(project.parent / "fix.patch"))
    assert (project / "base/api/deployment.yaml").read_text() == AFTER


def test_the_check_can_mend_first(project: Path) -> None:
    """`check --fix` shows the difference on stderr, writes, and checks what is there then."""
    code, out, err = run_envc(project, "check", "--fix", "--select", MENDED)
    assert (code, out) == (0, "")
    assert "-      serviceAccount: api   # the old name\n" in err
    assert (project / "base/api/deployment.yaml").read_text() == AFTER


def test_only_what_was_picked(project: Path) -> None:
    """Other findings stay as they are."""
    run_envc(project, "fix", "--write", "--select", "cluster")
    text = (project / "base/api/deployment.yaml").read_text()
    assert "uid" not in text
    assert 'replicas: "3"' in text


def test_what_a_resource_sets_aside_is_not_mended(make_project: MakeProject) -> None:
    """The reason stands in the annotation."""
    aside = '  annotations: {envcompile.dev/ignore: "deprecated-field: the old controller reads it"}\n'
    text = AFTER.replace("serviceAccountName", "serviceAccount").replace(
        "  name: api\nspec", f"  name: api\n{aside}spec"
    )
    root = two(make_project, {"base/api/deployment.yaml": text})
    assert run_envc(root, "fix").out == ""


JSONNET = """\
{apiVersion: 'apps/v1', kind: 'Deployment', metadata: {name: 'api'}, spec: {
  selector: {matchLabels: {app: 'api'}},
  template: {metadata: {labels: {app: 'api'}}, spec: {
    serviceAccount: 'api', automountServiceAccountToken: false, containers: [{name: 'api', image: 'shop/api:v1'}],
  }},
}}
"""
PLAIN = AFTER.replace("serviceAccountName: api   # the old name", "serviceAccountName: api")
JSON_PATCH = """\
apiVersion: envcompile.dev/v1
kind: Patch
target: {kind: Deployment, name: api}
json6902:
- {op: add, path: /spec/template/spec/serviceAccount, value: other}
- {op: remove, path: /spec/template/spec/serviceAccountName}
"""


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"base/api/deployment.jsonnet": JSONNET}, "in dev, prod is left: base/api/deployment.jsonnet computes it"),
        (
            {"base/api/deployment.yaml": PLAIN, "overlays/prod/patch.yaml": JSON_PATCH},
            "in prod is left: a JSON patch in overlays/prod/patch.yaml changes it",
        ),
        (
            {
                "base/api/deployment.yaml": PLAIN.replace("AccountName", "Account"),
                "overlays/prod/api.yaml": PATCH
                .replace("AccountName", "Account")
                .replace("serviceAccount: api-prod", "serviceAccount: null\n      serviceAccountName: api-prod")
                .replace("value: 1", 'value: "1"'),
                "overlays/dev/api.yaml": PATCH.replace("Account: api-prod", "AccountName: api-dev").replace(
                    "value: 1", 'value: "1"'
                ),
            },
            "",
        ),
    ],
)
def test_what_has_no_place_is_left_and_told(make_project: MakeProject, files: dict[str, str], why: str) -> None:
    """Jsonnet and JSON patches: with the place and the reason, and no file is touched."""
    root = two(make_project, files)
    before = {path: (root / path).read_text() for path in files}
    code, out, err = run_envc(root, "fix", "--write", "--select", "deprecated-field")
    assert (code, out) == (0, "")
    assert err.endswith("there is nothing to mend\n")
    if why:
        assert f"deprecated-field of Deployment/api {why}: mend it there by hand\n" in err
    assert {path: (root / path).read_text() for path in files} == before


def test_what_would_change_another_environment_is_left(make_project: MakeProject) -> None:
    """Here prod says what base says of the old name by another one: renaming would change what prod compiles to."""
    base = AFTER.replace("serviceAccountName: api   # the old name", "serviceAccount: api")
    prod = PATCH.replace("serviceAccount: api-prod", "serviceAccountName: api-prod").replace("value: 1", 'value: "1"')
    root = two(make_project, {"base/api/deployment.yaml": base, "overlays/prod/api.yaml": prod})
    code, out, err = run_envc(root, "fix", "--write", "--select", "deprecated-field")
    assert (code, out) == (0, "")
    assert "is left: it would change more than this, or leave the finding: mend it by hand\n" in err
    assert (root / "base/api/deployment.yaml").read_text() == base


ALIASED = AFTER.replace('- {name: PORT, value: "8080"}', "- &port {name: PORT, value: 8080}").replace(
    "        ports:", "      - name: side\n        image: shop/side:v1\n        env: [*port]\n        ports:"
)
MERGED = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: api}
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      automountServiceAccountToken: false
      securityContext: {seccompProfile: {type: RuntimeDefault}}
      containers:
      - &first
        name: api
        image: shop/api:v1.4.2
        # a second
        livenessProbe: {httpGet: {path: /, port: 80}, periodSeconds: "1"}  # soon
        env: [{name: A, value: &two 2}, {name: B, value: *two}]
      - <<: *first
        name: side
"""


def test_what_an_alias_says_is_mended_at_its_anchor(make_project: MakeProject) -> None:
    """Where all that read it want it: once, in the text that they share."""
    root = two(make_project, {"base/api/deployment.yaml": ALIASED})
    code, out, err = run_envc(root, "fix", "--write", "--select", "schema")
    assert (code, err) == (0, "mended 1 place in 1 file; `envc build` writes the result\n")
    assert out.count("\n+ ") == 1
    due = ALIASED.replace("- &port {name: PORT, value: 8080}", '- &port {name: PORT, value: "8080"}')
    assert (root / "base/api/deployment.yaml").read_text() == due


def test_what_a_merge_key_brings_is_mended_where_it_is_written(make_project: MakeProject) -> None:
    """Anchors, merge keys and comments stay."""
    root = two(make_project, {"base/api/deployment.yaml": MERGED})
    assert run_envc(root, "fix", "--write", "--select", "schema").code == 0
    due = MERGED.replace('periodSeconds: "1"', "periodSeconds: 1").replace("&two 2", '&two "2"')
    assert (root / "base/api/deployment.yaml").read_text() == due
    assert run_envc(root, "check", "--select", "schema").out == ""


def test_what_something_else_reads_is_left_with_the_reason(make_project: MakeProject) -> None:
    """The number of replicas is read as the text of a variable: the alias is replaced, for its anchor has to stay."""
    text = MERGED.replace("spec:\n", "spec:\n  replicas: &two 2\n", 1).replace("value: &two 2", "value: *two")
    root = two(make_project, {"base/api/deployment.yaml": text})
    assert run_envc(root, "fix", "--write", "--select", "schema").code == 0
    due = text.replace('periodSeconds: "1"', "periodSeconds: 1").replace("value: *two", 'value: "2"')
    assert (root / "base/api/deployment.yaml").read_text() == due
    text = MERGED.replace("&two 2", '"2"').replace("*two", '"3"').replace('periodSeconds: "1"', "periodSeconds: 1")
    text = text.replace("name: side", "name: side\n        args: [*three]").replace('value: "3"', "value: &three 3")
    text = text.replace("args: [*three]", "startupProbe: {tcpSocket: {port: 80}, periodSeconds: *three}")
    root = two(make_project, {"base/api/deployment.yaml": text})
    code, out, err = run_envc(root, "fix", "--select", "schema")
    assert (code, out) == (0, "")
    why = "the file says it once for `spec.template.spec.containers[1].startupProbe.periodSeconds`, too"
    assert f"is left: {why}, which has to stay: mend it by hand\n" in err


OLD = """\
apiVersion: batch/v1beta1
kind: CronJob
metadata: {name: night}
spec:
  schedule: "0 3 * * *"
  suspend: "false"   # on
  startingDeadlineSeconds: "60"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          serviceAccount: night
          containers:
          - {name: night, image: "shop/night:v1", env: [{name: A, value: 1}]}
"""


def test_one_run_mends_what_another_mend_brings_to_light(make_project: MakeProject) -> None:
    """No version that is gone has a schema: what is wrong by the new one is mended in the same run."""
    root = two(make_project, {"base/night/job.yaml": OLD})
    done = run_envc(root, "fix", "--write", "--select", MENDED)
    assert done.code == 0, done.err
    text = (root / "base/night/job.yaml").read_text()
    for line in ("apiVersion: batch/v1\n", "suspend: false   # on\n", "startingDeadlineSeconds: 60\n", 'value: "1"'):
        assert line in text
    assert run_envc(root, "fix", "--select", MENDED) == (0, "", "there is nothing to mend\n")


def test_one_that_cannot_be_mended_costs_little(make_project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty others are mended; all is compiled four times, not once for each."""
    base = AFTER.replace("serviceAccountName: api   # the old name", "serviceAccount: api")
    prod = PATCH.replace("serviceAccount: api-prod", "serviceAccountName: api-prod").replace("value: 1", 'value: "1"')
    others = {
        f"base/app{number}/app.yaml": base.replace("name: api\n", f"name: app{number}\n", 1) for number in range(20)
    }
    root = two(make_project, {"base/api/deployment.yaml": base, "overlays/prod/api.yaml": prod, **others})
    times = []

    def counted(project: Project, environments: Sequence[str]) -> list[CompiledEnvironment]:
        times.append(len(environments))
        return compile_all(project, environments)

    monkeypatch.setattr("envcompile.actions.fix.compile_all", counted)
    fix = plan_fix(Project.open(root), {"deprecated-field"})
    assert sorted(fix.after) == sorted(others)
    assert {left.subject for left in fix.left} == {"Deployment/api in dev"}
    assert times == [2, 2, 2, 2]


def test_a_parameter_stays_a_parameter(make_project: MakeProject) -> None:
    """What moves keeps its spelling; what would have to be converted is left."""
    base = AFTER.replace("serviceAccountName: api   # the old name", "serviceAccount: ${{ params.account }}")
    files = {
        "base/api/deployment.yaml": base,
        "overlays/dev/environment.yaml": environment("namespace: dev\nparams: {account: one}\n"),
        "overlays/prod/environment.yaml": environment("namespace: prod\nparams: {account: two}\n"),
    }
    root = two(make_project, files)
    run_envc(root, "fix", "--write")
    assert (root / "base/api/deployment.yaml").read_text() == base.replace("serviceAccount:", "serviceAccountName:")


POD_FIELDS = {
    "serviceAccount": ("serviceAccount: api", "serviceAccountName: api"),
    "replicas": ('replicas: "2"', "replicas: 2"),
    "port": ('{containerPort: "8080"}', "{containerPort: 8080}"),
    "env": ("{name: A, value: 1}", '{name: A, value: "1"}'),
    "flag": ("{name: B, value: on}", '{name: B, value: "on"}'),
    "status": ("resourceVersion: '12'", ""),
}
TEMPLATE = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api   # its name
  %(status)s
spec:
  %(replicas)s # how many
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      automountServiceAccountToken: false
      # who
      %(serviceAccount)s
      containers:
      - name: api
        image: shop/api:v1.4.2 # pinned
        env:
        - %(env)s
        - %(flag)s
        ports: [%(port)s]
"""


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wrong=st.sets(st.sampled_from(sorted(POD_FIELDS))), where=st.sampled_from(["base/api", "overlays/prod"]))
def test_law_of_mending(tmp_path_factory: pytest.TempPathFactory, wrong: set[str], where: str) -> None:
    """Whatever was wrong, wherever: afterwards all is as if it had been written right, and no comment is lost."""
    root = tmp_path_factory.mktemp("law")
    right = {name: texts[1] for name, texts in POD_FIELDS.items()}
    files = {
        "envc.yaml": "environments: [dev, prod]\n",
        "overlays/dev/environment.yaml": environment("namespace: dev\n"),
        "overlays/prod/environment.yaml": environment("namespace: prod\n"),
        "base/other/settings.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\ndata: {a: b}\n",
    }
    if where != "base/api":
        wrong -= {"port"}  # it is the key that ports merge by: a text names another port than a number
        files["base/api/api.yaml"] = TEMPLATE % {**right, "serviceAccount": "hostNetwork: false"}
    chosen = {name: texts[0] if name in wrong else texts[1] for name, texts in POD_FIELDS.items()}
    due = write_files(root / "due", {**files, f"{where}/api.yaml": TEMPLATE % right})
    have = write_files(root / "have", {**files, f"{where}/api.yaml": TEMPLATE % chosen})
    opened = Project.open(have)
    fix = plan_fix(opened)
    write_fix(opened, fix)
    assert not fix.left
    assert json.dumps(values(have), sort_keys=True) == json.dumps(values(due), sort_keys=True)
    text = (have / where / "api.yaml").read_text()
    assert all(comment in text for comment in ("# its name", "# how many", "# who", "# pinned"))
    assert run_envc(have, "check", "--select", "schema,cluster,deprecated").out == ""
    assert not plan_fix(Project.open(have)).after


PIECES = (
    (
        "apiVersion: networking.k8s.io/v1beta1\nkind: Ingress\nmetadata:\n  name: n\n"
        "  annotations: {kubernetes.io/ingress.class: nginx}  # class\n"
        "spec:\n  rules:\n  - host: a.example.com\n    http:\n      paths:\n"
        "      - &way\n        path: /\n        backend: {serviceName: n, servicePort: 80}\n"
        "      - <<: *way\n        path: /b\n"
    ),
    OLD.replace("name: night", "name: n"),
    OLD.replace("name: night", "name: n").replace("batch/v1beta1", "batch/v1").replace('"60"', '&s "60"'),
    MERGED.replace("name: api}", "name: n}", 1),
    MERGED
    .replace("name: api}", "name: n}", 1)
    .replace('"1"}', "*two, successThreshold: '1'}")
    .replace("spec:\n", "spec:\n  replicas: &two '2'\n", 1)
    .replace("&two 2}", "1}"),
    ALIASED.replace("name: api", "name: n"),
    (
        "apiVersion: v1\nkind: Service\nmetadata: {name: n, uid: &u abc, labels: {b: *u}}\n"
        "spec:\n  selector: {app: n}\n"
        '  ports: [{port: &p "80", targetPort: *p}]\n'
    ),
    "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: n}\nspec: {minAvailable: '1'}\n",
    (
        "apiVersion: autoscaling/v2beta2\nkind: HorizontalPodAutoscaler\nmetadata: {name: n}\n"
        "spec: {minReplicas: '1', maxReplicas: '3', scaleTargetRef: {apiVersion: extensions/v1beta1, kind: Deployment, "
        "name: n}}\n"
    ),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(st.sampled_from(PIECES), min_size=1, max_size=3), patched=st.booleans())
def test_law_that_mending_twice_is_mending_once(
    tmp_path_factory: pytest.TempPathFactory, *, pieces: list[str], patched: bool
) -> None:
    """Versions that are gone, anchors, merge keys, overlays: a second run changes nothing, and no comment is lost."""
    files = {
        "envc.yaml": "environments: [dev, prod]\n",
        "overlays/dev/environment.yaml": environment("namespace: dev\n"),
        "overlays/prod/environment.yaml": environment("namespace: prod\n"),
        **{f"base/a{at}/a.yaml": text.replace("name: n", f"name: n{at}") for at, text in enumerate(pieces)},
    }
    if patched and pieces[0].startswith("apiVersion: batch"):
        files["overlays/prod/a.yaml"] = (
            f"{pieces[0].partition('metadata')[0]}metadata: {{name: n0}}\nspec: {{startingDeadlineSeconds: '7'}}\n"
        )
    root = write_files(tmp_path_factory.mktemp("twice"), files)
    opened = Project.open(root)
    write_fix(opened, plan_fix(opened))
    again = plan_fix(Project.open(root))
    assert not again.after
    for path, text in files.items():
        comments = [line.partition("# ")[2] for line in text.splitlines() if "# " in line]
        assert all(comment in (root / path).read_text() for comment in comments)


def test_comments_go_where_their_field_goes(make_project: MakeProject) -> None:
    """Above and behind: none stays over a field that it does not speak of."""
    ingress = OTHERS.partition("---\n")[0].replace("v1beta1", "v1")
    ingress = ingress.replace(
        "    kubernetes.io/ingress.class: nginx\n",
        "    # of the inner one\n    kubernetes.io/ingress.class: nginx  # see the runbook\n    a/b: c\n",
    ).replace(
        "{serviceName: api, servicePort: http}", "{service: {name: api, port: {name: http}}}\n        pathType: Prefix"
    )
    root = two(make_project, {"base/api/ingress.yaml": ingress})
    done = run_envc(root, "fix", "--write", "--select", "deprecated-field")
    assert done.code == 0, done.err
    text = (root / "base/api/ingress.yaml").read_text("utf-8")
    assert "  annotations:\n    a/b: c\n" in text
    assert text.endswith("  # of the inner one\n  ingressClassName: nginx  # see the runbook\n")
