"""A further format of a difference is one further file."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from envcompile.cli.render.diff import formats

if TYPE_CHECKING:
    from pathlib import Path

COUNT = '''
"""A number for scripts, as somebody might add it."""
from envcompile.cli.output import raw


def write(environments, width, /):
    raw(f"{sum(len(diff.resources) for diff in environments)} differ\\n")
'''
RUN = """
import sys
from envcompile.cli import differences
differences.__path__.append(sys.argv.pop(1))
from envcompile.cli.entry import main
raise SystemExit(main())
"""
FILES = {
    "base/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: '1'}\n",
    "overlays/prod/environment.yaml": "apiVersion: envcompile.dev/v1\nkind: Environment\nnamespace: p\n",
    "envc.yaml": "",
}


def test_the_formats_are_the_modules_of_one_folder() -> None:
    """That of terminals comes first: it is the default."""
    assert formats() == ("terminal", "json", "markdown", "unified")


def test_a_format_is_added_by_one_file(tmp_path: Path) -> None:
    """`--format` takes it, its help names it, and it prints."""
    added = tmp_path / "added"
    added.mkdir()
    (added / "count.py").write_text(COUNT, encoding="utf-8")
    root = tmp_path / "project"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    git = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*git, *arguments], check=True)
    (root / "base/a.yaml").write_text(FILES["base/a.yaml"].replace("'1'", "'2'"), encoding="utf-8")

    def envc(*arguments: str) -> tuple[int, str, str]:
        command = [sys.executable, "-c", RUN, str(added), *arguments]
        done = subprocess.run(command, cwd=root, check=False, text=True, capture_output=True)
        return done.returncode, done.stdout, done.stderr

    assert envc("diff", "--from", "HEAD", "--format", "count") == (16, "1 differ\n", "")
    assert "terminal|count|json" in envc("diff", "--help")[1]
