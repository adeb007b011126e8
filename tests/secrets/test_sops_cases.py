"""SOPS files as sops 3.13.3 wrote them: the own reader and the program give the bytes that `sops decrypt` shows.

`sops/` holds one folder a case; the keys beside them are made up for these files. `decrypted.json` is what the real
program printed for `decrypt --output-type json`.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from envcompile.secrets import outside, sopsprogram
from envcompile.secrets.backends import OriginError, Surroundings, public_version, read_value
from envcompile.secrets.references import parse_reference

CASES = Path(__file__).parent / "sops"

WANTED = {
    "sops-comment-in-list": ("secrets.yaml", {"hosts/0": b"first", "hosts/1": b"second", "password": b"hunter2-lab"}),
    "sops-bool-and-number": ("secrets.yaml", {"enabled": b"true", "port": b"5432", "ratio": b"1e-07"}),
    "sops-dotenv": ("prod.env", {"DB_PASSWORD": b"hunter2-lab"}),
    "sops-ini": ("app.ini", {"db/password": b"hunter2-lab"}),
    "sops-multi-document": ("secrets.yaml", {"a": b"one"}),
    "sops-merge-key": (
        "secrets.yaml",
        {"base/password": b"p1", "other/password": b"p2", "other/<</user": b"u1"},
    ),
    "sops-empty-value": ("secrets.yaml", {"a": b"", "b": b"two"}),
    "sops-clear-text-like-ciphertext": ("secrets.yaml", {"secret": b"one"}),
    "sops-clear-infinity": ("secrets.yaml", {"secret": b"one"}),
    "sops-keys-file-with-new-identity": ("secrets.yaml", {"a": b"one"}),
}
BY_PROGRAM = {
    "sops-comment-in-list-by-program": ("secrets.yaml", {"hosts/0": b"first", "hosts/1": b"second"}),
    "sops-digit-keys-by-program": ("secrets.yaml", {"codes/404": b"not-found", "codes/0": b"zero"}),
    "sops-bool-and-number-by-program": ("secrets.yaml", {"enabled": b"true", "port": b"5432", "ratio": b"1e-07"}),
    "sops-unknown-extension-by-program": ("secrets.sops", {"a": b"one"}),
}


def put(tmp_path: Path, case: str) -> Surroundings:
    """A repository with the files of a case, and the keys that open them."""
    shutil.copytree(CASES / case, tmp_path, dirs_exist_ok=True)
    keys = tmp_path / "keys.txt"
    newer = (CASES / "keys-pq.txt").read_text() if "new-identity" in case else ""
    keys.write_text(newer + "".join((CASES / name).read_text() for name in ("keys.txt", "keys-2.txt")))
    environ = {"HOME": str(tmp_path / "home"), "SOPS_AGE_KEY_FILE": str(keys), "PATH": "/usr/bin:/bin"}
    return Surroundings(tmp_path, environ)


def value(surroundings: Surroundings, file: str, way: str) -> bytes:
    """The bytes behind a reference."""
    reference = parse_reference(f"ref+sops://{file}#/{way}")
    assert reference is not None
    return read_value(reference, surroundings).value.reveal()


def refusal(surroundings: Surroundings, file: str, way: str) -> str:
    """What is said instead."""
    with pytest.raises(OriginError) as error:
        value(surroundings, file, way)
    return f"{error.value}; {error.value.fix}"


@pytest.mark.parametrize("case", WANTED)
def test_the_own_reader_gives_what_sops_decrypt_shows(case: str, tmp_path: Path) -> None:
    """Case by case, in process, without the program."""
    pytest.importorskip("pyrage")
    file, wanted = WANTED[case]
    surroundings = put(tmp_path, case)
    assert {way: value(surroundings, file, way) for way in wanted} == wanted


@pytest.mark.parametrize("case", BY_PROGRAM)
def test_the_program_gives_the_same_bytes(case: str, tmp_path: Path) -> None:
    """One process a file; keys of digits, comments, types and file names are no matter."""
    file, wanted = BY_PROGRAM[case]
    surroundings = put(tmp_path, case)
    program = tmp_path / "bin/sops"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\nexec cat {tmp_path}/decrypted.json\n')
    program.chmod(0o755)
    surroundings = Surroundings(tmp_path, {**surroundings.environ, "PATH": f"{program.parent}:/usr/bin:/bin"})
    assert {way: value(surroundings, file, way) for way in wanted} == wanted
    assert (tmp_path / "asked").read_text() == f"decrypt --input-type yaml --output-type json {tmp_path}/{file}\n"


@pytest.mark.parametrize("way", ["sops/mac", "sops/lastmodified", "sops"])
def test_sops_path_into_metadata(way: str, tmp_path: Path) -> None:
    """The metadata is no part of the values."""
    assert refusal(put(tmp_path, "sops-path-into-metadata"), "secrets.yaml", way).startswith(
        f"`secrets.yaml` has no `{way}`"
    )


def test_a_value_in_clear_stays_refused(tmp_path: Path) -> None:
    """The rule of the file decides, not the look of the text."""
    surroundings = put(tmp_path, "sops-clear-text-like-ciphertext")
    assert "is not encrypted in that file" in refusal(surroundings, "secrets.yaml", "example_unencrypted")


def test_a_comment_is_no_value_and_has_no_position(tmp_path: Path) -> None:
    """A list of two items and a comment has two positions, for the public version too."""
    surroundings = put(tmp_path, "sops-comment-in-list")
    assert refusal(surroundings, "secrets.yaml", "hosts/2").startswith("`secrets.yaml` has no `hosts/2`")
    reference = parse_reference("ref+sops://secrets.yaml#/hosts/1")
    assert reference is not None
    assert "data:yYciU1Nx" in str(public_version(reference, surroundings))


def test_an_identity_that_cannot_be_used_is_named_when_nothing_else_opens(tmp_path: Path) -> None:
    """Damaged, of a newer kind, needing a plugin, or a locked file: in words, never as a bug."""
    pytest.importorskip("pyrage")
    surroundings = put(tmp_path, "sops-keys-file-with-new-identity")
    keys = tmp_path / "keys.txt"
    newer = (CASES / "keys-pq.txt").read_text()
    for text, words in (
        (newer, "is damaged or of a newer kind"),
        ("AGE-SECRET-KEY-1QQQQ\n", "the identity in line 1"),
        ("AGE-PLUGIN-YUBIKEY-1QQQQQQQ\n", "needs a plugin"),
        ("age-encryption.org/v1\n-> scrypt x 18\n\udcff", "is itself encrypted"),
    ):
        keys.write_bytes(os.fsencode(text))
        fresh = Surroundings(tmp_path, surroundings.environ)
        assert words in refusal(fresh, "secrets.yaml", "a")


def test_a_program_that_never_ends_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit of time, in words."""
    surroundings = put(tmp_path, "sops-digit-keys-by-program")
    program = tmp_path / "bin/sops"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexec sleep 600\n")
    program.chmod(0o755)

    def impatient(command: list[str], environ: dict[str, str]) -> object:
        return outside.run_program(command, environ, 0.2)

    monkeypatch.setattr(sopsprogram, "run_program", impatient)
    surroundings = Surroundings(tmp_path, {**surroundings.environ, "PATH": f"{program.parent}:/usr/bin:/bin"})
    assert refusal(surroundings, "secrets.yaml", "codes/0").startswith(
        "sops has not decrypted `secrets.yaml` within 0.2 s"
    )


def test_the_program_is_not_sent_to_a_foreign_vault(tmp_path: Path) -> None:
    """A file's `hc_vault` key names an address, and the program would bring it this machine's token."""
    surroundings = put(tmp_path, "sops-digit-keys-by-program")
    file = tmp_path / "secrets.yaml"
    text = file.read_text().replace("          hc_vault: []", "", 1)
    text = text.replace(
        "hc_vault: []", "hc_vault: [{vault_address: 'https://evil.example', engine_path: t, key_name: k}]"
    )
    file.write_text(text)
    program = tmp_path / "bin/sops"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\n")
    program.chmod(0o755)
    environ = {**surroundings.environ, "PATH": f"{program.parent}:/usr/bin:/bin", "VAULT_ADDR": "https://vault.example"}
    said = refusal(Surroundings(tmp_path, environ), "secrets.yaml", "codes/0")
    assert said.startswith("`secrets.yaml` would send the Vault token to https://evil.example, which is not VAULT_ADDR")
    assert not (tmp_path / "asked").exists()


def test_a_file_that_is_none_says_so(tmp_path: Path) -> None:
    """Each form without what sops adds."""
    for name, text in (("a.yaml", "a: one\n"), ("a.env", "A=one\n"), ("a.ini", "[a]\nb = one\n"), ("a.json", "{}")):
        (tmp_path / name).write_text(text)
        assert refusal(Surroundings(tmp_path, {}), name, "a").startswith(f"`{name}` is not a SOPS file")
