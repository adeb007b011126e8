"""A first repository: one application, three environments, everything that a build needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from envcompile.adopt.files import write_new
from envcompile.adopt.render import project_file, schema_files, schema_line

if TYPE_CHECKING:
    from pathlib import Path

_ENVIRONMENTS: Final = ("dev", "staging", "prod")

_CONFIGMAP: Final = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: hello
  labels:
    app.kubernetes.io/name: hello
data:
  # Files whose name ends in .properties, .env, .ini, .toml, .yaml or .json merge key by key:
  # an overlay states only the keys that it changes.
  app.properties: |
    greeting=Hello from ${{ params.host }}
    log.level=info
    cache.seconds=300
"""

_DEPLOYMENT: Final = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: hello
  labels:
    app.kubernetes.io/name: hello
spec:
  # How many replicas and which image each environment runs is in its environment.yaml.
  replicas: 1
  selector:
    matchLabels:
      app.kubernetes.io/name: hello
  template:
    metadata:
      labels:
        app.kubernetes.io/name: hello
    spec:
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: hello
          image: ghcr.io/stefanprodan/podinfo
          args:
            - ./podinfo
            - --port=9898
            - --config-path=/etc/hello
          ports:
            - name: http
              containerPort: 9898
          readinessProbe:
            httpGet:
              path: /readyz
              port: http
          livenessProbe:
            httpGet:
              path: /healthz
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
          volumeMounts:
            - name: config
              mountPath: /etc/hello
              readOnly: true
            - name: data
              mountPath: /data
      volumes:
        - name: config
          configMap:
            name: hello
        - name: data
          emptyDir: {}
"""

_SERVICE: Final = """\
apiVersion: v1
kind: Service
metadata:
  name: hello
  labels:
    app.kubernetes.io/name: hello
spec:
  selector:
    app.kubernetes.io/name: hello
  ports:
    - name: http
      port: 80
      targetPort: http
"""

_ENVIRONMENT: Final = """\
apiVersion: envcompile.dev/v1
kind: Environment
namespace: hello-{name}
labels:
  environment: {name}
images:
  - name: ghcr.io/stefanprodan/podinfo
    newTag: {tag}
replicas:
  hello: {replicas}
params:
  host: {host}
"""

_PATCH: Final = """\
# Only what prod changes: the rest comes from base/hello/.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: hello
spec:
  template:
    spec:
      containers:
        - name: hello
          resources:
            requests:
              cpu: 200m
              memory: 128Mi
            limits:
              memory: 256Mi
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: hello
data:
  app.properties: |
    log.level=warn
"""

_SETTINGS: Final = {
    "dev": {"tag": "6.9.2", "replicas": 1, "host": "hello.dev.example.com"},
    "staging": {"tag": "6.9.1", "replicas": 2, "host": "hello.staging.example.com"},
    "prod": {"tag": "6.9.0", "replicas": 3, "host": "hello.example.com"},
}


def scaffold(target: Path) -> list[Path]:
    """Write a working repository into a folder, which is created when it does not exist; give the files written.

    Raises:
        EnvcError: a file is there already; nothing is written then.
        UnavailableError: the folder cannot be written.
    """
    files = {
        "envc.yaml": project_file(_ENVIRONMENTS),
        "base/hello/configmap.yaml": _CONFIGMAP.encode(),
        "base/hello/deployment.yaml": _DEPLOYMENT.encode(),
        "base/hello/service.yaml": _SERVICE.encode(),
    }
    for name in _ENVIRONMENTS:
        path = f"overlays/{name}/environment.yaml"
        files[path] = (schema_line(path, "environment") + _ENVIRONMENT.format(name=name, **_SETTINGS[name])).encode()
    files["overlays/prod/hello.yaml"] = _PATCH.encode()
    return list(write_new(target, {**files, **schema_files()}))
