"""What credentials look like: by their own form, and by a name that promises one."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_SHAPES: Final = (
    ("a private key", r"-BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-", ("private key",)),
    ("an age key", r"\bAGE-SECRET-KEY-1[0-9A-Z]{50,}", ("age-secret-key-1",)),
    ("an AWS access key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b", ("akia", "asia")),
    (
        "a GitHub token",
        r"\b(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_[0-9A-Za-z_]{60,})",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
    ),
    ("a GitLab token", r"\bglpat-[0-9A-Za-z_-]{20,}", ("glpat-",)),
    ("a Slack token", r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}", ("xox",)),
    ("a Stripe key", r"\b[rs]k_live_[0-9A-Za-z]{16,}", ("k_live_",)),
    ("a Google API key", r"\bAIza[0-9A-Za-z_-]{35}\b", ("aiza",)),
    ("a Vault token", r"\bhv[sbr]\.[0-9A-Za-z_-]{20,}", ("hvs.", "hvb.", "hvr.")),
    ("an npm token", r"\bnpm_[0-9A-Za-z]{36}\b", ("npm_",)),
    ("a SendGrid key", r"\bSG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}", ("sg.",)),
    ("a Docker Hub token", r"\bdckr_pat_[0-9A-Za-z_-]{20,}", ("dckr_pat_",)),
    ("a JSON Web Token", r"\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}", (".eyj",)),
    (
        "a registry's password",
        r"\"auths?\"\s*:\s*\{[^}]{0,400}\"(?:auth|password)\"\s*:\s*\"[A-Za-z0-9+/=_.-]{8,}\"",
        ('"auth',),
    ),
    (
        "an authorization header",
        r"(?i:\b(?:basic|bearer))\s+(?=[A-Za-z._+/-]*[0-9])[A-Za-z0-9._+/-]{12,}={0,2}(?:$|[\s\"'])",
        ("basic", "bearer"),
    ),
    (
        "a password in a URL",
        r"\b[a-z][a-z0-9+.-]{0,30}://[^\s:/@'\"${}<>]{1,99}:[^\s@/'\"${}<>*]{3,199}@[^\s/]",
        ("://",),
    ),
)
"""What secrets look like whatever they are called, after the token formats that their makers publish; and texts of
which each of them holds one, upper and lower case alike: to look for these is quick, and few texts have any."""

_SECRET_NAME: Final = re.compile(
    r"(?:^|[^a-z0-9])(?:(?:pg)?password|passwd|passphrase|pass|pwd|secret|token|credentials?|client[-_.]?secret"
    r"|rediscli_auth|requirepass|masterauth|key[-_.]?content"
    r"|(?:api|private|secret|access|account|storage|batch|encryption|signing|master|shared)[-_.]?key)$",
    re.IGNORECASE,
)
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NO_SECRET: Final = re.compile(
    r"\s*|true|false|none|null|yes|no|on|off|enabled|disabled|\d+[a-z]*|.*[$]\(.*|.*[$]\{.*|.*\{\{.*|<.*>|/.*|\.{1,2}/.*"
    r"|[a-z+]+://[^@]*|\*+|file:.*|ref\+.*|[$][a-z_][a-z0-9_]*"
    r"|![a-z_]\w*[ \t]+\S+",  # a tag of YAML that fetches it: `!env_var API_KEY`
    re.IGNORECASE | re.DOTALL,
)
"""Values that are no secret under a secret's name: switches, numbers, paths, addresses, references, asterisks."""

_LINE: Final = re.compile(
    r"""^[ \t]*["']?([A-Za-z][\w.-]{0,199})["']?[ \t]*[:=][ \t]*["']?([^"'\n]*)["']?[ \t]*,?[ \t]*$""", re.MULTILINE
)
_INLINE: Final = re.compile(
    r"""["']?(?<![\w.-])([A-Za-z][\w.-]{0,199})["']?[ \t]{0,9}[:=][ \t]{0,9}(?:"([^"\n]{0,4999})"|'([^'\n]{0,4999})')"""
    r"""|<([A-Za-z][\w.-]{0,199})>([^<>\n]{0,4999})</"""
    r"""|^[ \t]*(requirepass|masterauth)[ \t]+["']?([^\s"']{1,999})""",
    re.MULTILINE,
)
"""Pairs anywhere in a line: of JSON, HOCON and nginx, attributes and elements of XML, the passwords of Redis."""


@lru_cache(maxsize=4096)
def shape_of(text: str) -> str:
    """What kind of secret a text holds, by its form alone; empty for none. Environments have most texts in common."""
    folded = text.casefold()
    for kind, pattern, parts in _SHAPES:
        if any(part in folded for part in parts) and re.search(pattern, text):
            return kind
    return ""


def is_named_secret(name: str, value: str) -> bool:
    """Tell whether a name promises a secret and the value may be one."""
    return _promises_one(name) and _NO_SECRET.fullmatch(value) is None


@lru_cache(maxsize=4096)
def _promises_one(name: str) -> bool:
    return _SECRET_NAME.search(_CAMEL.sub("_", name)) is not None


def named_values(text: str) -> dict[str, str]:
    """The pairs of a name and a value that a text of configuration holds, for `is_named_secret`."""
    found = {pair[1]: pair[2].strip(" \t,") for pair in _LINE.finditer(text)}
    for pair in _INLINE.finditer(text):
        found.setdefault(pair[1] or pair[4] or pair[6], pair[2] or pair[3] or pair[5] or pair[7] or "")
    return found
