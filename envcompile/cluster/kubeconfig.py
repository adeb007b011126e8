"""Where a cluster is and who one is to it: a context of the kubeconfig, or the account of the pod this runs in.

The file is read by the project's own YAML reader, which names the line of a mistake, and understood by lightkube.
Beyond it: several files in `KUBECONFIG`, `proxy-url`, `tls-server-name`, and exec plugins of every version.

Source: kubernetes.io, "Organizing Cluster Access Using kubeconfig Files" (merging, relative paths), "Client
Authentication (v1)" and "Accessing the Kubernetes API from a Pod".
"""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from envcompile.errors import EnvcError, Problem, UsageError, did_you_mean
from envcompile.log import decision
from envcompile.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx2
    from lightkube.config.kubeconfig import KubeConfig, SingleConfig

SERVICE_ACCOUNT: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
IN_CLUSTER: Final = "in-cluster"
"""The name of the context of a pod's own account."""
_SETTINGS: Final = ("proxy-url", "tls-server-name")


@dataclass(frozen=True, slots=True)
class Access:
    """How a cluster is reached, and as whom; nothing of it is asked yet."""

    context: str
    server: str
    namespace: str
    verify: ssl.SSLContext
    auth: httpx2.Auth | None
    proxy: str | None
    server_name: str | None
    """The name that the server's certificate has, where it is another than the address."""


class _File(NamedTuple):
    path: Path
    config: KubeConfig
    settings: dict[str, dict[str, str]]
    """What lightkube does not read, by cluster."""


def contexts(environ: Mapping[str, str]) -> list[str]:
    """The names of all contexts, sorted; none where there is no kubeconfig."""
    return sorted({name for file in _files(_paths(environ)) for name in file.config.contexts})


def find_access(context: str | None, environ: Mapping[str, str], *, checkout: Path | None = None) -> Access:
    """How the cluster of a context is reached.

    Args:
        context: its name; the kubeconfig's current one when left out, or the pod's own account.
        environ: the environment variables: `KUBECONFIG`, `HOME`, `KUBERNETES_SERVICE_HOST`.
        checkout: a folder that anybody may have written: no kubeconfig below it may have a program started.

    Raises:
        UsageError: there is no kubeconfig, or it has no such context.
        EnvcError: the file is wrong.
    """
    paths = _paths(environ)
    files = _files(paths)
    if not files:
        if context in {None, IN_CLUSTER} and environ.get("KUBERNETES_SERVICE_HOST"):
            return _of_pod(environ)
        named = " or ".join(str(path) for path in paths)
        raise UsageError([
            Problem(
                f"there is no kubeconfig: {named} does not exist",
                "name one in KUBECONFIG, or let your cluster's own tool write it",
            )
        ])
    name = context or next((one.config.current_context for one in files if one.config.current_context), None)
    known = sorted({each for file in files for each in file.config.contexts})
    if name is None:
        raise UsageError([
            Problem(
                f"{files[0].path} has no current context",
                f"choose one by --context: {', '.join(known)}"
                if known
                else "it has no context at all: let your cluster's own tool write one",
            )
        ])
    if name not in known:
        raise UsageError([
            Problem(
                f"the kubeconfig has no context `{name}`",
                did_you_mean(name, known, f"it has {', '.join(known)}; name one by --context")
                if known
                else "it has none at all: let your cluster's own tool write one, or name another file in KUBECONFIG",
            )
        ])
    return _access(name, files, checkout)


def _paths(environ: Mapping[str, str]) -> list[Path]:
    named = [Path(part) for part in environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    return named or [Path(environ.get("HOME") or Path.home()) / ".kube" / "config"]


def _files(paths: Sequence[Path]) -> list[_File]:
    return [_read(path.expanduser()) for path in paths if path.expanduser().is_file()]


def _read(path: Path) -> _File:
    import msgspec

    from envcompile.model import Location
    from envcompile.yamlio.load import load_all

    kubeconfig = lightkube_of()
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError([Problem(f"{path} cannot be read: {error.strerror}", "let yourself read it")]) from error
    documents = load_all(data, str(path))
    value = documents[0] if len(documents) == 1 else None
    try:
        if not isinstance(value, dict):
            raise TypeError("it is no map")  # ruff: ignore[raise-within-try] - all that is wrong is told in one way
        value = {**value, **{name: value.get(name) or [] for name in ("clusters", "contexts", "users")}}
        config = kubeconfig.KubeConfig.from_dict(value, fname=path)
    except (msgspec.ValidationError, KeyError, TypeError, AttributeError) as error:
        raise EnvcError([
            Problem(
                f"this kubeconfig cannot be understood: {one_line(str(error))}",
                "kubectl config view tells whether kubectl can",
                (Location(str(path), 1, 1),),
            )
        ]) from error
    settings = {
        str(item["name"]): {name: str(item["cluster"][name]) for name in _SETTINGS if item["cluster"].get(name)}
        for item in value["clusters"]
    }
    return _File(path, _absolute(config, path.parent), settings)


def lightkube_of() -> Any:
    """The module that understands kubeconfigs.

    Raises:
        UsageError: it is not installed.
    """
    try:
        import lightkube.config.kubeconfig
    except ImportError as error:
        raise UsageError([
            Problem(
                "envc speaks to clusters only with further libraries, which are not installed",
                "install them: pip install 'envcompile[cluster]'",
            )
        ]) from error
    return lightkube.config.kubeconfig


def _absolute(config: KubeConfig, folder: Path) -> KubeConfig:
    """The configuration with every path as it is meant: relative to its own file."""
    for cluster in config.clusters.values():
        if cluster.certificate_auth:
            cluster.certificate_auth = str(folder / cluster.certificate_auth)
    for user in config.users.values():
        for name in ("client_cert", "client_key", "token_file"):
            if value := getattr(user, name):
                setattr(user, name, str(folder / value))
        if user.exec is not None and "/" in user.exec.command:
            user.exec.command = str(folder / user.exec.command)
    return config


def _access(name: str, files: Sequence[_File], checkout: Path | None) -> Access:
    """The first file that has a name has the say, as kubectl merges them."""
    found = next(file.config.contexts[name] for file in files if name in file.config.contexts)
    home = next((file for file in files if found.cluster in file.config.clusters), None)
    owner = next((file for file in files if found.user and found.user in file.config.users), None)
    if home is None or (found.user and owner is None):
        what = f"cluster `{found.cluster}`" if home is None else f"user `{found.user}`"
        raise UsageError([
            Problem(f"the context `{name}` of the kubeconfig names the {what}, which is not there", "mend the file")
        ])
    user = owner.config.users[found.user] if owner is not None and found.user is not None else None
    cluster = home.config.clusters[found.cluster]
    if user is not None and owner is not None and user.exec is not None:
        _refuse_programs_of(checkout, owner.path, user.exec.command)
    decision("cluster", "context %s leads to %s", name, cluster.server)
    settings = home.settings.get(found.cluster, {})
    from lightkube.config.kubeconfig import SingleConfig
    from lightkube.config.models import User

    single = SingleConfig(name, found, cluster, user or User(), home.path)
    return _made(single, proxy=settings.get("proxy-url"), server_name=settings.get("tls-server-name"))


def _made(single: SingleConfig, *, proxy: str | None = None, server_name: str | None = None) -> Access:
    from envcompile.cluster.credentials import auth_of

    return Access(
        single.context_name,
        single.cluster.server,
        single.namespace,
        _verify(single),
        auth_of(single),
        proxy,
        server_name,
    )


def _verify(single: SingleConfig) -> ssl.SSLContext:
    import binascii

    from lightkube.config.client_adapter import verify_cluster
    from lightkube.config.models import User

    try:
        return verify_cluster(single.cluster, single.user or User(), single.abs_file)
    except (OSError, ssl.SSLError, binascii.Error, TypeError, ValueError) as error:
        raise EnvcError([
            Problem(
                f"a certificate or key of the context `{single.context_name}` cannot be used: {one_line(str(error))}",
                "mend the kubeconfig, or let your cluster's own tool write it anew",
            )
        ]) from error


def _of_pod(environ: Mapping[str, str]) -> Access:
    from lightkube.config.models import Cluster, Context, User

    host, port = environ["KUBERNETES_SERVICE_HOST"], environ.get("KUBERNETES_SERVICE_PORT", "443")
    folder = Path(environ.get("ENVC_SERVICE_ACCOUNT") or SERVICE_ACCOUNT)
    try:
        namespace = (folder / "namespace").read_text("utf-8").strip()
    except OSError as error:
        raise UsageError([
            Problem(
                f"there is no kubeconfig, and the pod has no account of its own: {error.strerror}: {folder}",
                "let the pod have its token (automountServiceAccountToken), or name a kubeconfig in KUBECONFIG",
            )
        ]) from error
    single = lightkube_of().SingleConfig(
        IN_CLUSTER,
        Context(cluster=IN_CLUSTER, user=IN_CLUSTER, namespace=namespace),
        Cluster(
            server=f"https://{f'[{host}]' if ':' in host else host}:{port}", certificate_auth=str(folder / "ca.crt")
        ),
        User(token_file=str(folder / "token")),
        None,
    )
    return _made(single)


def _refuse_programs_of(checkout: Path | None, file: Path, command: str) -> None:
    """Nothing of a checkout is ever run: neither for its kubeconfig nor the program itself."""
    if checkout is None:
        return
    for what, path in (("the kubeconfig", file), ("the program", Path(command))):
        if (path.is_absolute() or what == "the kubeconfig") and path.resolve().is_relative_to(checkout.resolve()):
            raise UsageError([
                Problem(
                    f"{what} {path} belongs to the checkout, and wants the program {one_line(command)} to be started",
                    "envc starts no program that a repository names; use a kubeconfig of your own",
                )
            ])
