"""The address of the history database, read so that no message ever holds a part of its password.

An address whose form is wrong is refused here: the library would quote the part that it cannot read, and a password
with `@`, `/` or `%` in it makes one part look like another.

Source: postgresql.org/docs/current/libpq-connect.html, "Connection URIs".
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from envcompile.errors import Problem, UsageError
from envcompile.text import one_line, without_passwords

SQLITE = "sqlite:///"
_POSTGRESQL = {"postgresql", "postgres", "postgresql+psycopg"}
_KIND = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,20})://")
_FORMS = "write sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME"
_ENCODE = "in user, password and name write `%` as %25, `@` as %40, `/` as %2F, `?` as %3F and `:` as %3A"


def checked(url: str) -> str:
    """An address that envc can use: as it is for SQLite, as libpq takes it for PostgreSQL.

    Raises:
        UsageError: it is of another kind, or its form is wrong; the message quotes nothing of it but the kind.
    """
    if url.startswith(SQLITE):
        return url
    kind = _KIND.match(url)
    name = url.partition(":")[0].lower()
    if name in _POSTGRESQL:
        if kind is None:
            raise _refused(f"lacks `//` behind `{name}:`", _FORMS)
        rest = url.partition("://")[2]
        _check(rest)
        return f"postgresql://{rest}"
    if kind is None:
        raise _refused("is no address of a database", _FORMS)
    raise _refused(f"names a database of the kind `{kind[1]}`, which envc cannot use", _FORMS)


def shown(url: str) -> str:
    """A checked address of PostgreSQL as messages show it: without password and parameters."""
    authority, path = _parts(url.partition("://")[2])
    user, at, hosts = authority.rpartition("@")
    return one_line(f"postgresql://{unquote(user.partition(':')[0])}{at}{hosts}{path.partition('?')[0]}")


def words_of(error: Exception) -> str:
    """The first line of what a database says, without anything that may be part of an address."""
    lines = str(error).strip().splitlines()
    return one_line(re.sub(r"\S*@", "", without_passwords(lines[0]))) if lines else type(error).__name__


def _parts(rest: str) -> tuple[str, str]:
    """What stands between `//` and the path or the parameters, and these."""
    authority = re.match(r"[^/?]*", rest)
    end = authority.end() if authority is not None else 0
    return rest[:end], rest[end:]


def _check(rest: str) -> None:
    """Refuse what could be read in two ways."""
    authority, behind = _parts(rest)
    if re.search(r"\s|[\x00-\x1f\x7f]", authority + behind.partition("?")[0]):
        raise _refused("holds a space, a line break or a control character", _ENCODE)
    if re.search(r"%(?![0-9A-Fa-f]{2})|%00", rest):
        raise _refused("holds a `%` that is not followed by two digits of hexadecimal", _ENCODE)
    if "@" in behind or authority.count("@") > 1:
        raise _refused("holds more than one `@`, or one behind the host", _ENCODE)
    for host in authority.rpartition("@")[2].split(","):
        port = host.rpartition("]")[2].partition(":")[2]
        if port and not (port.isascii() and port.isdecimal() and int(port) <= 65535):
            raise _refused("names a port that is no number up to 65535", _ENCODE)


def _refused(what: str, fix: str) -> UsageError:
    return UsageError([Problem(f"ENVC_HISTORY_URL {what}", fix)])
