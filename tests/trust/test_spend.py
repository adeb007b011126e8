"""What a tree may take has limits that are named in the error, in the folder, in the index and in a commit alike."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.harness.command import run_envc
from tests.harness.repository import commit, config_map, environment, git, write_files

if TYPE_CHECKING:
    from pathlib import Path

    Files = dict[str, str]

SIDES = {
    "folder": ("show", "dev"),
    "index": ("build", "--check", "--staged"),
    "commit": ("build", "--check", "--at", "HEAD"),
}
"""How each kind of tree is compiled."""
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: made}\ndata: "
DEEP = "[" * 600 + "]" * 600
DEEPER = "[" * 20_000 + "]" * 20_000
DIGITS = "9" * 6_000


def text(name: str, *contents: str) -> Files:
    """A configuration file in base, and what an overlay merges into it."""
    places = ("base/app/text.yaml", "overlays/dev/text.yaml")
    return {
        place: f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: text}}\ndata:\n  {name}: |\n    {content}\n"
        for place, content in zip(places, contents, strict=True)
    }


def jsonnet(data: str) -> Files:
    """A jsonnet file of one ConfigMap."""
    return {
        "base/app/made.jsonnet": f"{{apiVersion: 'v1', kind: 'ConfigMap', metadata: {{name: 'made'}}, data: {data}}}"
    }


MANY = {f"base/app/{number}.yaml": config_map(f"c{number}") for number in range(9)}
FOLDERS = {f"base/app/f{number}/c.yaml": config_map(f"c{number}") for number in range(9)}
LONG = f"# {'x' * 700_000}\n"
LIMITED: dict[str, tuple[str, Files, str]] = {
    "files": ("files: 5", MANY, "holds more than 5 files"),
    "folders": ("folders: 5", FOLDERS, "holds more than 5 folders"),
    "bytes of a file": ("fileSize: 1", {"base/app/x.yaml": LONG * 2}, "`base/app/x.yaml` holds more than 1 MiB"),
    "bytes of all files": (
        "size: 1",
        {"base/app/x.yaml": config_map("x") + LONG, "base/app/y.yaml": config_map("y") + LONG},
        "the sources hold more than 1 MiB",
    ),
    "documents": ("documents: 5", {"base/app/x.yaml": "---\n".join(MANY.values())}, "from more than 5 documents"),
    "imports": (
        "imports: 3",
        {
            **{f"lib/f{number}": "{}" for number in range(9)},
            **jsonnet(" + ".join(f"(import 'f{n}')" for n in range(9))),
        },
        "looks at more than 3 imports",
    ),
    "bytes of imports": (
        "size: 1",
        {"lib/a": LONG, "lib/b": LONG, **jsonnet("{a: importstr 'a', b: importstr 'b'}")},
        "imports holds more than 1 MiB",
    ),
    "seconds": (
        "seconds: 1",
        jsonnet("std.foldl(function(a, i) a + i, std.range(1, 100000000), 0)"),
        "takes more than 1 seconds",
    ),
    "memory": ("memory: 1000", jsonnet("{a: std.length(std.range(1, 1e9))}"), "takes more than 1,000 MiB of memory"),
}
HELD: dict[str, tuple[Files, str]] = {
    "nesting of YAML": ({"base/app/x.yaml": MAP + DEEP}, "nested more than 512 levels deep"),
    "nesting of JSON": ({"base/app/x.json": DEEPER}, "nested more than 512 levels deep"),
    "nesting of settings": ({"envc.yaml": f"environments: {DEEP}"}, "nested more than 512 levels deep"),
    "nesting of parameters": (
        {"overlays/dev/environment.yaml": environment(f"params: {{a: {DEEP}}}\n")},
        "nested more than 512 levels deep",
    ),
    "nesting of jsonnet": (jsonnet("std.foldl(function(a, i) [a], std.range(1, 5000), {})"), "max stack frames"),
    "nesting of a text in JSON": (text("x.json", '{"a": 1}', '{"a": ' * 20_000), "nested too deeply"),
    "nesting of a text in YAML": (text("x.yaml", "a: 1", f"a: {DEEPER}"), "nested more than 512 levels deep"),
    "nesting of a text in TOML": (text("x.toml", "a = 1", f"b = {DEEPER}"), "nested too deeply"),
    "names of a text in TOML": (text("x.toml", "b = 1", f"a{'.a' * 20_000} = 1"), "nested too deeply"),
    "digits in jsonnet": (jsonnet(f"{{a: {DIGITS}}}"), "overflow"),
    "digits that jsonnet parses": (
        jsonnet(f"{{a: std.native('parseJson')('{DIGITS}')}}"),
        "a number of the text has more than 4300 digits",
    ),
    "digits of a text in JSON": (text("x.json", '{"a": 1}', f'{{"a": {DIGITS}}}'), "more than 4300 digits"),
    "digits of a text in TOML": (text("x.toml", "a = 1", f"a = {DIGITS}"), "more than 4300 digits"),
    "aliases": (
        {
            "base/app/x.yaml": "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
            + "".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
        },
        "alias",
    ),
}
LINEAR: dict[str, Files] = {
    "digits in YAML": {"base/app/x.yaml": f"{MAP}{{a: '{DIGITS}'}}"},
    "a text in .env": text("x.env", "A=1", f"B={DIGITS}"),
    "a text of properties": text("x.properties", "a=1", f"b{'.a' * 20_000}={DIGITS}"),
    "a text in INI": text("x.ini", "[a]", f"[a{'.a' * 20_000}]"),
    "a text of blocks": text("x.conf", "a b;", "{" * 20_000),
    "a text without end": text("x.txt", "a", "b" * 1_000_000),
}


def compiled(root: Path, side: str, files: Files, settings: str = "") -> tuple[int, str]:
    """What compiling comes to: exit code and messages."""
    write_files(root, {"base/app/own.yaml": config_map(), "overlays/dev/environment.yaml": environment()})
    write_files(root, {"envc.yaml": settings, **files})
    commit(root)
    done = run_envc(root, *SIDES[side])
    return done.code, done.err


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("setting", "files", "words"), LIMITED.values(), ids=LIMITED.keys())
def test_every_limit_is_named_and_holds(tmp_path: Path, side: str, setting: str, files: Files, words: str) -> None:
    """With the setting that raises it."""
    code, said = compiled(tmp_path, side, files, f"limits: {{{setting}}}\n")
    assert code == 1, said
    assert words in said
    assert "limits." in said


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("files", "words"), HELD.values(), ids=HELD.keys())
def test_nesting_digits_and_aliases_are_bounded(tmp_path: Path, side: str, files: Files, words: str) -> None:
    """Case exhaustion: every format ends in an error of its own, never in "a bug in envc"."""
    code, said = compiled(tmp_path, side, files)
    assert code == 1, said
    assert words in said


@pytest.mark.parametrize("files", LINEAR.values(), ids=LINEAR.keys())
def test_what_is_only_long_compiles(tmp_path: Path, files: Files) -> None:
    """No format is refused for a value of ordinary kind."""
    assert compiled(tmp_path, "folder", files)[0] == 0


def bomb(root: Path, path: str) -> str:
    """A commit in whose tree a few hundred bytes of objects name 10^9 files below a path."""
    commit(root)
    blob = subprocess.run(
        ["git", "hash-object", "-w", "--stdin"], cwd=root, input=b"{}\n", capture_output=True, check=True
    ).stdout.decode()

    def tree(lines: str) -> str:
        done = subprocess.run(["git", "mktree"], cwd=root, input=lines.encode(), capture_output=True, check=True)
        return done.stdout.decode().strip()

    inner = tree("".join(f"100644 blob {blob.strip()}\tf{n}.yaml\n" for n in range(10)))
    for _ in range(8):
        inner = tree("".join(f"040000 tree {inner}\td{n}\n" for n in range(10)))
    top = git(root, "ls-tree", "HEAD").splitlines()
    name, _, below = path.partition("/")
    if below:
        own = git(root, "ls-tree", f"HEAD:{name}").splitlines()
        inner = tree("\n".join([*own, f"040000 tree {inner}\t{below}", ""]))
        top = [line for line in top if line.partition("\t")[2] != name]
    return git(root, "commit-tree", "-m", "bomb", tree("\n".join([*top, f"040000 tree {inner}\t{name}", ""])))


@pytest.mark.parametrize("path", ["base/bomb", "overlays/bomb", "lib", "environments", "elsewhere"])
def test_a_tree_that_names_one_folder_again_and_again_is_refused(tmp_path: Path, path: str) -> None:
    """Case exhaustion: a commit of ten objects and 10^9 files ends at a limit, or is not looked at."""
    write_files(tmp_path, {"base/app/own.yaml": config_map(), "overlays/dev/environment.yaml": environment()})
    found = bomb(tmp_path, path)
    before = git(tmp_path, "rev-parse", "HEAD")
    for words in (
        ("build", "--check", "--at", found),
        ("diff", "--from", before, "--to", found),
        ("check", "--at", found),
        ("affected", "--from", before, "--to", found),
        ("history", "record", "--commit", found),
    ):
        done = run_envc(tmp_path, *words)
        assert done.code in {0, 1}, done.err
        assert "bug in envc" not in done.err
        if path.startswith(("base", "overlays")):
            assert words[0] == "history" or " holds more than " in done.err


def test_a_file_of_git_is_not_read_before_its_size_is_known(tmp_path: Path) -> None:
    """A file of zeros takes a thousandth of its size in git."""
    code, said = compiled(tmp_path, "commit", {"base/app/zeros.yaml": "#" * (65 << 20)})
    assert code == 1
    assert "`base/app/zeros.yaml` holds more than 64 MiB" in said
