"""`envc secrets fetch-cert`: the cluster's certificate from a URL, the API server or a file; never swapped silently."""

from __future__ import annotations

import base64
import contextlib
import json
import operator
import os
import ssl
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple
from urllib.parse import urlsplit

from envcompile.errors import Problem, UnavailableError, UsageError, fail
from envcompile.files import read_below, write_below
from envcompile.git.ignore import require_committable
from envcompile.secrets.certificate import choose, read_certificates, same_fingerprint
from envcompile.secrets.httpget import RedirectRefusedError, get
from envcompile.secrets.origin import origin_of
from envcompile.secrets.outside import TooSlowError, run_program
from envcompile.secrets.pinning import pinned
from envcompile.secrets.secret_set import COMMIT_IT, certificate_file
from envcompile.text import address

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping
    from datetime import datetime

    from envcompile.secrets.certificate import Certificate
    from envcompile.settings import Environment, Sealing

CERTIFICATE_PATH = "/v1/cert.pem"
DEFAULT_CERTIFICATE = "sealed-secrets.pem"


class CertificateChange(NamedTuple):
    """What fetching found, and what it wrote."""

    state: Literal["new", "same", "changed"]
    certificate: Certificate
    before: str | None
    """The fingerprint that was pinned or stored before."""
    file: str
    written: bool
    warnings: tuple[str, ...]


def accept_certificate(
    root: Path,
    environment: str,
    settings: Environment,
    data: bytes,
    origin: str,
    *,
    accept: bool,
    now: datetime,
    wanted: str | None = None,
    file: str | None = None,
    named_in: str | None = None,
) -> CertificateChange:
    """Store a certificate beside the environment and pin it.

    It is written into the environment's own folder: what a layer below has is left to the environments it is of.

    Args:
        root: the repository.
        environment: whose certificate it is.
        settings: the environment's settings.
        data: the PEM text.
        origin: where it came from, for messages.
        accept: take it although another one is in use.
        now: the moment to judge its dates at.
        wanted: the fingerprint it has to have, when the caller knows it from elsewhere.
        file: the certificate in use, relative to the repository; the environment's own place when left out.
        named_in: the environment.yaml whose `sealing.certificate` names that file; None when none does.

    Raises:
        EnvcError: when it may not be used, or replaces another one and `accept` is not given.
    """
    chosen, warnings = choose(read_certificates(data, origin), pin=wanted, now=now)
    file = file or certificate_file(environment, settings)
    stored = _stored(root, file)
    pin = settings.sealing.fingerprint if settings.sealing else None
    before = pin or (stored.fingerprint if stored is not None else None)
    if before is not None and not same_fingerprint(before, chosen.fingerprint) and not accept:
        old = str(stored) if stored is not None and same_fingerprint(stored.fingerprint, before) else before
        raise fail(
            f"environment {environment}: {origin} has another certificate than the one in use",
            "compare the new fingerprint with what the cluster's owners say; if it is right, add --accept",
            trace=[f"in use {old}", f"new    {chosen}"],
        )
    same = before is not None and same_fingerprint(before, chosen.fingerprint)
    settings_name = f"overlays/{environment}/environment.yaml"
    own, names_own = file, False
    is_inherited = not file.startswith(f"overlays/{environment}/") and named_in != settings_name
    if is_inherited and not (same and stored is not None and same_fingerprint(stored.fingerprint, chosen.fingerprint)):
        own = f"overlays/{environment}/{DEFAULT_CERTIFICATE}"
        names_own = named_in is not None
    text = chosen.pem.encode()
    is_ours = own != file or not is_inherited
    changed = is_ours and read_below(root, own) != text
    settings_text = read_below(root, settings_name) or b""
    pinned_text = settings_text
    if pin is None or not same_fingerprint(pin, chosen.fingerprint):
        pinned_text = pinned(settings_text, settings_name, chosen.fingerprint)
    if names_own:
        pinned_text = pinned(pinned_text, settings_name, DEFAULT_CERTIFICATE, "certificate")
    if changed:
        write_below(root, own, text)
    if pinned_text != settings_text:
        write_below(root, settings_name, pinned_text)
    state: Literal["new", "same", "changed"] = "same" if same else "new" if before is None else "changed"
    return CertificateChange(state, chosen, before, own, changed or pinned_text != settings_text, warnings)


def _stored(root: Path, file: str) -> Certificate | None:
    data = read_below(root, file)
    if data is not None:
        require_committable(root, file, COMMIT_IT)
    found = read_certificates(data, file) if data is not None else []
    return found[0] if len(found) == 1 else None


def certificate_from_url(
    url: str,
    *,
    context: ssl.SSLContext | None = None,
    plain_http: bool = False,
) -> bytes:
    """The certificate a controller serves.

    Args:
        url: the controller, or the certificate itself.
        context: how TLS is checked; the system's authorities when left out.
        plain_http: take it over http from another machine, where whoever is on the way can put in their own.

    Raises:
        UsageError: for a URL that is not http or https, or is plain http to another machine.
        UnavailableError: when nothing answers, or with something else than success.
    """
    origin = origin_of(url)
    if origin is None:
        raise UsageError([
            Problem(
                f"`{address(url)}` is not an http or https URL", "give the controller's URL, or the path of a PEM file"
            )
        ])
    if origin.scheme == "http" and not origin.is_loopback and not plain_http:
        raise UsageError([
            Problem(
                f"{origin} is plain http: whoever is on the way could give another certificate and read what is sealed",
                "use https, or `kubectl port-forward` and http://localhost:PORT, or say --plain-http and compare the "
                "fingerprint",
            )
        ])
    parts = urlsplit(url)
    if parts.path in {"", "/"}:
        url = url.rstrip("/") + CERTIFICATE_PATH
    return _get(url, context, {})


def _get(url: str, context: ssl.SSLContext | None, headers: Mapping[str, str]) -> bytes:
    shown = f"{origin_of(url)}{urlsplit(url).path}"
    try:
        # A redirect stays at the same address: the pin is only worth what the way to it is, and so is the token.
        answer = get(url, headers=headers, context=context, follows=operator.eq)
    except RedirectRefusedError as error:
        raise UnavailableError([
            Problem(f"{shown} redirects to {error.target}", "give the address that serves the certificate itself")
        ]) from None
    except TooSlowError as error:
        what = f"{shown} has not answered within {error.seconds:g} s"
        raise UnavailableError([Problem(what, "is the controller running, and reachable from here?")]) from None
    except ssl.SSLCertVerificationError as error:
        what = f"the TLS certificate of {shown} is not trusted ({error.verify_message.rstrip('.')})"
        raise UnavailableError([Problem(what, "set SSL_CERT_FILE to the PEM file of its authority")]) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UnavailableError([
            Problem(f"{shown} does not answer ({reason})", "is the controller running, and reachable from here?")
        ]) from None
    if not 200 <= answer.status < 300:
        what = f"{shown} answers {answer.status}"
        raise UnavailableError([Problem(what, "check the controller's name and namespace")])
    return answer.body


def certificate_from_cluster(environ: Mapping[str, str], sealing: Sealing, context_name: str | None) -> bytes:
    """The certificate by way of the API server's service proxy, as `kubectl` would reach it.

    Raises:
        EnvcError: when the kubeconfig lacks what is needed.
        UnavailableError: when the API server or the controller does not answer.
    """
    with cluster_answers(environ, context_name) as get_path:
        services = f"/api/v1/namespaces/{sealing.controller_namespace}/services"
        answer = get_path(f"{services}/{sealing.controller_name}")
        try:
            ports = (json.loads(answer).get("spec") or {}).get("ports") or [{}]
        except (ValueError, AttributeError):
            what = "the kubeconfig's server does not answer as an API server"
            raise UnavailableError([Problem(what, "check the kubeconfig's server, and proxies on the way")]) from None
        port = ports[0].get("name") or ports[0].get("port") or ""
        return get_path(f"{services}/http:{sealing.controller_name}:{port}/proxy{CERTIFICATE_PATH}")


@contextlib.contextmanager
def cluster_answers(environ: Mapping[str, str], context_name: str | None) -> Generator[Callable[[str], bytes]]:
    """What an API server answers to the user of the kubeconfig, by path.

    Raises:
        EnvcError: when the kubeconfig lacks what is needed.
        UnavailableError: when the server does not answer, or with something else than success.
    """
    cluster, user = _kubeconfig(environ, context_name)
    with _tls(cluster, user) as tls:
        headers = {"Accept": "application/json", **_authorization(user, environ)}
        server = str(cluster["server"]).rstrip("/")
        yield lambda path: _get(f"{server}{path}", tls, headers)


def _kubeconfig(environ: Mapping[str, str], context_name: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    from envcompile import yamlio

    paths = [Path(part) for part in environ.get("KUBECONFIG", "").split(os.pathsep) if part]
    home = environ.get("HOME") or environ.get("USERPROFILE")
    paths = paths or ([Path(home) / ".kube/config"] if home else [])
    if paths and not any(path.is_file() for path in paths):
        raise fail(
            f"there is no kubeconfig: {' or '.join(map(str, paths))} does not exist",
            "name one in KUBECONFIG, or do without the cluster: give a file",
        )
    named: dict[str, dict[str, Any]] = {"clusters": {}, "users": {}, "contexts": {}}
    current = context_name
    for path in paths:
        if not path.is_file():
            continue
        content = yamlio.load_all(path.read_bytes(), str(path))[0] or {}
        current = current or content.get("current-context")
        for kind, known in named.items():
            for item in content.get(kind) or ():
                inner = item.get(kind.removesuffix("s")) or {}
                known.setdefault(item.get("name"), {**inner, "": str(path.parent)})
    if current not in named["contexts"]:
        contexts = ", ".join(sorted(named["contexts"])) or "none"
        raise fail(
            f"the kubeconfig has no context `{current or ''}`",
            f"choose one with --context (known: {contexts}), or give the controller's URL or a PEM file",
        )
    context = named["contexts"][current]
    cluster, user = named["clusters"].get(context.get("cluster")), named["users"].get(context.get("user"), {})
    if cluster is None or not cluster.get("server"):
        raise fail(f"the kubeconfig's context `{current}` names no cluster with a server", "correct the kubeconfig")
    return cluster, user


@contextlib.contextmanager
def _tls(cluster: Mapping[str, Any], user: Mapping[str, Any]) -> Generator[ssl.SSLContext]:
    authority = _content(cluster, "certificate-authority")
    context = ssl.create_default_context(cadata=authority.decode() if authority else None)
    if cluster.get("insecure-skip-tls-verify") is True:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    certificate, key = _content(user, "client-certificate"), _content(user, "client-key")
    if certificate and key:
        # The ssl module loads client keys from files only: one that its owner alone can read, for a moment.
        with tempfile.NamedTemporaryFile(prefix="envc-") as file:
            file.write(certificate + b"\n" + key)
            file.flush()
            context.load_cert_chain(file.name)
    yield context


def _content(holder: Mapping[str, Any], name: str) -> bytes | None:
    if data := holder.get(f"{name}-data"):
        return base64.b64decode(data)
    if file := holder.get(name):
        return (Path(holder[""]) / str(file)).read_bytes()
    return None


def _authorization(user: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, str]:
    token = user.get("token")
    if file := user.get("tokenFile"):
        token = (Path(user[""]) / str(file)).read_text(encoding="utf-8").strip()
    if not token and isinstance(plugin := user.get("exec"), dict):
        token = _plugin_token(plugin, environ)
    if token:
        return {"Authorization": f"Bearer {token}"}
    if user.get("username"):
        pair = base64.b64encode(f"{user['username']}:{user.get('password', '')}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}
    return {}


def _plugin_token(plugin: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    command = [str(plugin.get("command")), *map(str, plugin.get("args") or ())]
    info = {"apiVersion": plugin.get("apiVersion"), "kind": "ExecCredential", "spec": {"interactive": False}}
    given = {str(item["name"]): str(item["value"]) for item in plugin.get("env") or ()}
    try:
        answer = run_program(command, {**environ, **given, "KUBERNETES_EXEC_INFO": json.dumps(info)}, quiet=False)
        return str(json.loads(answer.stdout if not answer.returncode else b"")["status"]["token"])
    except (OSError, ValueError, KeyError, TypeError):
        raise UnavailableError([
            Problem(
                f"the kubeconfig's credential plugin `{command[0]}` gave no token",
                "log in to the cluster, then try again",
            )
        ]) from None
