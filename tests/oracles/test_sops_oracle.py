"""A value of a SOPS file is what the real sops decrypts, whether envc opens the file itself or asks the program."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from envcompile.secrets.backends import OriginError, Surroundings, read_value
from envcompile.secrets.references import Reference

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.oracle

SCALARS = {
    "true": "true",
    "yes": "yes",
    "int": "5432",
    "negative": "-7",
    "octal": "0777",
    "hex": "0x1F",
    "float": "0.25",
    "whole-float": "1.0",
    "small": "1e-7",
    "exponent": "1234567.5",
    "large": "2e22",
    "date": "2024-01-31",
    "moment": "2024-01-31T10:20:30Z",
    "quoted": "'5432'",
    "empty": "''",
    "newline": '"line\\n"',
    "unicode": "pässwörd-☃",
    "block": "|\n  two\n  lines\n",
}
SHAPES = {
    "list-with-comments": "l:\n  # first\n  - x\n  # between\n  - y\nm: z # beside\n",
    "list-of-maps": "users:\n  # first\n  - name: a\n    pw: pa\n  - name: b\n    pw: pb\n",
    "digit-keys": "codes:\n  '404': not-found\n  '0': zero\nl:\n  - {'1': x}\n",
    "odd-keys": "'a/b': one\n'a.b': two\n'a b': three\n'größe': four\n'say \"hi\"': five\n'a]b': six\n",
    "merge": "base: &b\n  user: u1\n  pass: p1\nother:\n  <<: *b\n  pass: p2\ncopy: *b\n",
    "documents": "a: one\nb: x\n---\na: two\n",
    "clear": "a: one\nnote_unencrypted: 'ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]'\n",
    **{f"typed-{name}": f"v: {text}\nother: x\n" for name, text in SCALARS.items()},
    **{f"clear-{name}": f"v: one\nc_unencrypted: {text}\n" for name, text in SCALARS.items()},
}
OTHERS = {
    "prod.env": '# comment\nDB_PASSWORD=hunter2-lab\nEMPTY=\nQUOTED="with space"\n',
    "app.ini": "; comment\n[db]\npassword = hunter2-lab\nport = 5432\n[web]\nkey = k\n",
    "s.json": '{"n": 5432, "f": 1.10, "e": 1e22, "s": 1e-7, "b": false, "u": "\\ud83d\\ude00<&>", "l": [{"x": "y"}]}',
    "whole.bin": "any bytes\x00\x7f\n",
}


class Lab:
    """A folder with two age keys and the real program."""

    def __init__(self, folder: Path, sops: Path) -> None:
        pyrage = pytest.importorskip("pyrage")
        self.folder, self.sops = folder, sops
        identities = [pyrage.x25519.Identity.generate() for _ in range(2)]
        self.recipients = [str(identity.to_public()) for identity in identities]
        (folder / "keys.txt").write_text("".join(f"{identity}\n" for identity in identities))
        self.environ = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "SOPS_AGE_KEY_FILE": str(folder / "keys.txt")}

    def run(self, *arguments: str) -> bytes:
        """What sops prints."""
        command = [str(self.sops), *arguments]
        return subprocess.run(command, cwd=self.folder, env=self.environ, capture_output=True, check=True).stdout

    def encrypt(self, name: str, text: str, *, groups: bool) -> None:
        """Encrypt a file, for one key, or for two groups of keys, which envc leaves to the program."""
        (self.folder / name).write_bytes(text.encode())
        keys = [{"age": [recipient]} for recipient in self.recipients]
        rule = {"shamir_threshold": 2, "key_groups": keys} if groups else {"age": self.recipients[0]}
        (self.folder / ".sops.yaml").write_text(json.dumps({"creation_rules": [rule]}))
        self.run("encrypt", "-i", name)
        (self.folder / ".sops.yaml").unlink()

    def read(self, name: str, way: tuple[str, ...]) -> bytes | None:
        """What envc reads; None when it refuses."""
        path = f"{self.sops.parent}{os.pathsep}{self.environ['PATH']}"
        surroundings = Surroundings(self.folder, {**self.environ, "PATH": path})
        try:
            return read_value(Reference("sops", name, way), surroundings).value.reveal()
        except OriginError:
            return None


@pytest.fixture
def lab(tmp_path: Path, sops: Path) -> Lab:
    """A fresh folder."""
    return Lab(tmp_path, sops)


def ways(value: object, way: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], object]]:
    """Every scalar of a decrypted document."""
    if isinstance(value, dict):
        return [found for name, item in value.items() for found in ways(item, (*way, name))]
    if isinstance(value, list):
        return [found for index, item in enumerate(value) for found in ways(item, (*way, str(index)))]
    return [(way, value)]


def truth(lab: Lab, name: str, way: tuple[str, ...], value: object) -> bytes:
    """What `sops decrypt` shows for a value, in the file's own format."""
    if isinstance(value, str):
        return value.encode()
    steps = "".join(f"[{part}]" if part.isdigit() else f"[{json.dumps(part)}]" for part in way)
    return lab.run("decrypt", "--extract", steps, name).strip()


@pytest.mark.parametrize("groups", [False, True], ids=["own reader", "by the program"])
@pytest.mark.parametrize("shape", SHAPES)
def test_yaml_values_are_those_of_sops(lab: Lab, shape: str, *, groups: bool) -> None:
    """Every value of the first document, or a refusal of what is not encrypted."""
    lab.encrypt("s.yaml", SHAPES[shape], groups=groups)
    decrypted = json.loads(lab.run("decrypt", "--output-type", "json", "s.yaml"))
    found = ways(decrypted)
    assert found
    for way, value in found:
        is_clear = way[0].endswith("_unencrypted") and value != ""
        wanted = None if value is None or is_clear else truth(lab, "s.yaml", way, value)
        assert lab.read("s.yaml", way) == wanted, way


@pytest.mark.parametrize("groups", [False, True], ids=["own reader", "by the program"])
@pytest.mark.parametrize("name", OTHERS)
def test_other_formats_are_those_of_sops(lab: Lab, name: str, *, groups: bool) -> None:
    """Dotenv, INI, JSON, and a file of any kind."""
    lab.encrypt(name, OTHERS[name], groups=groups)
    if name.endswith(".bin"):
        assert lab.read(name, ("data",)) == lab.run("decrypt", name)
        return
    for way, value in ways(json.loads(lab.run("decrypt", "--output-type", "json", name))):
        assert lab.read(name, way) == truth(lab, name, way, value), way
