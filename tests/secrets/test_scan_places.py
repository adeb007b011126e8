"""The scan sees every place where a secret value can stand, in the tree that will be committed."""

# ruff: file-ignore[line-too-long] - samples are written whole

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from envcompile.secrets.scan import scan_file, scan_index, scan_tree
from tests.harness.command import run_envc
from tests.secrets.repository import Repository

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: t}\nstringData: {pw: hush-hush}\n"
PATCH = "apiVersion: envcompile.dev/v1\nkind: Patch\ntarget: {kind: Secret, name: db}\n"
COPY = '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"five"},"stringData":{"pw":"hush-hush"}}'
ANNOTATED = (
    f"metadata:\n  name: five\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: |\n      {COPY}\n"
)
KUSTOMIZATION = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"


def found(file: str, text: str | bytes) -> list[tuple[int, str]]:
    """Lines and rules; never a word of the value."""
    leaks = scan_file(file, text.encode() if isinstance(text, str) else text)
    assert "hush" not in repr(leaks)
    return [(leak.line, leak.rule) for leak in leaks]


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        ("patch-json6902.yaml", f"{PATCH}json6902:\n- {{op: add, path: /stringData/pw, value: hush-hush}}\n", 5),
        ("patch-json6902.yaml", f"{PATCH}json6902:\n- op: replace\n  path: /data\n  value: {{pw: aHVzaA==}}\n", 7),
        ("patch-merge.yaml", f"{PATCH}merge:\n  stringData: {{pw2: hush-hush}}\n", 5),
        ("patch-glob.yaml", f"{PATCH.replace('Secret', 'Sec*')}merge:\n  data: {{pw2: aHVzaA==}}\n", 5),
        ("patch-all.yaml", "apiVersion: envcompile.dev/v1\nkind: Patch\ntarget: {name: db}\nmerge: {stringData: {p: hush-hush}}\n", 4),
        ("last-applied.yaml", f"apiVersion: v1\nkind: Secret\n{ANNOTATED}stringData: {{pw: 'ref+env://PW'}}\n", 6),
        ("last-applied-sealed.yaml", f"apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\n{ANNOTATED}spec: {{encryptedData: {{}}}}\n", 6),
        ("kubecfg.yaml", f"apiVersion: v1\nkind: Secret\n{ANNOTATED.replace('kubectl.kubernetes.io', 'kubecfg.ksonnet.io')}", 6),
        ("secret.jsonnet", '{apiVersion: "v1", kind: "Secret", metadata: {name: "f"}, stringData: {pw: "hush-hush"}}', 1),
        ("data.jsonnet", "local s = {\n  kind: 'Secret',\n  data+: {\n    // why\n    pw: std.base64('hush-hush'),\n  },\n};\ns\n", 5),
        ("lib.libsonnet", "{ withPw():: { stringData+:: { 'a b': |||\n  hush-hush\n||| } } }", 1),
        ("secret.yaml.tmpl", SECRET, 4),
        ("secret.txt", SECRET, 4),
        ("secret.yaml.j2", "{% if x %}\nkind: Secret\nstringData:\n  pw: hush-hush\n{% endif %}\n", 4),
        ("flow.tpl", "{{ if x }}\nkind: Secret\nstringData: {pw: hush-hush}\n{{ end }}\n", 3),
        ("secret.yaml~", SECRET, 4),
        ("old.yaml.bak", SECRET, 4),
        ("Secretfile", SECRET, 4),
        ("kustomization.yaml", f"{KUSTOMIZATION}secretGenerator:\n- name: db\n  literals:\n  - pw=hush-hush\n", 6),
        ("kustomization.yaml", f"{KUSTOMIZATION}configMapGenerator:\n- name: db\n  literals:\n  - DB_PASSWORD=hush-hush\n", 6),
        ("kustomization.yaml", f"{KUSTOMIZATION}patches:\n- target: {{kind: Secret}}\n  patch: |-\n    - op: add\n      path: /data/pw\n      value: aHVzaA==\n", 5),
        ("kustomization.yaml", f"{KUSTOMIZATION}patches:\n- patch: |-\n    apiVersion: v1\n    kind: Secret\n    metadata: {{name: s}}\n    stringData: {{pw: hush-hush}}\n", 4),
        ("kustomization.yaml", f"{KUSTOMIZATION}patchesStrategicMerge:\n- |-\n    apiVersion: v1\n    kind: Secret\n    metadata: {{name: s}}\n    stringData: {{pw: hush-hush}}\n", 4),
        ("patch.json", '[{"op": "add", "path": "/stringData/pw", "value": "hush-hush"}]', 1),
        ("config.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  db_password: hush-hush\n", 5),
        ("config.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n  app.properties: |\n    user=x\n    db.password=hush-hush\n", 5),
        ("config.yaml", f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata:\n  x.json: '{COPY}'\n", 5),
        ("deploy.yaml", "apiVersion: apps/v1\nkind: Deployment\nspec: {template: {spec: {containers: [{env: [\n  {name: DB_PASSWORD, value: hush-hush}]}]}}}\n", 4),
        ("template.yaml", "apiVersion: template.openshift.io/v1\nkind: Template\nobjects:\n- apiVersion: v1\n  kind: Secret\n  stringData: {pw: hush-hush}\n", 6),
    ],
)  # fmt: skip
def test_scan_misses_clear_secrets(file: str, text: str, line: int) -> None:
    """Case scan-misses-clear-secrets and its kind: the place, by the rule for values in clear."""
    assert [(place, rule) for place, rule in found(file, text) if rule in {"plaintext-secret", "plaintext-value"}][
        :1
    ] in (
        [(line, "plaintext-secret")],
        [(line, "plaintext-value")],
    )


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_an_encoding_hides_nothing(encoding: str) -> None:
    """PowerShell's `>` writes UTF-16, which git takes for binary."""
    assert found("secret.yaml", SECRET.encode(encoding)) == [(4, "plaintext-secret")]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("patch.yaml", f"{PATCH}merge:\n  stringData: {{pw: 'ref+env://PW', q: '', r: '${{{{ params.r }}}}'}}\n"),
        ("patch.yaml", f"{PATCH}json6902:\n- {{op: add, path: /stringData/pw, value: 'ref+env://PW'}}\n- {{op: remove, path: /data/x}}\n- {{op: add, path: /metadata/labels/a, value: b}}\n"),
        ("patch.yaml", "apiVersion: envcompile.dev/v1\nkind: Patch\ntarget: {kind: ConfigMap}\nmerge: {data: {a: hush-hush}}\n"),
        ("patch.yaml", "apiVersion: envcompile.dev/v1\nkind: Patch\ntarget: {kind: Secret, group: example.com}\nmerge: {data: {a: hush-hush}}\n"),
        ("copy.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: '{\"kind\":\"Deployment\"}'\n"),
        ("secret.jsonnet", "{kind: 'Secret', metadata: {name: 'x'}, stringData: {pw: 'ref+env://PW', q: $.x, r: std.extVar('pw'), s: import 'x'}}"),
        ("config.jsonnet", "{kind: 'ConfigMap', data: {a: 'b'}}"),
        ("notes.txt", "a Secret holds passwords\n"),
        ("README.md", SECRET),
        ("main.go", "const kind = `kind: Secret\nstringData: {a: b}`\n"),
        ("kustomization.yaml", f"{KUSTOMIZATION}configMapGenerator:\n- name: c\n  literals: [level=info]\nsecretGenerator:\n- name: s\n  envs: [s.env]\n  literals: [pw=]\n"),
        ("config.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {token_ttl: 1h, password_file: /run/x, secret_name: db, api_key: '{{ .key }}'}\n"),
        ("config.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, annotations: {envcompile.dev/plaintext: db_password}}\ndata: {db_password: hush-hush}\n"),
        ("config.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, annotations: {envcompile.dev/ignore: 'secret-plaintext: a sample'}}\ndata: {db_password: hush-hush}\n"),
        ("deploy.yaml", "apiVersion: apps/v1\nkind: Deployment\nspec: {template: {spec: {containers: [{env: [{name: DB_PASSWORD, valueFrom: {secretKeyRef: {name: a, key: b}}}, {name: LEVEL, value: info}]}]}}}\n"),
        ("tpl.tpl", "kind: Secret\nstringData: {pw: {{ .Values.pw }}, q: {{ .q }}}\n"),
    ],
)  # fmt: skip
def test_what_gives_nothing_away_passes(file: str, text: str) -> None:
    """References, parameters, empty values, other kinds, documentation, declared exceptions."""
    assert found(file, text) == []


def test_generators_of_committed_files_are_found(tmp_path: Path) -> None:
    """`secretGenerator.envs` names a file; when git tracks it, its values are in git."""
    repository = Repository(tmp_path)
    repository.git("init")
    repository.write(
        "k/kustomization.yaml",
        f"{KUSTOMIZATION}secretGenerator:\n- name: s\n  envs: [s.env]\n  files: [x=./other.txt]\n",
    )
    repository.write("k/s.env", "PW=hush-hush\n")
    repository.git("add", "k/kustomization.yaml")
    assert scan_index(tmp_path) == []
    repository.git("add", "-A")
    assert [(leak.file, leak.line, leak.what) for leak in scan_index(tmp_path)] == [
        ("k/kustomization.yaml", 5, "secretGenerator reads `s.env`, which git tracks")
    ]


def test_any_tree_can_be_scanned() -> None:
    """A commit, a folder, an index: path and bytes of each file."""
    files = [("overlays/dev/a.yaml", SECRET.encode()), ("base/b.yaml", SECRET.encode())]
    assert [leak.file for leak in scan_tree(files)] == ["base/b.yaml", "overlays/dev/a.yaml"]
    assert [leak.file for leak in scan_tree(files, in_clear=["overlays/dev"])] == ["base/b.yaml"]


def test_what_is_staged_counts_and_not_what_was_mended_since(tmp_path: Path) -> None:
    """Case scan-misses-clear-secrets, the chain: staged in clear, then mended in the work tree only."""
    repository = Repository(tmp_path)
    repository.git("init")
    repository.write(
        "overlays/prod/p.yaml", f"{PATCH}json6902:\n- {{op: add, path: /stringData/pw, value: hush-hush}}\n"
    )
    repository.git("add", "-A")
    repository.write(
        "overlays/prod/p.yaml", f"{PATCH}json6902:\n- {{op: add, path: /stringData/pw, value: 'ref+env://PW'}}\n"
    )
    done = run_envc(tmp_path, "secrets", "scan", "--staged")
    assert done.code == 1
    assert done.out == "overlays/prod/p.yaml:5: plaintext-secret: a patch of Secrets: `pw` is written in clear\n"
    assert "hush" not in done.out + done.err


def test_a_text_in_a_text_in_a_text_ends() -> None:
    """However deep documents are packed, the scan comes to an end."""
    text = SECRET
    for _ in range(12):
        inner = "".join(f"    {line}\n" for line in text.splitlines())
        text = f"apiVersion: v1\nkind: ConfigMap\ndata:\n  x: |\n{inner}"
    scan_file("deep.yaml", text.encode())
    assert found(
        "one.yaml",
        f"apiVersion: v1\nkind: ConfigMap\ndata:\n  x: |\n{''.join(f'    {line}' + chr(10) for line in SECRET.splitlines())}",
    )
