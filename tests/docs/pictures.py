"""The pictures of README and guide, made from what the commands print: `python -m tests.docs.pictures`.

The shop gets a short history with fixed names and days, so that the same envc makes the same bytes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT: Final = Path(__file__).parents[2]
FOLDER: Final = ROOT / "docs" / "pictures"
WIDTH: Final = 112
"""Of the terminal, in cells."""
_HISTORY: Final = (
    ("Ada Okafor", "2026-09-28T08:12:00+0000", "The shop moves to envc", ()),
    ("Priya Nair", "2026-10-06T09:30:00+0000", "More memory", (("user-service.yaml", "memory: 512Mi", "memory: 1Gi"),)),
    ("Jonas Lind", "2026-10-19T13:05:00+0000", "Release", (("environment.yaml", "newTag: v1.4.1", "newTag: v1.4.2"),)),
    ("Priya Nair", "2026-11-19T10:41:00+0000", "More CPU", (("user-service.yaml", "cpu: 250m", "cpu: 500m"),)),
)
"""Who, when, why, and what changes in which file of production: what is there before, and what is there now."""
PICTURES: Final[Mapping[str, tuple[tuple[str, ...], tuple[int, int]]]] = {
    "explain.svg": (("explain", "prod", "deployment/user-service", "--yaml"), (59, 102)),
    "matrix.svg": (("matrix", "--app", "user-service"), (1, 40)),
}
"""Name -> the command, and the lines of its output that are shown."""
PLOT: Final = "autoscaling.svg"
"""What the guide's simulation of two settings draws."""
_GUIDE: Final = ROOT / "envcompile" / "guide" / "autoscaling.md"


def shop_with_history(folder: Path) -> None:
    """Make the shop with its history in a folder, and record it."""
    for name in ("base", "overlays"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy2(ROOT / "envc.yaml", folder)
    (folder / ".gitignore").write_text(".envc/\n", encoding="utf-8")
    now = {path: path.read_text(encoding="utf-8") for path in (folder / "overlays/prod").glob("*.yaml")}
    for _, _, _, changes in reversed(_HISTORY):
        for name, before, after in changes:
            _replace(folder / "overlays/prod" / name, after, before)
    _git(folder, "", "", "init", "-q", "-b", "main")
    for author, day, message, changes in _HISTORY:
        for name, before, after in changes:
            _replace(folder / "overlays/prod" / name, before, after)
        _git(folder, author, day, "add", "-A")
        _git(folder, author, day, "commit", "-q", "--no-verify", "-m", message)
    left = [path.name for path, text in now.items() if path.read_text(encoding="utf-8") != text]
    if left:
        raise AssertionError(f"the history does not end in the shop as it is: {', '.join(left)}")
    _envc(folder, "history", "import")


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    if text.count(old) < 1:
        raise AssertionError(f"{path.name} has no `{old}`")
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def _git(folder: Path, author: str, day: str, *arguments: str) -> None:
    mail = f"{author.split(' ', maxsplit=1)[0].lower()}@example.com"
    facts = (("NAME", author), ("EMAIL", mail), ("DATE", day))
    who = {f"GIT_{role}_{field}": value for role in ("AUTHOR", "COMMITTER") for field, value in facts if author}
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, env={**os.environ, **who})


def _envc(folder: Path, *arguments: str) -> str:
    left_out = ("NO_COLOR", "CLICOLOR", "TERM")
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    environment = {**kept, "FORCE_COLOR": "1", "COLUMNS": str(WIDTH), "TZ": "UTC"}
    command = [sys.executable, "-m", "envcompile", "--project", str(folder), *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return done.stdout


def picture(folder: Path, name: str) -> str:
    """One picture as SVG: the command and what it prints, with nothing that is fetched from anywhere.

    Args:
        folder: of the shop with its history.
        name: one of `PICTURES`.
    """
    from rich.console import Console
    from rich.text import Text

    command, (first, last) = PICTURES[name]
    lines = _envc(folder, *command).splitlines()[first - 1 : last]
    cut = f" | sed -n {first},{last}p" if first > 1 else ""
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(
            record=True,
            width=WIDTH,
            height=len(lines) + 1,
            file=nowhere,
            force_terminal=True,
            color_system="standard",
            legacy_windows=False,
            _environ={},  # what the terminal of the person is like does not matter
        )
        console.print(Text(f"$ envc {' '.join(command)}{cut}", style="bold"))
        for line in lines:
            console.print(Text.from_ansi(line), no_wrap=True, overflow="crop", highlight=False)
    text = console.export_svg(title="envc", unique_id="envc")
    text = re.sub(r"<!-- .*? -->\s*", "", text, flags=re.DOTALL)
    text = re.sub(r"@font-face \{.*?\}\s*", "", text, flags=re.DOTALL)
    return re.sub(r"[ \t]+\n", "\n", text).replace("Fira Code", "ui-monospace, SFMono-Regular, Menlo, Consolas")


def plot(folder: Path) -> str:
    """What the guide's command draws of the guide's load, as SVG.

    Args:
        folder: of the shop; the load is written there.
    """
    told = _GUIDE.read_text(encoding="utf-8")
    load = re.search(r"# file: evening\.csv\n(.*?)```", told, re.DOTALL)
    command = re.search(r"^\$ envc (simulate (?:.*\\\n> )?.*--plot) evening\.svg$", told, re.MULTILINE)
    if load is None or command is None:
        raise AssertionError(f"{_GUIDE.name} has no load evening.csv, or draws none")
    (folder / "evening.csv").write_text(load.group(1), encoding="utf-8")
    words = [word for word in command.group(1).split() if word not in {"\\", ">"}]
    words[words.index("evening.csv")] = str(folder / "evening.csv")
    _envc(folder, *words, str(folder / PLOT))
    return (folder / PLOT).read_text(encoding="utf-8")


def main() -> None:
    """Write every picture."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        shop_with_history(Path(made))
        for name in PICTURES:
            (FOLDER / name).write_text(picture(Path(made), name), encoding="utf-8")
            sys.stdout.write(f"{FOLDER.relative_to(ROOT) / name}\n")
        (FOLDER / PLOT).write_text(plot(Path(made)), encoding="utf-8")
        sys.stdout.write(f"{FOLDER.relative_to(ROOT) / PLOT}\n")


if __name__ == "__main__":
    main()
