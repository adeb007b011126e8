"""Makes keys and SOPS files of every kind with the real program, and asks it what is in them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.oracles.sops_kinds import Kind, Way

    Change = Callable[[Path, "Laboratory"], object]

NEWER: Final = Path(__file__).parents[1] / "secrets/sops/keys-pq.txt"
"""An identity of a kind that is newer than the library which reads age files for envc."""
AGE_KEYS: Final = ".config/sops/age/keys.txt"
SYSTEM: Final = "/usr/bin:/bin"


class SopsCannotError(Exception):
    """Sops does not write such a file."""


class Laboratory:
    """Keys of every kind, and a folder for each kind of file."""

    def __init__(self, folder: Path, program: Path) -> None:
        import pyrage

        self._folder, self._program = folder, program
        self.keys = folder / "keys"
        self.keys.mkdir()
        self.identities = [pyrage.x25519.Identity.generate() for _ in range(3)]
        self.recipients = [str(identity.to_public()) for identity in self.identities]
        for number, identity in enumerate(self.identities):
            (self.keys / f"age{number}.txt").write_text(f"# created: today\n{identity}\n", encoding="utf-8")
        for kind, phrase, name in (
            ("ed25519", "", "id_ed25519"),
            ("rsa", "", "id_rsa"),
            ("ed25519", "lab", "id_locked"),
        ):
            command = ["ssh-keygen", "-q", "-t", kind, "-N", phrase, "-C", "lab", "-f", str(self.keys / name)]
            subprocess.run(command, check=True)
        self.gnupg = folder / "gnupg"
        self.gnupg.mkdir(mode=0o700)
        self._known = self._names([self._pgp(f"lab{number}") for number in range(2)])

    def _pgp(self, name: str) -> str:
        """Make a key of GnuPG; its fingerprint."""
        gpg = ["gpg", "--homedir", str(self.gnupg), "--batch", "--quiet"]
        made = ["--passphrase", "", "--quick-gen-key", name, "default", "default", "never"]
        subprocess.run([*gpg, *made], check=True, capture_output=True)
        told = subprocess.run([*gpg, "--with-colons", "-K", name], check=True, capture_output=True, text=True).stdout
        return next(line.split(":")[9] for line in told.splitlines() if line.startswith("fpr"))

    def _names(self, pgp: list[str]) -> dict[str, str]:
        """What stands for a key in a kind, and the key."""
        _, public, newer = NEWER.read_text(encoding="utf-8").splitlines()[:3]
        known = {f"@AGE{number}@": one for number, one in enumerate(self.recipients)}
        known |= {f"@PGP{number}@": one for number, one in enumerate(pgp)}
        known |= {
            mark: (self.keys / f"{name}.pub").read_text(encoding="utf-8").strip()
            for mark, name in (("@SSH_ED@", "id_ed25519"), ("@SSH_RSA@", "id_rsa"))
        }
        known["@AGEKEY0@"] = str(self.identities[0])
        return known | {"@PQPUB@": public.split()[-1], "@PQKEY@": newer, "@KEYS@": str(self.keys)}

    def close(self) -> None:
        """End the agent that GnuPG started for these keys."""
        subprocess.run(["gpgconf", "--homedir", self.gnupg, "--kill", "gpg-agent"], check=False)

    def filled(self, text: str) -> str:
        """A text with keys in place of what stands for them."""
        for mark, key in self._known.items():
            text = text.replace(mark, key)
        return text

    def sops(self, file: Path, *arguments: str) -> bytes:
        """Run sops beside a file, as somebody who has the first key."""
        environ = {"PATH": SYSTEM, "HOME": str(self._folder), "GNUPGHOME": str(self.gnupg)}
        environ["SOPS_AGE_KEY_FILE"] = str(self.keys / "age0.txt")
        command = [str(self._program), *arguments]
        return subprocess.run(command, cwd=file.parent, env=environ, capture_output=True, check=True).stdout

    def environ(self, kind: Kind, home: Path) -> dict[str, str]:
        """The variables that envc and sops see."""
        path = f"{self._program.parent}{os.pathsep}{SYSTEM}" if kind.has_program else SYSTEM
        found = {"PATH": path, "HOME": str(home), "GNUPGHOME": str(self.gnupg), "LC_ALL": "C.UTF-8"}
        if kind.has_key and kind.home is None:
            found["SOPS_AGE_KEY_FILE"] = str(self.keys / "age0.txt")
        return found | {name: self.filled(text).replace("@HOME@", str(home)) for name, text in kind.environ}

    def make(self, kind: Kind) -> tuple[Path, dict[str, str]]:
        """A repository with one file of a kind, and the variables under which it is read.

        Raises:
            SopsCannotError: sops does not write such a file.
        """
        home, repository = self._folder / kind.name / "home", self._folder / kind.name / "repository"
        (home / AGE_KEYS).parent.mkdir(parents=True)
        environ = self.environ(kind, home)
        if kind.home is not None:
            kind.home(home, self)
        file = repository / kind.file
        file.parent.mkdir(parents=True)
        file.write_bytes(kind.text.encode() if isinstance(kind.text, str) else kind.text)
        if kind.rules:
            (repository / ".sops.yaml").write_text(self.filled(kind.rules), encoding="utf-8")
        if not kind.is_plain:
            form = ["--input-type", kind.form, "--output-type", kind.form] if kind.form else []
            arguments = [self.filled(one) for one in kind.arguments]
            command = [str(self._program), "encrypt", *arguments, *form, "-i", kind.file]
            done = subprocess.run(command, cwd=repository, env=environ, capture_output=True, text=True, check=False)
            if done.returncode:
                raise SopsCannotError(done.stderr)
        if kind.change is not None:
            kind.change(file, self)
        return repository, environ

    def truth(self, kind: Kind, repository: Path, environ: dict[str, str]) -> dict[Way, bytes | None]:
        """What sops says of each value; None where it refuses."""

        def ask(*arguments: str) -> bytes | None:
            form = ("--input-type", kind.form) if kind.form else ()
            command = [str(self._program), "decrypt", *form, *arguments, kind.file]
            done = subprocess.run(command, cwd=repository, env=environ, capture_output=True, check=False)
            # .inf and .nan have no JSON; the values are asked for one by one.
            is_known = done.returncode == 0 or b"Error marshaling to json" in done.stderr
            return done.stdout if is_known else None

        if kind.file.endswith((".bin", ".pem")):
            whole = ask()
            return {way: whole if way == ("data",) else None for way in kind.ways}
        printed = ask("--output-type", "json")
        if printed is None:
            return dict.fromkeys(kind.ways)
        document = json.loads(printed or b"{}")
        found: dict[Way, bytes | None] = {}
        for way in kind.ways:
            try:
                value = walked(document, way)
            except (KeyError, IndexError, TypeError, ValueError):
                found[way] = ask("--extract", extraction(way, document))
            else:
                found[way] = value.encode() if isinstance(value, str) else json.dumps(value).encode()
        return found


def walked(document: Any, way: Way) -> Any:
    """The value at the end of a way."""
    for part in way:
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document


def extraction(way: Way, document: Any) -> str:
    """A way as `--extract` takes it."""
    text, value = "", document
    for part in way:
        if isinstance(value, list) and part.isdigit() and int(part) < len(value):
            text, value = f"{text}[{part}]", value[int(part)]
        else:
            text += f'["{part}"]'
            value = value.get(part) if isinstance(value, dict) else None
    return text


# ------------------------------------------------------- what people have at home


def in_home(name: str, place: str) -> Change:
    """One of the keys at its usual place."""

    def put(home: Path, made: Laboratory) -> None:
        target = home / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((made.keys / name).read_bytes())
        target.chmod(0o600)

    return put


def several_keys(home: Path, made: Laboratory) -> None:
    """Three identities in one file, with line ends of Windows."""
    texts = [(made.keys / f"age{number}.txt").read_text(encoding="utf-8") for number in (2, 1, 0)]
    (home / AGE_KEYS).write_bytes("\n\n".join(texts).replace("\n", "\r\n").encode())


def beside(line: str) -> Change:
    """A line of another kind above the identity."""

    def put(home: Path, made: Laboratory) -> None:
        own = (made.keys / "age0.txt").read_text(encoding="utf-8")
        (home / AGE_KEYS).write_text(f"{made.filled(line)}\n{own}", encoding="utf-8")

    return put


def locked_ssh(home: Path, made: Laboratory) -> None:
    """An ssh key with a passphrase beside the identity."""
    in_home("id_locked", ".ssh/id_ed25519")(home, made)
    in_home("age0.txt", AGE_KEYS)(home, made)


def locked_keys(home: Path, made: Laboratory) -> None:
    """A file of identities that is encrypted itself, as `age -p` makes them."""
    import pyrage

    (home / AGE_KEYS).write_bytes(pyrage.passphrase.encrypt((made.keys / "age0.txt").read_bytes(), "lab"))


def key_command(home: Path, made: Laboratory) -> None:
    """A program that prints the identity."""
    (home / "key.sh").write_text(f"#!/bin/sh\ncat {made.keys}/age0.txt\n", encoding="utf-8")
    (home / "key.sh").chmod(0o755)


# --------------------------------------------------------- what sops does later


def update_keys(file: Path, made: Laboratory) -> None:
    """Another recipient."""
    rule = f"creation_rules:\n  - age: '{made.recipients[1]},{made.recipients[0]}'\n"
    (file.parent / ".sops.yaml").write_text(rule, encoding="utf-8")
    made.sops(file, "updatekeys", "-y", file.name)


def indent(file: Path, made: Laboratory) -> None:
    """Another indentation."""
    file.write_bytes(made.sops(file, "decrypt", file.name))
    made.sops(file, "--indent", "2", "encrypt", "--age", made.recipients[0], "-i", file.name)
