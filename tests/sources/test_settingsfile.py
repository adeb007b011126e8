"""Settings files are read whole: each mistake is told at its place, all of them in one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envcompile.sources import WorkingTree, new_parsed_files, read_environment, read_project
from tests.sources.messages import CONFIG_MAP, ENVIRONMENT, Case, blocks, complaint

if TYPE_CHECKING:
    from tests.sources.conftest import Write

FILE = "overlays/prod/environment.yaml"

MISTAKES = {
    "unknown key": Case(
        "namespce: shop\n",
        "error: unknown key `namespce`\n  --> {file}:3:1\nhint: did you mean `namespace` or `forceNamespace`?",
    ),
    "unknown key below": Case(
        "images:\n- name: a\n  newTga: x\n  newTag: v1\n",
        "error: unknown key `newTga` in `images[0]`\n  --> {file}:5:3\nhint: did you mean `newTag` or `newName`?",
    ),
    "unknown key unlike any": Case(
        "cluster: {zzz: 1}\n",
        "error: unknown key `zzz` in `cluster`\n  --> {file}:3:11\nhint: known keys are context, server",
    ),
    "number for a string": Case(
        "labels:\n  version: 1\n",
        "error: `labels.version` is a whole number, but has to be a string\n  --> {file}:4:12\n"
        "hint: put the value in quotes: YAML reads it as something other than text without them",
    ),
    "boolean for a string": Case(
        "annotations: {on-call: on}\n",
        "error: `annotations.on-call` is true or false, but has to be a string\n  --> {file}:3:24\n"
        "hint: put the value in quotes: YAML reads it as something other than text without them",
    ),
    "version as a number": Case(
        "kubernetesVersion: 1.30\n",
        "error: `kubernetesVersion` is a number, but has to be a string\n  --> {file}:3:20\n"
        "hint: put the value in quotes: YAML reads it as something other than text without them",
    ),
    "nothing for a label": Case(
        "labels: {a: }\n",
        "error: `labels.a` is empty, but has to be a string\n  --> {file}:3:13\n"
        'hint: write a string (`""` for an empty one), or take the key out',
    ),
    "nothing for a map": Case(
        "labels: ~\n",
        "error: `labels` is empty, but has to be a map\n  --> {file}:3:9\nhint: write a map, or take the key out",
    ),
    "string for a number": Case(
        'replicas: {api: "3"}\n',
        "error: `replicas.api` is a string, but has to be a whole number\n  --> {file}:3:17\n"
        "hint: write the number without quotes",
    ),
    "string for a list": Case(
        "extends: ../nonprod\n",
        "error: `extends` is a string, but has to be a list\n  --> {file}:3:10\n"
        "hint: write a list: `[item]`, or one `- item` a line",
    ),
    "string for a boolean": Case(
        'syncWaves: "yes"\n',
        "error: `syncWaves` is a string, but has to be true or false\n  --> {file}:3:12\n"
        "hint: write true or false, without quotes",
    ),
    "list for a map": Case(
        "params: [a]\n",
        "error: `params` is a list, but has to be a map\n  --> {file}:3:9\nhint: write a map",
    ),
    "none of the words": Case(
        "rollout: relaoder\n",
        "error: `rollout` is `relaoder`, but has to be checksum, none, reloader or suffix\n  --> {file}:3:10\n"
        "hint: did you mean `reloader`?",
    ),
    "no grade of a check": Case(
        "checks:\n  image-latest: warn\n",
        "error: `checks.image-latest` is `warn`, but has to be error, info, off or warning\n  --> {file}:4:17\n"
        "hint: did you mean `warning`?",
    ),
    "a switch for a grade": Case(
        "checks: {image-latest: on}\n",
        "error: `checks.image-latest` is `True`, but has to be error, info, off or warning\n  --> {file}:3:24\n"
        "hint: write error, info, off or warning",
    ),
    "a list of checks": Case(
        "checks: [image-latest]\n",
        "error: `checks` is a list, but has to be a map\n  --> {file}:3:9\nhint: write a map",
    ),
    "a list for a word": Case(
        "rollout: [none]\n",
        "error: `rollout` is a list, but has to be checksum, none, reloader or suffix\n  --> {file}:3:10\n"
        "hint: write checksum, none, reloader or suffix",
    ),
    "missing key below": Case(
        "externalSecrets: {storeKind: SecretStore}\n",
        "error: `store` is missing in `externalSecrets`\n  --> {file}:3:18\nhint: add `store:`",
    ),
    "image that changes nothing": Case(
        "images:\n- name: api\n",
        "error: `images` names `api` but changes nothing of it\n  --> {file}:4:3\nhint: add newName, newTag or digest",
    ),
    "image named twice": Case(
        "images: [{name: a, newTag: x}, {name: a, newTag: z}]\n",
        "error: `images` names `a` twice\n  --> {file}:3:39\nhint: join the two entries",
    ),
    "no digest": Case(
        "images: [{name: a, digest: latest}]\n",
        "error: `images[0].digest` is no digest\n  --> {file}:3:28\n"
        "hint: write `sha256:` and 64 hexadecimal digits, as the registry shows it",
    ),
    "negative replicas": Case(
        "replicas: {api: -1}\n",
        "error: `replicas.api` is negative\n  --> {file}:3:17\nhint: write 0 or more",
    ),
    "patch version": Case(
        'kubernetesVersion: "1.35.2"\n',
        "error: `kubernetesVersion` is `1.35.2`, which is no minor version\n  --> {file}:3:20\n"
        'hint: write it as "1.35"',
    ),
    "no fingerprint": Case(
        "sealing: {fingerprint: abc}\n",
        "error: `sealing.fingerprint` is no fingerprint\n  --> {file}:3:24\n"
        "hint: write `sha256:` and 64 lower-case hexadecimal digits, as `envc secrets fetch-cert` prints it",
    ),
}


@pytest.mark.parametrize(("text", "expected"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_told_at_its_place_with_its_mend(write: Write, text: str, expected: str) -> None:
    """The message names the key, the place and what to write instead."""
    assert complaint(write({FILE: ENVIRONMENT + text})) == expected.format(file=FILE)


def test_all_mistakes_of_all_files_come_in_one_run_sorted(write: Write) -> None:
    """Nobody runs envc once for each typing error."""
    text = "".join(text for name, (text, _) in MISTAKES.items() if name in {"unknown key", "string for a number"})
    told = blocks(
        complaint(
            write({
                FILE: ENVIRONMENT + text,
                "overlays/dev/environment.yaml": "kind: Environment\n",
                "envc.yaml": "mergeSemantics: 2\nconfigMerg: merge\n",
            })
        )
    )
    assert [block.splitlines()[1].removeprefix("  --> ") for block in told] == [
        "envc.yaml:1:17",
        "envc.yaml:2:1",
        "overlays/dev/environment.yaml:1:1",
        f"{FILE}:3:1",
        f"{FILE}:4:17",
    ]


def test_an_empty_environment_file_says_what_belongs_into_it(write: Write) -> None:
    """An empty file is not an environment with defaults."""
    assert complaint(write({FILE: ""})) == (
        "error: `apiVersion` is missing\n"
        f"  --> {FILE}:1:1\n"
        "hint: add `apiVersion: envcompile.dev/v1`\n"
        "\n"
        "error: `kind` is missing\n"
        f"  --> {FILE}:1:1\n"
        "hint: add `kind: Environment`"
    )


def test_an_empty_project_file_is_all_defaults(write: Write) -> None:
    """Every key of envc.yaml has a default."""
    assert not complaint(write({FILE: ENVIRONMENT, "envc.yaml": "# nothing yet\n"}))


def test_a_second_document_in_a_settings_file_is_an_error(write: Write) -> None:
    """Nothing in a file is silently left out."""
    assert complaint(write({FILE: f"{ENVIRONMENT}---\n{CONFIG_MAP}"})) == (
        f"error: `{FILE}` holds 2 documents; settings are one\n"
        f"  --> {FILE}:4:1\n"
        "hint: keep one document; resources belong into files of their own"
    )


def test_a_settings_file_that_is_no_map_is_an_error(write: Write) -> None:
    """The whole document can have the wrong type too."""
    assert complaint(write({FILE: "- a\n"})) == (
        f"error: the document is a list, but has to be a map\n  --> {FILE}:1:1\nhint: write a map"
    )


def test_mistakes_of_patches_are_told_as_those_of_settings(write: Write) -> None:
    """`kind: Patch` is typed; several documents of one file are told apart."""
    head = "apiVersion: envcompile.dev/v1\nkind: Patch\n"
    patches = [
        head + "metadata: {name: x}\ntarget: {knd: Deployment}\nmrge: {}\n",
        head + "target: {}\n",
        head + "target: {kind: A}\nmerge: {}\njson6902: []\n",
        "apiVersion: envcompile.dev/v1\nkind: Pach\n",
        "apiVersion: envcompile.dev/v1\n",
    ]
    told = complaint(write({FILE: ENVIRONMENT, "base/p.yaml": "---\n".join(patches)}))
    assert told == (
        "error: unknown key `knd` in `target`\n"
        "  --> base/p.yaml:4:10\n"
        "hint: did you mean `kind`?\n"
        "\n"
        "error: unknown key `mrge`\n"
        "  --> base/p.yaml:5:1\n"
        "hint: did you mean `merge` or `target`?\n"
        "\n"
        "error: the patch says neither `merge` nor `json6902`\n"
        "  --> base/p.yaml:7:1\n"
        "hint: add one of them\n"
        "\n"
        "error: the patch's `target` is empty\n"
        "  --> base/p.yaml:9:9\n"
        'hint: name what it reaches; `kind: "*"` is everything\n'
        "\n"
        "error: the patch says both `merge` and `json6902`\n"
        "  --> base/p.yaml:15:11\n"
        "hint: write two patches\n"
        "\n"
        "error: envcompile.dev/v1 has no kind `Pach`\n"
        "  --> base/p.yaml:18:7\n"
        "hint: did you mean `Patch`?\n"
        "\n"
        "error: document 5 has no kind\n"
        "  --> base/p.yaml:20:1\n"
        "hint: kinds are Environment, Generate, Patch"
    )


def test_off_is_a_word_in_checks(write: Write) -> None:
    """With and without quotes, although YAML 1.1 reads a bare `off` as false."""
    grades = 'checks: {a: off, b: "off", c: error}\n'
    root = write({"envc.yaml": grades, FILE: ENVIRONMENT + grades})
    expected = {"a": "off", "b": "off", "c": "error"}
    project = read_project(WorkingTree(root))
    assert project.settings.checks == expected
    assert read_environment(project, "prod", new_parsed_files()).settings.checks == expected
