"""The `sops` program, for what only it opens: KMS, PGP, key groups. Asked once for a file, with a limit of time."""

from __future__ import annotations

import base64
import json
import shutil
from typing import TYPE_CHECKING, Any

from envcompile.secrets.backends import OriginError
from envcompile.secrets.outside import TooSlowError, run_program
from envcompile.secrets.plaintext import Plaintext
from envcompile.secrets.sopstree import VALUE, leaves
from envcompile.secrets.vaultserver import refuse_foreign_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from envcompile.secrets.backends import Surroundings
    from envcompile.secrets.references import Reference
    from envcompile.secrets.sopstree import SopsTree


def decrypt_by_program(
    tree: SopsTree, reference: Reference, surroundings: Surroundings, unusable: tuple[str, ...]
) -> Mapping[tuple[str, ...], Plaintext]:
    """Every value of the first document as the file's bytes had it before it was encrypted, by its way.

    The file is decrypted as a whole, as JSON: `sops --extract` takes digits for positions, counts comments as
    items, and ends what is no text with a newline.

    Raises:
        OriginError: when there is no such program, or it cannot open the file.
    """
    program = shutil.which("sops", path=surroundings.environ.get("PATH"))
    if program is None:
        also = f" ({'; '.join(unusable)})" if unusable else ""
        raise OriginError(
            f"no key of this machine opens `{reference.path}`{also}",
            "set SOPS_AGE_KEY_FILE (and install `envcompile[age]`), or have `sops` on PATH for KMS and PGP",
        )
    for address in _vaults(tree.metadata):
        # sops takes the address from the file and the token from this machine.
        refuse_foreign_address(address, surroundings.environ, f"`{reference.path}`")
    kinds = ("binary", "binary") if tree.is_binary else (tree.form, "json")
    command = [program, "decrypt", "--input-type", kinds[0], "--output-type", kinds[1]]
    try:
        answer = run_program([*command, str(surroundings.root / reference.path)], surroundings.environ)
    except TooSlowError as error:
        raise OriginError(
            f"sops has not decrypted `{reference.path}` within {error.seconds:g} s",
            "run `sops decrypt` once yourself (it may ask for a passphrase or a log-in), then try again",
            unavailable=True,
        ) from None
    except OSError as error:
        raise OriginError(f"sops cannot be started ({error.strerror})", "see to the program on PATH") from None
    if answer.returncode:
        # Its own words are not shown: nothing promises that they are free of values.
        raise OriginError(
            f"sops cannot decrypt `{reference.path}` (status {answer.returncode})",
            f"see why with `sops decrypt {reference.path} > /dev/null`",
        )
    if tree.is_binary:
        return {("data",): Plaintext(answer.stdout)}
    return _values(answer.stdout, tree, reference)


def _values(data: bytes, tree: SopsTree, reference: Reference) -> dict[tuple[str, ...], Plaintext]:
    try:
        document = json.loads(data, parse_float=str, parse_int=str)
    except ValueError:
        what = f"sops gives something else than JSON for `{reference.path}`"
        raise OriginError(what, "use sops 3.9 or newer") from None
    clear = {path: value for path, _, value in leaves(document)}
    found = {}
    for path, names, text in leaves(tree.documents[0]):
        match = VALUE.fullmatch(text) if isinstance(text, str) and tree.is_encrypted(names, text) else None
        value = clear.get(path)
        if match is None or value is None:
            continue
        if isinstance(value, bool):
            value = "true" if value else "false"
        opened = Plaintext(str(value).encode())
        if match["type"] == "str" and opened.size != len(base64.b64decode(match["data"])):
            # JSON cannot hold bytes that are no text; the ciphertext is as long as they are.
            what = f"`{reference.path}` holds bytes at `{'/'.join(path)}` that are no text"
            raise OriginError(what, "keep them base64-coded and add `?encoding=base64`")
        found[path] = opened
    return found


def _vaults(metadata: Mapping[str, Any]) -> Iterator[str]:
    """The addresses of the Vaults that hold one of the file's keys."""
    groups = metadata.get("key_groups")
    for group in (metadata, *(groups if isinstance(groups, list) else ())):
        keys = group.get("hc_vault") if isinstance(group, dict) else None
        for key in keys if isinstance(keys, list) else ():
            if isinstance(key, dict) and key.get("vault_address"):
                yield str(key["vault_address"])
