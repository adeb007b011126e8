"""Files of random repositories beside manifests: what a `kind: Generate` reads, rules of `checks/`, private Secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.laws.documents import TEAMS

if TYPE_CHECKING:
    from random import Random

    from tests.laws.repositories import Files

PRIVATE: Final = "private.yaml"
"""The name of files that git ignores."""
IGNORED: Final = f".envc/\n{PRIVATE}\n"
NOBODYS: Final = "held"
"""The Secret whose only source is a private file: everybody else knows it from sealed.yaml."""


def content(chance: Random) -> Files:
    """What generators read: beside the one that names them, in the project, with bytes that are no text as well."""
    word = chance.choice(TEAMS)
    return {
        "base/web/start.sh": f"#!/bin/sh\nexec web --size {chance.randrange(9)} --color {word}\n",
        "base/web/defaults.env": f"# of all\nSIZE={chance.randrange(9)}\nCOLOR={word}\n",
        "files/board.json": f'{{"rows": {chance.randrange(9)}}}\n',
    }


def generator(chance: Random, *, name: str = "made", folder: str = "base/web", behavior: str = "") -> str:
    """A `kind: Generate` of a ConfigMap, whose paths lead from the folder it lies in."""
    beside = "" if folder == "base/web" else "../../base/web/"
    entries = [
        f"  literals: [LOG=l{chance.randrange(3)}, 'COLOR=\"{chance.choice(TEAMS)}\"']\n",
        f"  files: [{beside}start.sh, board=../../files/board.json]\n",
        f"  envs: [{beside}defaults.env]\n",
    ]
    chosen = [entry for entry in entries if chance.random() < 0.6] or entries[:1]
    if len({"literals", "envs"} & {entry.split()[0].rstrip(":") for entry in chosen}) > 1:
        chosen[0] = f"  literals: [LOG=l{chance.randrange(3)}]\n"
    options = chance.choice([
        "",
        f"options: {{labels: {{team: {chance.choice(TEAMS)}}}}}\n",
        "options: {disableNameSuffixHash: true}\n",
        f"options: {{immutable: true, annotations: {{note: n{chance.randrange(3)}}}}}\n",
    ])
    return (
        f"apiVersion: envcompile.dev/v1\nkind: Generate\nmetadata: {{name: {name}}}\n"
        f"configMap:\n{''.join(chosen)}{options}{behavior}"
    )


def secret_generator(app: str) -> str:
    """A `kind: Generate` of a Secret, with the reference that its `kind: Secret` may have as well."""
    return (
        f"apiVersion: envcompile.dev/v1\nkind: Generate\nmetadata: {{name: {app}}}\n"
        f"secret:\n  literals: [token=ref+vault://secret/data/{app}#/token]\n"
    )


def own_rules(chance: Random) -> Files:
    """Rules of the repository: an expression, and a function that nobody allowed to run."""
    files = {
        "checks/team.yaml": (
            f"rule: team-color\ngrade: {chance.choice(['info', 'warning', 'error'])}\n"
            "match: {kinds: [Deployment, Service]}\n"
            f"expression: \"object.metadata.?labels.?team.orValue('') != '{chance.choice(TEAMS)}'\"\n"
            "message: not this color\nfix: take another one\nfield: metadata.labels\n"
            "fires: |\n  apiVersion: apps/v1\n  kind: Deployment\n  metadata: {name: web}\n"
            "silent: |\n  apiVersion: apps/v1\n  kind: Deployment\n  metadata: {name: web, labels: {team: shop}}\n"
        )
    }
    if chance.random() < 0.3:
        files["checks/names.py"] = (
            "from envcompile.check.own import rule\n\n\n"
            f'@rule(grade="{chance.choice(["info", "warning"])}", kinds=("Deployment",))\n'
            'def short_name(resource):\n    """Names can be read."""\n'
        )
    return files


def admission_policy(chance: Random) -> str:
    """A ValidatingAdmissionPolicy with its binding."""
    action = chance.choice(["Deny", "Warn", "Audit"])
    return f"""\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {{name: few}}
spec:
  matchConstraints:
    resourceRules:
    - {{apiGroups: [apps], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [deployments]}}
  validations:
  - {{expression: 'object.spec.replicas < {chance.randrange(2, 9)}', message: too many}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {{name: few}}
spec: {{policyName: few, validationActions: [{action}]}}
"""


def private_secret(name: str, chance: Random) -> str:
    """A Secret whose value stands in clear: allowed in a file that git ignores."""
    return (
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: {name}}}\ntype: Opaque\n"
        f"stringData:\n  token: in-clear-{chance.randrange(1000)}\n"
    )
