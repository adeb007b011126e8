"""The scan of what is no manifest yet: values of charts, `.netrc`, CUE, Dhall, KCL and the HCL of Terraform."""

# ruff: file-ignore[line-too-long] - samples are written whole

from __future__ import annotations

import pytest

from envcompile.secrets.scan import scan_file


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        ("a.cue", 'package x\n\ndb: password: "hush-hush"\n', 3),
        ("a.cue", 'password: *"hush-hush" | string\n', 1),
        ("a.cue", 's: {\n\tapiVersion: "v1"\n\tkind: "Secret"\n\tstringData: {\n\t\tuser: #Name\n\t\tpw: "hush-hush"\n\t}\n}\n', 6),
        ("a.cue", 's: {kind: "Secret", stringData: {pw: "hush-hush"}}', 1),
        ("a.cue", 's: kind: "Secret"\ns: stringData: pw: "hush-hush"\n', 2),
        ("a.cue", 's: {kind: "Secret", stringData: {\n pw: """\n  hush\n  """\n}}', 2),
        ("a.cue", 'env: [{name: "DB_PASSWORD", value: "hush-hush"}]', 1),
        ("a.dhall", '{ password = "hush-hush" }', 1),
        ("a.dhall", 'let s = { kind = "Secret", stringData = Some (toMap { pw =\n "hush-hush" }) } in s', 2),
        ("a.dhall", '[ { mapKey = "DB_PASSWORD"\n , mapValue = "hush-hush" } ]', 2),
        ("a.dhall", '{ name = "DB_PASSWORD", value = Some "hush-hush" }', 1),
        ("main.k", 'db.password = "hush-hush"\n', 1),
        ("main.k", 'schema Db:\n    password: str = "hush-hush"\n', 2),
        ("main.k", 's = {\n    kind = "Secret"\n    stringData = {\n        pw = "hush-hush"\n    }\n}\n', 4),
        ("main.k", 's = {"kind": "Secret", "data": {"pw": "aHVzaA=="}}\n', 1),
        ("main.tf", 'resource "x" "y" {\n  password = "hush-hush"\n}\n', 2),
        ("main.tf", 'variable "db_password" {\n  type    = string\n  default = "hush-hush"\n}\n', 3),
        ("main.tf", 'resource "aws_secretsmanager_secret_version" "x" {\n  secret_string = "hush-hush"\n}\n', 2),
        ("main.tf", 'resource "kubernetes_secret" "x" {\n  metadata {\n    name = "x"\n  }\n  data = {\n    user = var.user\n    pw   = "hush-hush"\n  }\n}\n', 7),
        ("main.tf", 'env {\n  name  = "DB_PASSWORD"\n  value = "hush-hush"\n}\n', 3),
        ("prod.tfvars", 'db_password = "hush-hush"\n', 1),
        ("x.hcl", 'token = "ghp_012345678901234567890123456789012345"\n', 1),
        ("values.yaml", "db:\n  password: hush-hush\n", 2),
        ("charts/x/values-prod.yaml", "auth: {adminPassword: hush-hush}\n", 1),
        ("prod.values.yml", "env:\n- name: DB_PASSWORD\n  value: hush-hush\n", 3),
        ("values.yaml", "config: |\n  db.password=hush-hush\n", 1),
        (".netrc", "machine x login y password hush-hush\n", 1),
        ("home/_netrc", "machine x\n  login y\n  password hush-hush\n", 3),
    ],
)  # fmt: skip
def test_a_literal_is_found_in_every_language(file: str, text: str, line: int) -> None:
    """Each with the one line that holds it, and without a word of it."""
    found = scan_file(file, text.encode())
    assert [leak.line for leak in found] == [line]
    assert "hush" not in str(found)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("a.cue", 'password: string\ntoken: #Token\nsecretName: "db"\npassword: "\\(x.pw)"\n'),
        ("a.cue", 'c: {kind: "ConfigMap", data: {a: "b"}}\ns: {kind: "Secret", stringData: {pw: "ref+vault://x#/y", q: #Q}}\n'),
        ("a.cue", 's: {kind: "Secret", data: {}}\nc: {kind: "ConfigMap", data: {a: "b"}}\n'),
        ("a.dhall", '{ password = env:PW as Text, name = "x" }\n-- password = "hush-hush"\n'),
        ("main.k", 'password = option("pw")\n# password = "hush-hush"\n'),
        ("main.tf", 'password = var.db_password\ntoken = data.x.y.token\npassword = "${var.pw}"\nsecret_name = "db"\nexisting_secret = "db-secret"\n# password = "hush-hush"\n'),
        ("main.tf", 'resource "kubernetes_config_map" "x" {\n  data = {\n    a = "b"\n  }\n}\nresource "kubernetes_secret" "y" {\n  data = {\n    pw = var.pw\n  }\n}\n'),
        ("main.tf", 'variable "db_password" {\n  description = "the password"\n  sensitive = true\n}\nvariable "x" {\n default = "a"\n}\n'),
        ("main.tf", 'variable "db_password" {\n  type = string\n}\nvariable "region" {\n default = "eu"\n}\n'),
        ("terraform.tfvars.example", 'db_password = "hush-hush"\n'),
        ("values.yaml", 'auth: {existingSecret: db, password: "", secretName: x, existingSecretPasswordKey: password}\npullSecret: regcred\ntlsSecret: web-tls\npasswordFile: /x\ntoken: "{{ .x }}"\nconfigFromSecret: x\n'),
        ("values.schema.json", '{"properties": {"password": {"default": "x", "type": "string"}}}'),
        ("other.yaml", "db:\n  password: hush-hush\n"),
        (".netrc", "machine x login y password ${PW}\n# password hush\n"),
    ],
)  # fmt: skip
def test_what_stands_elsewhere_is_no_literal(file: str, text: str) -> None:
    """Names, functions, interpolation, types, comments, names of Secrets, samples, other kinds."""
    assert scan_file(file, text.encode()) == []


def test_secrets_of_a_folder_in_clear_pass() -> None:
    """What is declared throw-away is so in every language."""
    for file in ("a.cue", ".netrc", "values.yaml"):
        text = b'password: "hush-hush"\npassword hush-hush\n' if file != "values.yaml" else b"password: hush-hush\n"
        assert scan_file(file, text)
        assert not scan_file(file, text, secrets_in_clear=True)


def test_encrypted_values_pass() -> None:
    """A file of values that SOPS has encrypted."""
    text = b"password: ENC[AES256_GCM,data:1Q==,iv:a,tag:b,type:str]\nsops: {mac: x, age: [{recipient: a, enc: b}]}\n"
    assert [leak for leak in scan_file("values.yaml", text) if leak.rule == "plaintext-value"] == []


@pytest.mark.parametrize("text", ["data: {", '"""\n', 'password = "', 'variable "x" {', "data = toMap {", '"\\'])
def test_no_text_is_looked_through_again_and_again(text: str) -> None:
    """Openings without an end, 20,000 of them: each is passed once."""
    assert len(scan_file("a.cue", (text * 20_000 + '\nkind: "Secret"\n').encode())) <= 1
