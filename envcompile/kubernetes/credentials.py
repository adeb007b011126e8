"""What credentials look like: by their own form, and by a name that promises one."""

from __future__ import annotations

import re
from typing import Final

_SHAPES: Final = (
    ("a private key", r"-BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-"),
    ("an age key", r"\bAGE-SECRET-KEY-1[0-9A-Z]{50,}"),
    ("an AWS access key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("a GitHub token", r"\b(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_[0-9A-Za-z_]{60,})"),
    ("a GitLab token", r"\bglpat-[0-9A-Za-z_-]{20,}"),
    ("a Slack token", r"\bxox[abeoprs]-[0-9A-Za-z-]{10,}"),
    ("a Stripe key", r"\b[rs]k_live_[0-9A-Za-z]{16,}"),
    ("a Google API key", r"\bAIza[0-9A-Za-z_-]{35}\b"),
    ("a Vault token", r"\bhv[sbr]\.[0-9A-Za-z_-]{20,}"),
    ("an npm token", r"\bnpm_[0-9A-Za-z]{36}\b"),
    ("a SendGrid key", r"\bSG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}"),
    ("a Docker Hub token", r"\bdckr_pat_[0-9A-Za-z_-]{20,}"),
    ("a JSON Web Token", r"\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}"),
    ("a password in a URL", r"\b[a-z][a-z0-9+.-]{0,30}://[^\s:/@'\"${}<>]{1,99}:[^\s@/'\"${}<>*]{3,199}@[^\s/]"),
)
"""What secrets look like whatever they are called; after the token formats that their makers publish."""

_ANY_SHAPE: Final = re.compile("|".join(f"(?:{pattern})" for _, pattern in _SHAPES))
_SECRET_NAME: Final = re.compile(
    r"(?:^|[^a-z0-9])(?:password|passwd|passphrase|secret|token|credentials?|client[-_.]?secret|key[-_.]?content"
    r"|(?:api|private|secret|access|account|storage|batch|encryption|signing|master|shared)[-_.]?key)$",
    re.IGNORECASE,
)
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NO_SECRET: Final = re.compile(
    r"\s*|true|false|none|null|yes|no|on|off|enabled|disabled|\d+[a-z]*|.*[$]\(.*|.*[$]\{.*|.*\{\{.*|<.*>|/.*|\.{1,2}/.*"
    r"|[a-z+]+://[^@]*|\*+|file:.*|ref\+.*|[$][a-z_][a-z0-9_]*",
    re.IGNORECASE | re.DOTALL,
)
"""Values that are no secret under a secret's name: switches, numbers, paths, addresses, references, asterisks."""

_LINE: Final = re.compile(
    r"""^[ \t]*["']?([A-Za-z][\w.-]{0,199})["']?[ \t]*[:=][ \t]*["']?([^"'\n]*)["']?[ \t]*,?[ \t]*$""", re.MULTILINE
)


def shape_of(text: str) -> str:
    """What kind of secret a text holds, by its form alone; empty for none."""
    if _ANY_SHAPE.search(text) is None:
        return ""
    return next(kind for kind, pattern in _SHAPES if re.search(pattern, text))


def is_named_secret(name: str, value: str) -> bool:
    """Tell whether a name promises a secret and the value may be one."""
    return _SECRET_NAME.search(_CAMEL.sub("_", name)) is not None and _NO_SECRET.fullmatch(value) is None


def named_values(text: str) -> dict[str, str]:
    """The `name: value` and `name=value` lines of a text, for `is_named_secret`."""
    return {found[1]: found[2].strip(" \t,") for found in _LINE.finditer(text)}
