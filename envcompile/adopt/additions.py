"""Additions to a repository: an application in base, an environment in overlays."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from envcompile.adopt.files import write_new
from envcompile.adopt.render import schema_line
from envcompile.errors import Problem, UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
"""RFC 1123: what Kubernetes takes as the name of a Service or a namespace."""

_APPLICATION: Final = {
    "deployment.yaml": """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  labels:
    app.kubernetes.io/name: {name}
spec:
  replicas: 1
  selector:
    matchLabels:
      app.kubernetes.io/name: {name}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {name}
    spec:
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: {name}
          image: {image}
          ports:
            - name: http
              containerPort: {port}
          readinessProbe:
            httpGet:
              path: /
              port: http
          resources:
            requests:
              cpu: 50m
              memory: 64Mi
            limits:
              memory: 128Mi
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop:
                - ALL
""",
    "service.yaml": """\
apiVersion: v1
kind: Service
metadata:
  name: {name}
  labels:
    app.kubernetes.io/name: {name}
spec:
  selector:
    app.kubernetes.io/name: {name}
  ports:
    - name: http
      port: 80
      targetPort: http
""",
}


def add_application(root: Path, name: str, image: str, port: int) -> tuple[Path, ...]:
    """Write a Deployment and a Service into base; the files written.

    Args:
        root: the project's folder.
        name: of the folder and of both resources.
        image: what the container runs.
        port: where it listens.

    Raises:
        UsageError: the name is none.
        EnvcError: a file is there already; nothing is written then.
        UnavailableError: the folder cannot be written.
    """
    _refuse_name("an application", name)
    return write_new(
        root,
        {
            f"base/{name}/{file}": text.format(name=name, image=image, port=port).encode()
            for file, text in _APPLICATION.items()
        },
    )


def add_environment(
    root: Path, name: str, namespace: str, extends: Sequence[str], known: Sequence[str]
) -> tuple[Path, ...]:
    """Write the settings of an environment into overlays; the files written.

    Args:
        root: the project's folder.
        name: of the environment.
        namespace: for its resources; left to those that it extends when empty.
        extends: names of the overlays that it is laid on.
        known: the overlays that there are.

    Raises:
        UsageError: the name is none, or it extends what is not there.
        EnvcError: the environment is there already; nothing is written then.
        UnavailableError: the folder cannot be written.
    """
    _refuse_name("an environment", name)
    missing = [below for below in extends if below not in known]
    if missing:
        raise UsageError([
            Problem(f"there is no overlays/{below}", did_you_mean(below, known, f"there are {', '.join(known)}"))
            for below in missing
        ])
    path = f"overlays/{name}/environment.yaml"
    lines = [
        schema_line(path, "environment").rstrip("\n"),
        "apiVersion: envcompile.dev/v1",
        "kind: Environment",
        *([f"extends: [{', '.join(f'../{below}' for below in extends)}]"] if extends else []),
        *([f"namespace: {namespace}"] if namespace else []),
    ]
    return write_new(root, {path: "".join(f"{line}\n" for line in lines).encode()})


def _refuse_name(what: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        fix = "write small letters, digits and `-`, at most 63, as Kubernetes takes them"
        raise UsageError([Problem(f"{what} cannot be called `{name}`", fix)])
