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


GENERATE = "apiVersion: envcompile.dev/v1\nkind: Generate\nmetadata: {name: g}\n"
ENVIRONMENT = "apiVersion: envcompile.dev/v1\nkind: Environment\n"


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("g.yaml", f"{GENERATE}secret:\n  literals:\n  - pw=hush-hush\n", [(6, "plaintext-secret")]),
        ("g.yaml", f"{GENERATE}secret:\n  literals:\n  - pw='hush-hush'\n", [(6, "plaintext-secret")]),
        ("g.yaml", f"{GENERATE}secret:\n  literals: [pw=ref+env://PW, empty=]\n", []),
        ("g.yaml", f"{GENERATE}secret: {{literals: [pw=hush-hush]}}\noptions: {{annotations: {{envcompile.dev/plaintext: pw}}}}\n", []),
        ("g.yaml", f"{GENERATE}secret:\n  envs:\n  - ../../files/db.env\n", [(6, "plaintext-secret")]),
        ("g.yaml", f"{GENERATE}secret:\n  envs: [../../files/references.env, ../../files/untracked.env]\n", []),
        ("g.yaml", f"{GENERATE}secret:\n  files: [a, key=../../files/db.env]\n", [(5, "plaintext-secret")]),
        ("g.yaml", f"{GENERATE}configMap:\n  literals:\n  - DB_PASSWORD=hush-hush\n", [(6, "plaintext-value")]),
        ("g.yaml", f"{GENERATE}configMap: {{literals: [LOG=info]}}\n", []),
        ("environment.yaml", f"{ENVIRONMENT}params:\n  db:\n    password: hush-hush\n", [(5, "plaintext-value")]),
        ("environment.yaml", f"{ENVIRONMENT}params: {{db: {{password: 'ref+env://PW', host: db}}}}\n", []),
        ("environment.yaml", f"{ENVIRONMENT}charts:\n  redis:\n    values:\n      password: hush-hush\n", [(6, "plaintext-value")]),
        ("envc.yaml", "charts:\n- name: redis\n  values:\n    auth: {password: hush-hush}\n", [(4, "plaintext-value")]),
        ("envc.yaml", "charts:\n- name: redis\n  values:\n    auth: {existingSecret: hush}\n", []),
        ("k.yaml", f"{KUSTOMIZATION}secretGenerator:\n- name: db\n  envs: [../../files/db.env]\n", [(5, "plaintext-secret")]),
        ("p.yaml", "apiVersion: external-secrets.io/v1alpha1\nkind: PushSecret\nspec:\n  template:\n    data: {password: hush-hush}\n", [(5, "plaintext-value")]),
        ("p.yaml", "apiVersion: external-secrets.io/v1\nkind: ClusterExternalSecret\nspec:\n  externalSecretSpec: {target: {template: {data: {c: 'password=hush-hush'}}}}\n", [(4, "plaintext-value")]),
        ("p.yaml", "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nspec: {target: {template: {data: {password: '{{ .pw }}'}}}}\n", []),
    ],
)  # fmt: skip
def test_what_only_envc_reads_is_scanned_too(file: str, text: str, expected: list[tuple[int, str]]) -> None:
    """Generates with the committed files that they name, parameters, values given to charts; references are no find."""
    held = {"files/db.env": b"# c\nPW=hush-hush\n", "files/references.env": b"PW=ref+env://PW\n# PW=hush-hush\n"}
    leaks = scan_file(f"base/web/{file}", text.encode(), committed=held.get)
    assert [(leak.line, leak.rule) for leak in leaks] == expected
    assert "hush" not in repr(leaks)


HELM = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: x}\nspec:\n  values:\n"
ARGO = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: a}\nspec:\n  source:\n"
CONTAINER = "apiVersion: apps/v1\nkind: Deployment\nspec: {template: {spec: {containers: [{\n  "
CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata:\n"


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [
        ("Kustomization", f"{KUSTOMIZATION}secretGenerator:\n- name: db\n  literals: [pw=hush-hush]\n", 5),
        ("gen.yaml", "apiVersion: builtin\nkind: SecretGenerator\nmetadata: {name: s}\nliterals: [pw=hush-hush]\n", 4),
        ("gen.yaml", "apiVersion: builtin\nkind: PatchTransformer\ntarget: {kind: Secret}\npatch: '[{\"op\":\"add\",\"path\":\"/data/pw\",\"value\":\"aHVzaA==\"}]'\n", 4),
        ("kustomization.yaml", f"{KUSTOMIZATION}generators:\n- |-\n  apiVersion: builtin\n  kind: SecretGenerator\n  metadata: {{name: s}}\n  literals: [pw=hush-hush]\n", 4),
        ("kustomization.yaml", f"{KUSTOMIZATION}helmCharts:\n- name: x\n  valuesInline: {{auth: {{password: hush-hush}}}}\n", 5),
        ("flux.yaml", "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nspec:\n  patches:\n  - target: {kind: Secret}\n    patch: |-\n      - {op: add, path: /stringData/pw, value: hush-hush}\n", 6),
        ("release.yaml", f"{HELM}    db: {{password: hush-hush}}\n", 6),
        ("app.yaml", f"{ARGO}    helm:\n      parameters:\n      - {{name: db.password, value: hush-hush}}\n", 8),
        ("app.yaml", f"{ARGO}    helm:\n      values: |\n        db:\n          password: hush-hush\n", 7),
        ("app.yaml", f"{ARGO}    kustomize:\n      patches:\n      - target: {{kind: Secret}}\n        patch: '[{{\"op\":\"add\",\"path\":\"/data/pw\",\"value\":\"aHVzaA==\"}}]'\n", 9),
        ("list.yaml", "apiVersion: v1\nkind: SecretList\nitems:\n- metadata: {name: a}\n  data: {pw: aHVzaA==}\n", 5),
        ("nameless.yaml", "kind: Secret\nmetadata: {name: a}\ndata: {pw: aHVzaA==}\n", 3),
        ("a.json", '// why\n{"apiVersion": "v1", "kind": "Secret", "stringData": {"pw": "hush-hush"}}', 2),
        ("a.json", '{"a": 1}\n{"apiVersion": "v1", "kind": "Secret", "stringData": {"pw": "hush-hush"}}', 2),
        ("a.ndjson", '{"a": 1}\n{"apiVersion": "v1", "kind": "Secret", "stringData": {"pw": "hush-hush"}}', 2),
        ("a.json5", "{apiVersion: 'v1', kind: 'Secret', stringData: {pw: 'hush-hush',},}", 1),
        ("a.patch", "--- a/s.yaml\n+++ b/s.yaml\n@@ -1,3 +1,4 @@\n apiVersion: v1\n kind: Secret\n stringData:\n+  pw: hush-hush\n", 7),
        ("s.yaml", "apiVersion: v1\nkind: Secret\nstringData:\n<<<<<<< HEAD\n  pw: hush-hush\n=======\n  pw: ref+env://PW\n>>>>>>> x\n", 5),
        ("s.tpl", 'kind: Secret\nstringData:\n  pw: {{ .Values.pw | default "hush-hush" }}\n', 3),
        ("s.tpl", 'kind: Secret\ndata:\n  pw: {{ "hush-hush" | b64enc }}\n', 3),
        ("s.jsonnet", "local k = import 'k.libsonnet';\nk.core.v1.secret.new('x', {pw: 'hush-hush'})\n", 2),
        ("s.jsonnet", "k.core.v1.secret.new('x') + k.core.v1.secret.withStringData({\n  pw: 'hush-hush' })\n", 2),
        ("s.jsonnet", "local pw = 'hush-hush';\n{kind: 'Secret', stringData: {\n  pw: pw}}", 3),
        ("s.jsonnet", "{kind: 'Secret', stringData: {'c.json': std.manifestJson({\n  'password': 'hush-hush'})}}", 2),
        ("sops.yaml", "apiVersion: isindir.github.com/v1alpha3\nkind: SopsSecret\nspec:\n  secretTemplates:\n  - name: a\n    stringData: {pw: hush-hush}\n", 6),
        ("es.yaml", "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nspec:\n  target:\n    template:\n      data: {config: 'password=hush-hush'}\n", 6),
        ("store.yaml", "apiVersion: external-secrets.io/v1\nkind: SecretStore\nspec:\n  provider:\n    fake:\n      data:\n      - {key: pw, value: hush-hush}\n", 7),
        ("kc.yaml", "apiVersion: v1\nkind: Config\nusers:\n- name: a\n  user: {token: hush-hush}\n", 5),
        ("d.yaml", f"{CONTAINER}args: ['--password=hush-hush']}}]}}}}}}\n", 4),
        ("d.yaml", f"{CONTAINER}args: [--db-password, hush-hush]}}]}}}}}}\n", 4),
        ("d.yaml", f"{CONTAINER}command: [sh, -c, 'PGPASSWORD=hush-hush psql']}}]}}}}}}\n", 4),
        ("m.yaml", "apiVersion: traefik.io/v1alpha1\nkind: Middleware\nspec:\n  headers: {Authorization: 'Basic aHVzaC1odXNoOmh1c2gx'}\n", 4),
        ("p.yaml", "apiVersion: envcompile.dev/v1\nkind: Patch\ntarget: {kind: ConfigMap}\nmerge: {data: {db_password: hush-hush}}\n", 4),
        ("p.yaml", "apiVersion: envcompile.dev/v1\nkind: Patch\ntarget: {kind: Deployment}\njson6902:\n- {op: add, path: /spec/template/spec/containers/0/env/-, value: {name: DB_PASSWORD, value: hush-hush}}\n", 5),
        ("p.yaml", f"{PATCH}json6902:\n- {{op: replace, path: '', value: {{kind: Secret, stringData: {{pw: hush-hush}}}}}}\n", 5),
        ("c.yaml", f'{CONFIG}  appsettings.json: |\n    {{"Db": {{"Password": "hush-hush"}}}}\n', 5),
        ("c.yaml", f'{CONFIG}  a.conf: |\n    db {{ password = "hush-hush" }}\n', 5),
        ("c.yaml", f"{CONFIG}  redis.conf: |\n    port 1\n    requirepass hush-hush\n", 5),
        ("c.yaml", f"{CONFIG}  a.xml: |\n    <db><password>hush-hush</password></db>\n", 5),
        ("c.yaml", f"{CONFIG}  config.json: '{{\"auths\": {{\"x\": {{\"auth\": \"aHVzaC1odXNo\"}}}}}}'\n", 5),
        ("c.yaml", "apiVersion: v1\nkind: ConfigMap\nbinaryData:\n  a.properties: ZGIucGFzc3dvcmQ9aHVzaC1odXNoCg==\n", 4),
        ("prod.env", "# PASSWORD=x\nexport DB_PASSWORD=hush-hush\n", 2),
        (".env", "SMTP_PASS='hush-hush'\n", 1),
        ("application.properties", "a=b\nspring.datasource.password=hush-hush\n", 2),
    ],
)  # fmt: skip
def test_a_value_is_found_wherever_tools_put_one(file: str, text: str, line: int) -> None:
    """Other tools, formats, operators and ways to write a patch: the place is told, by a rule for values in clear."""
    assert line in {place for place, rule in found(file, text) if rule in {"plaintext-secret", "plaintext-value"}}


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
        ("release.yaml", f"{HELM}    auth: {{existingSecret: db-secret, password: ''}}\n    tlsSecret: web-tls\n"),
        ("app.yaml", f"{ARGO}    helm:\n      parameters:\n      - {{name: auth.existingSecret, value: db-secret}}\n"),
        ("d.yaml", f"{CONTAINER}args: ['--password-file=/run/x', '--token', $(TOKEN), '--secret-name', db], command: [sh, -c, 'P=$(cat /x) client_secret=name']}}]}}}}}}\n"),
        ("es.yaml", "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nspec:\n  target:\n    template:\n      data: {config: 'password={{ .pw }}'}\n"),
        ("kc.yaml", "apiVersion: v1\nkind: Config\nusers:\n- name: a\n  user: {tokenFile: /x, client-certificate-data: aHVzaA==}\n"),
        ("s.jsonnet", "local k = import 'k.libsonnet';\nk.core.v1.secret.new('x', {pw: 'ref+env://PW'}) + {x: std.format('%s', 'hush-hush')}\n"),
        ("sops.env", "DB_PASSWORD=ENC[AES256_GCM,data:1Q==,iv:a,tag:b,type:str]\n"),
        ("a.env.example", "DB_PASSWORD=hush-hush\n"),
        ("prod.env", "DB_PASSWORD=ref+env://PW\nTOKEN_FILE=/run/x\nSECRET=\n"),
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


ENVIRONMENT = "apiVersion: envcompile.dev/v1\nkind: Environment\n"
OF_CHARTS = "charts:\n  - name: db\n    values:\n      auth:\n"
LOOKING = "Xk29-fjq8-hush-51"


@pytest.mark.parametrize(
    ("file", "before", "line", "mark"),
    [
        ("overlays/prod/environment.yaml", f"{ENVIRONMENT}params:\n", "  dbPassword: {}", "#"),
        ("envc.yaml", OF_CHARTS, "        adminPassword: {}", "#"),
        ("chart/values-prod.yaml", "auth:\n", "  adminPassword: {}", "#"),
        ("chart/values.yaml", "auth:\n", "  'adminPassword': '{}'", "#"),
        ("web.env", "", "DB_PASSWORD={}", "#"),
        ("web.env", "", "export DB_PASSWORD={}", "#"),
        ("main.tf", "", 'db_password = "{}"', "#"),
    ],
)
@pytest.mark.parametrize("is_above", [True, False])
def test_what_only_looks_like_a_secret_is_declared_by_a_comment(
    file: str, before: str, line: str, mark: str, *, is_above: bool
) -> None:
    """Of the key itself, where it stands: another key, another line or another word declare nothing."""
    written = line.format(LOOKING)
    key = written.strip().removeprefix("export ").partition("=")[0].partition(":")[0].strip(" '")

    def scanned(comment: str, gap: str = "") -> list[tuple[int, str]]:
        above, behind = (f"{mark} {comment}\n{gap}", "") if is_above else (gap, f"  {mark} {comment}")
        return found(file, f"{before}{above}{written}{behind}\n")

    assert [rule for _, rule in scanned("a comment")] == ["plaintext-value"]
    assert scanned(f"envcompile.dev/plaintext: {key}") == []
    assert scanned(f"envcompile.dev/plaintext: other, {key}") == []
    assert scanned("envcompile.dev/plaintext: other") != []
    assert scanned(f"plaintext: {key}") != []
    if is_above:
        assert scanned(f"envcompile.dev/plaintext: {key}", f"{mark} another comment\n") != []


def test_a_comment_declares_neither_secrets_nor_the_line_below_a_value() -> None:
    """A Secret has its annotation; a comment behind a value is about that value."""
    mark = "# envcompile.dev/plaintext: pw"
    assert (
        found("a.yaml", f"apiVersion: v1\nkind: Secret\nmetadata: {{name: t}}\nstringData:\n  pw: hush {mark}\n") != []
    )
    values = f"password: {LOOKING}  # envcompile.dev/plaintext: password\nother:\n  password: {LOOKING}\n"
    assert found("values.yaml", values) == [(3, "plaintext-value")]
    follows = f"a: b  # envcompile.dev/plaintext: password\npassword: {LOOKING}\n"
    assert found("values.yaml", follows) == [(2, "plaintext-value")]
