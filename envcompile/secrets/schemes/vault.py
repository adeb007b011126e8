"""`ref+vault://PATH#/KEY`: one field of a secret in HashiCorp Vault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envcompile.secrets.scheme import Refusal, Scheme

if TYPE_CHECKING:
    from envcompile.secrets.backends import Resolved, Surroundings
    from envcompile.secrets.references import Reference


def _resolve(reference: Reference, surroundings: Surroundings) -> Resolved:
    from envcompile.secrets.vault import from_vault

    return from_vault(reference, surroundings)


def _judge(reference: Reference) -> Refusal | None:
    version = reference.parameter("version")
    if version is None or version.isdecimal():
        return None
    return Refusal(f"has `version={version}`", "a version is a number")


SCHEME = Scheme(
    _resolve, parameters=("address", "namespace", "version"), needs_fragment=True, is_local=False, judge=_judge
)
