"""*write*: files that people keep are written whole or not at all, and through no link that leads out."""

from __future__ import annotations

import ast
import errno
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

import envcompile
from tests.harness.command import run_envc
from tests.harness.repository import commit, config_map, deployment, environment, read_files, write_files
from tests.secrets.repository import certificate_pem, private_key

if TYPE_CHECKING:
    from collections.abc import Iterator


class Writer(NamedTuple):
    """A command, and a file that people keep which it writes."""

    arguments: tuple[str, ...]
    file: str


CRD: Final = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.ex.com}
spec:
  group: ex.com
  scope: Namespaced
  names: {kind: Gadget, plural: gadgets, singular: gadget, listKind: GadgetList}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
"""
SECRET: Final = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {pw: ref+env://PW}\n"
LEFTOVER: Final = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: live, uid: 1-2}\ndata: {a: b}\n"
WRITERS: Final = (
    Writer(("check", "--write-baseline"), ".envc-baseline.json"),
    Writer(("pr", "comment", "--dry-run", "--from", "HEAD~1", "--output", "out/comment.md"), "out/comment.md"),
    Writer(("promote", "dev", "prod"), "overlays/prod/environment.yaml"),
    Writer(("owners", "--write"), ".github/CODEOWNERS"),
    Writer(("crds", "add", "../gadget.yaml"), "crds/gadgets.ex.com.yaml"),
    Writer(("fix", "--write"), "base/web/live.yaml"),
    Writer(("new", "app", "api", "--image", "example.com/api:1"), "base/api/deployment.yaml"),
    Writer(("new", "env", "qa"), "overlays/qa/environment.yaml"),
    Writer(("secrets", "fetch-cert", "prod", "../other.pem", "--accept"), "overlays/prod/sealed-secrets.pem"),
    Writer(("secrets", "seal", "prod"), "overlays/prod/sealed.yaml"),
    Writer(("history", "restore", "prod", "HEAD~1", "--as-overlay"), "overlays/prod/environment.yaml"),
    Writer(("history", "export", "-o", "out/history.jsonl"), "out/history.jsonl"),
    Writer(("build", "--force"), "environments/prod/web/configmap-settings.yaml"),
)
"""Every command that writes a file which people keep. Those of hooks and of `envc init` have tests of their own."""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project for which each of the commands has something to write."""
    monkeypatch.setenv("PW", "a-password-of-some-length")
    (tmp_path / "gadget.yaml").write_text(CRD)
    (tmp_path / "other.pem").write_bytes(certificate_pem())
    settings = "owners: ['@shop/team']\nimages: [{{name: nginx, newTag: '{}'}}]\nnamespace: {}\n"
    root = write_files(
        tmp_path / "shop",
        {
            ".gitignore": ".envc/\n",
            ".github/CODEOWNERS": "* @everybody\n",
            "out/comment.md": "as it was\n",
            "out/history.jsonl": "as it was\n",
            "crds/gadgets.ex.com.yaml": "# as it was\n",
            "envc.yaml": "environments: [dev, prod]\n",
            "base/web/web.yaml": deployment(),
            "base/web/settings.yaml": config_map(level="info"),
            "base/web/live.yaml": LEFTOVER,
            "overlays/dev/environment.yaml": environment(settings.format("2", "dev")),
            "overlays/prod/environment.yaml": environment(settings.format("1", "prod")),
        },
    )
    assert run_envc(root, "build").code == 0
    assert run_envc(root, "check", "--write-baseline").code == 0
    commit(root, "start")
    (root / "overlays/prod/environment.yaml").write_text(environment(settings.format("1.1", "prod")))
    assert run_envc(root, "build").code == 0
    commit(root, "another image")
    assert run_envc(root, "history", "import").code == 0
    monkeypatch.chdir(root)
    assert run_envc(root, "secrets", "fetch-cert", "prod", "../other.pem", "--accept").code == 0
    (tmp_path / "other.pem").write_bytes(certificate_pem(private_key(serial=1)))
    return root


def prepare(root: Path, writer: Writer) -> None:
    """What one command alone needs."""
    if writer.arguments[1] == "seal":
        write_files(root, {"base/web/secret.yaml": SECRET})
    if writer.arguments[0] == "check":
        write_files(root, {"base/web/more.yaml": deployment("more")})
    if writer.arguments[0] == "build":
        write_files(root, {"base/web/settings.yaml": config_map(level="debug")})


def kept(root: Path) -> dict[str, bytes]:
    """The files of a project that people keep."""
    return {name: data for name, data in read_files(root).items() if not name.startswith((".envc/", ".git/"))}


@pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: writer.file)
def test_a_full_disk_leaves_every_file_whole(root: Path, monkeypatch: pytest.MonkeyPatch, writer: Writer) -> None:
    """Exit 4 with the file's name; nothing is changed and nothing lies beside it; with room the command succeeds."""
    prepare(root, writer)
    before = kept(root)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        patch.setattr(Path, "write_bytes", lambda *_: full(0))
        refused = run_envc(root, *writer.arguments)
    assert refused.code == 4, refused
    shown = {writer.file, f"{root}/{writer.file}", f"{root}/environments/prod", f"{root}/environments/dev"}
    assert any(f"no space left to write {name}\n" in refused.err for name in shown), refused.err
    assert kept(root) == before
    done = run_envc(root, *writer.arguments)
    assert done.code in {0, 16}, done
    assert kept(root)[writer.file] != before.get(writer.file)


def places() -> Iterator[tuple[Writer, str]]:
    """Each command with each folder on the way to its file, and the file itself."""
    for writer in WRITERS:
        parts = writer.file.split("/")
        yield from ((writer, "/".join(parts[: count + 1])) for count in range(len(parts)))


@pytest.mark.parametrize(
    ("writer", "place"), [*places()], ids=lambda value: value if isinstance(value, str) else value[1]
)
def test_no_command_writes_through_a_link(root: Path, writer: Writer, place: str) -> None:
    """A branch that puts a symlink in the place of a file or folder changes nothing outside of the repository."""
    prepare(root, writer)
    outside = root.parent / "outside"
    outside.mkdir()
    if (root / place).exists():
        shutil.move(root / place, outside / "held")
    elif "." not in place.rpartition("/")[2]:
        (outside / "held").mkdir()
    (root / place).parent.mkdir(parents=True, exist_ok=True)
    (root / place).symlink_to(outside / "held")
    before = read_files(outside)
    done = run_envc(root, *writer.arguments)
    assert done.code != 3, done
    assert read_files(outside) == before
    assert done.code in {1, 2} or not (root / writer.file).is_symlink(), done


@pytest.mark.parametrize(
    ("place", "arguments"),
    [
        (".envc-baseline.json", ("check",)),
        (".envc-baseline.json", ("check", "--write-baseline")),
        (".github/CODEOWNERS", ("owners",)),
        ("overlays/prod/sealed.yaml", ("secrets", "status")),
        ("overlays/prod/sealed.yaml", ("secrets", "seal", "prod")),
        ("overlays/prod/sealed-secrets.pem", ("secrets", "fetch-cert", "prod", "../other.pem")),
        ("crds/gadgets.ex.com.yaml", ("crds", "add", "../gadget.yaml")),
        ("base/web/pipe.yaml", ("convert", "base", "-o", "chart")),
        ("new/.gitignore", ("init", "new")),
        ("envc.yaml", ("list",)),
        ("environments/prod/web/pipe.yaml", ("build",)),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_no_pipe_and_no_device_is_waited_for(root: Path, place: str, arguments: tuple[str, ...], kind: str) -> None:
    """What stands in the place of a file is named, or of no concern; nobody waits for it or reads it on and on."""
    (root / place).unlink(missing_ok=True)
    (root / place).parent.mkdir(parents=True, exist_ok=True)
    if kind == "pipe":
        os.mkfifo(root / place)
    else:
        (root / place).symlink_to("/dev/zero")
    done = run_envc(root, *arguments)
    assert done.code in {0, 1, 2}, done
    assert done.code == 0 or Path(place).name in done.err, done


def test_no_key_is_left_half_written(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key that tells changed values apart is made whole or not at all, so that the next command makes it."""
    writer = next(writer for writer in WRITERS if writer.arguments[1] == "seal")
    prepare(root, writer)
    home = Path(os.environ["HOME"])

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        run_envc(root, *writer.arguments)
    assert not list(home.rglob("*identity.key*"))
    assert run_envc(root, *writer.arguments).code == 0
    assert [path.name for path in home.rglob("*identity.key*")] == ["identity.key"]


DOORS: Final = {
    "files": "the door: whole or not at all, and below the repository",
    "plainfiles": "files of .envc that may be lost, each with its checksum",
    "emit/write": "a staging folder of envc's own, swapped in one step",
    "emit/former": "below .envc",
    "actions/results": "below .envc",
    "actions/review": "the summary of a job, which its runner made and reads",
    "actions/tool": "the user's cache",
    "units/tool": "the user's cache",
    "charts/archives": "a temporary folder, taken away at once",
    "charts/installs": "a temporary folder, taken away at once",
    "charts/rendering": "a temporary folder, taken away at once",
    "adopt/lenient": "a temporary folder, taken away at once",
    "adopt/laying": "a temporary folder, taken away at once",
    "git/own_folder": "below .envc",
    "history/spool": "below .envc",
    "sources/jsonnetprocess": "an unnamed file of what a worker says",
    "sources/jsonnetstore": "below .envc",
    "cli/error_handler": "a report in the temporary folder; /dev/null",
    "cli/entry": "/dev/null",
    "editor/checking": "the pipe to who asked",
    "pages/pdf": "a temporary folder, taken away at once",
    "check/policy/pythonworker": "/dev/null",
    "secrets/fetch": "an unnamed file of a kubeconfig's certificate",
}
"""The modules that open something for writing, and what that is."""
_WRITES: Final = frozenset({
    "write_text", "write_bytes", "mkstemp", "NamedTemporaryFile", "TemporaryFile",
    "copyfile", "copyfileobj", "copy2", "copytree", "sendfile", "copy_file_range", "hardlink_to", "savefig",
})  # fmt: skip
_FLAGS: Final = frozenset({"O_WRONLY", "O_RDWR", "O_CREAT"})


def opens_for_writing(node: ast.AST) -> bool:
    """Tell whether a call writes a file or opens one for it."""
    if isinstance(node, ast.Attribute) and node.attr in _FLAGS:
        return True
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    modes = [
        value.value
        for value in [*node.args, *(word.value for word in node.keywords)]
        if isinstance(value, ast.Constant)
    ]
    opened = name in {"open", "fdopen"} and any(
        isinstance(mode, str) and set(mode) & set("wax+") <= set(mode) and mode[:1] in "wax" and len(mode) < 4
        for mode in modes
        if mode
    )
    return name in _WRITES or opened


def test_every_write_goes_through_the_door() -> None:
    """No other module opens a file for writing: who writes what people keep calls `envcompile.files`."""
    package = Path(envcompile.__file__).parent
    found = {
        path.relative_to(package).with_suffix("").as_posix()
        for path in package.rglob("*.py")
        if any(map(opens_for_writing, ast.walk(ast.parse(path.read_bytes()))))
    }
    assert found == {*DOORS}


def test_links_of_people_among_the_output_stay_links(root: Path) -> None:
    """What others have in the folder is taken along as it is, and nothing behind it comes in or is taken away."""
    outside = root.parent / "outside"
    shutil.copytree(root / "environments/prod", outside / "prod")
    (outside / "notes").write_text("precious")
    (root / "environments/prod/web/notes").symlink_to(outside / "notes")
    (root / "environments/gone").symlink_to(outside / "prod")
    before = read_files(outside)
    write_files(root, {"base/web/settings.yaml": config_map(level="debug")})
    assert run_envc(root, "build").code == 0
    assert (root / "environments/prod/web/notes").is_symlink()
    assert (root / "environments/gone").is_symlink()
    assert read_files(outside) == before
