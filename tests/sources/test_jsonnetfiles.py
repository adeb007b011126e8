"""Jsonnet files: what they may evaluate to, what they may import, and how their errors read."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from envcompile.git.repository import open_repository
from envcompile.sources import File, WorkingTree, new_parsed_files, read_environment, read_project
from envcompile.sources.jsonnetfiles import Evaluations
from envcompile.sources.jsonnetimports import Dependency
from tests.sources.messages import ENVIRONMENT, Case, complaint, read

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sources.conftest import Commit, Write

PROD = {
    "overlays/prod/environment.yaml": (
        f"{ENVIRONMENT}namespace: shop\nlabels: {{env: prod}}\n"
        "params: {size: 3, host: 'a.${{ params.tld }}', tld: org}\n"
    )
}
LIBRARY = "{ cm(name, data={}): { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: name }, data: data } }"


def names(root: Path, environment: str = "prod") -> list[str]:
    """The names of the base's resources."""
    return [document.value["metadata"]["name"] for document in read(root)[environment].layers[0].documents]


@pytest.mark.parametrize(
    "text",
    [
        "k.cm('a')",
        "[k.cm('a')]",
        "{ x: { y: [k.cm('a'), null] }, gone: null, hidden:: 1 }",
        "{ apiVersion: 'v1', kind: 'List', items: [k.cm('a')] }",
        "function(environment) k.cm('a')",
        "function(environment={}) [if false then k.cm('b'), k.cm('a')]",
        "function() k.cm('a')",
        "function(name='a', region='eu') [k.cm(name)]",
        "function(make=function(name) k.cm(name)) { x: make('a') }",
    ],
)
def test_any_nesting_that_ends_in_resources_will_do(write: Write, text: str) -> None:
    """Tanka's rule: an object with apiVersion and kind is a resource, null is nothing."""
    assert names(
        write({**PROD, "base/a.jsonnet": f"local k = import 'k.libsonnet'; {text}", "lib/k.libsonnet": LIBRARY})
    ) == ["a"]


def test_documents_say_where_in_the_output_they_were(write: Write) -> None:
    """Computed values have a file, but no line of their own."""
    root = write({**PROD, "base/app/a.jsonnet": f"local k = {LIBRARY}; {{ b: [k.cm('x')], a: k.cm('y') }}"})
    layer = read(root)["prod"].layers[0]
    assert [(doc.within, doc.generated, doc.value["metadata"]["name"]) for doc in layer.documents] == [
        (("a",), True, "y"),
        (("b", 0), True, "x"),
    ]
    assert layer.apps == {"base/app/a.jsonnet": "app"}


def test_the_environment_comes_as_argument_and_as_variable(write: Write) -> None:
    """Both ways hold name, namespace, labels and params, with parameters put in."""
    shape = "{ apiVersion: 'v1', kind: 'X', metadata: { name: 'x' }, environment: environment }"
    root = write({
        **PROD,
        "base/a.jsonnet": f"function(environment) {shape}",
        "base/b.jsonnet": f"local environment = std.extVar('environment'); {shape}",
    })
    for document in read(root)["prod"].layers[0].documents:
        assert document.value["environment"] == {
            "name": "prod",
            "namespace": "shop",
            "labels": {"env": "prod"},
            "params": {"size": 3, "host": "a.org", "tld": "org"},
        }


def test_integers_stay_integers(write: Write) -> None:
    """Jsonnet's numbers are floating point; `replicas: 3.0` would be refused by the API."""
    text = (
        "{ apiVersion: 'v1', kind: 'X', metadata: { name: 'x' }, n: [3, 3.0, 1.5, 1e3, 9007199254740992, 1e100, -0] }"
    )
    (document,) = read(write({**PROD, "base/a.jsonnet": text}))["prod"].layers[0].documents
    numbers = document.value["n"]
    assert numbers == [3, 3, 1.5, 1000, 9007199254740992, 1e100, 0]
    assert [type(number) for number in numbers] == [int, int, float, int, int, float, int]


def test_imports_are_found_beside_the_file_then_in_lib_then_in_vendor(write: Write) -> None:
    """jsonnet-bundler's layout works as it stands; an import's own imports start at its folder."""
    root = write({
        **PROD,
        "base/app/a.jsonnet": "[import 'one.libsonnet', import 'two.libsonnet', import 'deep/three.libsonnet']",
        "base/app/one.libsonnet": "{ apiVersion: 'v1', kind: 'A', metadata: { name: 'near' } }",
        "lib/one.libsonnet": "error 'not this one'",
        "lib/two.libsonnet": "{ apiVersion: 'v1', kind: 'A', metadata: { name: importstr 'name.txt' } }",
        "lib/name.txt": "lib",
        "vendor/two.libsonnet": "error 'not this one'",
        "vendor/deep/three.libsonnet": "import 'four.libsonnet'",
        "vendor/deep/four.libsonnet": "{ apiVersion: 'v1', kind: 'A', metadata: { name: 'vendor' } }",
    })
    assert names(root) == ["near", "lib", "vendor"]
    assert read(root)["prod"].dependencies["base/app/a.jsonnet"] == {
        "base/app/one.libsonnet",
        "base/app/two.libsonnet",
        "lib/two.libsonnet",
        "lib/name.txt",
        "base/app/deep/three.libsonnet",
        "lib/deep/three.libsonnet",
        "vendor/deep/three.libsonnet",
        "vendor/deep/four.libsonnet",
    }


def test_an_evaluation_tells_what_it_read_and_what_it_missed(write: Write) -> None:
    """Digests make the evaluation reusable; a file that appears where an import was looked for first changes it."""
    text, library = "import 'k.libsonnet'", "{}"
    tree = WorkingTree(write({"base/a.jsonnet": text, "lib/k.libsonnet": library}))
    evaluation = Evaluations({}).evaluate(tree, File("base/a.jsonnet", text.encode()), {})
    assert evaluation.dependencies == (
        Dependency("base/a.jsonnet", hashlib.sha256(text.encode()).hexdigest()),
        Dependency("base/k.libsonnet", None),
        Dependency("lib/k.libsonnet", hashlib.sha256(library.encode()).hexdigest()),
    )


def test_an_evaluation_that_no_environment_can_change_is_shared(write: Write) -> None:
    """The same objects serve all environments, unless something asks for the environment, however hidden."""
    root = write({
        **PROD,
        "overlays/dev/environment.yaml": ENVIRONMENT,
        "base/shared.jsonnet": f"({LIBRARY}).cm('shared')",
        "base/single.jsonnet": "import 'hidden.libsonnet'",
        "lib/hidden.libsonnet": (
            "{ apiVersion: 'v1', kind: 'A', metadata: { name: std.extVar('environ' + 'ment').name } }"
        ),
    })
    environments = read(root)
    (shared1, single1), (shared2, single2) = (environments[name].layers[0].documents for name in ("dev", "prod"))
    assert shared1.value is shared2.value
    assert [single1.value["metadata"]["name"], single2.value["metadata"]["name"]] == ["dev", "prod"]


def test_parameters_are_put_into_the_output(write: Write) -> None:
    """`${{ params.NAME }}` means the same in every source."""
    root = write({**PROD, "base/a.jsonnet": f"({LIBRARY}).cm('${{{{ params.host }}}}')"})
    assert names(root) == ["a.org"]


def test_libraries_are_never_resources(write: Write) -> None:
    """A `.libsonnet` beside the files of an application is only imported."""
    assert names(write({**PROD, "base/app/k.libsonnet": "error 'never evaluated'"})) == []


def test_a_commit_evaluates_with_the_commits_imports(write: Write, commit: Commit) -> None:
    """Nothing is read from the folder when a commit is compiled."""
    root = write({**PROD, "base/a.jsonnet": "import 'k.libsonnet'", "lib/k.libsonnet": f"({LIBRARY}).cm('old')"})
    commit(root)
    write({"lib/k.libsonnet": f"({LIBRARY}).cm('new')"})
    project = read_project(open_repository(root).commit_tree("HEAD"))
    environment = read_environment(project, "prod", new_parsed_files())
    assert [document.value["metadata"]["name"] for document in environment.layers[0].documents] == ["old"]
    assert names(root) == ["new"]


def test_one_library_imported_from_two_folders_is_one_library(write: Write) -> None:
    """A diamond of imports evaluates, whichever way leads to the library."""
    root = write({
        **PROD,
        "base/a.jsonnet": "[import 'x.libsonnet', (import 'deep/y.libsonnet')]",
        "lib/x.libsonnet": f"({LIBRARY}).cm('x')",
        "lib/deep/y.libsonnet": "(import '../x.libsonnet') + (import 'x.libsonnet') + { metadata: { name: 'y' } }",
    })
    assert names(root) == ["x", "y"]


def test_messages_of_failing_imports_are_always_the_same(write: Write) -> None:
    """No byte of the message depends on what else is in memory."""
    root = write({**PROD, "base/a.jsonnet": "import 'gone.libsonnet'"})
    assert len({complaint(root) for _ in range(50)}) == 1


def test_a_message_keeps_its_letters(write: Write) -> None:
    """Texts of errors are Unicode."""
    root = write({**PROD, "base/a.jsonnet": "error 'größer als – 漢字'"})
    assert complaint(root).startswith("error: jsonnet: größer als – 漢字\n  --> base/a.jsonnet:1:1\n")


MEND = "mend the jsonnet file"
TRACE = f"{MEND}: the trace leads from the place that failed to the place that asked for it"
ENDS = "objects nest until they end in resources (apiVersion and kind); hide other fields with `::`"
MISTAKES = {
    "error": Case(
        "local f(x) = error 'boom ' + x;\n{ a: f('y') }",
        "error: jsonnet: boom y\n"
        "  --> {file}:1:14\n"
        "      {file}:1:14-31  function <f>\n"
        "      {file}:2:6-12  object <anonymous>\n"
        '      Field "a"\n'
        "      During manifestation\n"
        f"hint: {TRACE}",
    ),
    "syntax": Case(
        "{\n  a: \n}",
        f'error: jsonnet: Unexpected: "}}" while parsing terminal\n  --> {{file}}:3:1\nhint: {MEND}',
    ),
    "unknown variable": Case("{ a: foo }", f"error: jsonnet: Unknown variable: foo\n  --> {{file}}:1:6\nhint: {MEND}"),
    "syntax of an import": Case(
        "import 'bad.libsonnet'",
        'error: jsonnet: Unexpected: "}" while parsing terminal\n'
        "  --> lib/bad.libsonnet:3:1\n"
        "      {file}:1:1-23  $\n"
        "      During evaluation\n"
        f"hint: {TRACE}",
    ),
    "several lines": Case(
        "{ a:\n  (error\n    'x') }",
        "error: jsonnet: x\n"
        "  --> {file}:2:4\n"
        "      {file}:(2:4)-(3:8)  object <anonymous>\n"
        '      Field "a"\n'
        "      During manifestation\n"
        f"hint: {TRACE}",
    ),
    "import": Case(
        "import 'god.libsonnet'",
        "error: jsonnet: the import `god.libsonnet` is not there\n"
        "  --> {file}:1:1\n"
        "      {file}:1:1-23  $\n"
        "      During evaluation\n"
        "hint: did you mean `good.libsonnet` or `bad.libsonnet`?",
    ),
    "import of nothing like it": Case(
        "import 'zzz'",
        "error: jsonnet: the import `zzz` is not there\n"
        "  --> {file}:1:1\n"
        "      {file}:1:1-13  $\n"
        "      During evaluation\n"
        "hint: create one of base/app/zzz, lib/zzz, vendor/zzz",
    ),
    "bundler": Case(
        "import 'github.com/grafana/x.libsonnet'",
        "error: jsonnet: the import `github.com/grafana/x.libsonnet` is not there\n"
        "  --> {file}:1:1\n"
        "      {file}:1:1-40  $\n"
        "      During evaluation\n"
        "hint: run `jb install` and commit vendor/ (envc looked for base/app/github.com/grafana/x.libsonnet, "
        "lib/github.com/grafana/x.libsonnet, vendor/github.com/grafana/x.libsonnet)",
    ),
    "import from outside": Case(
        "\n  importstr '/etc/hostname'",
        "error: jsonnet: the import `/etc/hostname` is not there\n"
        "  --> {file}:2:3\n"
        "hint: imports are relative, to the file's own folder, lib/ or vendor/, and stay in the project",
    ),
    "import from above": Case(
        "import '../../../secret'",
        "error: jsonnet: the import `../../../secret` is not there\n"
        "  --> {file}:1:1\n"
        "      {file}:1:1-25  $\n"
        "      During evaluation\n"
        "hint: imports are relative, to the file's own folder, lib/ or vendor/, and stay in the project",
    ),
    "number": Case(
        "{ a: { b: 1 } }",
        f"error: `a.b` in jsonnet's output is a number, not a resource\n  --> {{file}}:1:1\nhint: {ENDS}",
    ),
    "text": Case("'x'", f"error: jsonnet's output is a string, not a resource\n  --> {{file}}:1:1\nhint: {ENDS}"),
    "half a resource": Case(
        "[{ kind: 'A', metadata: { name: 'a' } }]",
        "error: `[0]` in jsonnet's output has kind, but no apiVersion\n"
        "  --> {file}:1:1\n"
        "hint: add `apiVersion`: a resource has both",
    ),
    "no name": Case(
        "{ a: { apiVersion: 'v1', kind: 'A' } }",
        "error: `a` in jsonnet's output has no metadata\n  --> {file}:1:1\nhint: add `metadata:` with a name",
    ),
    "other argument": Case(
        "function(env) env",
        "error: jsonnet: function has no parameter environment\n"
        "  --> {file}:1:1\n"
        "      Top-level function call\n"
        "hint: a top-level function takes the argument `environment`: `function(environment) ...`",
    ),
    "a function of its own": Case(
        "function(own=1) [\n  { a: error 'no ' + own },\n]",
        "error: jsonnet: no 1\n"
        "  --> {file}:2:8\n"
        "      {file}:2:8-25  object <anonymous>\n"
        '      Field "a"\n'
        "      Array element 0\n"
        "      During manifestation\n"
        "hint: mend the jsonnet file: the trace leads from the place that failed to the place that asked for it",
    ),
    "second argument": Case(
        "function(environment, weight) {}",
        "error: jsonnet: Missing argument: weight\n"
        "  --> {file}:1:1\n"
        "      Top-level function call\n"
        "hint: define `params.weight` in environment.yaml, or give it a default",
    ),
    "other variable": Case(
        "std.extVar('env')",
        "error: jsonnet: Undefined external variable: env\n"
        "  --> {file}:1:1\n"
        "      {file}:1:1-18  $\n"
        "      During evaluation\n"
        "hint: envc knows one external variable: `std.extVar('environment')`",
    ),
    "parameter": Case(
        "{ apiVersion: 'v1', kind: 'A', metadata: { name: '${{ params.sise }}' } }",
        "error: there is no parameter `sise` (at `metadata.name` of jsonnet's output)\n"
        "  --> {file}:1:1\n"
        "hint: did you mean `size`?",
    ),
}


@pytest.mark.parametrize(("text", "expected"), MISTAKES.values(), ids=MISTAKES.keys())
def test_errors_show_jsonnets_own_trace(write: Write, text: str, expected: str) -> None:
    """Places are relative to the project; the source lines that jsonnet quotes are left out."""
    file = "base/app/a.jsonnet"
    root = write({**PROD, file: text, "lib/bad.libsonnet": "{\n  a: 1 +\n}", "lib/good.libsonnet": "{}"})
    assert complaint(root) == expected.replace("{file}", file)


def test_a_file_that_is_not_utf8_is_told_with_its_line(write: Write) -> None:
    """Jsonnet itself would replace the bytes in silence."""
    root = write({**PROD, "base/a.jsonnet": ""})
    (root / "base/a.jsonnet").write_bytes(b"{\n a: '\xff' }")
    assert complaint(root) == (
        "error: `base/a.jsonnet` is not UTF-8\n  --> base/a.jsonnet:2:1\nhint: save the file as UTF-8"
    )


def test_an_import_through_a_symlink_out_of_the_repository_is_an_error(write: Write) -> None:
    """Imports obey the same border as all sources."""
    root = write({**PROD, "base/a.jsonnet": "importstr 'x/hostname'", "lib/x": "-> /etc"})
    assert complaint(root) == (
        "error: `lib/x/hostname` leads out of the repository\n"
        "  --> lib/x/hostname:1:1\n"
        "hint: copy the files into the repository: a build reads nothing outside of it"
    )


def test_an_error_is_told_once_for_all_environments_that_share_it(write: Write) -> None:
    """A file that fails without the environment fails the same everywhere."""
    root = write({**PROD, "overlays/dev/environment.yaml": ENVIRONMENT, "base/a.jsonnet": "error 'x'"})
    assert complaint(root, "dev") == complaint(root, "prod")
