"""Secrets: sealing offline, and the objects that carry sealed values into the manifests."""

from __future__ import annotations

from envcompile.secrets.externalstore import store_facts
from envcompile.secrets.resolve import find_plaintext, resolve_secret, undeclared_secrets
from envcompile.secrets.store import store_of

__all__ = ["find_plaintext", "resolve_secret", "store_facts", "store_of", "undeclared_secrets"]
