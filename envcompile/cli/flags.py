"""The flags of `envc build` and `envc history record`, described once for the fast path, typer and `--watch`.

This module imports nothing: the fast path reads the command line with it before a build with nothing to do is over.
"""

from __future__ import annotations

TYPE_CHECKING = False
"""Type checkers take it for true; importing `typing` would double the time of the quick answers."""

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Final, Self


class Flag:
    """One option of a command: how it is written, what it takes and what `--help` says of it."""

    __slots__ = ("help", "is_quick", "least", "metavar", "name", "short")

    def __init__(self, text: str, metavar: str, least: int | None, short: str, *, is_quick: bool) -> None:
        self.name = ""
        self.help: Final = text
        self.metavar: Final = metavar
        """What the value is called; empty for a switch."""
        self.short: Final = short
        """Its spelling of one letter, `-o`; empty for none."""
        self.least: Final = least
        """The smallest number that it takes."""
        self.is_quick: Final = is_quick
        """Whether the fast path knows it; else the ordinary command line takes the whole call over."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @property
    def option(self) -> str:
        """The flag as it is written: `--no-chart` for the attribute `no_chart`."""
        return f"--{self.name.replace('_', '-')}"


def flag(text: str, metavar: str = "", *, least: int | None = None, short: str = "", is_quick: bool = True) -> Any:
    """Describe an option where its attribute is declared; the attribute's type tells how it is read.

    Args:
        text: what `--help` says of it.
        metavar: what its value is called; left out for a switch (`bool`).
        least: the smallest number, for an `int`.
        short: its spelling of one letter, `-o`.
        is_quick: False when the fast path leaves a call with it to the ordinary command line.
    """
    return Flag(text, metavar, least, short, is_quick=is_quick)


class Options:
    """What a command line asks of a command; a subclass declares each flag in one line, and cannot be changed.

    The types are `bool` (a switch), `str | None` and `int | None` (a value), `tuple[str, ...]` (can be repeated).
    """

    EXCLUDE: tuple[tuple[str, ...], ...] = ()
    """Flags that cannot be given together."""

    def __init__(self, **given: object) -> None:
        unknown = given.keys() - {found.name for found in self.flags()}
        if unknown:
            raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(unknown))}")
        for found in self.flags():
            self.__dict__[found.name] = given.get(found.name, self.default(found))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} cannot be changed")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash(tuple(self.__dict__.items()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__dict__.items())})"

    @classmethod
    def flags(cls) -> tuple[Flag, ...]:
        """Every flag, in the order in which `--help` lists them."""
        return tuple([found for found in vars(cls).values() if isinstance(found, Flag)])

    @classmethod
    def kind(cls, found: Flag) -> str:
        """The type of a flag's value, as it is declared."""
        return str(cls.__annotations__[found.name])

    @classmethod
    def default(cls, found: Flag) -> bool | tuple[str, ...] | None:
        """The value of a flag that is not given."""
        return False if not found.metavar else () if cls.kind(found).startswith("tuple") else None

    def conflict(self) -> tuple[str, ...]:
        """Flags that were given and exclude each other, as they are written; none when all is well."""
        for names in self.EXCLUDE:
            if sum(bool(getattr(self, name)) for name in names) > 1:
                return tuple([found.option for name in names for found in self.flags() if found.name == name])
        return ()

    @classmethod
    def read(cls, arguments: Sequence[str]) -> tuple[Self, list[str]] | None:
        """The options and the other words of a command line; None when it is not as plain as the fast path needs it.

        What is wrong is found out, and said, by the ordinary command line.
        """
        quick = [found for found in cls.flags() if found.is_quick]
        known = {name: found for found in quick for name in (found.option, found.short)}
        given: dict[str, Any] = {}
        words: list[str] = []
        rest = iter(arguments)
        for argument in rest:
            if not argument.startswith("-"):
                words.append(argument)
                continue
            option, equals, value = argument.partition("=")
            found = known.get(option)
            if found is None or (equals and not found.metavar):
                return None
            if not found.metavar:
                given[found.name] = True
                continue
            if not equals:
                value = next(rest, "")
            if not value or (not equals and value.startswith("-")):
                return None
            kind = cls.kind(found)
            if kind.startswith("int"):
                if not value.isdecimal() or (found.least is not None and int(value) < found.least):
                    return None
                given[found.name] = int(value)
            elif kind.startswith("tuple"):
                given[found.name] = (*given.get(found.name, ()), value)
            else:
                given[found.name] = value
        options = cls(**given)
        return None if options.conflict() else (options, words)


UNTRUSTED: Final = "Anybody may have written it: tight limits, which it cannot raise."
"""What `--help` says of `--untrusted`, which every command has that compiles."""


class BuildOptions(Options):
    """What `envc build` is asked to do beside the environments it names."""

    EXCLUDE = (
        ("check", "stdout", "watch"),
        ("stdout", "output"),
        ("stdout", "force"),
        ("staged", "at"),
        ("staged", "output"),
        ("staged", "only"),
        ("staged", "force"),
        ("staged", "why"),
        ("at", "output"),
        ("at", "only"),
        ("at", "force"),
        ("at", "why"),
        ("stdout", "why"),
        ("watch", "why"),
        ("stdout", "format"),
        ("staged", "format"),
        ("at", "format"),
        ("watch", "format"),
        ("jobs", "engine"),
        ("untrusted", "engine"),
        ("untrusted", "watch"),
    )

    check: bool = flag("Write nothing; exit 16 when something is stale.")
    staged: bool = flag("With --check: what the next commit holds, sources and output from git's index.")
    at: str | None = flag("With --check: what a commit holds.", "REV")
    output: str | None = flag("Write below this folder; default: environments/.", "DIR")
    stdout: bool = flag("Print one stream of manifests; write no file.")
    only: str | None = flag("Only this resource; leave the others alone.", "KIND/NAME")
    watch: bool = flag("Build again whenever a source is saved.", is_quick=False)
    force: bool = flag("Overwrite what was edited by hand.")
    no_chart: bool = flag("Leave environments/chart as it is.")
    jobs: int | None = flag("Build in this many processes; default: by work.", "N", least=1)
    engine: str | None = flag("Let an engine compile: dask://HOST:PORT.", "ADDRESS")
    untrusted: bool = flag(UNTRUSTED)
    why: bool = flag("Tell of each unit (application x environment) whether it was compiled, and why.")
    format: str | None = flag("How to print what was done; default: text.", "text|json", short="-o")

    @property
    def is_ordinary(self) -> bool:
        """Tell whether everything goes to environments/: then a build with nothing to do is known by its snapshot."""
        odd = (
            self.output,
            self.stdout,
            self.only,
            self.watch,
            self.force,
            self.why,
            self.untrusted,
            self.is_of_git,
            self.format,
        )
        return not any(odd)

    @property
    def is_of_git(self) -> bool:
        """Tell whether the question is about what git holds, not about the folder."""
        return self.staged or self.at is not None


class RecordOptions(Options):
    """What `envc history record` is asked to do."""

    commit: tuple[str, ...] = flag("Record this commit; can be repeated. Default: HEAD.", "REV")
    waiting: bool = flag("Record only the commits that wait in .envc/spool.")
    detach: bool = flag("Return at once; the work is done by a process of its own.")
    format: str | None = flag("How to print what was done; default: text.", "text|json", short="-o")

    @property
    def revisions(self) -> tuple[str, ...]:
        """The commits that are to be recorded now."""
        return () if self.waiting else self.commit or ("HEAD",)


class Globals:
    """What holds for every command, and stands anywhere on the command line: whose project, and how much is told.

    Args:
        arguments: the whole command line.
    """

    VALUES: Final = ("-C", "--project", "--color")
    SWITCHES: Final = {"-v": "-v", "--verbose": "-v", "-q": "-q", "--quiet": "-q", "--no-pager": "--no-pager"}

    __slots__ = ("color", "folders", "no_pager", "project", "quiet", "rest", "verbose")

    def __init__(self, arguments: Sequence[str]) -> None:
        values: dict[str, list[str]] = {name: [] for name in self.VALUES}
        switches: set[str] = set()
        rest: list[str] = []
        at = 0
        while at < len(arguments):
            argument = arguments[at]
            name, equals, value = argument.partition("=")
            if argument == "--":
                break
            if argument in self.SWITCHES:
                switches.add(self.SWITCHES[argument])
            elif name in values and name[1] == "-" and equals:
                values[name].append(value)
            elif argument in values and at + 1 < len(arguments):
                at += 1
                values[argument].append(arguments[at])
            else:
                rest.append(argument)
            at += 1
        self.folders: Final = values["-C"]
        """Where to go first, one after the other, as `git -C` does."""
        self.project: Final = values["--project"][-1] if values["--project"] else "."
        self.no_pager: Final = "--no-pager" in switches
        self.color: Final = values["--color"][-1] if values["--color"] else ""
        self.verbose: Final = "-v" in switches
        self.quiet: Final = "-q" in switches
        self.rest: Final = [*rest, *arguments[at:]]
        """The command and what belongs to it."""
