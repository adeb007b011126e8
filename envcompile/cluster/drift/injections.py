"""What controllers put into objects because the sources ask them to, or because they own the object.

Neither is a list of controllers: an object asks by an annotation or label of its own (`…/inject-ca-from`,
`…/inject-cabundle`), and what may be put in then is certificates and nothing else; a controller whose resource owns an
object writes that object.

Sources: cert-manager.io, "CA Injector" and "trust-manager"; docs.openshift.com, "Service CA certificates" and
"Certificate injection using Operators"; kubernetes.io, "Owners and Dependents".
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any, Final

from envcompile.kubernetes.clustermade import map_at

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from envcompile.kubernetes.managedfields import Owned, Owners, Writer

_ASKS: Final = "inject-"
"""What the name of an annotation or label begins with that asks for certificates, behind its domain."""
_CERTIFICATES: Final = re.compile(
    r"(?:(?:#[^\n]*)?\s|-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]*-----END CERTIFICATE-----)+"
)
_PEOPLE: Final = "kubectl"
"""What managers begin with that are somebody at a terminal."""


def asks_for_certificates(desired: Mapping[str, Any]) -> bool:
    """Whether the sources of an object ask somebody to put certificates in."""
    metadata = map_at(desired, "metadata")
    return any(
        str(name).rpartition("/")[2].startswith(_ASKS) and text not in {"", "false"}
        for field in ("annotations", "labels")
        for name, text in map_at(metadata, field).items()
    )


def is_injected(have: Any, owners: Owners, own: Sequence[Writer]) -> bool:
    """Whether a live value is certificates, as text or as bytes, that a controller has put in.

    Args:
        have: the live value.
        owners: who owns it.
        own: those of them who are the one that applies.
    """
    strangers = [owned.writer for owned in owners if owned.writer not in own]
    return (
        isinstance(have, str)
        and bool(strangers)
        and not any(writer.manager.startswith(_PEOPLE) for writer in strangers)
        and _are_certificates(have)
    )


def _are_certificates(text: str) -> bool:
    if _CERTIFICATES.fullmatch(f"{text}\n") and "BEGIN" in text:
        return True
    try:
        plain = base64.b64decode(text, validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return False
    return bool(_CERTIFICATES.fullmatch(f"{plain}\n")) and "BEGIN" in plain


def controllers_of(live: Mapping[str, Any], owners: Owners, compiled: Collection[tuple[str, str]]) -> Iterator[str]:
    """The managers that made an object the property of a compiled one, whose controllers they are.

    Args:
        live: the server's answer.
        owners: who owns what of it.
        compiled: kind and name of the environment's own custom resources.
    """
    references = map_at(live, "metadata").get("ownerReferences")
    is_owned = any(
        isinstance(one, dict) and one.get("controller") is True and (one.get("kind"), one.get("name")) in compiled
        for one in (references if isinstance(references, list) else ())
    )
    if is_owned:
        yield from (owned.writer.manager for owned in owners if _writes_references(owned))


def _writes_references(owned: Owned) -> bool:
    metadata = owned.tree.get("f:metadata")
    is_hand = owned.writer.manager.startswith(_PEOPLE)
    return isinstance(metadata, dict) and "f:ownerReferences" in metadata and not is_hand
