"""Checks of a whole project: which line a finding points at, how it is graded, and what sets it aside."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.actions.check import check
from envcompile.check.finding import Hit
from envcompile.check.rule import Rule
from envcompile.errors import EnvcError
from envcompile.units.field_places import source_place
from envcompile.units.project import Project
from tests.harness.repository import config_map, deployment, environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from envcompile.check.check_input import CheckInput
    from envcompile.check.finding import Severity
    from envcompile.check.report import Report
    from envcompile.model import Pointer
    from tests.conftest import MakeProject

CONTAINER: Pointer = ("spec", "template", "spec", "containers", 0)


def pointing_at(
    *pointer: str | int, kind: str = "Deployment", name: str = "points", severity: Severity = "error"
) -> Rule:
    """A rule that finds one field of every resource of a kind."""

    def find(inputs: CheckInput) -> Iterator[Hit]:
        for resource in inputs.resources:
            if resource.id.kind == kind:
                yield Hit(resource.id, pointer, "this is found", "leave it")

    return Rule(name, severity, "A test.", "this test", find)


def checked(root: Path, *rules: Rule, environments: tuple[str, ...] = ()) -> Report:
    """The report about a project."""
    return check(Project.open(root), environments, rules)


def place(root: Path, *pointer: str | int, kind: str = "Deployment") -> str:
    """Where the only finding about a field points at."""
    (found,) = checked(root, pointing_at(*pointer, kind=kind)).findings
    return str(found.where)


PROD = {"overlays/prod/environment.yaml": environment("namespace: prod\n")}
WEB = {"base/web/deployment.yaml": deployment(), **PROD}
PATCH = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n"


@pytest.mark.parametrize(
    ("files", "pointer", "expected"),
    [
        pytest.param({}, (*CONTAINER, "image"), "base/web/deployment.yaml:17:16", id="a scalar of the base"),
        pytest.param({}, ("spec", "template"), "base/web/deployment.yaml:10:3", id="the key of a map"),
        pytest.param({}, CONTAINER, "base/web/deployment.yaml:16:9", id="an item of a list"),
        pytest.param({}, (), "base/web/deployment.yaml:4:9", id="the resource"),
        pytest.param(
            {}, (*CONTAINER, "resources", "limits"), "base/web/deployment.yaml:16:9", id="missing: the field around"
        ),
        pytest.param({}, ("spec", "strategy"), "base/web/deployment.yaml:5:1", id="missing in spec"),
        pytest.param({}, ("status",), "base/web/deployment.yaml:4:9", id="missing at the top"),
        pytest.param(
            {"overlays/prod/web.yaml": f"{PATCH}spec:\n  replicas: 3\n"},
            ("spec", "replicas"),
            "overlays/prod/web.yaml:6:13",
            id="a scalar of the overlay",
        ),
        pytest.param(
            {"overlays/prod/web.yaml": f"{PATCH}spec:\n  replicas: 3\n"},
            ("spec",),
            "base/web/deployment.yaml:5:1",
            id="a map that the overlay only changes",
        ),
        pytest.param(
            {"overlays/prod/web.yaml": f"{PATCH}spec:\n  strategy:\n    type: Recreate\n"},
            ("spec", "strategy", "rollingUpdate"),
            "overlays/prod/web.yaml:6:3",
            id="missing in what the overlay brought in",
        ),
        pytest.param(
            {"overlays/prod/web.yaml": f"{PATCH}spec:\n  replicas: null\n"},
            ("spec", "replicas"),
            "overlays/prod/web.yaml:6:13",
            id="removed by the overlay",
        ),
        pytest.param(
            {
                "overlays/prod/web.yaml": f"{PATCH}spec:\n  template:\n    spec:\n      containers:\n"
                "      - name: side\n        image: side:1\n"
            },
            ("spec", "template", "spec", "containers", 1, "resources"),
            "overlays/prod/web.yaml:9:9",
            id="missing in a container of the overlay",
        ),
        pytest.param(
            {"overlays/prod/environment.yaml": environment("namespace: prod\nimages:\n- name: nginx\n  newTag: '2'\n")},
            (*CONTAINER, "image"),
            "overlays/prod/environment.yaml:6:11",
            id="a setting",
        ),
        pytest.param(
            {"overlays/prod/environment.yaml": environment("labels:\n  team: shop\n")},
            ("metadata", "labels", "team"),
            "overlays/prod/environment.yaml:4:9",
            id="a label of the settings",
        ),
        pytest.param(
            {
                "overlays/prod/patch.yaml": "apiVersion: envcompile.dev/v1\nkind: Patch\ntarget: {kind: Deployment}\n"
                "merge:\n  spec:\n    paused: true\n"
            },
            ("spec", "paused"),
            "overlays/prod/patch.yaml:6:13",
            id="a patch of many",
        ),
        pytest.param(
            {
                "overlays/prod/patch.yaml": "apiVersion: envcompile.dev/v1\nkind: Patch\ntarget: {kind: Deployment}\n"
                "json6902:\n- {op: add, path: /spec/strategy, value: {type: Recreate}}\n"
            },
            ("spec", "strategy"),
            "overlays/prod/patch.yaml:5:3",
            id="an operation",
        ),
    ],
)
def test_a_finding_points_at_the_line_that_set_the_field(
    make_project: MakeProject, files: dict[str, str], pointer: Pointer, expected: str
) -> None:
    """A field that is missing has the line of whoever removed it, else of the innermost field around it."""
    assert place(make_project({**WEB, **files}), *pointer) == expected


def test_what_jsonnet_computed_has_the_line_of_its_file(make_project: MakeProject) -> None:
    """There is no other."""
    text = "{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'a'}, data: {b: 'c'}}\n"
    root = make_project({"base/web/a.jsonnet": text, **PROD})
    assert place(root, "data", "b", kind="ConfigMap") == "base/web/a.jsonnet:1:1"
    assert place(root, "data", kind="ConfigMap") == "base/web/a.jsonnet:1:1"


def prints(report: Report) -> list[tuple[str, str]]:
    """Field and fingerprint of the findings."""
    return [(found.field, found.fingerprint) for found in report.findings]


def test_a_finding_stays_the_same_when_things_move(make_project: MakeProject) -> None:
    """Its field is told by merge keys; lines and files do not count, the environment does."""

    def find(inputs: CheckInput) -> Iterator[Hit]:
        for resource in inputs.of_kind("apps", "Deployment"):
            names = [item["name"] for item in resource.value["spec"]["template"]["spec"]["containers"]]
            yield Hit(resource.id, (*CONTAINER[:-1], names.index("web"), "image"), "found", "", value=1)

    rule = Rule("moves", "error", "A test.", "this test", find)
    before = prints(checked(make_project(WEB), rule))
    text = deployment().replace("      - name: web\n", "      - name: first\n        image: a:1\n      - name: web\n")
    after = prints(checked(make_project({"base/web/other.yaml": f"# moved\n{text}", **PROD}, "moved"), rule))
    assert before == after
    assert before[0][0] == "spec.template.spec.containers[name=web].image"
    other = make_project({"base/web/a.yaml": deployment(), "overlays/dev/environment.yaml": environment()}, "other")
    assert prints(checked(other, rule))[0][1] != before[0][1]


def test_one_thing_is_found_once(make_project: MakeProject) -> None:
    """However often a rule says it; with another value it is another thing."""

    def find(inputs: CheckInput) -> Iterator[Hit]:
        for value in (1, 1, 2):
            yield Hit(inputs.resources[0].id, ("spec",), f"found {value}", "", value=value)

    report = checked(make_project(WEB), Rule("twice", "info", "A test.", "this test", find))
    assert [found.what for found in report.findings] == ["found 1", "found 2"]


def test_texts_are_one_line_without_control_characters(make_project: MakeProject) -> None:
    """What a manifest holds cannot write to the terminal."""

    def find(inputs: CheckInput) -> Iterator[Hit]:
        yield Hit(inputs.resources[0].id, (), "a\nb\x1b[2J", "c\r\nd")

    (found,) = checked(make_project(WEB), Rule("nasty", "info", "A test.", "this test", find)).findings
    assert (found.what, found.fix) == ("a b\\x1b[2J", "c d")


class TestSchema:
    """The Kubernetes schema is one of the rules."""

    def test_what_the_api_server_would_refuse_is_found(self, make_project: MakeProject) -> None:
        """Unknown fields and wrong types, each at its line."""
        text = deployment().replace("  replicas: 1\n", "  replicsa: 1\n  paused: soon\n")
        report = checked(make_project({"base/web/deployment.yaml": text, **PROD}))
        assert [(str(found.where), found.rule, found.severity, found.what) for found in report.findings] == [
            (
                "base/web/deployment.yaml:6:13",
                "schema",
                "error",
                "`replicsa` is not a field of io.k8s.api.apps.v1.DeploymentSpec: did you mean `replicas`?",
            ),
            ("base/web/deployment.yaml:7:11", "schema", "error", "`paused` is a string where a boolean belongs"),
        ]
        assert report.findings[0].fix == (
            "write it as the API of Kubernetes 1.35 has it: the API server refuses it, or drops the field"
        )

    def test_custom_resources_are_held_against_their_definition(self, make_project: MakeProject) -> None:
        """One among the resources, or in `crds`; a kind without definition is told as not looked at."""
        crd = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: shops.example.com}
spec:
  group: example.com
  names: {kind: Shop, plural: shops}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, properties: {size: {type: integer}}}
"""
        shop = "apiVersion: example.com/v1\nkind: Shop\nmetadata: {name: a}\nspec: {size: big}\n"
        files = {"crds/shop.yaml": crd, "envc.yaml": "crds: [crds]\n", "base/a/a.yaml": shop, **PROD}
        known = checked(make_project(files))
        assert [(str(found.where), found.what) for found in known.findings] == [
            ("base/a/a.yaml:4:14", "`size` is a string where an integer belongs")
        ]
        assert known.unknown_kinds == ()
        unknown = checked(make_project({"base/a/a.yaml": shop, **PROD}, "unknown"))
        assert (unknown.findings, unknown.unknown_kinds) == ((), ("Shop.example.com",))


class TestGrades:
    """`checks` of envc.yaml and environment.yaml."""

    def grades(self, root: Path) -> dict[str, str]:
        """Environment -> grade of its finding."""
        report = checked(root, pointing_at("spec", severity="warning"))
        return {found.environment: found.severity for found in report.findings}

    def test_the_environment_wins_over_the_layers_below_and_the_project(self, make_project: MakeProject) -> None:
        """A bare `off` is the word, although YAML 1.1 reads it as false."""
        files = {
            "base/web/deployment.yaml": deployment(),
            "envc.yaml": "checks: {points: info, schema: off}\n",
            "overlays/nonprod/environment.yaml": environment("abstract: true\nchecks: {points: off}\n"),
            "overlays/dev/environment.yaml": environment("extends: [../nonprod]\n"),
            "overlays/test/environment.yaml": environment("extends: [../nonprod]\nchecks: {points: error}\n"),
            "overlays/stage/environment.yaml": environment(),
        }
        root = make_project(files)
        assert self.grades(root) == {"test": "error", "stage": "info"}
        report = checked(root, pointing_at("spec"), environments=("dev",))
        assert [rule.id for rule in report.rules] == ["ignore-reason", "ignore-unknown", "ignore-unused"]

    def test_names_that_no_rule_has_are_errors(self, make_project: MakeProject) -> None:
        """All of them, with their places and the nearest names."""
        root = make_project({
            "base/web/deployment.yaml": deployment(),
            "envc.yaml": "# settings\nchecks:\n  point: off\n",
            "overlays/prod/environment.yaml": environment("checks: {schemas: info, ignore-unused: off, zzz: off}\n"),
        })
        with pytest.raises(EnvcError) as caught:
            checked(root, pointing_at("spec"))
        assert str(caught.value) == (
            "error: `checks` names the rule `point`, which does not exist\n"
            "  --> envc.yaml:3:10\n"
            "hint: did you mean `points`?\n"
            "\n"
            "error: `checks` names the rule `schemas`, which does not exist\n"
            "  --> overlays/prod/environment.yaml:3:19\n"
            "hint: did you mean `schema`?\n"
            "\n"
            "error: `checks` names the rule `zzz`, which does not exist\n"
            "  --> overlays/prod/environment.yaml:3:50\n"
            "hint: `envc rule` lists the rules"
        )
        assert caught.value.exit_code == 1


def annotated(text: str) -> str:
    """The Deployment with the annotation, a YAML scalar."""
    return deployment().replace("  name: web\n", f"  name: web\n  annotations:\n    envcompile.dev/ignore: {text}\n", 1)


class TestSuppressions:
    """The annotation `envcompile.dev/ignore`."""

    def said(self, report: Report) -> list[tuple[str, str, str, str]]:
        """Rule, grade, place and sentence of each finding."""
        return [(found.rule, found.severity, str(found.where), found.what) for found in report.findings]

    def test_a_finding_with_a_reason_is_set_aside(self, make_project: MakeProject) -> None:
        """It is kept with its reason, and told no more."""
        root = make_project({**WEB, "base/web/deployment.yaml": annotated('"points: it may"')})
        report = checked(root, pointing_at("spec"))
        assert report.findings == ()
        assert [(entry.finding.rule, entry.reason) for entry in report.ignored] == [("points", "it may")]

    def test_an_entry_that_sets_nothing_aside_is_a_finding(self, make_project: MakeProject) -> None:
        """Without reason, with a name that no rule has, and when the rule finds nothing."""
        text = '"points: ; pointz: it may; schema: it may"'
        root = make_project({**WEB, "base/web/deployment.yaml": annotated(text)})
        report = checked(root, pointing_at("spec"))
        where = "base/web/deployment.yaml:6:28"
        assert self.said(report) == [
            ("ignore-reason", "error", where, "the annotation ignores `points` without a reason"),
            ("ignore-unknown", "error", where, "the annotation ignores the rule `pointz`, which does not exist"),
            ("points", "error", "base/web/deployment.yaml:7:1", "this is found"),
            ("ignore-unused", "info", where, "the annotation ignores `schema`, which finds nothing here"),
        ]

    def test_an_entry_counts_when_any_environment_needs_it(self, make_project: MakeProject) -> None:
        """The same line of base/ speaks to all; in an environment that has the rule off it is not judged."""

        def find(inputs: CheckInput) -> Iterator[Hit]:
            if inputs.environment == "prod":
                yield Hit(inputs.resources[0].id, ("spec",), "found", "")

        rule = Rule("prod-only", "error", "A test.", "this test", find)
        root = make_project({
            **WEB,
            "base/web/deployment.yaml": annotated('"prod-only: why"'),
            "overlays/dev/environment.yaml": environment(),
            "overlays/off/environment.yaml": environment("checks: {prod-only: off}\n"),
        })
        assert self.said(checked(root, rule)) == []
        assert self.said(checked(root, rule, environments=("off",))) == []
        (found,) = checked(root, rule, environments=("dev",)).findings
        assert found.what == "the annotation ignores `prod-only`, which finds nothing here"

    def test_the_rules_about_annotations_are_graded_too(self, make_project: MakeProject) -> None:
        """But not suppressed: that would hide itself."""
        text = '"ignore-unused: why; schema: why; points"'
        files = {**WEB, "base/web/deployment.yaml": annotated(text)}
        off = "checks: {ignore-unused: off, ignore-reason: warning, points: off}\n"
        report = checked(make_project({**files, "envc.yaml": off}), pointing_at("spec"))
        assert [(found.rule, found.severity) for found in report.findings] == [
            ("ignore-unknown", "error"),
            ("ignore-reason", "warning"),
        ]


class TestSecrets:
    """No finding tells a secret."""

    VALUE = "hunter2-hunter2"
    FILES: dict[str, str] = {  # ruff: ignore[mutable-class-default] - never changed
        "base/web/secret.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\n"
        f"stringData: {{password: {VALUE}}}\n",
        "overlays/prod/environment.yaml": environment("namespace: prod\nsecretBackend: plaintext\n"),
    }

    def test_rules_see_no_value_of_a_secret_in_clear(self, make_project: MakeProject) -> None:
        """They see its keys; the finding still points at the key's line."""
        seen: list[Any] = []

        def find(inputs: CheckInput) -> Iterator[Hit]:
            (secret,) = inputs.of_kind("", "Secret")
            seen.append(secret.value)
            yield Hit(secret.id, ("stringData", "password"), f"it is {secret.value['stringData']}", "")

        report = checked(make_project(self.FILES), Rule("tells", "error", "A test.", "this test", find))
        (found,) = report.findings
        assert str(found.where) == "base/web/secret.yaml:4:24"
        assert [*seen[0]["stringData"]] == ["password"]
        assert self.VALUE not in repr((report, seen))

    def test_a_harmless_secret_stays_as_it_is(self, make_project: MakeProject) -> None:
        """Its values are declared fit to be read."""
        text = config_map().replace("ConfigMap", "Secret").replace("\ndata:", "\nstringData:")
        name = "  name: settings\n"
        text = text.replace(name, f"{name}  annotations: {{envcompile.dev/plaintext: color}}\n")
        seen: list[Any] = []

        def find(inputs: CheckInput) -> tuple[Hit, ...]:
            seen.extend(inputs.resources)
            return ()

        root = make_project({**self.FILES, "base/web/secret.yaml": text})
        checked(root, Rule("reads", "error", "A test.", "this test", find, alone=True))
        assert seen[0].value["stringData"] == {"color": "blue"}


def test_nothing_to_look_at_is_no_clean_result(make_project: MakeProject) -> None:
    """Exit 2."""
    root = make_project({**PROD, "overlays/dev/environment.yaml": environment()})
    with pytest.raises(EnvcError) as caught:
        checked(root)
    assert str(caught.value) == (
        "error: there is no resource to check in dev, prod\n"
        "hint: a clean result would say nothing: add resources to base/ or overlays/"
    )
    assert caught.value.exit_code == 2


def test_findings_are_counted_with_what_was_looked_at(make_project: MakeProject) -> None:
    """The gravest first."""
    root = make_project({**WEB, "base/web/settings.yaml": config_map()})
    rules = (pointing_at("data", kind="ConfigMap", name="b", severity="info"), pointing_at("spec", name="a"))
    report = checked(root, *rules)
    assert (report.environments, report.resources) == (("prod",), 2)
    assert [found.rule for found in report.findings] == ["a", "b"]


def test_every_field_of_the_shop_has_a_line() -> None:
    """Also what is missing below it, what settings and patches wrote, and what sealing made of a Secret."""
    built = Project.open(Path(__file__).parents[2]).compile_with_sources("prod")

    def pointers(value: Any, pointer: Pointer) -> Iterator[Pointer]:
        yield pointer
        items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for part, inner in items:
            yield from pointers(inner, (*pointer, part))

    count = 0
    for resource in built.compiled.resources:
        for pointer in pointers(resource.value, ()):
            for asked in (pointer, (*pointer, "missing")):
                assert source_place(built.composed, resource, asked) is not None, (resource.id, asked)
                count += 1
    assert count > 5000


def test_a_rule_that_sees_everything_is_asked_whenever_anything_changed(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And its findings are remembered while nothing does, as are those of rules that see facts alone."""
    asked: list[str] = []

    def rule(name: str, *, whole: bool) -> Rule:
        def find(inputs: CheckInput) -> Iterator[Hit]:
            asked.append(name)
            for config in inputs.of_kind("", "ConfigMap"):
                yield Hit(config.id, (), f"its color is `{config.value['data']['color']}`", "")

        return Rule(name, "error", "A test.", "this test", find, whole=whole)

    rules = (rule("all", whole=True), rule("facts", whole=False))
    monkeypatch.setattr("envcompile.actions.check.RULES", rules)
    root = make_project({
        "base/web/settings.yaml": config_map(),
        "overlays/dev/environment.yaml": environment("namespace: dev\n"),
    })

    def found() -> list[str]:
        asked.clear()
        return [finding.what for finding in check(Project.open(root), ()).findings]

    assert found() == ["its color is `blue`", "its color is ``"]
    assert sorted(asked) == ["all", "facts"]
    assert found() == ["its color is `blue`", "its color is ``"]
    assert asked == []
    settings = root / "base/web/settings.yaml"
    settings.write_text(settings.read_text().replace("blue", "green"))
    assert found() == ["its color is `green`", "its color is ``"]
    assert asked == ["all"]
