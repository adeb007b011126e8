"""The kinds of SOPS files that envc is held against: how each is made, and which of its values are asked for.

`@AGE0@`, `@PGP0@` and the like stand for keys that a laboratory makes (`sops_laboratory.py`); all values are made up.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from tests.oracles import sops_laboratory as lab

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.oracles.sops_laboratory import Laboratory

    Change = Callable[[Path, Laboratory], object]

Way = tuple[str, ...]
AGE: Final = ("--age", "@AGE0@")
PGP: Final = ("--pgp", "@PGP0@")
BASIC: Final = "db:\n  password: hunter2-lab\n  user: app\nlist:\n  - first\n  - second\n"
BASIC_WAYS: Final[tuple[Way, ...]] = (("db", "password"), ("db", "user"), ("list", "0"), ("list", "1"))


class Kind(NamedTuple):
    """One kind of file."""

    name: str
    text: str | bytes = BASIC
    ways: tuple[Way, ...] = BASIC_WAYS
    arguments: tuple[str, ...] = AGE
    file: str = "secrets.yaml"
    rules: str = ""
    """The text of .sops.yaml; empty for none."""
    change: Change | None = None
    """What happens to the file once it is encrypted."""
    home: Change | None = None
    """What is in the person's home, in place of SOPS_AGE_KEY_FILE."""
    environ: tuple[tuple[str, str], ...] = ()
    has_key: bool = True
    has_program: bool = False
    """Whether sops is on the PATH of envc."""
    form: str = ""
    """The format that sops has to be told."""
    is_plain: bool = False
    """True for a file that sops never saw."""


def put(old: str, new: str) -> Change:
    """Replace a text, as somebody with an editor does."""

    def change(file: Path, _: Laboratory) -> None:
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def tamper(pattern: str, new: str) -> Change:
    """Replace what a regular expression finds first."""

    def change(file: Path, _: Laboratory) -> None:
        done, count = re.subn(pattern, new, file.read_text(encoding="utf-8"), count=1, flags=re.MULTILINE)
        assert count
        file.write_text(done, encoding="utf-8")

    return change


def swap(file: Path, _: Laboratory) -> None:
    """Put one value in place of another."""
    text = file.read_text(encoding="utf-8")
    one, two = re.findall(r"(?:password|user): (ENC\[.*\])", text)
    file.write_text(text.replace(one, "@@").replace(two, one).replace("@@", two), encoding="utf-8")


def windows(file: Path, _: Laboratory) -> None:
    """Line ends of Windows."""
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))


def marked(file: Path, _: Laboratory) -> None:
    """A byte order mark."""
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())


def sorted_json(file: Path, _: Laboratory) -> None:
    """A JSON file whose keys another tool sorted."""
    file.write_text(
        json.dumps(json.loads(file.read_text(encoding="utf-8")), indent=2, sort_keys=True), encoding="utf-8"
    )


def _groups(threshold: int, *groups: str) -> str:
    listed = "\n".join(f"      - {group}" for group in groups)
    return f"creation_rules:\n  - shamir_threshold: {threshold}\n    key_groups:\n{listed}\n"


def _rule(line: str) -> str:
    return f"creation_rules:\n  - age: '@AGE0@'\n    {line}\n"


GROUPS: Final = _groups(2, "age: ['@AGE0@']", "pgp: ['@PGP0@']")

# A clear scalar beside an encrypted value: both sides count it into the MAC alike.
CLEAR: Final = {
    "true": "true", "yes": "yes", "on": "on", "tilde": "~", "null": "null", "empty": "", "int": "42", "negative": "-7",
    "plus": "+7", "octal-old": "0777", "octal-new": "0o777", "hex": "0x1F", "binary": "0b101", "underscore": "1_000",
    "sexagesimal": "1:30", "float": "1.50", "exponent": "1e3", "small": "1e-7", "big-exponent": "1e30", "inf": ".inf",
    "nan": ".nan", "dot": ".5", "zero": "-0.0", "date": "2024-01-31", "datetime": "2024-01-31T10:20:30Z",
    "datetime-zone": "2024-01-31T10:20:30+02:00", "datetime-space": "2024-01-31 10:20:30",
    "datetime-fraction": "2024-01-31T10:20:30.120Z", "big-int": "9223372036854775807",
    "huge-int": "18446744073709551615", "huger-int": "123456789012345678901234567890", "quoted-int": '"42"',
    "single-date": "'2024-01-31'", "tagged-str": "!!str 42", "block": "|\n  two\n  lines\n",
    "folded": ">\n  two\n  lines\n", "list": "[1, two, 3.0]", "empty-map": "{}", "empty-list": "[]",
    "unicode": "größe-ß-☃", "enc-like": "'ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]'",
}  # fmt: skip
# A scalar that is encrypted itself.
TYPED: Final = {
    "bool-true": "true", "bool-false": "false", "yes": "yes", "int": "5432", "negative": "-1", "octal-old": "0777",
    "hex": "0x1F", "float": "0.25", "float-one": "1.0", "exponent": "1e21", "small": "1e-7", "date": "2024-01-31",
    "datetime": "2024-01-31T10:20:30Z", "quoted-int": '"5432"', "quoted-bool": '"true"', "empty-string": '""',
    "space": '" "', "null": "null", "newline-end": '"line\\n"', "block": "|\n  -----BEGIN X-----\n  abc\n",
    "unicode": "pässwörd-☃-\U0001f600", "crlf": '"a\\r\\nb"', "nul": '"a\\0b"', "long": "x" * 70000,
    "quotes": "'a\"b''c\\d'", "percent": "'%s{{ .x }}$HOME'", "huge-int": "18446744073709551615",
}  # fmt: skip
JSON: Final = {
    "int": "5432", "big": "12345678901234567890", "float": "1.10", "exponent": "1e21", "one": "1.0", "bool": "false",
    "null": "null", "slash": '"a\\/b"', "html": '"<&>"', "surrogate": '"\\ud83d\\ude00"', "separator": '"a\\u2028b"',
}  # fmt: skip
ODD_KEYS: Final = ("a/b", "a.b", "a b", "größe", "~", "a:b", "a#b", "a?b", '"q"', "a%2Fb", "a~1b")
TYPE_KEYS: Final = ("on", "yes", "404", "1.0", "null", "2024-01-31", "no", "y", "0777")


def _keys(names: tuple[str, ...]) -> str:
    return "".join(f"'{name}': value {number}\n" for number, name in enumerate(names))


FORMATS: Final = (
    Kind("yaml-age"),
    Kind(
        "json-age",
        json.dumps({
            "db": {"password": "hunter2-lab", "n": 5432, "b": True, "f": 1.5, "u": "ä☃"},
            "list": ["first", {"x": "y"}],
        }),
        (*(("db", key) for key in ("password", "n", "b", "f", "u")), ("list", "0"), ("list", "1", "x")),
        file="secrets.json",
    ),
    Kind("json-sorted", '{"b": "two", "a": "one"}', (("a",), ("b",)), file="secrets.json", change=sorted_json),
    Kind(
        "dotenv",
        '# comment\nDB_PASSWORD=hunter2-lab\nEMPTY=\nQUOTED="with space"\n',
        (("DB_PASSWORD",), ("QUOTED",)),
        file="prod.env",
    ),
    Kind(
        "ini",
        "; comment\n[db]\npassword = hunter2-lab\nport = 5432\n",
        (("db", "password"), ("db", "port")),
        file="app.ini",
    ),
    Kind("binary", bytes(range(256)), (("data",),), file="key.bin"),
    Kind("binary-pem", "-----BEGIN X-----\nMIIB\n-----END X-----\n", (("data",),), file="tls.pem"),
    Kind("folder-with-space", file="my secrets/a b.yaml"),
    Kind("extension-sops", file="secrets.sops", form="yaml"),
    Kind("extension-sops-pgp", file="secrets.sops", form="yaml", arguments=PGP, has_program=True),
    Kind("documents", "a: one\n---\nb: two\n", (("a",), ("b",))),
    Kind("documents-same-keys", "a: one\n---\na: two\n", (("a",),)),
    Kind("document-start", "---\na: one\n", (("a",),)),
    Kind("empty-map", "{}\n", (("a",),)),
)
STRUCTURE: Final = (
    Kind("comment-in-map", "# top\na: one # beside\nb:\n  # inside\n  c: two\n", (("a",), ("b", "c"))),
    Kind("comment-in-list", "l:\n  - x\n  # between\n  - y\nm: z\n", (("l", "0"), ("l", "1"), ("m",))),
    Kind(
        "comment-in-list-of-maps",
        "users:\n  # first\n  - name: a\n    pw: pa\n  - name: b\n    pw: pb # beside\n",
        (("users", "0", "pw"), ("users", "1", "pw")),
    ),
    Kind(
        "comment-in-list-pgp",
        "l:\n  - x\n  # between\n  - y\nm: z\n",
        (("l", "0"), ("l", "1"), ("m",)),
        PGP,
        has_program=True,
    ),
    Kind(
        "comments",
        "# top\na: one # beside\n# before b\nb:\n  # inside\n  c: two\n  # end\n"
        "l:\n  # first\n  - x\n  # between\n  - y\n",
        (("a",), ("b", "c"), ("l", "0"), ("l", "1")),
    ),
    Kind(
        "deep",
        "a: {b: {c: {d: {e: {f: deep}}}}}\nl: [[x, [y, {z: w}]]]\n",
        (tuple("abcdef"), ("l", "0", "0"), ("l", "0", "1", "0"), ("l", "0", "1", "1", "z")),
    ),
    Kind("odd-keys", f"{_keys(ODD_KEYS)}'': nine\n", tuple((key,) for key in ODD_KEYS)),
    Kind("keys-like-other-types", _keys(TYPE_KEYS), tuple((key,) for key in TYPE_KEYS)),
    Kind("digit-keys", "codes:\n  '404': not-found\n  '0': zero\n", (("codes", "404"), ("codes", "0"))),
    Kind("alias", "base: &b\n  user: u1\n  pass: p1\ncopy: *b\n", (("base", "pass"), ("copy", "pass"))),
    Kind(
        "merge-key",
        "base: &b\n  user: u1\n  pass: p1\nother:\n  <<: *b\n  pass: p2\n",
        (("base", "pass"), ("other", "pass"), ("other", "user")),
    ),
    Kind("nested-sops-key", "a:\n  sops: inner\nsops_like: two\n", (("a", "sops"), ("sops_like",))),
    Kind(
        "many",
        "".join(f"k{number}: value-{number}\n" for number in range(400)),
        tuple((f"k{number}",) for number in (0, 1, 199, 399)),
    ),
)
CHOSEN: Final = (
    Kind(
        "unencrypted-suffix",
        "a: one\nnote_unencrypted: clear\nmap_unencrypted:\n  x: 1\n  y: true\n",
        (("a",), ("note_unencrypted",)),
    ),
    Kind(
        "own-suffix", "a: one\nnote_clear: clear\n", (("a",), ("note_clear",)), (*AGE, "--unencrypted-suffix", "_clear")
    ),
    Kind(
        "encrypted-suffix",
        "a: clear\npw_enc: one\nm_enc:\n  x: two\n",
        (("pw_enc",), ("m_enc", "x"), ("a",)),
        (*AGE, "--encrypted-suffix", "_enc"),
    ),
    Kind(
        "encrypted-regex",
        "kind: Secret\nstringData:\n  a: one\n  b: two\nport: 80\n",
        (("stringData", "a"), ("stringData", "b"), ("kind",)),
        (*AGE, "--encrypted-regex", "^(data|stringData)$"),
    ),
    Kind(
        "unencrypted-regex",
        "kind: Secret\nmeta:\n  a: one\nb: two\n",
        (("b",), ("meta", "a")),
        (*AGE, "--unencrypted-regex", "^(kind|meta)$"),
    ),
    Kind(
        "encrypted-comment",
        "# sops:enc\na: one\nb: clear\n",
        (("a",), ("b",)),
        (),
        rules=_rule("encrypted_comment_regex: 'sops:enc'"),
    ),
    Kind(
        "unencrypted-comment",
        "# plain\na: clear\nb: two\n",
        (("b",), ("a",)),
        (),
        rules=_rule("unencrypted_comment_regex: 'plain'"),
    ),
    Kind(
        "mac-only-encrypted",
        "a: one\nnote_unencrypted: clear\nb: ''\n",
        (("a",),),
        (),
        rules=_rule("mac_only_encrypted: true"),
    ),
    Kind(
        "mac-only-encrypted-edited",
        "a: one\nnote_unencrypted: clear\n",
        (("a",),),
        (),
        rules=_rule("mac_only_encrypted: true"),
        change=put("clear", "edited"),
    ),
)
RECIPIENTS: Final = (
    Kind("three-recipients", arguments=("--age", "@AGE1@,@AGE2@,@AGE0@")),
    Kind("wrong-key", arguments=("--age", "@AGE1@")),
    Kind("no-key", has_key=False),
    Kind("key-in-variable", has_key=False, environ=(("SOPS_AGE_KEY", "@AGEKEY0@"),)),
    Kind("several-keys-in-home", home=lab.several_keys),
    Kind("key-by-command", home=lab.key_command, environ=(("SOPS_AGE_KEY_CMD", "@HOME@/key.sh"),)),
    Kind(
        "key-by-command-program",
        home=lab.key_command,
        environ=(("SOPS_AGE_KEY_CMD", "@HOME@/key.sh"),),
        has_program=True,
    ),
    Kind("keys-file-with-plugin", home=lab.beside("AGE-PLUGIN-YUBIKEY-1QQQQQQQ")),
    Kind("keys-file-with-broken-line", home=lab.beside("AGE-SECRET-KEY-1QQQQ")),
    Kind("keys-file-locked", home=lab.locked_keys),
    Kind("keys-file-with-newer-key", home=lab.beside("@PQKEY@")),
    Kind("keys-file-with-newer-key-program", home=lab.beside("@PQKEY@"), has_program=True),
    Kind("newer-recipient", arguments=("--age", "@PQPUB@"), home=lab.beside("@PQKEY@")),
    Kind("newer-recipient-program", arguments=("--age", "@PQPUB@"), home=lab.beside("@PQKEY@"), has_program=True),
    Kind("ssh-ed25519", arguments=("--age", "@SSH_ED@"), home=lab.in_home("id_ed25519", ".ssh/id_ed25519")),
    Kind("ssh-rsa", arguments=("--age", "@SSH_RSA@"), home=lab.in_home("id_rsa", ".ssh/id_rsa")),
    Kind(
        "ssh-by-variable",
        arguments=("--age", "@SSH_ED@"),
        has_key=False,
        environ=(("SOPS_AGE_SSH_PRIVATE_KEY_FILE", "@KEYS@/id_ed25519"),),
    ),
    Kind("locked-ssh-key-beside", home=lab.locked_ssh),
)
BY_PROGRAM: Final = (
    Kind("pgp-without-program", arguments=PGP),
    Kind("pgp", arguments=PGP, has_program=True),
    Kind("pgp-json", '{"a": "one", "n": 5432}', (("a",), ("n",)), PGP, "s.json", has_program=True),
    Kind(
        "pgp-typed",
        't: true\nn: 5432\nf: 0.25\ns: text\nd: 2024-01-31\ne: "line\\n"\n',
        tuple((key,) for key in "tnfsde"),
        PGP,
        has_program=True,
    ),
    Kind(
        "pgp-odd-keys",
        "codes:\n  '404': not-found\n  '0': zero\nl:\n  - {'1': x}\n'say \"hi\"': y\n'a]b': z\n",
        (("codes", "404"), ("codes", "0"), ("l", "0", "1"), ('say "hi"',), ("a]b",)),
        PGP,
        has_program=True,
    ),
    Kind("pgp-missing", ways=(("db", "passwort"), ("list", "7"), ("db",)), arguments=PGP, has_program=True),
    Kind("pgp-dotenv", "DB_PASSWORD=hunter2-lab\n", (("DB_PASSWORD",),), PGP, "prod.env", has_program=True),
    Kind("pgp-ini", "[db]\npassword = hunter2-lab\n", (("db", "password"),), PGP, "app.ini", has_program=True),
    Kind("pgp-binary", bytes(range(256)), (("data",),), PGP, "key.bin", has_program=True),
    Kind("pgp-and-age", arguments=("--pgp", "@PGP0@,@PGP1@", *AGE)),
    Kind("pgp-tampered", arguments=PGP, has_program=True, change=swap),
    Kind("pgp-file-with-dash", arguments=PGP, has_program=True, file="sub/-x.yaml"),
    Kind("groups-without-program", arguments=(), rules=GROUPS),
    Kind("groups", arguments=(), rules=GROUPS, has_program=True),
    Kind(
        "groups-2-of-3",
        arguments=(),
        rules=_groups(2, "age: ['@AGE0@']", "age: ['@AGE1@']", "pgp: ['@PGP0@']"),
        has_program=True,
    ),
    Kind(
        "one-group",
        arguments=(),
        rules=_groups(0, "{age: ['@AGE0@'], pgp: ['@PGP0@']}").replace("shamir_threshold: 0\n    ", ""),
    ),
)
CHANGED: Final = (
    Kind("mac-removed", change=tamper(r"^    mac: .*\n", "")),
    Kind("mac-of-another", change=tamper(r"(mac: ENC\[AES256_GCM,data:)....", r"\1AAAA")),
    Kind("time-changed", change=tamper(r'lastmodified: "20', 'lastmodified: "21')),
    Kind("value-tampered", change=tamper(r"(password: ENC\[AES256_GCM,data:)....", r"\1AAAA")),
    Kind("values-swapped", change=swap),
    Kind("value-added", change=put("db:\n", "db:\n    added: by-hand\n")),
    Kind("value-deleted", ways=(("db", "password"),), change=tamper(r"^ +user: .*\n", "")),
    Kind("list-reordered", ways=(("list", "0"),), change=tamper(r"(    - ENC.*\n)(    - ENC.*\n)", r"\2\1")),
    Kind("comment-added", change=put("db:", "# by hand\ndb:")),
    Kind("missing", ways=(("db", "passwort"), ("list", "7"), ("db",), ("nothing",))),
    Kind("metadata", ways=(("sops", "mac"), ("sops", "version"))),
    Kind("no-sops-file", ways=(("db", "password"),), is_plain=True),
    Kind("windows-line-ends", change=windows),
    Kind("byte-order-mark", change=marked),
    Kind("time-unquoted", change=tamper(r'lastmodified: "([^"]+)"', r"lastmodified: \1")),
    Kind("key-twice", "a: one\nb: two\n", (("a",), ("b",)), change=tamper(r"^(a: ENC.*\n)", r"\1\1")),
    Kind("rotated", change=lambda file, made: made.sops(file, "rotate", "-i", file.name)),
    Kind(
        "set",
        ways=(*BASIC_WAYS, ("db", "new")),
        change=lambda file, made: made.sops(file, "set", file.name, '["db"]["new"]', '"added"'),
    ),
    Kind(
        "unset",
        ways=(("db", "password"), ("db", "user")),
        change=lambda file, made: made.sops(file, "unset", file.name, '["db"]["user"]'),
    ),
    Kind("keys-updated", change=lab.update_keys),
    Kind("indented-by-2", change=lab.indent),
)
KINDS: Final = (
    *FORMATS,
    *STRUCTURE,
    *CHOSEN,
    *RECIPIENTS,
    *BY_PROGRAM,
    *CHANGED,
    *(
        Kind(f"clear-{name}", f"secret: one\nc_unencrypted: {text}\nlast: two\n", (("secret",), ("last",)))
        for name, text in CLEAR.items()
    ),
    *(Kind(f"typed-{name}", f"v: {text}\nother: x\n", (("v",),)) for name, text in TYPED.items()),
    *(
        Kind(f"json-{name}", f'{{"v": {text}, "c_unencrypted": {text}}}', (("v",),), file="s.json")
        for name, text in JSON.items()
    ),
)
