"""Asking a Vault server: which addresses may have the token, how TLS is checked, and what its refusals mean."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from envcompile.secrets.backends import OriginError
from envcompile.secrets.httpget import RedirectRefusedError, get
from envcompile.secrets.origin import origin_of
from envcompile.secrets.outside import TooSlowError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from envcompile.secrets.httpget import Answer
    from envcompile.secrets.origin import Origin

ADDRESSES_VARIABLE = "ENVC_VAULT_ADDRESSES"
"""Further addresses that may have the token, separated by commas or blanks; given by a person."""
_TRUE = {"1", "t", "true"}


def refuse_foreign_address(address: str, environ: Mapping[str, str], subject: str) -> None:
    """Refuse an address that a repository names and no person does: the token would go there.

    Args:
        address: what the repository names.
        environ: the env vars.
        subject: what names it, for messages.

    Raises:
        OriginError: when neither VAULT_ADDR nor ENVC_VAULT_ADDRESSES has that scheme, host and port.
    """
    target = origin_of(address)
    if target is None or target not in _allowed(environ):
        shown = target or "something that is no http or https address"
        raise OriginError(
            f"{subject} would send the Vault token to {shown}, which is not VAULT_ADDR",
            f"if that Vault is yours, set VAULT_ADDR to it, or name it in {ADDRESSES_VARIABLE}; nothing was sent",
        )


def _allowed(environ: Mapping[str, str]) -> set[Origin]:
    named = [environ.get("VAULT_ADDR", ""), *environ.get(ADDRESSES_VARIABLE, "").replace(",", " ").split()]
    return {found for text in named if (found := origin_of(text)) is not None}


def ask_vault(
    address: str, path: str, query: str, headers: Mapping[str, str], environ: Mapping[str, str]
) -> dict[str, Any]:
    """The answer of `GET ADDRESS/v1/PATH`, numbers as the texts that Vault writes (`Number`).

    A redirect is followed to the same host (a standby's to the active node) or to an address that a person allows, and
    never from https to http, as `vault` itself does not.

    Raises:
        OriginError: for every other answer, in words.
    """
    import json

    allowed = _allowed(environ)

    def follows(start: Origin, target: Origin) -> bool:
        if start.scheme == "https" and target.scheme != "https":
            return False
        return target.host == start.host or target in allowed

    shown = origin_of(address)
    if shown is None:
        raise OriginError("VAULT_ADDR is no http or https address", "write it as `https://HOST:PORT`")
    below = urlsplit(address.strip()).path.rstrip("/")
    url = f"{shown}{below}/v1/{quote(path)}" + (f"?{query}" if query else "")
    try:
        answer = get(url, headers=headers, context=_tls(environ), follows=follows)
    except RedirectRefusedError as error:
        raise OriginError(
            f"Vault at {shown} redirects to {error.target}; the token is not sent there",
            f"set VAULT_ADDR to the active node, or name that address in {ADDRESSES_VARIABLE} if it is yours",
        ) from None
    except TooSlowError as error:
        what = f"Vault at {shown} has not answered within {error.seconds:g} s"
        raise OriginError(what, "check VAULT_ADDR and try again", unavailable=True) from None
    except ssl.SSLCertVerificationError as error:
        raise OriginError(
            f"the certificate of Vault at {shown} is not trusted ({error.verify_message.rstrip('.')})",
            "set VAULT_CACERT to the PEM file of its authority (VAULT_CAPATH, VAULT_CACERT_BYTES and "
            "VAULT_TLS_SERVER_NAME are read, too)",
        ) from None
    except OSError as error:
        raise OriginError(
            f"Vault at {shown} does not answer ({error.strerror or type(error).__name__})",
            "check VAULT_ADDR and try again",
            unavailable=True,
        ) from None
    except ValueError:
        raise OriginError(
            "the request to Vault cannot be made", "VAULT_ADDR and VAULT_TOKEN are one line each"
        ) from None
    if answer.status != 200:
        raise _refusal(answer, str(shown), path)
    try:
        found = json.loads(answer.body, parse_int=Number, parse_float=Number)
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {}


class Number(str):  # ruff: ignore[subclass-builtin, no-slots-in-str-subclass] - tells a number's text from a text
    """The text of a JSON number, as it was written."""


def _refusal(answer: Answer, shown: str, path: str) -> OriginError:
    status, body = answer.status, answer.body.lower()
    if status == 404:
        fix = "correct the path; for KV version 2 it reads MOUNT/data/PATH, and a deleted version cannot be read"
        return OriginError(f"Vault has nothing at `{path}`", fix, absent=True)
    if status in {401, 403}:
        what = f"Vault refuses to read `{path}`"
        return OriginError(what, "log in with a token whose policy allows it: `vault login`")
    if status == 400:
        if b"http request to an https server" in body:
            return OriginError(f"Vault at {shown} speaks TLS only", "write VAULT_ADDR with `https://`")
        what = f"Vault does not understand the request for `{path}` (400)"
        return OriginError(what, "correct path, version and namespace of the reference")
    if status == 429:
        return OriginError(f"Vault at {shown} is asked too often (429)", "try again later", unavailable=True)
    if status == 503 and b"sealed" in body:
        return OriginError(f"Vault at {shown} is sealed", "unseal it, then try again", unavailable=True)
    if status == 501 or b"not initialized" in body:
        return OriginError(f"Vault at {shown} is not initialised", "initialise it, then try again", unavailable=True)
    if status >= 500:
        what = f"Vault at {shown} answers {status}"
        return OriginError(what, "see to the server, then try again", unavailable=True)
    return OriginError(f"what is at {shown} answers {status} and is no Vault", "check VAULT_ADDR")


def _tls(environ: Mapping[str, str]) -> ssl.SSLContext:
    """How `vault` itself checks the server, by the same env vars.

    Source: hashicorp/vault `api/client.go` (ReadEnvironment, ConfigureTLS): an authority that is named replaces the
    system's.

    Raises:
        OriginError: for a variable that names no file, or one that holds no certificate.
    """
    context: ssl.SSLContext = _Context(ssl.PROTOCOL_TLS_CLIENT)
    if isinstance(context, _Context):
        context.server_name = environ.get("VAULT_TLS_SERVER_NAME") or None
    file, folder, text = (environ.get(f"VAULT_CA{name}") for name in ("CERT", "PATH", "CERT_BYTES"))
    if environ.get("VAULT_SKIP_VERIFY", "").lower() in _TRUE:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif file:
        _load(context, "VAULT_CACERT", [Path(file)])
    elif text:
        try:
            context.load_verify_locations(cadata=text)
        except (ssl.SSLError, ValueError):
            raise OriginError(
                "VAULT_CACERT_BYTES holds no PEM certificate", "give it the text of the PEM file"
            ) from None
    elif folder:
        if not Path(folder).is_dir():
            raise OriginError("VAULT_CAPATH names no folder", "correct it, or unset it")
        _load(context, "VAULT_CAPATH", [path for path in sorted(Path(folder).iterdir()) if path.is_file()])
    else:
        context.load_default_certs()
    if certificate := environ.get("VAULT_CLIENT_CERT"):
        try:
            context.load_cert_chain(certificate, environ.get("VAULT_CLIENT_KEY") or None)
        except (OSError, ssl.SSLError):
            what = "VAULT_CLIENT_CERT and VAULT_CLIENT_KEY are no pair of PEM files"
            raise OriginError(what, "correct them, or unset them") from None
    return context


def _load(context: ssl.SSLContext, variable: str, paths: list[Path]) -> None:
    what, fix = f"{variable} names a file that holds no PEM certificate", "give it the PEM file of Vault's authority"
    if not paths:
        raise OriginError(f"{variable} names a folder without files", fix)
    for path in paths:
        try:
            context.load_verify_locations(cafile=path)
        except FileNotFoundError:
            raise OriginError(f"{variable} names a file that is not there", "correct it, or unset it") from None
        except IsADirectoryError:
            raise OriginError(f"{variable} names a folder", "name the file, or set VAULT_CAPATH") from None
        except (ssl.SSLError, ValueError):
            raise OriginError(what, fix) from None
        except OSError as error:
            raise OriginError(f"{variable} names a file that cannot be read ({error.strerror})", fix) from None


class _Context(ssl.SSLContext):
    """Checks the server's certificate for another name than the address has, when one is given."""

    server_name: str | None = None

    def wrap_socket(self, *arguments: Any, **options: Any) -> ssl.SSLSocket:
        if self.server_name:
            options["server_hostname"] = self.server_name
        return super().wrap_socket(*arguments, **options)
