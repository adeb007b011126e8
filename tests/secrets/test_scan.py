"""The scan of git's index: what it finds, what it lets through, and that it never shows a value."""

# ruff: file-ignore[line-too-long] - messages and samples are written whole

import json

import pytest

from envcompile.secrets.scan import Leak, scan_file, scan_index
from tests.secrets.repository import USER_SERVICE, Repository, key_pem


def rules(file: str, text: str) -> list[tuple[int, str]]:
    """Lines and rules."""
    found = scan_file(file, text.encode())
    assert "hunter2" not in repr(found)
    return [(leak.line, leak.rule) for leak in found]


SAMPLE = (
    "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData:\n  password: hunter2\n  user: ref+env://USER\n"
)


def test_a_literal_in_a_secret_is_found_at_its_line() -> None:
    """References pass, literals do not."""
    assert scan_file("a.yaml", SAMPLE.encode()) == [
        Leak(
            "a.yaml",
            5,
            "plaintext-secret",
            "Secret/db: `password` is written in clear",
            "write a reference and seal it, or declare the key harmless by `envcompile.dev/plaintext`",
        )
    ]


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("multi.yaml", f"a: 1\n---\n{SAMPLE}", [(7, "plaintext-secret")]),
        (
            "list.yaml",
            "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  metadata: {name: db}\n  data: {p: aHVudGVyMg==}\n",
            [(7, "plaintext-secret")],
        ),
        (
            "s.json",
            '{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"},\n "data": {"p": "aHVudGVyMg=="}}',
            [(2, "plaintext-secret")],
        ),
        (
            "templates/secret.yaml",
            (
                "{{- if .Values.on }}\napiVersion: v1\nkind: Secret\nmetadata:\n  name: {{ .Release.Name }}\nstringData:\n"
                "  a: {{ .Values.a }}\n  b: hunter2\n{{- end }}\n"
            ),
            [(8, "plaintext-secret")],
        ),
        ("key.pem", key_pem().decode(), [(1, "private-key")]),
        ("account.json", json.dumps({"id": 1, "private_key": key_pem(pkcs8=True).decode()}), [(1, "private-key")]),
        ("notes.txt", "AGE-SECRET-KEY-1" + "Q" * 58, [(1, "private-key")]),
        (
            "backup.yaml",
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: k\n  labels:\n    sealedsecrets.bitnami.com/sealed-secrets-key: active\n",
            [(6, "sealing-key")],
        ),
        (
            "sealed.yaml",
            (
                "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata: {name: s}\nspec:\n  encryptedData:\n    a: AgBy3...\n"
                "  template:\n    data:\n      password: hunter2\n      conf: 'x={{ .a }}'\n"
            ),
            [(6, "broken-ciphertext"), (9, "plaintext-in-template")],
        ),
        (
            "deploy.yaml",
            (
                "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec:\n  template:\n    metadata:\n      annotations:\n"
                "        checksum/secret: ab12\n        checksum/config: ab12\n"
            ),
            [(8, "plaintext-checksum")],
        ),
        (
            "sops.yaml",
            "a: hunter2\nsops:\n  version: 3.9.1\n  lastmodified: x\n",
            [(1, "sops-unencrypted"), (3, "sops-unfinished")],
        ),
    ],
    ids=[
        "multi-document",
        "List",
        "JSON",
        "template",
        "PEM",
        "PEM in JSON",
        "age",
        "master key",
        "SealedSecret",
        "checksum",
        "SOPS",
    ],
)
def test_every_rule_finds_its_kind(file: str, text: str, expected: list[tuple[int, str]]) -> None:
    """Line and rule."""
    assert rules(file, text) == expected


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("ok.yaml", USER_SERVICE),
        ("harmless.yaml", SAMPLE.replace("{name: db}", '{name: db, annotations: {envcompile.dev/plaintext: "password"}}')),
        ("param.yaml", SAMPLE.replace("hunter2", "${{ params.password }}")),
        ("empty.yaml", SAMPLE.replace("hunter2", '""')),
        ("config.yaml", SAMPLE.replace("kind: Secret", "kind: ConfigMap")),
        ("flux.yaml", SAMPLE.replace("hunter2", "ENC[AES256_GCM,data:x,iv:x,tag:x,type:str]").replace("ref+env://USER", "ENC[x]") + 'sops: {mac: "ENC[x]", version: 3.9.1, encrypted_regex: ^(data|stringData)$}\n'),
        ("broken.yaml", "a: [\n"),
        ("image.png", "\x89PNG"),
        ("cert.pem", "-----BEGIN CERTIFICATE-----\n"),
    ],
    ids=["references", "harmless", "parameter", "empty", "ConfigMap", "flux SOPS", "broken", "binary", "certificate"],
)  # fmt: skip
def test_what_is_fine_passes(file: str, text: str) -> None:
    """No false alarms."""
    assert rules(file, text) == []


def test_the_index_is_read_and_not_the_work_tree(repository: Repository) -> None:
    """What will be committed counts, whatever lies in the folder now."""
    repository.git("init")
    repository.write("a b.yaml", SAMPLE)
    repository.git("add", "a b.yaml")
    repository.write("a b.yaml", USER_SERVICE)
    repository.write("unstaged.yaml", SAMPLE)
    assert [(leak.file, leak.line) for leak in scan_index(repository.root)] == [("a b.yaml", 5)]
    repository.git("commit", "-m", "leak")
    assert scan_index(repository.root) == []
    assert [leak.file for leak in scan_index(repository.root, staged=False)] == ["a b.yaml"]


def test_exceptions_are_given_by_glob_and_by_throw_away_environments(repository: Repository) -> None:
    """Test keys, and overlays whose backend is plaintext."""
    repository.git("init")
    repository.write("tests/key.pem", key_pem())
    repository.write("overlays/dev/secret.yaml", SAMPLE)
    repository.git("add", "-A")
    assert {leak.file for leak in scan_index(repository.root)} == {"tests/key.pem", "overlays/dev/secret.yaml"}
    assert scan_index(repository.root, exclude=["tests/*"], in_clear=["overlays/dev"]) == []


def test_nothing_staged_is_nothing_found(repository: Repository) -> None:
    """An empty commit passes."""
    repository.git("init")
    assert scan_index(repository.root) == []
