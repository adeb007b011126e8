"""Incremental builds that once left stale bytes or another answer, case by case, each with its variations."""

from __future__ import annotations

import os
import shutil
import subprocess
from random import Random
from typing import TYPE_CHECKING, Any, Final

import pytest

from envcompile.sources.jsonnetprocess import JsonnetProcess
from tests.harness.command import PACKAGE_ROOT, call_envc, run_envc
from tests.harness.repository import environment, git, read_files, write_files
from tests.laws import documents
from tests.laws.disturbances import kill_build
from tests.laws.workshop import OUTPUT, Workshop, ask, difference, without_idleness

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from envcompile.sources.jsonnetprocess import Answer as Evaluated
    from tests.laws.workshop import Answer

DEPLOYMENT: Final = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  labels: {{team: {team}}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
      - {{name: app, image: "example.com/{image}:1"}}
"""
CONFIG: Final = """\
apiVersion: v1
kind: ConfigMap
metadata: {{name: {name}}}
data:
  app.properties: |
    number={number}
"""
PATCH: Final = "apiVersion: envcompile.dev/v1\nkind: Patch\n"
COPIED: Final = "std.parseYaml(importstr '../base/web/config.yaml') + { metadata+: { name: 'copy' } }"
ACCOUNT: Final = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: worker, namespace: build}\n"
CONFIG_OF_APP: Final = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata:\n  a.properties: |\n    {}\n"


def web_and_api(**more: str) -> dict[str, str]:
    """Two applications and one environment."""
    return {
        **{
            f"base/{name}/deployment.yaml": DEPLOYMENT.format(name=name, team="red", image=name)
            for name in ("web", "api")
        },
        **{f"base/{name}/config.yaml": CONFIG.format(name=name, number=1) for name in ("web", "api")},
        "overlays/dev/environment.yaml": environment("namespace: dev\n"),
        **more,
    }


class Twice:
    """A repository built, changed and built again, held against a fresh copy after each build."""

    def __init__(self, folder: Path, files: Mapping[str, str]) -> None:
        self.shop = Workshop(folder / "kept")
        self._copy = folder / "anew"
        self.shop.put(dict(files))
        answer = ask(self.shop.root, "build")
        assert answer.code == 0, answer.err
        self.shop.commit()

    def change(self, **texts: str | None) -> None:
        """Write files, or remove those that are None."""
        files = {**self.shop.files, **texts}
        self.shop.put({path: text for path, text in files.items() if text is not None})

    def build(self, *options: str) -> Answer:
        """Build; the answer is that of a fresh copy."""
        self.shop.fresh(self._copy, outputs=True)
        here, fresh = ask(self.shop.root, "build", *options), ask(self._copy, "build", *options)
        assert not difference(without_idleness(here), without_idleness(fresh))
        return here

    def output(self, path: str) -> str:
        """The text of a compiled file of dev."""
        return (self.shop.root / OUTPUT / "dev" / path).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("layer", "patch", "path", "expected"),
    [
        (
            "dev",
            "target: {kind: Deployment}\nmerge: {spec: {revisionHistoryLimit: 3}}\n",
            "api/deployment-api.yaml",
            "revisionHistoryLimit: 3",
        ),
        (
            "common",
            "target: {kind: Deployment}\nmerge: {spec: {revisionHistoryLimit: 3}}\n",
            "api/deployment-api.yaml",
            "revisionHistoryLimit: 3",
        ),
        (
            "dev",
            "target: {kind: Deployment}\njson6902: [{op: add, path: /spec/minReadySeconds, value: 4}]\n",
            "api/deployment-api.yaml",
            "minReadySeconds: 4",
        ),
        (
            "dev",
            "target: {kind: ConfigMap, name: '*'}\nmerge: {metadata: {labels: {patched: p5}}}\n",
            "api/configmap-api.yaml",
            "patched: p5",
        ),
        (
            "dev",
            "target: {labelSelector: team=red}\nmerge: {metadata: {labels: {patched: p6}}}\n",
            "api/deployment-api.yaml",
            "patched: p6",
        ),
    ],
    ids=["merge", "parent overlay", "json6902", "glob", "labels"],
)
def test_slice_patch_added_to_plain_file(tmp_path: Path, layer: str, patch: str, path: str, expected: str) -> None:
    """A Patch that joins a file of ordinary patches reaches all it selects (case slice-patch-added-to-plain-file)."""
    plain = f"overlays/{layer}/web.yaml"
    twice = Twice(
        tmp_path,
        web_and_api(**{
            "overlays/common/environment.yaml": environment("abstract: true\n"),
            "overlays/dev/environment.yaml": environment("namespace: dev\nextends: [../common]\n"),
            plain: CONFIG.format(name="web", number=5),
        }),
    )
    twice.change(**{plain: f"{CONFIG.format(name='web', number=5)}---\n{PATCH}{patch}"})
    assert twice.build().code == 0
    assert expected in twice.output(path)
    assert twice.build("--check").code == 0


@pytest.mark.parametrize(
    ("source", "code", "files"),
    [
        ("base/web/config.yaml", "std.parseYaml(importstr '../web/config.yaml') + { metadata+: { name: 'copy' } }", {}),
        ("base/web/config.yaml", "import 'copied.libsonnet'", {"lib/copied.libsonnet": COPIED}),
        ("base/web/config.json", "(import '../web/config.json') + { metadata+: { name: 'copy' } }", {}),
        (
            "overlays/dev/more.yaml",
            "std.parseYaml(importstr '../../overlays/dev/more.yaml') + { metadata+: { name: 'copy' } }",
            {},
        ),
    ],
    ids=["yaml", "through a library", "json", "of an overlay"],
)
def test_slice_jsonnet_imports_plain_yaml(tmp_path: Path, source: str, code: str, files: dict[str, str]) -> None:
    """A resource file that jsonnet imports reaches what jsonnet makes of it (case slice-jsonnet-imports-plain-yaml)."""

    def text(number: int) -> str:
        if source.endswith(".json"):
            data = f'{{"app.properties": "number={number}\\n"}}'
            return f'{{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {{"name": "json"}}, "data": {data}}}\n'
        return CONFIG.format(name="more" if "overlays" in source else "web", number=number)

    twice = Twice(tmp_path, web_and_api(**{source: text(1), "base/copy/copy.jsonnet": f"{code}\n", **files}))
    assert "number=1" in twice.output("copy/configmap-copy.yaml")
    twice.change(**{source: text(7)})
    assert twice.build().code == 0
    assert "number=7" in twice.output("copy/configmap-copy.yaml")
    assert twice.build("--check").code == 0


@pytest.mark.parametrize("kind", ["RoleBinding", "ClusterRoleBinding"])
@pytest.mark.parametrize("where", ["base", "overlay"])
def test_slice_forced_namespace_binding(tmp_path: Path, kind: str, where: str) -> None:
    """A binding edited alone still follows its account (case slice-forced-namespace-binding)."""
    head = f"apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\n"
    role = "Role" if kind == "RoleBinding" else "ClusterRole"
    binding = (
        f"{head}metadata:\n  name: reader\n  labels: {{v: '1'}}\n"
        f"roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: {role}, name: reader}}\n"
        "subjects:\n- {kind: ServiceAccount, name: worker, namespace: build}\n"
    )
    patch = f"{head}metadata: {{name: reader, labels: {{w: '1'}}}}\n"
    twice = Twice(
        tmp_path,
        web_and_api(**{
            "overlays/dev/environment.yaml": environment("namespace: dev\nforceNamespace: true\n"),
            "base/web/account.yaml": ACCOUNT,
            "base/web/binding.yaml": binding,
            "overlays/dev/binding.yaml": patch,
        }),
    )
    edited = {"base/web/binding.yaml": binding} if where == "base" else {"overlays/dev/binding.yaml": patch}
    twice.change(**{path: text.replace("'1'", "'2'") for path, text in edited.items()})
    assert twice.build().code == 0
    text = twice.output(f"web/{kind.lower()}-reader.yaml")
    assert "namespace: dev" in text.partition("subjects:")[2]
    assert "build" not in text
    assert twice.build("--check").code == 0


@pytest.mark.parametrize(
    ("settings", "patch", "before", "after", "complaint"),
    [
        (
            "images: [{name: example.com/web, newTag: v2}]\n",
            "",
            "example.com/web",
            "example.com/site",
            "`images` names `example.com/web`",
        ),
        (
            "",
            f"{PATCH}target: {{labelSelector: team=blue}}\nmerge: {{spec: {{replicas: 2}}}}\n",
            "team: blue",
            "team: red",
            "the Patch hits no resource",
        ),
        ("replicas: {made: 3}\n", "", "replicas: 1\n", "", "made"),
    ],
    ids=["images", "patch by label", "replicas"],
)
def test_slice_setting_names_nothing(
    tmp_path: Path, settings: str, patch: str, before: str, after: str, complaint: str
) -> None:
    """A setting that an edit leaves without a target is an error at once (case slice-setting-names-nothing)."""
    first = DEPLOYMENT.format(name="web", team="blue", image="web")
    made = "apiVersion: laws.example.com/v1\nkind: Robot\nmetadata: {name: made}\nspec:\n  replicas: 1\n  size: 1\n"
    twice = Twice(
        tmp_path,
        web_and_api(**{
            "overlays/dev/environment.yaml": environment(f"namespace: dev\n{settings}"),
            "base/web/deployment.yaml": first,
            "base/web/robot.yaml": made,
            "overlays/dev/everywhere.yaml": patch,
        }),
    )
    path, text = ("base/web/robot.yaml", made) if "replicas" in settings else ("base/web/deployment.yaml", first)
    assert before in text
    twice.change(**{path: text.replace(before, after)})
    for options in ((), ("--check",)):
        answer = twice.build(*options)
        assert answer.code == 1
        assert complaint in answer.err


@pytest.mark.parametrize(
    "how",
    [
        "removed",
        "edited",
        "index removed",
    ],
)
def test_slice_leaves_other_outputs_alone(tmp_path: Path, how: str) -> None:
    """Exit 0 means that all of the folder is what the sources say (case slice-leaves-other-outputs-alone)."""
    twice = Twice(tmp_path, web_and_api())
    other = twice.shop.root / OUTPUT / "dev/api/configmap-api.yaml"
    expected = other.read_text(encoding="utf-8")
    if how == "removed":
        other.unlink()
    elif how == "edited":
        other.write_text(f"{expected}# mine\n", encoding="utf-8")
    else:
        (twice.shop.root / OUTPUT / "dev/.envc-index").unlink()
    twice.change(**{"base/web/config.yaml": CONFIG.format(name="web", number=7)})
    answer = twice.build()
    if how == "removed":
        assert answer.code == 0
        assert other.read_text(encoding="utf-8") == expected
    elif how == "edited":
        assert answer.code == 1
        assert f"{OUTPUT}/dev/api/configmap-api.yaml was changed by hand" in answer.err
        assert other.read_text(encoding="utf-8").endswith("# mine\n")
    assert "number=7" in twice.output("web/configmap-web.yaml") or answer.code == 1


def _in_place(path: Path, old: str, new: str) -> None:
    """Rewrite a file with a text of the same length and put its time back."""
    status = path.stat()
    with path.open("r+", encoding="utf-8") as file:
        text = file.read()
        file.seek(0)
        file.write(text.replace(old, new))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)


@pytest.mark.parametrize("replace", [False, True], ids=["in place", "cp -p over it"])
@pytest.mark.parametrize("options", [(), ("--check",)], ids=["build", "check"])
def test_same_size_same_time(tmp_path: Path, options: tuple[str, ...], *, replace: bool) -> None:
    """A source of the same size and time is read again when it was written since (case same-size-same-time)."""
    twice = Twice(tmp_path, web_and_api())
    source = twice.shop.root / "base/web/config.yaml"
    if replace:
        beside = tmp_path / "beside.yaml"
        beside.write_text(CONFIG.format(name="web", number=9), encoding="utf-8")
        os.utime(beside, ns=(source.stat().st_mtime_ns, source.stat().st_mtime_ns))
        subprocess.run(["cp", "-p", beside, source], check=True)
    else:
        _in_place(source, "number=1", "number=9")
    twice.shop.files["base/web/config.yaml"] = CONFIG.format(name="web", number=9)
    answer = twice.build(*options)
    if options:
        assert answer.code == 16
        assert answer.out == f"{OUTPUT}/dev/web/configmap-web.yaml: stale: would change\n"
    else:
        assert answer.code == 0
        assert "number=9" in twice.output("web/configmap-web.yaml")


def test_same_size_same_time_of_an_output(tmp_path: Path) -> None:
    """An output edited by hand is reported, whatever its time says (case same-size-same-time)."""
    twice = Twice(tmp_path, web_and_api())
    _in_place(twice.shop.root / OUTPUT / "dev/web/configmap-web.yaml", "number=1", "number=9")
    answer = twice.build("--check")
    assert answer.code == 16
    assert answer.out == f"{OUTPUT}/dev/web/configmap-web.yaml: edited by hand\n"


CHART_OF_TWO: Final = {
    "envc.yaml": "environments: [dev, prod]\nchart:\n  name: c\n",
    "base/app/c.yaml": CONFIG_OF_APP.format("x=1"),
    **{f"overlays/{name}/environment.yaml": environment("namespace: p\n") for name in ("dev", "prod")},
}


@pytest.mark.parametrize("options", [(), ("--check",), ("--no-chart",)], ids=["", "check", "no chart"])
def test_chart_as_environment_name(tmp_path: Path, options: tuple[str, ...]) -> None:
    """`envc build chart` gives the same answer before and after a build: there is no such environment."""
    # case chart-as-environment-name
    shop = Workshop(tmp_path / "kept")
    shop.put(dict(CHART_OF_TWO))
    answers = [ask(shop.root, "build", "chart", *options)]
    assert ask(shop.root, "build").code == 0
    answers.append(ask(shop.root, "build", "chart", *options))
    shop.put({**shop.files, "base/app/c.yaml": f"{CHART_OF_TWO['base/app/c.yaml']}# touched\n"})
    answers.append(ask(shop.root, "build", "chart", *options))
    assert [answer.code for answer in answers] == [2, 2, 2]
    assert len({answer.err for answer in answers}) == 1
    assert "there is no environment `chart`" in answers[0].err


@pytest.mark.parametrize(
    "kind",
    [
        "Foo\\nbar",
        "Foo\\rbar",
        "Foo\\u2028bar",
        "Foo/bar",
        "..",
    ],
)
def test_chart_file_names(tmp_path: Path, kind: str) -> None:
    """A kind with a line break is an error, or its template goes with it (case chart-file-names)."""
    files = {
        **CHART_OF_TWO,
        "base/app/e.yaml": f'apiVersion: evil.example/v1\nkind: "{kind}"\nmetadata: {{name: yy}}\n',
    }
    shop = Workshop(tmp_path / "kept")
    shop.put(files)
    first = ask(shop.root, "build")
    if first.code:
        assert first.code == 1
        assert "base/app/e.yaml:2:" in first.err
    shop.put(CHART_OF_TWO | {})
    assert ask(shop.root, "build").code == 0
    fresh = ask(shop.fresh(tmp_path / "anew", outputs=False), "build")
    assert read_files(shop.root / OUTPUT) == fresh.files


CODE: Final = "compose/configtext/questions.py"


@pytest.mark.parametrize(
    ("module", "keep_time"),
    [
        (CODE, False),
        (CODE, True),
        ("compose/assemble.py", False),
        ("compose/assemble.py", True),
    ],
)
def test_stale_build_after_nested_code_change(tmp_path: Path, module: str, *, keep_time: bool) -> None:
    """A build knows that any file of envc's own code is another one (case stale-build-after-nested-code-change).

    Edited, or installed by something that gives all files one time.
    """
    package = tmp_path / "code" / "envcompile"
    shutil.copytree(PACKAGE_ROOT / "envcompile", package, ignore=shutil.ignore_patterns("__pycache__"))
    root = write_files(
        tmp_path / "project",
        {
            "base/app/c.yaml": CONFIG_OF_APP.format("x=1"),
            "overlays/prod/environment.yaml": environment("namespace: p\n"),
            "overlays/prod/c.yaml": CONFIG_OF_APP.format("y=2"),
        },
    )
    git(root, "init", "--quiet")
    env = {"PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    assert call_envc(root, "build", env=env, cwd=tmp_path).code == 0
    code = package / module
    status = code.stat()
    text = code.read_text(encoding="utf-8")
    assert "\ndef " in text
    code.write_text(text.replace("\ndef ", '\nraise SystemExit("the NEW code ran")\n\n\ndef ', 1), encoding="utf-8")
    if keep_time:
        os.utime(code, ns=(status.st_atime_ns, status.st_mtime_ns))
    for options in ((), ("--check",)):
        outcome = call_envc(root, "build", *options, env=env, cwd=tmp_path)
        assert "the NEW code ran" in outcome.err
        assert outcome.code == 1


BURN: Final = """\
local burn(n) = std.foldl(function(a, i) a + i % 7, std.range(1, n), 0);
{ config: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'sum' }, data: { sum: std.toString(burn(9)) } } }
"""


@pytest.mark.parametrize("options", [(), ("dev",), ("--check",)], ids=["build", "one environment", "check"])
def test_jsonnet_not_cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]) -> None:
    """A changed file evaluates the jsonnet that reads it and no other (case jsonnet-not-cached)."""
    evaluated: list[str] = []
    evaluate = JsonnetProcess.evaluate

    def watched(process: JsonnetProcess, name: str, *arguments: Any) -> Evaluated:
        evaluated.append(name)
        return evaluate(process, name, *arguments)

    monkeypatch.setattr(JsonnetProcess, "evaluate", watched)
    files = {
        **web_and_api(**{
            "base/slow/app.jsonnet": BURN.replace("burn(9)", "burn(import 'count.libsonnet')"),
            "lib/count.libsonnet": "9\n",
            "base/asks/app.jsonnet": "local l = import 'name.libsonnet'; { apiVersion: 'v1', kind: 'ConfigMap', "
            "metadata: { name: 'asks' }, data: { name: l.name } }\n",
            "lib/name.libsonnet": "{ name: std.extVar('environment').name }\n",
        }),
        "overlays/prod/environment.yaml": environment("namespace: prod\n"),
    }
    twice = Twice(tmp_path, files)
    assert evaluated
    evaluated.clear()
    twice.change(**{"base/web/config.yaml": CONFIG.format(name="web", number=2)})
    ask(twice.shop.root, "build", *options)
    assert not evaluated
    twice.change(**{"lib/count.libsonnet": "11\n"})
    ask(twice.shop.root, "build", *options)
    assert evaluated


def test_watch_ignores_no_chart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`envc build --watch --no-chart` leaves the chart as it is (case watch-ignores-no-chart)."""
    watchfiles = pytest.importorskip("watchfiles")
    shop = Workshop(tmp_path / "kept")
    shop.put(CHART_OF_TWO | {})
    assert ask(shop.root, "build").code == 0
    before = read_files(shop.root / OUTPUT / "chart")
    source = shop.root / "base/app/c.yaml"

    def saved(*_: object, **__: object) -> object:
        shop.put({**shop.files, "base/app/c.yaml": CHART_OF_TWO["base/app/c.yaml"].replace("x=1", "x=9")})
        yield {(watchfiles.Change.modified, str(source))}

    monkeypatch.setattr(watchfiles, "watch", saved)
    outcome = run_envc(shop.root, "build", "--watch", "--no-chart")
    assert "x=9" in (shop.root / OUTPUT / "dev/app/configmap-c.yaml").read_text(encoding="utf-8"), outcome
    assert read_files(shop.root / OUTPUT / "chart") == before
    assert "chart:" not in outcome.err


def test_a_first_build_may_be_killed_at_any_moment(tmp_path: Path) -> None:
    """The next one leaves what a build that was not killed leaves, and nothing beside it."""
    shop = Workshop(tmp_path / "shop")
    shop.put({
        "base/web/web.yaml": documents.config_map("web", Random(1)),
        "overlays/prod/environment.yaml": environment("namespace: prod\n"),
    })
    assert run_envc(shop.root, "build").code == 0
    expected = read_files(shop.root / "environments")
    at = 1
    while True:
        for folder in ("environments", ".envc"):
            shutil.rmtree(shop.root / folder, ignore_errors=True)
        if not kill_build(shop.root, at):
            break
        assert run_envc(shop.root, "build").code == 0
        assert read_files(shop.root / "environments") == expected, at
        at += 4
    assert at > 20


@pytest.mark.parametrize(
    ("path", "files"),
    [
        (
            "files/motd.txt",
            {
                "base/web/motd.yaml": "apiVersion: envcompile.dev/v1\nkind: Generate\nmetadata: {name: motd}\n"
                "configMap:\n  files: [../../files/motd.txt]\n",
                "files/motd.txt": "hello\n",
            },
        ),
        (
            "lib/team.libsonnet",
            {
                "base/web/team.jsonnet": "{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'team' },"
                " data: import 'team.libsonnet' }\n",
                "lib/team.libsonnet": "{ team: 'red' }\n",
            },
        ),
        (
            "crds/widgets.yaml",
            {
                "envc.yaml": "environments: [dev]\ncrds: [crds]\n",
                "crds/widgets.yaml": "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\n"
                "metadata: {name: widgets.example.com}\nspec:\n  group: example.com\n  scope: Namespaced\n"
                "  names: {kind: Widget, plural: widgets}\n  versions:\n"
                "  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}\n",
            },
        ),
    ],
)
def test_a_file_that_git_comes_to_ignore(tmp_path: Path, path: str, files: dict[str, str]) -> None:
    """No stat of a source tells it: with and without another change the build says what a fresh one says."""
    twice = Twice(tmp_path, web_and_api(**files))
    git(twice.shop.root, "rm", "--cached", "--quiet", path)
    assert twice.build().code == 0
    twice.change(**{".gitignore": f".envc/\n/{path}\n"})
    assert twice.build().code == 1
    twice.change(**{"base/api/config.yaml": CONFIG.format(name="api", number=2)})
    assert f"`{path}` is ignored by git" in twice.build().err
    twice.change(**{".gitignore": ".envc/\n"})
    assert twice.build().code == 0
    assert twice.build().code == 0
