"""Values for a shell's completion, by what the help calls them, found by names of files and by lines of a few."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from envcompile.cli.fastpath import find_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from envcompile.cli.completion.line import Wanted

Found = dict[str, str]
"""A value -> a few words about it."""

_ABSTRACT = re.compile(rb"^abstract:\s*true\b", re.MULTILINE)
_SAID = re.compile(r"^kind: (\w+)\nmetadata:\n(?: .*\n)*?  name: (\S+)$", re.MULTILINE)
_SEALED = re.compile(r"^[^\s/#]+/([^\s/]+)/([^\s/]+):$", re.MULTILINE)
_OWN_RULE = re.compile(r"^(?:(?:- )?rule: ([\w-]+)\s*$|(?:async )?def ([a-z]\w*)\(\w+(?:: \w+)?\))", re.MULTILINE)
_CHARTS = re.compile(r"^charts:\n((?:[ #-].*\n|\n)*)", re.MULTILINE)
_RELEASE = re.compile(r"^ {0,4}(?:- )?\{?name: ([\w-]+)", re.MULTILINE)
_PARAMETERS = re.compile(r"^params:\n((?:[ #].*\n|\n)*)", re.MULTILINE)
_MOST = 4_000_000
"""Bytes of a file that are looked at."""
_MANY = 200
"""Resources that are listed by name; kinds are offered first where there are more."""
_RECENT = 20
"""Commits that are offered."""


class Values:
    """What a project has to offer.

    Args:
        folder: one of the project.
    """

    def __init__(self, folder: str | Path) -> None:
        try:
            root = find_root(str(Path(folder).absolute()))
        except OSError:
            root = None
        self._root = Path(root) if root is not None else Path(os.devnull)
        self._folder = Path(folder)

    def of(self, wanted: Wanted, typed: str) -> Found:
        """What can stand for a metavar; nothing for one that only a person can fill in.

        Args:
            wanted: what the line asks for.
            typed: the beginning of the value.
        """
        metavar = wanted.metavar
        if "|" in metavar and metavar.lower() == metavar:
            return dict.fromkeys(metavar.strip("[].").split("|"), "")
        kinds: Mapping[str, Callable[[Wanted, str], Found]] = {
            "ENV": self._environments_left, "FROM": self._environments_left, "TO": self._environments_left,
            "OVERLAY": self._overlays, "APP": self._applications, "KIND/NAME": self._resources, "FIELD": self._fields,
            "KIND NAME": self._names, "REV": self._revisions, "COMMIT": self._revisions, "RULE": self._rules,
            "RULES": self._some_rules, "TOPIC": _pages, "SECRET": self._secrets, "KEY": self._keys,
            "PARAM": self._parameters, "SCHEMA": _schemas, "RELEASE": self._releases,
        }  # fmt: skip
        words = [metavar] if metavar in kinds else metavar.split()
        found: Found = {}
        for word in dict.fromkeys(word.strip("[].") for word in words):
            if word in kinds:
                found.update(kinds[word](wanted, typed))
        return found

    def environments(self) -> list[str]:
        """The folders of overlays/ that are environments, judged by a look into their environment.yaml."""
        found = []
        for name in _folders(self._root / "overlays"):
            file = self._root / "overlays" / name / "environment.yaml"
            try:
                if file.is_file() and not _ABSTRACT.search(file.read_bytes()[:_MOST]):
                    found.append(name)
            except OSError:
                continue
        return found

    def _environments_left(self, wanted: Wanted, _: str) -> Found:
        return dict.fromkeys((name for name in self.environments() if name not in wanted.given), "")

    def _overlays(self, _wanted: Wanted, _typed: str) -> Found:
        return dict.fromkeys(_folders(self._root / "overlays"), "")

    def _applications(self, _wanted: Wanted, _typed: str) -> Found:
        return dict.fromkeys(_folders(self._root / "base"), "")

    def _chosen(self, wanted: Wanted) -> Iterator[Path]:
        """The compiled folders that the line speaks of: of the environments on it, else of all."""
        known = self.environments()
        for name in [word for word in wanted.given if word in known] or known:
            yield self._root / "environments" / name

    def _manifests(self, wanted: Wanted) -> Iterator[tuple[str, Path]]:
        """KIND/NAME of what was built, and the file that has it."""
        for folder in self._chosen(wanted):
            for file in _yaml_files(folder):
                for resource in _resources_in(file):
                    yield resource, file
            for application in _folders(folder):
                for file in _yaml_files(folder / application):
                    kind, _, name = file.stem.partition("-")
                    yield f"{kind}/{name}", file

    def _resources(self, wanted: Wanted, typed: str) -> Found:
        from envcompile.kubernetes.kindwords import spelled

        start = spelled(typed).lower() if "/" in typed else typed.lower()
        found = sorted({resource for resource, _ in self._manifests(wanted) if resource.startswith(start)})
        if "/" in typed:
            # What is typed already stays as it is: kinds are read in any case, and short.
            kind = typed.partition("/")[0]
            return dict.fromkeys((f"{kind}/{one.partition('/')[2]}" for one in found), "")
        if len(found) > _MANY:
            found = sorted({f"{one.partition('/')[0]}/" for one in found})
        return dict.fromkeys((typed + one[len(typed) :] for one in found), "")

    def _names(self, wanted: Wanted, typed: str) -> Found:
        kind = wanted.values.get("KIND", "")
        found = self._resources(wanted, f"{kind}/{typed}")
        return {one.partition("/")[2]: about for one, about in found.items()}

    def _fields(self, wanted: Wanted, typed: str) -> Found:
        from envcompile.cli.completion.fields import fields
        from envcompile.kubernetes.kindwords import spelled

        resource = spelled(wanted.values.get("KIND/NAME", "")).lower()
        found: Found = {}
        for name, file in self._manifests(wanted):
            if name == resource:
                for document in _text(file).split("\n---\n"):
                    said = _SAID.search(document)
                    if said is not None and f"{said[1].lower()}/{said[2]}" == resource:
                        found.update(dict.fromkeys(fields(document, typed), ""))
        return found

    def _revisions(self, _wanted: Wanted, _typed: str) -> Found:
        """HEAD, branches, tags, and what HEAD was at last: read from git's own files, as git documents them."""
        git = self._git()
        common = git / (_text(git / "commondir").strip() or ".")
        found = {"HEAD": "", "HEAD~1": ""}
        for line in _text(common / "packed-refs").splitlines():
            name = line.partition(" refs/")[2]
            if name and not line.startswith(("#", "^")):
                found[name.partition("/")[2]] = name.partition("/")[0]
        for kind in ("heads", "tags", "remotes"):
            for file in sorted((common / "refs" / kind).rglob("*")):
                if file.is_file():
                    found[file.relative_to(common / "refs" / kind).as_posix()] = kind
        for line in reversed(_text(git / "logs" / "HEAD").splitlines()[-_RECENT:]):
            hashes, _, message = line.partition("\t")
            commit = hashes.split(" ")[1:2]
            if commit:
                found.setdefault(commit[0][:10], message.partition(": ")[2])
        return found

    def _git(self) -> Path:
        for folder in (self._root, *self._root.parents):
            if (folder / ".git").is_dir():
                return folder / ".git"
            if (folder / ".git").is_file():
                return folder / _text(folder / ".git").removeprefix("gitdir:").strip()
        return Path(os.devnull)

    def _rules(self, _wanted: Wanted, _typed: str) -> Found:
        """The files of the rules that come with envc, and what the project's own say they are called."""
        from envcompile import check

        found = {
            file.stem.replace("_", "-"): file.parent.name
            for file in sorted(Path(check.__path__[0], "rules").glob("*/[!_]*.py"))
        }
        own = self._root / "checks"
        for path in sorted(own.glob("*.y*ml")) + sorted(own.glob("*.py")):
            for said in _OWN_RULE.findall(_text(path)):
                found["".join(said).replace("_", "-")] = "checks"
        return found

    def _some_rules(self, wanted: Wanted, typed: str) -> Found:
        """As above, after those that a list of rules has already."""
        before = typed[: typed.rfind(",") + 1]
        return {before + name: about for name, about in self._rules(wanted, typed).items()}

    def _sealed(self, wanted: Wanted) -> Iterator[tuple[str, str]]:
        """Secret and key of each value that is sealed."""
        for folder in self._chosen(wanted):
            yield from _SEALED.findall(_text(self._root / "overlays" / folder.name / "sealed.yaml"))

    def _secrets(self, wanted: Wanted, _: str) -> Found:
        names = [name for name, _ in self._sealed(wanted)]
        for resource, _file in self._manifests(wanted):
            kind, _, name = resource.partition("/")
            if kind in {"secret", "sealedsecret"}:
                names.append(name)
        return dict.fromkeys(names, "")

    def _keys(self, wanted: Wanted, _: str) -> Found:
        secret = wanted.values.get("SECRET", "")
        return dict.fromkeys((key for name, key in self._sealed(wanted) if name == secret), "")

    def _releases(self, _wanted: Wanted, _: str) -> Found:
        said = _CHARTS.search(_text(self._root / "envc.yaml"))
        return dict.fromkeys(_RELEASE.findall(said[1]) if said is not None else (), "")

    def _parameters(self, wanted: Wanted, _: str) -> Found:
        found: Found = {}
        for folder in self._chosen(wanted):
            said = _PARAMETERS.search(_text(self._root / "overlays" / folder.name / "environment.yaml"))
            found.update(dict.fromkeys(re.findall(r"^  ([\w-]+):", said[1] if said else "", re.MULTILINE), ""))
        return found


def _schemas(_wanted: Wanted, _typed: str) -> Found:
    from envcompile import cli

    said = _text(Path(cli.__path__[0], "shapes", "catalogue.py"))
    outputs = re.findall(r'^    "([a-z-]+)": \w+\.\w+,$', said, re.MULTILINE)
    return dict.fromkeys(["project", "environment", "patch", *(f"output/{name}" for name in outputs)], "")


def _pages(_wanted: Wanted, _typed: str) -> Found:
    import envcompile

    pages = sorted(Path(envcompile.__path__[0], "guide").glob("*.md"))
    return {page.stem: _text(page).partition("\n")[0].lstrip("# ") for page in pages}


def _folders(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir())
    except OSError:
        return []


def _yaml_files(folder: Path) -> Iterable[Path]:
    try:
        return sorted(file for file in folder.iterdir() if file.name.endswith(".yaml"))
    except OSError:
        return []


def _resources_in(file: Path) -> list[str]:
    """Those of a file with several."""
    return [f"{kind.lower()}/{name}" for kind, name in _SAID.findall(_text(file))]


def _text(file: Path) -> str:
    """What a file says; nothing where there is none to read."""
    try:
        with file.open("rb") as opened:
            return opened.read(_MOST).decode("utf-8", "replace")
    except (OSError, ValueError):
        return ""
