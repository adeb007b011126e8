"""Random resources and patches that are valid to kustomize, to Kubernetes and to us alike."""

import random
from typing import Any


class Chance:
    """Draws bases and patches; the same seed draws the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def is_true(self, share: float) -> bool:
        """True in this share of all draws."""
        return self._random.random() < share

    def one(self, *choices: Any) -> Any:
        """One of the choices."""
        return self._random.choice(choices)

    def some(self, names: str) -> list[str]:
        """A few of the letters, in any order, at least one."""
        return self._random.sample(names, self._random.randint(1, len(names)))

    def fields(self, share: float, **makers: Any) -> dict[str, Any]:
        """A map that has each field with the given probability."""
        return {name: maker() for name, maker in makers.items() if self.is_true(share)}

    def text(self) -> str:
        """A harmless string."""
        return f"v{self._random.randint(1, 9)}"

    def texts(self) -> list[str]:
        """An atomic list."""
        return [self.text() for _ in range(self._random.randint(1, 3))]

    def labels(self, *, is_patch: bool) -> dict[str, Any]:
        """A free map; a patch may remove a key."""
        return {f"l{name}": None if is_patch and self.is_true(0.2) else self.text() for name in self.some("abc")}

    def variable(self, name: str) -> dict[str, Any]:
        """A container's variable, a value or a reference to one."""
        if self.is_true(0.7):
            return {"name": name.upper(), "value": self.text()}
        return {"name": name.upper(), "valueFrom": {"secretKeyRef": {"name": self.text(), "key": "k"}}}

    def container(self, name: str, *, is_patch: bool) -> dict[str, Any]:
        """A container, or a patch of one; the image is always there so that a new one is whole."""
        if is_patch and self.is_true(0.1):
            return {"name": name, "$patch": "delete"}
        made = {"name": name, "image": f"{name}:{self.text()}"} | self.fields(
            0.4,
            args=self.texts,
            command=self.texts,
            workingDir=self.text,
            tty=lambda: self.is_true(0.5),
            resources=lambda: {"limits": {"cpu": self.text(), **self.labels(is_patch=is_patch)}},
            env=lambda: [self.variable(letter) for letter in self.some("abcd")],
            volumeMounts=lambda: [{"name": letter, "mountPath": f"/{letter}"} for letter in self.some("abc")],
            ports=lambda: [{"containerPort": ord(letter), "name": self.text()} for letter in self.some("abc")],
            securityContext=lambda: {"runAsUser": ord(self.text()[1]), "capabilities": {"drop": self.texts()}},
        )
        if is_patch and self.is_true(0.3):
            made[self.one("args", "command", "workingDir", "env", "ports", "resources")] = None
        return made

    def pod(self, *, is_patch: bool) -> dict[str, Any]:
        """A pod spec, or a patch of one; container x of a base is never deleted."""
        names = self.some("abc") if is_patch else ["x", *self.some("abc")]
        containers = [self.container(name, is_patch=is_patch) for name in names]
        made: dict[str, Any] = {"containers": containers} | self.fields(
            0.5,
            volumes=lambda: [{"name": letter, "configMap": {"name": self.text()}} for letter in self.some("abc")],
            imagePullSecrets=lambda: [{"name": letter} for letter in self.some("abc")],
            hostAliases=lambda: [
                {"ip": f"10.0.0.{ord(letter)}", "hostnames": self.texts()} for letter in self.some("ab")
            ],
            tolerations=lambda: [{"key": key, "operator": "Exists"} for key in self.texts()],
            nodeSelector=lambda: self.labels(is_patch=is_patch),
            serviceAccountName=self.text,
            topologySpreadConstraints=lambda: [
                {"topologyKey": letter, "whenUnsatisfiable": "DoNotSchedule", "maxSkew": 1}
                for letter in self.some("abc")
            ],
        )
        return made

    def deployment(self, name: str, *, is_patch: bool) -> dict[str, Any]:
        """A Deployment, or a patch of one."""
        metadata = {"name": name} | self.fields(
            0.5,
            labels=lambda: self.labels(is_patch=is_patch),
            annotations=lambda: self.labels(is_patch=is_patch),
            finalizers=lambda: [f"example.com/{letter}" for letter in self.some("abc")],
        )
        spec = {"template": {"spec": self.pod(is_patch=is_patch)}} | self.fields(
            0.4,
            replicas=lambda: len(self.texts()),
            strategy=lambda: {"rollingUpdate": {"maxSurge": self.one(1, "25%")}},
        )
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}

    def service(self, name: str, *, is_patch: bool) -> dict[str, Any]:
        """A Service, or a patch of one."""
        spec = {
            "ports": [
                {"port": ord(letter), "name": letter, "targetPort": self.one(80, "h")} for letter in self.some("abc")
            ]
        }
        spec |= self.fields(
            0.5,
            selector=lambda: self.labels(is_patch=is_patch),
            externalIPs=lambda: [f"10.0.0.{ord(letter)}" for letter in self.some("abc")],
            type=lambda: self.one("ClusterIP", "NodePort"),
        )
        return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}

    def ingress(self, name: str, *, is_patch: bool) -> dict[str, Any]:
        """An Ingress, or a patch of one: its lists have no keys."""
        spec = self.fields(
            0.8,
            rules=lambda: [{"host": f"{letter}.example.com"} for letter in self.some("abc")],
            tls=lambda: [{"hosts": self.texts(), "secretName": self.text()}],
            ingressClassName=self.text,
        )
        metadata = {"name": name, "annotations": self.labels(is_patch=is_patch)}
        return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": spec}

    def resource(self, name: str, *, is_patch: bool, kind: str) -> dict[str, Any]:
        """A resource of a kind, or a patch of one."""
        make = {"Deployment": self.deployment, "Service": self.service, "Ingress": self.ingress}[kind]
        return make(name, is_patch=is_patch)
