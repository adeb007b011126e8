"""A team's memo: it saves compiling, changes no byte, takes nothing private, and cannot lead envc astray."""

from __future__ import annotations

import base64
import hashlib
import random
import shutil
import zlib
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from envcompile.git.blob import blob_id
from envcompile.units import objects
from tests.harness.command import run_envc
from tests.harness.repository import config_map, deployment, environment, git, read_files, write_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytest.importorskip("fsspec", reason="fsspec is not installed")

PASSWORD = "correct-horse-battery-staple"
FILES: dict[str, str | bytes] = {
    "base/web/deployment.yaml": deployment().replace(
        "image: nginx:1.27", "image: nginx:1.27\n        envFrom: [{configMapRef: {name: settings}}]"
    ),
    "base/web/settings.yaml": config_map(),
    "base/worker/deployment.yaml": deployment("worker"),
    "base/tasks/tasks.jsonnet": (
        "function(environment) [{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'tasks'}, data: {a: 'x'}}]\n"
    ),
    "overlays/dev/environment.yaml": environment("namespace: dev\n"),
    "overlays/prod/environment.yaml": environment("namespace: prod\nrollout: checksum\nsyncWaves: true\n"),
    "overlays/prod/web.yaml": config_map("settings", color="green"),
}


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """Makes a fresh clone: the same files in a folder of their own, without output and without a memo."""

    def made(name: str, further: dict[str, str | bytes] | None = None) -> Path:
        root = write_files(tmp_path / name, {**FILES, **(further or {})})
        git(root, "init", "--quiet")
        return root

    return made


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty shared place, named by `ENVC_CACHE`."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("ENVC_CACHE", f"file://{folder}")
    return folder


def stored(cache: Path) -> list[Path]:
    """Every object."""
    return sorted(path for path in cache.rglob("*") if path.is_file())


def body_of(path: Path) -> bytes:
    """What an object says."""
    body = objects._opened(path.read_bytes())
    assert body is not None
    return body


def why(root: Path, *arguments: str) -> str:
    """What a build of all environments says of its units, having succeeded."""
    outcome = run_envc(root, "build", "--why", *arguments)
    assert outcome.code == 0, outcome.err
    return outcome.out


def fresh_output(make: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The output of a build without any memo."""
    with monkeypatch.context() as patch:
        patch.delenv("ENVC_CACHE", raising=False)
        root = make("fresh")
        assert run_envc(root, "build").code == 0
    return read_files(root / "environments")


@pytest.fixture
def expected(make: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """What must come out, whatever the shared place holds."""
    return fresh_output(make, monkeypatch)


def test_a_fresh_clone_compiles_nothing_that_others_compiled(
    make: Callable[..., Path], cache: Path, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It writes the same bytes, and `--why` tells where they are from."""
    assert run_envc(make("first"), "build").code == 0
    assert stored(cache)
    second = make("second")

    def compile_unit(*_: object, **_named: object) -> None:
        raise AssertionError("a unit was compiled")

    monkeypatch.setattr("envcompile.units.environment.compile_unit", compile_unit)
    lines = why(second).splitlines()
    assert len(lines) == 6
    assert all(line.endswith("remembered (shared)") for line in lines)
    assert read_files(second / "environments") == expected


def test_one_changed_file_leaves_the_rest_local(make: Callable[..., Path], cache: Path) -> None:
    """The project's own memo is asked first; what changed is compiled, and named."""
    root = make("first")
    run_envc(root, "build")
    (root / "base/worker/deployment.yaml").write_text(deployment("worker", replicas=3))
    text = why(root)
    assert text.count("compiled: base/worker/deployment.yaml changed") == 2
    assert text.count("\tremembered\n") == 4
    other = make("second")
    (other / "base/worker/deployment.yaml").write_text(deployment("worker", replicas=3))
    assert why(other).count("remembered (shared)") == 6
    assert read_files(other / "environments") == read_files(root / "environments")
    assert stored(cache)


def lost(path: Path) -> None:
    """Take the object away."""
    path.unlink()


def truncated(path: Path) -> None:
    """Leave half of it."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flipped(path: Path) -> None:
    """Change one byte in the middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 255
    path.write_bytes(data)


def emptied(path: Path) -> None:
    """Leave an empty file."""
    path.write_bytes(b"")


def a_folder(path: Path) -> None:
    """Put a folder in its place."""
    path.unlink()
    path.mkdir()


def bombed(path: Path) -> None:
    """Something that unpacks to more than the memory has."""
    data = zlib.compress(bytes(64 * 1024 * 1024)) * 1
    path.write_bytes(objects._HEAD + hashlib.sha256(data).hexdigest().encode() + b"\n" + data)


@pytest.mark.parametrize("damage", [lost, truncated, flipped, emptied, a_folder, bombed])
@pytest.mark.parametrize("share", [1, 2])
def test_what_is_damaged_counts_as_lost(
    make: Callable[..., Path], cache: Path, expected: dict[str, bytes], damage: Callable[[Path], None], share: int
) -> None:
    """All of it, or every second object: the same bytes, exit 0."""
    run_envc(make("first"), "build")
    for path in stored(cache)[::share]:
        damage(path)
    root = make("second")
    assert run_envc(root, "build").code == 0
    assert read_files(root / "environments") == expected


def test_nothing_is_written_where_one_may_only_read(
    make: Callable[..., Path], cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`ENVC_CACHE_MODE=read`, as pull requests of forks should have it; what is there is used."""
    run_envc(make("first"), "build")
    before = read_files(cache)
    monkeypatch.setenv("ENVC_CACHE_MODE", "read")
    root = make("second", {"base/more/cm.yaml": config_map("more")})
    run_envc(root, "build")
    assert read_files(cache) == before
    assert "remembered (shared)" in why(make("third"))


def test_a_place_that_cannot_be_written_costs_one_warning(
    make: Callable[..., Path], tmp_path: Path, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file where the folder should be."""
    (tmp_path / "cache").write_text("in the way")
    monkeypatch.setenv("ENVC_CACHE", f"file://{tmp_path / 'cache'}")
    root = make("first")
    outcome = run_envc(root, "build")
    assert outcome.code == 0
    assert outcome.err.count("warning: the shared memo is not used") == 1
    assert read_files(root / "environments") == expected


@pytest.mark.parametrize("address", ["nowhere://user:hunter2@x/y", "http://user:hunter2@127.0.0.1:1/cache"])
def test_a_place_that_is_not_there_costs_one_warning_that_quotes_no_password(
    make: Callable[..., Path], expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """An unknown scheme, or nobody who listens."""
    monkeypatch.setenv("ENVC_CACHE", address)
    root = make("first")
    outcome = run_envc(root, "build")
    assert outcome.code == 0
    assert outcome.err.count("warning: the shared memo is not used") == 1
    assert "hunter2" not in outcome.err
    assert read_files(root / "environments") == expected


def test_a_place_that_does_not_answer_is_waited_for_once(
    make: Callable[..., Path], expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is one for the whole build."""
    from threading import Event

    monkeypatch.setenv("ENVC_CACHE", "memory://never")
    calls = []
    never = Event()

    def read(_: object, name: str) -> bytes | None:
        calls.append(name)
        never.wait()
        return None

    monkeypatch.setattr(objects.ObjectStore, "_read", read)
    monkeypatch.setattr("envcompile.units.objects.SECONDS", 0.2)
    monkeypatch.setattr(objects.ObjectStore.__init__, "__kwdefaults__", {"seconds": 0.2})
    root = make("first")
    outcome = run_envc(root, "build")
    never.set()
    assert outcome.code == 0
    assert outcome.err.count("it did not answer in time") == 1
    assert calls
    assert read_files(root / "environments") == expected


def test_another_mode_is_refused(make: Callable[..., Path], cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip in it must not open the place for writing."""
    monkeypatch.setenv("ENVC_CACHE_MODE", "readonly")
    outcome = run_envc(make("first"), "build")
    assert outcome.code == 2
    assert "ENVC_CACHE_MODE is `readonly`" in outcome.err
    assert not stored(cache)


def test_another_envc_takes_nothing_up(make: Callable[..., Path], cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Objects are named by the content of envc itself, too."""
    run_envc(make("first"), "build")
    monkeypatch.setattr("envcompile.units.tool.package_digest", lambda: "0" * 64)
    assert "shared" not in why(make("second"))
    assert stored(cache)


PRIVATE: dict[str, str | bytes] = {
    ".gitignore": "*.private.yaml\n",
    "base/web/token.yaml": (
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: token\n  annotations: {envcompile.dev/plaintext: '*'}\n"
        f"stringData: {{token: {PASSWORD}-1}}\ndata: {{more: {base64.b64encode(PASSWORD.encode()).decode()}}}\n"
    ),
    "overlays/dev/worker.private.yaml": config_map("worker", password=f"{PASSWORD}-2"),
    "overlays/throwaway/environment.yaml": environment("namespace: t\nsecretBackend: plaintext\nrollout: checksum\n"),
    "overlays/throwaway/db.yaml": (
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\n  annotations: {envcompile.dev/new: 'true'}\n"
        f"stringData: {{token: {PASSWORD}-4}}\n"
    ),
}


def test_nothing_private_gets_there(make: Callable[..., Path], cache: Path) -> None:
    """No Secret in clear and nothing of what git ignores: no text, no base64 of it, no digest of such a file."""
    root = make("first", PRIVATE)
    outcome = run_envc(root, "build")
    assert outcome.code == 0, outcome.err
    said = b"\n".join(body_of(path) for path in stored(cache))
    assert b"worker" in said
    for text in (PASSWORD, *(f"{PASSWORD}-{number}" for number in range(1, 5))):
        for shift in range(3):
            encoded = base64.b64encode(b"x" * shift + text.encode())[4 if shift else 0 : -4]
            assert encoded not in said
        assert text.encode() not in said
    for name in ("base/web/token.yaml", "overlays/dev/worker.private.yaml"):
        data = (root / name).read_bytes()
        assert hashlib.sha256(data).hexdigest().encode() not in said
        assert blob_id(data).encode() not in said
    assert "throwaway" not in said.decode(errors="replace")
    other = make("second", PRIVATE)
    text = why(other)
    assert "throwaway\tweb\tcompiled" in text
    assert read_files(other / "environments") == read_files(root / "environments")


def hostile(value: Any, chance: random.Random) -> Any:
    """A value with something in it changed, in the same or another type."""
    if isinstance(value, list) and value and chance.random() < 0.9:
        at = chance.randrange(len(value))
        return [*value[:at], hostile(value[at], chance), *value[at + 1 :]]
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice(list(value))
        return {**value, key: hostile(value[key], chance)}
    if isinstance(value, bytes) and chance.random() < 0.8:
        try:
            return msgspec.msgpack.encode(hostile(msgspec.msgpack.decode(value), chance))
        except msgspec.MsgspecError:
            pass
    ways = [
        "../../../evil",
        "",
        "\0",
        "..",
        ".envc-index",
        0,
        -1,
        2**63,
        None,
        [],
        {},
        b"\xff",
        [value, value],
        "x" * 300,
    ]
    return chance.choice(ways)


def mended(value: Any) -> Any:
    """An object whose entries carry right digests of what they tell now, as somebody who means it would see to."""
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        for entry in value[0].values():
            if isinstance(entry, list) and len(entry) > 2 and isinstance(entry[1], bytes):
                entry[2] = hashlib.sha256(entry[1]).hexdigest()
    return value


@pytest.mark.parametrize("seed", range(24))
def test_a_hostile_place_leads_nowhere(make: Callable[..., Path], cache: Path, tmp_path: Path, seed: int) -> None:
    """Objects with right digests that say anything: no crash, no file outside of environments/ and .envc/."""
    chance = random.Random(seed)
    run_envc(make("first"), "build")
    for path in stored(cache):
        value = msgspec.msgpack.decode(body_of(path))
        path.write_bytes(objects._packed(msgspec.msgpack.encode(mended(hostile(value, chance)))))
    root = make("second")
    before = {path for path in tmp_path.rglob("*") if "second" not in path.parts and path.is_file()}
    for _ in range(2):
        outcome = run_envc(root, "build")
        assert outcome.code in {0, 1, 4}, outcome.err
        assert "bug in envc" not in outcome.err
        (root / "base/web/settings.yaml").write_text(config_map("settings", color=f"blue{seed}"))
    after = {path for path in tmp_path.rglob("*") if "second" not in path.parts and path.is_file()}
    assert {path for path in after if cache not in path.parents} == {
        path for path in before if cache not in path.parents
    }
    ours = {path.parts[0] for path in (one.relative_to(root) for one in root.rglob("*"))}
    assert ours <= {".git", ".envc", "base", "overlays", "environments"}
    made = {path.name for path in (root / "environments").iterdir()} if (root / "environments").is_dir() else set()
    assert made <= {"dev", "prod", ".gitattributes"}


@pytest.fixture
def _memory() -> Iterator[None]:
    """The memory that fsspec keeps for a process, emptied afterwards."""
    import fsspec

    yield
    fsspec.filesystem("memory").store.clear()


@pytest.mark.usefixtures("_memory")
def test_any_file_system_of_fsspec_will_do(
    make: Callable[..., Path], expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`memory://` stands for them all."""
    monkeypatch.setenv("ENVC_CACHE", "memory://team")
    run_envc(make("first"), "build")
    root = make("second")
    assert why(root).count("remembered (shared)") == 6
    assert read_files(root / "environments") == expected


def test_a_write_that_was_killed_is_never_read(
    make: Callable[..., Path], cache: Path, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Objects appear under their names when they are whole: what a killed writer left has another name."""
    import fsspec

    def killed(*_: object, **__: object) -> None:
        raise OSError("killed")

    # To the end: a thread that writes for a command may outlive it in this process.
    monkeypatch.setattr(type(fsspec.filesystem("file")), "mv", killed)
    run_envc(make("first"), "build")
    names = {path.name for path in stored(cache)}
    assert names
    assert all("." in name for name in names)
    root = make("second")
    assert "shared" not in why(root)
    assert read_files(root / "environments") == expected
    shutil.rmtree(cache)
