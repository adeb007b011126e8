"""Texts of Kubernetes documents with chance in them: what the random repositories are made of."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Final

from envcompile.yamlio import load_all

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

TEAMS: Final = ("red", "blue", "green")
SEPARATOR: Final = "---\n"
FINGERPRINT: Final = f"sha256:{'ab' * 32}"
"""Of a certificate that nobody has: a build only compares it."""


def deployment(app: str, chance: Random) -> str:
    """A Deployment that reads a ConfigMap of its application or another, often with what checks or waves read."""
    number = chance.randrange(1, 10)
    notes = chance.choice([
        "",
        "",
        "  annotations: {envcompile.dev/depends-on: ConfigMap/web}\n",
        f'  annotations: {{envcompile.dev/ignore: "run-as-root: image {number} is old"}}\n',
    ])
    read = chance.choice([app, app, "web", "api", "made", "marked-dev"])
    opened = chance.choice([app, app, "web", "held"])
    account = f"      serviceAccountName: {app}\n" if chance.random() < 0.3 else ""
    secret = (
        f"        - {{name: TOKEN, valueFrom: {{secretKeyRef: {{name: {opened}, key: token, optional: true}}}}}}\n"
        if chance.random() < 0.4
        else ""
    )
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {app}
  labels: {{team: {chance.choice(TEAMS)}}}
{notes}spec:
  replicas: {number}
  selector: {{matchLabels: {{app: {app}}}}}
  template:
    metadata: {{labels: {{app: {app}}}}}
    spec:
{account}      containers:
      - name: {app}
        image: example.com/{app}:{number}
        ports: [{{containerPort: 80}}]
        envFrom: [{{configMapRef: {{name: {read}}}}}]
        env:
        - {{name: LEVEL, value: "{number}"}}
{secret}"""


def config_map(name: str, chance: Random, *, more: str = "") -> str:
    """A ConfigMap with configuration texts of several formats, any of which may be missing."""
    a, b, c = (chance.randrange(100) for _ in range(3))
    entries = [
        f"  app.properties: |\n    # the size\n    size={a}\n    same=1\n    host=api.{{{{ .x }}}}\n",
        f"  values.yaml: |\n    depth: {b}\n    list: [1, {c}]\n    inner: {{color: {chance.choice(TEAMS)}}}\n",
        f"  setup.ini: |\n    [main]\n    size = {c}\n    other = 2\n",
        f'  data.json: "{{\\"n\\": {a}}}"\n',
        f'  plain: "{b}"\n',
    ]
    chosen = [entry for entry in entries if chance.random() < 0.6] or entries[:1]
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n{''.join(chosen)}{more}"


def marked_config_map(name: str, chance: Random) -> str:
    """A ConfigMap whose name shall end in a hash of its content where `rollout: suffix` says so."""
    return config_map(name, chance).replace(
        f"  name: {name}\n", f"  name: {name}\n  annotations: {{envcompile.dev/name-suffix: hash}}\n"
    )


def as_json(text: str) -> str:
    """A document as JSON."""
    return json.dumps(load_all(text.encode(), "document.yaml")[0], indent=1) + "\n"


def service(app: str, chance: Random) -> str:
    """A Service whose port is of chance."""
    port = chance.choice([80, 8080, 9090])
    return f"""\
apiVersion: v1
kind: Service
metadata: {{name: {app}, labels: {{team: {chance.choice(TEAMS)}}}}}
spec:
  selector: {{app: {app}}}
  ports: [{{name: http, port: {port}, targetPort: 80}}]
"""


def account(name: str, namespace: str = "") -> str:
    """A ServiceAccount."""
    place = f", namespace: {namespace}" if namespace else ""
    return f"apiVersion: v1\nkind: ServiceAccount\nmetadata: {{name: {name}{place}}}\n"


def binding(app: str, accounts: Sequence[str], chance: Random) -> str:
    """A RoleBinding or ClusterRoleBinding of accounts, each with or without a namespace."""
    kind = chance.choice(["RoleBinding", "RoleBinding", "ClusterRoleBinding"])
    subjects = "".join(
        f"- {{kind: ServiceAccount, name: {name}{chance.choice(['', ', namespace: build', ', namespace: dev'])}}}\n"
        for name in accounts
    )
    return f"""\
apiVersion: rbac.authorization.k8s.io/v1
kind: {kind}
metadata: {{name: {app}, labels: {{team: {chance.choice(TEAMS)}}}}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}}
subjects:
{subjects}"""


def secret(app: str, chance: Random) -> str:
    """A Secret of a reference, often with a harmless value beside it."""
    level = chance.randrange(9)
    if chance.random() < 0.5:
        metadata = f"metadata: {{name: {app}, annotations: {{envcompile.dev/plaintext: level}}}}\n"
        harmless = f"  level: l{level}\n"
    else:
        metadata, harmless = f"metadata: {{name: {app}}}\n", ""
    return f"""\
apiVersion: v1
kind: Secret
{metadata}type: Opaque
stringData:
  token: ref+vault://secret/data/{app}#/token
{harmless}"""


def sealed_store(apps: Sequence[str], namespaces: Sequence[str], chance: Random, *, private: Sequence[str] = ()) -> str:
    """A sealed.yaml with a value of the right shape for each Secret in each namespace; nobody can open it.

    Args:
        apps: names of Secrets.
        namespaces: where each of them is.
        chance: decides the values.
        private: names of Secrets that only somebody's private file declares, so that their shape is kept, too.
    """
    records = {
        f"{namespace}/{name}": f"{namespace}/{name}:\n  type: Opaque\n" for name in private for namespace in namespaces
    }
    for app in (*apps, *private):
        for namespace in namespaces:
            body = chance.randbytes(16 + chance.randrange(8, 12))
            sealed = base64.b64encode((256).to_bytes(2, "big") + chance.randbytes(256) + body).decode()
            records[f"{namespace}/{app}/token"] = f"""\
{namespace}/{app}/token:
  sealed_for:
    scope: strict
    namespace: {namespace}
    name: {app}
  certificate: {FINGERPRINT}
  sealed: {sealed}
"""
    header = "# Sealed values, written by `envc secrets`: ciphertext only, made to be committed.\n"
    return header + "".join(records[title] for title in sorted(records))


def definition(kind: str, chance: Random) -> str:
    """A CRD whose scope and list type are of chance."""
    scope = chance.choice(["Namespaced", "Namespaced", "Namespaced", "Cluster"])
    lists = chance.choice([
        "x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [name], ",
        "x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [name], ",
        "x-kubernetes-list-type: atomic, ",
        "",
    ])
    limit = chance.choice([
        "",
        f", x-kubernetes-validations: [{{rule: 'self < {chance.randrange(3, 9)}', message: too large}}]",
    ])
    plural = f"{kind.lower()}s"
    return f"""\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: {plural}.laws.example.com}}
spec:
  group: laws.example.com
  names: {{kind: {kind}, plural: {plural}, singular: {kind.lower()}, listKind: {kind}List}}
  scope: {scope}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              size: {{type: integer{limit}}}
              parts:
                type: array
                {lists.replace(", x-", chr(10) + "                x-").rstrip(", ")}
                items:
                  type: object
                  required: [name]
                  properties:
                    name: {{type: string}}
                    size: {{type: integer}}
"""


def custom_resource(kind: str, name: str, chance: Random, *, new: bool = False) -> str:
    """A custom resource, whole or as a patch: its list merges by what the CRD says."""
    parts = chance.sample(["one", "two", "three"], chance.randrange(1, 4))
    marked = ', annotations: {envcompile.dev/new: "true"}' if new else ""
    lines = "".join(f"  - {{name: {part}, size: {chance.randrange(9)}}}\n" for part in parts)
    return f"""\
apiVersion: laws.example.com/v1
kind: {kind}
metadata: {{name: {name}{marked}}}
spec:
  size: {chance.randrange(9)}
  parts:
{lines}"""


def overlay_patch(app: str, chance: Random) -> str:
    """A document of an overlay that patches a resource of an application."""
    number = chance.randrange(1, 10)
    head = f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {app}}}\n"
    noted = f'{{envcompile.dev/ignore: "seccomp: for {number}"}}'
    config = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {app}}}\n"
    replacing = f"{{name: {app}, annotations: {{envcompile.dev/replace: app.properties}}}}"
    container = f"{head}spec:\n  template:\n    spec:\n      containers:\n      - name: {app}\n        env:\n"
    return chance.choice([
        f"{head}spec: {{replicas: {number}}}\n",
        f'{container}        - {{name: MORE, value: "{number}"}}\n',
        f"{container}        - {{name: LEVEL, $patch: delete}}\n",
        f"{head}spec:\n  strategy: {{$patch: replace, type: Recreate}}\n",
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {app}, annotations: {noted}}}\n",
        config_map(app, chance),
        f'{config}data: {{plain: null, extra: "{number}"}}\n',
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {replacing}\ndata:\n  app.properties: |\n    only={number}\n",
        f"{config}$patch: delete\n",
    ])


def wide_patch(chance: Random, apps: Sequence[str]) -> str:
    """A `kind: Patch` of one of its forms, with globs or labels, often optional."""
    app = chance.choice([*apps])
    number = chance.randrange(1, 10)
    optional = "optional: true\n" if chance.random() < 0.7 else ""
    target = chance.choice([
        "{kind: Deployment}",
        f"{{kind: Deployment, name: {app[0]}*}}",
        f"{{kind: Deployment, labelSelector: team={chance.choice(TEAMS)}}}",
        f"{{kind: Deployment, labelSelector: 'team in ({chance.choice(TEAMS)}, {chance.choice(TEAMS)})'}}",
        "{kind: ConfigMap, name: '*'}",
        f"{{name: {app}}}",
        f"{{kind: '*Binding', name: {app}}}",
        "{group: laws.example.com}",
    ])
    if "Deployment" in target:
        image = f"{{name: {app}, image: example.com/{app}:{number}}}"
        change = chance.choice([
            f"merge: {{spec: {{revisionHistoryLimit: {number}}}}}\n",
            f"json6902:\n- {{op: add, path: /spec/minReadySeconds, value: {number}}}\n",
            f"json6902:\n- {{op: replace, path: /spec/replicas, value: {number}}}\n",
            f"merge: {{spec: {{template: {{spec: {{containers: [{image}]}}}}}}}}\n",
        ])
    else:
        change = chance.choice([
            f"merge: {{metadata: {{labels: {{patched: p{number}}}}}}}\n",
            f"merge: {{metadata: {{annotations: {{note: n{number}}}}}}}\n",
            f"json6902:\n- {{op: add, path: /metadata/annotations, value: {{over: o{number}}}}}\n",
        ])
    return f"apiVersion: envcompile.dev/v1\nkind: Patch\n{optional}target: {target}\n{change}"


def jsonnet(app: str, chance: Random) -> str:
    """A jsonnet file that reads a library, another file's YAML, JSON or text, or the environment."""
    data, before = chance.choice([
        ("{ v: lib.value }", "local lib = import 'values.libsonnet';\n"),
        (f"{{ v: std.toString(lib.number + {chance.randrange(9)}) }}", "local lib = import 'vendored.libsonnet';\n"),
        ("{ v: std.toString(read) }", "local read = std.parseYaml(importstr '../web/config.yaml');\n"),
        ("{ v: std.toString(read.data.n) }", "local read = import '../web/data.json';\n"),
        ("{ v: text }", "local text = importstr 'note.txt';\n"),
        ("{ v: std.extVar('environment').name }", ""),
    ])
    made = (
        f"{{ apiVersion: 'v1', kind: 'ConfigMap', metadata: {{ name: '{app}-made', labels: {{ team: 'red' }} }}, "
        f"data: {data} }}"
    )
    return chance.choice([
        f"{before}{made}\n",
        f"{before}{{ one: {made} }}\n",
        f"{before}function(environment) [{made}]\n",
    ])
