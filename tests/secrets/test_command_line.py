"""`envc secrets …` as people and scripts call it: outputs, exit codes, and plaintext nowhere."""

# ruff: file-ignore[line-too-long] - messages and samples are written whole

import io
import json
import os
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.secrets.repository import (
    SECRET,
    SECRET_FORMS,
    USER_SERVICE,
    Repository,
    certificate_pem,
    fingerprint,
    key_pem,
    private_key,
)

# typer asks click for names that click means to take away.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:click", "ignore::DeprecationWarning:typer")

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: user-service}
spec:
  selector: {matchLabels: {app: user-service}}
  template:
    metadata: {labels: {app: user-service}}
    spec:
      containers:
      - name: main
        image: user-service:1
        env: [{name: KEY, valueFrom: {secretKeyRef: {name: user-service-secret, key: api_key}}}]
"""


class Answer(NamedTuple):
    """What a command said."""

    code: int
    out: str
    err: str


class Terminal(io.StringIO):
    """A person at the keyboard."""

    def isatty(self) -> bool:
        """Yes."""
        return True


class Shell:
    """Runs envc in a project, and keeps all that it ever printed."""

    def __init__(
        self, repository: Repository, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        self.repository, self.printed, self.terminal = repository, "", False
        self._monkeypatch, self._capfd = monkeypatch, capfd

    def __call__(self, *arguments: str, stdin: bytes = b"") -> Answer:
        """Run one command."""
        from envcompile.cli.app import run

        self._monkeypatch.setattr(sys, "stdin", Terminal() if self.terminal else io.TextIOWrapper(io.BytesIO(stdin)))
        code = run(["--project", str(self.repository.root), "secrets", *arguments])
        sys.stdout.flush()
        out, err = self._capfd.readouterr()
        self.printed += out + err
        return Answer(code, out, err)


@pytest.fixture
def envc(
    repository: Repository,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Shell:
    """A project with one environment; its home is outside of it."""
    home = tmp_path_factory.mktemp("home")
    for name in ("ENVC_IDENTITY_KEY", "XDG_CONFIG_HOME", "KUBECONFIG", "VAULT_ADDR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("API_KEY", SECRET.decode())
    monkeypatch.setenv("JWT_SECRET", "jwt")
    repository.write("base/user-service/secret.yaml", USER_SERVICE.replace("  namespace: production\n", ""))
    repository.write("base/user-service/deployment.yaml", DEPLOYMENT)
    repository.write(
        "overlays/prod/environment.yaml", "apiVersion: envcompile.dev/v1\nkind: Environment\nnamespace: production\n"
    )
    # Certificates of the command line are judged by the real clock.
    repository.write("overlays/prod/sealed-secrets.pem", certificate_pem(private_key(3072)))
    return Shell(repository, monkeypatch, capfd)


@pytest.fixture
def pinned(envc: Shell) -> Shell:
    """The same, with the certificate pinned."""
    assert envc("fetch-cert", "prod", str(envc.repository.root / "overlays/prod/sealed-secrets.pem")).code == 0
    return envc


def test_fetch_cert_pins_a_pem_file(envc: Shell) -> None:
    """From a file, here the one that lies there unpinned; another one needs --accept."""
    path = envc.repository.root / "overlays/prod/sealed-secrets.pem"
    answer = envc("fetch-cert", "prod", str(path))
    assert answer.code == 0
    assert answer.out.startswith(f"same: {fingerprint(private_key(3072))} (RSA-3072, valid 2026-05-31")
    assert "written to overlays/prod/sealed-secrets.pem and pinned" in answer.err
    other = envc.repository.write("other.pem", certificate_pem())
    refused = envc("fetch-cert", "prod", str(other))
    assert refused.code == 1
    assert fingerprint() in refused.err
    answer = envc("fetch-cert", "prod", str(other), "--accept", "--format", "json")
    assert answer.code == 0
    assert json.loads(answer.out)["before"] == fingerprint(private_key(3072))


def test_seal_status_and_a_second_seal(pinned: Shell) -> None:
    """Rows on stdout, words on stderr, exit codes that CI can use."""
    assert pinned("status", "prod").code == 1
    answer = pinned("seal", "prod")
    assert answer.code == 0
    assert answer.out == (
        "sealed     prod production/user-service-secret/api_key\nsealed     prod production/user-service-secret/jwt_secret\n"
    )
    assert "made an identity key in " in answer.err
    assert "wrote overlays/prod/sealed.yaml" in answer.err
    answer = pinned("seal")
    assert answer.out.splitlines()[0] == "kept       prod production/user-service-secret/api_key"
    assert answer.err.endswith("nothing changed\n")
    answer = pinned("status", "--format", "json")
    assert answer.code == 0
    row = json.loads(answer.out)["values"][0]
    assert row["state"] == "unchanged"
    assert row["source"] == "ref+env://API_KEY"


def test_set_reads_stdin_and_never_an_argument(pinned: Shell) -> None:
    """Bytes are counted, a newline is a warning, an argument is wrong usage."""
    answer = pinned("set", "prod", "user-service-secret", "api_key", stdin=SECRET + b"\n")
    assert answer.code == 0
    assert "read 29 bytes from stdin\nwarning: the value ends with a newline" in answer.err
    answer = pinned("set", "prod", "user-service-secret", "api_key", "--strip-newline", stdin=SECRET + b"\n")
    assert "read 28 bytes from stdin\n" in answer.err
    assert pinned("set", "prod", "user-service-secret", "api_key", "value").code == 2
    assert pinned("set", "prod", "user-service-secret", "nope", stdin=b"x").code == 2


def test_set_asks_without_echo_at_a_terminal(pinned: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """By getpass."""
    import getpass

    asked = []

    def answer(question: str) -> str:
        asked.append(question)
        return SECRET.decode()

    monkeypatch.setattr(getpass, "getpass", answer)
    pinned.terminal = True
    assert pinned("set", "prod", "user-service-secret", "api_key").code == 0
    assert asked == ["value of prod user-service-secret api_key (hidden): "]


def test_rotate_makes_a_value_and_names_its_readers(pinned: Shell) -> None:
    """What has to restart."""
    answer = pinned("rotate", "prod", "user-service-secret", "api_key", "--generate", "32")
    assert answer.code == 0
    assert answer.out.splitlines()[-1] == (
        "read by    Deployment/user-service  (restart it, or set `rollout:` in environment.yaml)"
    )
    answer = pinned("rotate", "prod", "user-service-secret", "jwt_secret", "--generate", "32", "--format", "json")
    assert json.loads(answer.out)["readBy"] == []
    assert pinned("rotate", "prod", "user-service-secret", "api_key", "--generate", "4").code == 2


def test_verify_unseal_and_audit(pinned: Shell) -> None:
    """Offline, with the key, and the recovery of everything in clear only on request."""
    key = str(pinned.repository.write("../backup.pem", key_pem(private_key(3072))))
    assert pinned("verify", "prod").code == 1
    pinned("seal")
    assert pinned("verify", "prod").code == 0
    answer = pinned("verify", "prod", "--private-key", key)
    assert answer.code == 0
    assert answer.out.splitlines()[0] == "prod  production/user-service-secret/api_key     yes  opens"
    answer = pinned("unseal", "prod", "--private-key", key)
    assert answer.out.splitlines()[0] == "production/user-service-secret/api_key     28"
    assert pinned("unseal", "prod").code == 2
    assert pinned("audit").code == 0
    assert pinned("reseal", "prod", "--all").code == 0
    assert pinned("reseal", "prod", "--older-than", "soon").code == 2
    assert not any(form.decode() in pinned.printed for form in SECRET_FORMS)
    revealed = pinned("unseal", "prod", "--private-key", key, "--reveal")
    assert json.loads(revealed.out)["items"][0]["metadata"]["name"] == "user-service-secret"
    Path(key).unlink()


def test_scan_finds_what_is_staged(envc: Shell) -> None:
    """Path, line and rule; the mend on stderr; exit 1."""
    envc.repository.git("init")
    envc.repository.write("base/user-service/leak.yaml", USER_SERVICE.replace("ref+env://API_KEY", SECRET.decode()))
    envc.repository.git("add", "-A")
    answer = envc("scan", "--staged")
    assert answer.code == 1
    assert answer.out == (
        "base/user-service/leak.yaml:8: plaintext-secret: Secret/user-service-secret: `api_key` is written in clear\n"
    )
    assert envc("scan", "--staged", "--exclude", "*/leak.yaml").code == 0


def test_throw_away_environments_may_hold_secrets_in_clear(envc: Shell) -> None:
    """Their overlay and their output pass the scan, and there is nothing to seal; others' do not pass."""
    envc.repository.git("init")
    envc.repository.write(
        "overlays/dev/environment.yaml",
        "apiVersion: envcompile.dev/v1\nkind: Environment\nnamespace: dev\nsecretBackend: plaintext\n",
    )
    literal = (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: user-service-secret}\nstringData: {api_key: a, jwt_secret: b}\n"
    )
    envc.repository.write("overlays/dev/secret.yaml", literal)
    envc.repository.git("add", "overlays/dev")
    assert envc("scan", "--staged").code == 0
    answer = envc("set", "dev", "user-service-secret", "api_key", stdin=b"x")
    assert (answer.code, answer.err) == (
        2,
        (
            "error: environment dev has `secretBackend: plaintext`: nothing is sealed there\n"
            "hint: change the value where it is kept, or choose another environment\n"
        ),
    )
    envc.repository.write("overlays/prod/secret.yaml", literal)
    envc.repository.git("add", "overlays/prod")
    assert {line.split(":")[0] for line in envc("scan", "--staged").out.splitlines()} == {"overlays/prod/secret.yaml"}


def test_what_is_throw_away_is_said_by_the_commit_itself(envc: Shell) -> None:
    """Case hooks-check-the-working-tree: a setting that is not staged excuses nothing."""
    envc.repository.git("init")
    settings = "apiVersion: envcompile.dev/v1\nkind: Environment\nnamespace: dev\n"
    envc.repository.write("overlays/dev/environment.yaml", settings)
    literal = "apiVersion: v1\nkind: Secret\nmetadata: {name: user-service-secret}\nstringData: {api_key: a}\n"
    envc.repository.write("overlays/dev/secret.yaml", literal)
    envc.repository.git("add", "overlays/dev")
    envc.repository.write("overlays/dev/environment.yaml", f"{settings}secretBackend: plaintext\n")
    assert envc("scan", "--staged").code == 1
    envc.repository.git("add", "overlays/dev")
    assert envc("scan", "--staged").code == 0


def test_an_unreachable_controller_is_exit_4(envc: Shell) -> None:
    """So that CI may try again."""
    assert envc("fetch-cert", "prod", "http://127.0.0.1:9").code == 4


def test_plaintext_is_nowhere_after_every_command(
    pinned: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Output, store, cache, errors, home and temporary files: neither the value nor its base64."""
    import tempfile

    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    home = Path(os.environ["HOME"])
    pinned("seal", "prod")
    pinned("set", "prod", "user-service-secret", "jwt_secret", stdin=SECRET)
    monkeypatch.setenv("API_KEY", SECRET.decode() + " again")
    for arguments in (
        ["status"],
        ["seal"],
        ["reseal", "prod", "--all"],
        ["rotate", "prod", "user-service-secret", "api_key"],
        ["verify"],
        ["audit"],
        ["audit", "--compromised", fingerprint()],
    ):
        for output_format in ("text", "json"):
            pinned(*arguments, "--format", output_format, stdin=SECRET)
    pinned.repository.write("base/user-service/tls.yaml", USER_SERVICE.replace("user-service-secret", "t").replace("Opaque", "kubernetes.io/tls").replace("api_key", "tls.crt").replace("jwt_secret", "tls.key"))  # fmt: skip
    assert pinned("seal", "prod", "t").code == 1
    pinned.repository.write("base/user-service/tls.yaml", USER_SERVICE.replace("user-service-secret", "t").replace("ref+env://API_KEY", SECRET.decode()))  # fmt: skip
    assert pinned("seal", "prod", "t").code == 1
    (pinned.repository.root / "base/user-service/tls.yaml").unlink()
    assert not [form for form in SECRET_FORMS if form.decode() in pinned.printed]
    places = [pinned.repository.root, home, scratch]
    written = [path for place in places for path in place.rglob("*") if path.is_file()]
    assert written
    assert [path for path in written if any(form in path.read_bytes() for form in SECRET_FORMS)] == []
    assert list(scratch.iterdir()) == []
