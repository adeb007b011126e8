"""Jsonnet of anybody: it ends within limits, sees only what commits hold, and has what Tanka's libraries count on."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from envcompile.errors import EnvcError
from envcompile.limits import DEFAULT_LIMITS, UNTRUSTED_LIMITS, Limits, limits_of
from envcompile.settings import Limits as Stated
from envcompile.sources import File, WorkingTree, jsonnetprocess
from envcompile.sources.jsonnetfiles import Evaluations
from envcompile.sources.jsonnetimports import Dependency
from envcompile.sources.jsonnetstore import EvaluationStore, Stored, evaluation_key
from tests.harness.command import PACKAGE_ROOT, run_envc
from tests.harness.repository import commit, environment, write_files

if TYPE_CHECKING:
    from pathlib import Path

    from envcompile.sources import Tree

SETTINGS = "{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'settings' }, data: %s }"


def project(root: Path, text: str, *, settings: str = "", name: str = "dev", **files: str) -> Path:
    """A project of one environment with one jsonnet file and further files, `/` in names written `__`."""
    more = {path.replace("__", "/"): content for path, content in files.items()}
    own = {"base/app/main.jsonnet": text, f"overlays/{name}/environment.yaml": environment(f"namespace: a\n{settings}")}
    return write_files(root, {**own, **more})


def data(root: Path, name: str = "dev") -> dict[str, Any]:
    """What the ConfigMap holds that the project makes."""
    done = run_envc(root, "show", name, "configmap/settings", "--format", "json")
    if done.code:
        done = run_envc(root, "show", name, "configmap/settings")
    assert done.code == 0, done.err
    import yaml

    found: dict[str, Any] = yaml.safe_load(done.out)["data"]
    return found


@pytest.mark.parametrize(
    ("call", "value"),
    [
        ("std.native('parseYaml')('a: 1\\n---\\n[x]')", [{"a": 1}, ["x"]]),
        ("std.native('parseJson')('{\"a\": [1.5, null]}')", {"a": [1.5, None]}),
        ("std.native('manifestJsonFromJson')('{\"a\": [1]}', 2)", '{\n  "a": [\n    1\n  ]\n}\n'),
        (
            "std.native('parseYaml')(std.native('manifestYamlFromJson')('{\"b\": 1, \"a\": [\"x\"]}'))",
            [{"a": ["x"], "b": 1}],
        ),
        ("std.native('escapeStringRegex')('a.b*[c]')", "a\\.b\\*\\[c\\]"),
        ("std.native('regexMatch')('^a+$', 'aaa')", True),
        ("std.native('regexMatch')('^a$', 'a\\n')", False),
        ("std.native('regexMatch')('(?i)^É\\\\d', 'é٣')", False),
        ("std.native('regexSubst')('(?P<x>a)(b)', 'ab ab', '${x}-$2$$')", "a-b$ a-b$"),
        ("std.native('regexSubst')('a', 'banana', '$1x')", "bnn"),
        ("std.native('sha256')('x')", "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"),
    ],
)
def test_native_functions_of_tanka(tmp_path: Path, call: str, value: Any) -> None:
    """Case tanka-native-functions: the pure ones give what Go's give."""
    file = File("base/a.jsonnet", call.encode())
    assert Evaluations({}).evaluate(WorkingTree(tmp_path), file, {"name": "dev"}).output == value


@pytest.mark.parametrize(
    ("call", "words", "place"),
    [
        (
            "{\n  a: std.native('helmTemplate')('a', './c', { x: 1 }) }",
            "std.native('helmTemplate') is not here: it would",
            ":2:6",
        ),
        ("std.native('kustomizeBuild')('a', {})", "std.native('kustomizeBuild') is not here", ":1:1"),
        ("std.native('parseYml')('a')", "there is no native function `parseYml`", ":1:1"),
        ("std.native('parseJson')('{')", "std.native('parseJson'): the text is no JSON", ":1:1"),
        ("std.native('regexMatch')('(?=a)', 'a')", "`(?=` in a regular expression is not supported", ":1:1"),
        ("std.native('parseYaml')(1)", "an argument has another type", ":1:1"),
    ],
)
def test_native_functions_that_fail_say_which_and_why(tmp_path: Path, call: str, words: str, place: str) -> None:
    """Never `Unexpected type null`."""
    done = run_envc(project(tmp_path, call), "build")
    assert done.code == 1
    assert words in done.err
    assert f"base/app/main.jsonnet{place}" in done.err


INLINE = """\
local env(name) = {
  apiVersion: 'tanka.dev/v1alpha1', kind: 'Environment', metadata: { name: name }, spec: { namespace: 'x' },
  data: { settings: %s },
};
{ dev: env('dev'), prod: env('environments/prod') }
""" % (SETTINGS % "{ LEVEL: name }")


@pytest.mark.parametrize(("name", "level"), [("dev", "dev"), ("prod", "environments/prod")])
def test_the_inline_environment_of_the_same_name_counts(tmp_path: Path, name: str, level: str) -> None:
    """Case tanka-inline-environment: its `data` is what the file says; the envelope is no resource."""
    root = project(tmp_path, INLINE, name=name)
    assert data(root, name) == {"LEVEL": level}
    assert "tanka.dev" not in run_envc(root, "show", name).out


def test_the_defaults_of_an_inline_environment_go_on_its_resources(tmp_path: Path) -> None:
    """Tanka's `spec.resourceDefaults`: labels and annotations that a resource does not set itself."""
    text = """\
local map(name, labels) = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: name } + labels };
[
  { apiVersion: 'tanka.dev/v1alpha1', kind: 'Environment', metadata: { name: 'dev' },
    spec: { resourceDefaults: { labels: { team: 'a', tier: 'b' }, annotations: { x: 'q' } } },
    data: { one: map('one', {}), two: [map('two', { labels: { tier: 'own' } })],
            three: { apiVersion: 'v1', kind: 'List', items: [map('three', {})] } } },
  map('beside', {}),
]
"""
    out = run_envc(project(tmp_path, text, name="dev"), "show", "dev", "--format", "json").out
    found = {value["metadata"]["name"]: value["metadata"] for value in json.loads(out)}
    assert found["one"]["labels"] == {"team": "a", "tier": "b"}
    assert found["three"] == {**found["one"], "name": "three"}
    assert found["two"]["labels"] == {"team": "a", "tier": "own"}
    assert found["two"]["annotations"] == {"x": "q"}
    assert "labels" not in found["beside"]


def test_an_inline_environment_of_another_name_is_refused(tmp_path: Path) -> None:
    """With the names there are, and where they stand in the output."""
    done = run_envc(project(tmp_path, INLINE, name="test"), "build")
    assert done.code == 1
    assert "none of Tanka's inline environments is named `test`" in done.err
    assert "`dev` at `dev` in jsonnet's output, `environments/prod` at `prod` in jsonnet's output" in done.err


@pytest.mark.parametrize(
    "text",
    [
        "function(environment, color, size=1) " + SETTINGS % "{ v: color + size }",
        "function(color, size) " + SETTINGS % "{ v: color + size }",
        "function(color='x', size='y') " + SETTINGS % "{ v: color + size }",
        "function(settings={}, color='x', size='y') " + SETTINGS % "{ v: color + size }",
    ],
)
def test_parameters_are_arguments_of_a_top_level_function(tmp_path: Path, text: str) -> None:
    """Those it has; words of the text that are none of its parameters do no harm."""
    root = project(tmp_path, text, settings="params: {color: blue, size: 3, settings: {}, name: x}\n")
    assert data(root) == {"v": "blue3"}


def test_defined_twice_names_both_ways_in_the_output(tmp_path: Path) -> None:
    """Case jsonnet-defined-twice."""
    text = "local a = %s; { shard0: { account: a }, shard1: { account: a } }" % (SETTINGS % "{}")
    done = run_envc(project(tmp_path, text), "build")
    assert done.code == 1
    assert (
        "is defined twice: at `shard1.account` of jsonnet's output and `shard0.account` of jsonnet's output" in done.err
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            f"[{SETTINGS % '{}'}, {SETTINGS.replace(chr(39) + 'settings' + chr(39), '5') % '{}'}]",
            "`[1]` of jsonnet's output",
        ),
        ("{ a: { apiVersion: 'v1', kind: 'configmap', metadata: { name: 'a' } } }", "(at `a` of jsonnet's output)"),
        ("{ a: { apiVersion: 'envcompile.dev/v1', kind: 'Patch', wrong: 1 } }", "jsonnet's output"),
    ],
)
def test_every_error_has_the_way_in_the_output(tmp_path: Path, text: str, words: str) -> None:
    """The line of a computed value is the file's first: the way is what finds it."""
    done = run_envc(project(tmp_path, text), "build")
    assert done.code == 1
    assert words in done.err


SMALL = DEFAULT_LIMITS._replace(seconds=1, memory=1500)


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("local f(n) = f(n + 1) tailstrict; f(0)", ("limits.seconds", "limits.memory")),
        ("std.length(std.range(1, 1e9))", ("limits.seconds", "limits.memory")),
        ("std.length(std.repeat('x', 2e9))", ("limits.seconds", "limits.memory")),
        ("std.foldl(function(a, i) a + i, std.range(1, 100000000), 0)", ("limits.seconds", "limits.memory")),
    ],
)
def test_what_would_never_end_is_an_error_that_names_its_limit(
    tmp_path: Path, text: str, limit: tuple[str, str]
) -> None:
    """Case exhaustion: Go's abort ends the worker, and the next file is evaluated all the same."""
    evaluations = Evaluations({}, SMALL)
    tree = WorkingTree(tmp_path)
    with pytest.raises(EnvcError) as raised:
        evaluations.evaluate(tree, File("base/a.jsonnet", text.encode()), {"name": "dev"})
    (problem,) = raised.value.problems
    assert any(name in problem.fix for name in limit)
    assert str(problem.where[0]) == "base/a.jsonnet:1:1"
    assert evaluations.evaluate(tree, File("base/b.jsonnet", b"[1]"), {"name": "dev"}).output == [1]


def test_imports_are_limited(tmp_path: Path) -> None:
    """A file that imports without end is an error."""
    write_files(tmp_path, {f"lib/f{number}": "1" for number in range(9)})
    text = " + ".join(f"(import 'f{number}')" for number in range(9))
    with pytest.raises(EnvcError, match="looks at more than 5 imports"):
        Evaluations({}, Limits(imports=5)).evaluate(WorkingTree(tmp_path), File("base/a", text.encode()), {"name": "d"})


def test_limits_are_raised_by_who_is_trusted_only() -> None:
    """What an untrusted tree says only lowers them."""
    assert limits_of(None) == DEFAULT_LIMITS
    assert limits_of(Stated(files=10**6, seconds=1)) == DEFAULT_LIMITS._replace(files=10**6, seconds=1)
    assert limits_of(Stated(files=10**6, seconds=1), UNTRUSTED_LIMITS) == UNTRUSTED_LIMITS._replace(seconds=1)


HIDDEN = {
    "importstr '../../.git/config'": "`.git/config` lies below a name that begins with a dot",
    "importstr '../../.envc/x'": "`.envc/x` lies below a name that begins with a dot",
    "importstr 'link/config'": "leads below a name that begins with a dot",
    "importstr 'link.txt'": "leads below a name that begins with a dot",
    "importstr '../../local.env'": "`local.env` is ignored by git",
    "importstr 'ignored.txt'": "is ignored by git",
    "importbin '../../.git/config'": "`.git/config` lies below a name that begins with a dot",
}


@pytest.mark.parametrize(("text", "words"), HIDDEN.items(), ids=HIDDEN.keys())
def test_imports_see_what_commits_can_hold(tmp_path: Path, text: str, words: str) -> None:
    """Case jsonnet-reads-dot-git: not `.git`, not `.envc`, nothing that git ignores, through no symlink either."""
    root = project(tmp_path, "null", base__app__plain="{}")
    commit(root)
    write_files(root, {".gitignore": "*.env\n.envc/\n", ".envc/x": "s3cr3t", "local.env": "s3cr3t"})
    files = {"lib/link": "-> ../.git", "lib/link.txt": "-> ../.git/config", "lib/ignored.txt": "-> ../local.env"}
    write_files(root, files)
    (root / "base/app/main.jsonnet").write_text(SETTINGS % f"{{ x: {text} }}", encoding="utf-8")
    done = run_envc(root, "build")
    assert done.code == 1
    assert words in done.err
    assert "s3cr3t" not in done.err
    assert "[core]" not in done.err


def test_a_committed_file_that_a_pattern_would_ignore_is_seen(tmp_path: Path) -> None:
    """Git holds it, so that everybody has it."""
    root = project(tmp_path, SETTINGS % "{ x: importstr 'a.env' }", base__app__a_env="", **{"base__app__a.env": "A=1"})
    commit(root)
    write_files(root, {".gitignore": "*.env\n"})
    assert data(root) == {"x": "A=1"}


def test_a_symlink_of_a_layer_below_a_dot_is_refused(tmp_path: Path) -> None:
    """Case jsonnet-reads-dot-git, for YAML: a symlink makes nothing visible either."""
    root = project(tmp_path, "null", base__app__x_yaml="", **{"base__app__x.yaml": "-> ../../.git/config"})
    commit(root)
    done = run_envc(root, "build")
    assert done.code == 1
    assert "the symlink `base/app/x.yaml` leads below a name that begins with a dot" in done.err


def test_symlinks_that_multiply_are_refused(tmp_path: Path) -> None:
    """Case exhaustion: 10^7 paths from 71 entries end at the limit of folders, which is named."""
    root = project(tmp_path, "null")
    for level in range(7):
        folder = root / f"bomb/d{level}"
        folder.mkdir(parents=True)
        for number in range(10):
            (folder / f"l{number}").symlink_to(f"../d{level + 1}")
    write_files(root, {"bomb/d7/x.yaml": "{}\n", "base/app/b": "-> ../../bomb/d0"})
    with pytest.raises(EnvcError, match="`base` holds more than 20,000 folders") as raised:
        WorkingTree(root).files("base")
    assert "limits.folders" in raised.value.problems[0].fix
    write_files(root, {"envc.yaml": "limits: {folders: 300}\n"})
    done = run_envc(root, "show", "dev")
    assert done.code == 1
    assert "`base` holds more than 300 folders" in done.err


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    """The limit is named, and can be raised."""
    root = project(tmp_path, "null", **{"base__app__x.yaml": "# " + "x" * (1 << 20) + "\n"})
    write_files(root, {"envc.yaml": "limits: {fileSize: 1}\n"})
    done = run_envc(root, "build")
    assert done.code == 1
    assert "`base/app/x.yaml` holds more than 1 MiB" in done.err
    write_files(root, {"envc.yaml": "limits: {fileSize: 2}\n"})
    assert run_envc(root, "build").code == 0


SLOW = (
    "local n = std.foldl(function(a, i) a + i % 7, std.range(1, 60000), 0); "
    + SETTINGS % "{ n: std.toString(n), l: import 'l' }"
)


def test_a_slow_file_is_evaluated_once_for_all_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Case jsonnet-not-cached: another file's change evaluates nothing, one of an import does."""
    root = project(tmp_path, SLOW, base__lib__x="", lib__l="'1'", **{"base__app__a.yaml": ""})
    first = data(root)
    asked: list[str] = []
    evaluate = Evaluations._evaluate

    def counted(self: Evaluations, tree: Tree, file: File, *rest: Any) -> str:
        asked.append(file.path)
        return evaluate(self, tree, file, *rest)

    monkeypatch.setattr(Evaluations, "_evaluate", counted)
    write_files(root, {"base/app/a.yaml": "# changed\n"})
    assert data(root) == first
    assert asked == []
    write_files(root, {"lib/l": "'2'"})
    assert data(root) == {**first, "l": "2"}
    assert asked == ["base/app/main.jsonnet"]
    write_files(root, {"base/app/l": "'3'"})
    assert data(root)["l"] == "3", "a file where an import is looked for first"


def test_a_kept_result_that_is_damaged_or_not_ours_is_none(tmp_path: Path) -> None:
    """It is JSON with a digest, in a real folder."""
    store = EvaluationStore(tmp_path / ".envc/jsonnet", "here")
    key = evaluation_key(File("a", b"1"), "")
    assert store.load(key) is None
    kept = Stored("[1]", (Dependency("a", "x"), Dependency("b", None)))
    store.save(key, kept)
    assert store.load(key) == kept
    assert (tmp_path / ".envc/.gitignore").read_text() == "*\n"
    (path,) = (tmp_path / ".envc/jsonnet").glob("*.json")
    path.write_text(json.dumps({**json.loads(path.read_text()), "output": "[2]"}))
    assert store.load(key) is None
    store.save(key, kept)
    assert EvaluationStore(tmp_path / ".envc/jsonnet", "elsewhere").load(key) is None, (
        "another machine's, or a branch's"
    )
    path.write_bytes(b"\x80")
    assert store.load(key) is None
    store.save(key, kept)
    (tmp_path / "x").symlink_to(tmp_path / ".envc/jsonnet")
    assert EvaluationStore(tmp_path / "x", "here").load(key) is None


def test_the_key_of_an_evaluation_is_its_file_and_what_it_was_given() -> None:
    """Each of the three makes another one."""
    keys = {evaluation_key(File(path, text), env) for path in "ab" for text in (b"1", b"2") for env in ("", "{}")}
    assert len(keys) == 8


def test_an_import_that_git_ignores_by_now_is_refused_although_it_is_remembered(tmp_path: Path) -> None:
    """What an earlier run learnt of the files says nothing of who may see them."""
    root = project(tmp_path, SETTINGS % "{ x: importstr 'a.txt', y: importstr '../../b.txt' }")
    commit(root)
    write_files(root, {"base/app/a.txt": "A", "b.txt": "B", ".gitignore": ".envc/\n"})
    assert run_envc(root, "build").code == 0
    shutil.rmtree(root / ".envc/units")
    write_files(root, {".gitignore": ".envc/\n/b.txt\n"})
    done = run_envc(root, "build", "--force")
    assert done.code == 1
    assert "`b.txt` is ignored by git" in done.err


def test_a_linked_folder_hides_no_ignored_import(tmp_path: Path) -> None:
    """Git says nothing of files behind a link: they are asked for where they really are."""
    root = project(tmp_path, SETTINGS % "{ x: importstr 'shared/a.txt', y: importstr '../../local.env' }")
    write_files(root, {"lib/shared": "-> ../shared", "shared/a.txt": "A", ".gitignore": "*.env\n"})
    write_files(root, {"local.env": "s3cr3t"})
    commit(root)
    done = run_envc(root, "build")
    assert done.code == 1
    assert "`local.env` is ignored by git" in done.err


def test_the_process_of_jsonnet_bounds_itself() -> None:
    """Time, memory, what it prints, and no image of its memory."""
    text = (
        "import resource\nfrom types import SimpleNamespace\nfrom envcompile.sources import jsonnetworker\n"
        "resource.getrusage = lambda _: SimpleNamespace(ru_utime=99.0, ru_stime=1.0)\n"
        "core = resource.getrlimit(resource.RLIMIT_CORE)[1]\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (core, core))\n"
        "jsonnetworker._limit(7, 1 << 33)\n"
        "names = [resource.RLIMIT_CPU, resource.RLIMIT_AS, resource.RLIMIT_CORE, resource.RLIMIT_FSIZE]\n"
        "print(*[resource.getrlimit(name)[0] for name in names])\n"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True, cwd=PACKAGE_ROOT)
    seconds, memory, core, printed = map(int, done.stdout.split())
    assert 107 <= seconds < 110  # of the process so far, and of this evaluation
    assert (memory, core, printed) == (1 << 33, 0, 1 << 20)


def test_what_a_program_tells_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """`std.trace` may print a mebibyte, of which people are told the beginning."""
    told: list[str] = []
    monkeypatch.setattr(jsonnetprocess, "decision", lambda *said: told.append(said[-1]))
    process = jsonnetprocess.JsonnetProcess(60, 8_192)
    text = "std.foldl(function(a, i) std.trace(std.repeat('x', 999), a + i), std.range(1, 99), 0)"
    answer = process.evaluate("a.jsonnet", text, {}, {}, lambda *_: ("", b""))
    process.close()
    assert answer.output == "4950\n"
    assert 0 < sum(map(len, told)) <= 10_000


@pytest.mark.parametrize("path", ["", "."])
def test_the_process_of_jsonnet_imports_no_module_of_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """It is started in the folder of the project, with whatever the user has set."""
    ran = tmp_path / "RAN"
    names = ("json", "re", "typing", "resource", "envcompile", "_gojsonnet", "sitecustomize", "usercustomize")
    planted = {f"{name}.py": f"open({str(ran)!r}, 'a').write('{name} ')\n" for name in names}
    monkeypatch.chdir(write_files(tmp_path / "checkout", planted))
    monkeypatch.setenv("PYTHONPATH", path)
    process = jsonnetprocess.JsonnetProcess(60, 8_192)
    assert process.evaluate("a.jsonnet", "1 + 1", {}, {}, lambda *_: ("", b"")).output == "2\n"
    process.close()
    assert not ran.exists()
