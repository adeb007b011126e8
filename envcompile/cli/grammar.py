"""How a command line is read beyond what typer does: `KIND NAME`, and mistakes in envc's words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

from typer import Typer
from typer.core import TyperCommand, TyperGroup

from envcompile.errors import Problem, UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Function = TypeVar("Function", bound="Callable[..., Any]")
RESOURCE = "KIND/NAME"
"""What a resource is called in the help; who takes one, takes two words for it, too."""
_ELSEWHERE = {
    "get": "show", "render": "show", "template": "show", "kustomize": "show", "ls": "list", "status": "list",
    "lint": "check", "validate": "check", "test": "check", "plan": "diff", "why": "explain", "compile": "build",
    "log": "history log", "blame": "history blame", "restore": "history restore", "rollback": "history restore",
    "create": "new", "add": "new", "import": "init", "seal": "secrets seal", "export": "eject", "docs": "guide",
    "describe": "explain", "rollout": "history", "undo": "history restore", "secret": "secrets", "app": "argocd app",
    "appset": "argocd appset", "proj": "argocd project", "helm": "charts", "repo": "charts list",
    "values": "charts list", "pull": "charts update", "dependency": "charts update", "dep": "charts update",
    "search": "charts outdated",
}  # fmt: skip
"""What others call a command that envc calls otherwise."""
_OF_CLUSTERS = frozenset((
    "apply", "deploy", "sync", "up", "install", "upgrade", "uninstall", "delete", "destroy", "down", "scale",
    "autoscale", "exec", "logs", "port-forward", "run", "top", "drain", "cordon", "ctx", "use-context",
))  # fmt: skip
"""What others do with a cluster, and envc does not."""
_IN_SOURCES = frozenset({"edit", "set", "label", "annotate", "patch", "expose"})
"""What others change with a command, and envc has in files."""
_ENVIRONMENTS = frozenset({"-e", "--env", "--environment", "-n", "--namespace", "-t", "--target", "--overlay"})
"""How people say which environment they mean, where it is an argument."""
_CALLED = {
    "--from": "--extends", "--base": "--extends", "--parent": "--extends", "--like": "--extends", "-f": "--env",
    "--values": "--env", "--kustomize": "--from-kustomize", "--helm-chart": "--from-helm", "--chart": "--from-helm",
    "--manifests": "--from-manifests", "-n": "--namespace", "--ns": "--namespace", "--name": "--release",
}  # fmt: skip
"""What others call an option, or people would guess, for commands that have the option and not the word."""
_FORMATS = frozenset({"--json", "--yaml", "--html", "--output", "--output-format"})
"""What others call `--format`, or one of its values."""
SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class CommandLine(Typer):
    """A group of commands whose members read their arguments as people of kubectl write them."""

    def command(self, name: str | None = None, **given: Any) -> Callable[[Function], Function]:
        """As typer's."""
        return super().command(name, cls=Command, **given)


class Command(TyperCommand):
    """One command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments, with the two words of `KIND NAME` made one."""
        return super().parse_args(ctx, self._joined(args))

    def _joined(self, args: list[str]) -> list[str]:
        arguments = [param for param in self.params if param.param_type_name == "argument"]
        place = next((at for at, param in enumerate(arguments) if RESOURCE in str(param.metavar)), None)
        if place is None:
            return args
        words = self._words(args)
        if len(words) < place + 2 or "/" in args[words[place]]:
            return args
        first, second = words[place : place + 2]
        joined = list(args)
        joined[first] = f"{args[first]}/{joined.pop(second)}"
        return joined

    def _words(self, args: Sequence[str]) -> list[int]:
        """Where the words stand that are neither options nor their values."""
        valued = {
            name for param in self.params if not getattr(param, "is_flag", True) for name in getattr(param, "opts", ())
        }
        found: list[int] = []
        at = 0
        while at < len(args):
            if args[at] == "--":
                return [*found, *range(at + 1, len(args))]
            if not args[at].startswith("-") or args[at] == "-":
                found.append(at)
            at += 2 if args[at] in valued else 1
        return found


class Group(TyperGroup):
    """A group of commands; its help lists each on one line."""

    titles: Mapping[str, Sequence[str]] = {}
    """The names of the commands below a title; all below one when empty."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The options, then the commands."""
        TyperCommand.format_options(self, ctx, formatter)  # type: ignore[arg-type]  # it asks for nothing else
        for title, names in (self.titles or {"Commands": list(self.commands)}).items():
            members = [(name, self.commands[name]) for name in names if name in self.commands]
            if members:
                with formatter.section(title):
                    room = formatter.width - 6 - max(len(name) for name, _ in members)
                    formatter.write_dl([(name, in_brief(member.help or "", room)) for name, member in members])


def in_brief(text: str, room: int) -> str:
    """As much of the beginning of a text as fits on a line and can be read by itself."""
    text = " ".join(text.split()).partition(". ")[0].rstrip(".")
    if len(text) <= room:
        return text
    for marks in (";:", ","):
        ends = [found.start() for found in re.finditer(f"[{marks}] ", text) if found.start() <= room]
        if ends:
            return text[: ends[-1]]
    return f"{text[: room - 1].rpartition(' ')[0]}…"


def in_our_words(error: Exception, environments: Sequence[str]) -> UsageError | None:
    """A mistake on the command line as every other error of envc is told; None for what is no such mistake.

    Args:
        error: what typer raised.
        environments: those of the project, for who named none.
    """
    kind = type(error).__name__
    context: Any = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "envc"
    advice = f"`{path} --help` says what it takes"
    message = str(getattr(error, "message", ""))
    if kind == "NoArgsIsHelpError" or not hasattr(error, "exit_code"):
        return None
    if (ours := _wrong_choice(error)) is not None:
        return ours
    if (unknown := re.fullmatch(r"No such command '(.*?)'\.(?s:.*)", message)) is not None:
        known = list(getattr(context.command, "commands", ()))
        if unknown[1] == "help":
            return _problem(f"{path} has no command `help`", f"write `{path} --help`")
        if unknown[1] in _ELSEWHERE and context.parent is None:
            advice = f"here it is `{path} {_ELSEWHERE[unknown[1]]}`"
            return _problem(f"{path} has no command `{unknown[1]}`", advice)
        if unknown[1] in _OF_CLUSTERS and context.parent is None:
            advice = "envc changes no cluster: `kubectl apply -R -f environments/ENV`, or `envc guide argocd`"
            return _problem(f"{path} has no command `{unknown[1]}`", advice)
        if unknown[1] in _IN_SOURCES and context.parent is None:
            advice = (
                "what an environment has is in files: `images:`, `replicas:` and `labels:` of environment.yaml, or a "
                "patch in overlays/ (`envc guide composition`)"
            )
            return _problem(f"{path} has no command `{unknown[1]}`", advice)
        return _problem(f"{path} has no command `{unknown[1]}`", did_you_mean(unknown[1], known, advice))
    if kind == "NoSuchOption":
        option = str(getattr(error, "option_name", ""))
        known = [name for param in context.command.params for name in param.opts if name.startswith("--")]
        if option in _FORMATS and "--format" in known:
            advice = f"write `-o {option[2:] if option in {'--json', '--yaml', '--html'} else 'json'}` behind {path}"
            return _problem(f"{path} has no option {option}", advice)
        if option in {*_FORMATS, "-o", "--format"} and context.parent is None:
            return _problem(f"{path} has no option {option}", "it stands behind the command: `envc list -o json`")
        if _CALLED.get(option) in known:
            return _problem(f"{path} has no option {option}", f"here it is {_CALLED[option]}")
        words = [str(getattr(param, "metavar", "")) for param in context.command.params]
        if option in {*_ENVIRONMENTS, "-f"} and any("ENV" in word.strip("[].").split("|") for word in words):
            example = environments[-1] if environments else "prod"
            advice = f"the environment stands alone: `{path} {example}`"
            return _problem(f"{path} has no option {option}", advice)
        return _problem(f"{path} has no option {option}", did_you_mean(option, known, advice))
    if kind == "BadOptionUsage":
        return _problem(f"{getattr(error, 'option_name', '')} needs a value", advice)
    if kind == "MissingParameter":
        parameter: Any = getattr(error, "param", None)
        is_option = parameter.param_type_name == "option"
        name = f"{parameter.opts[0]}" if is_option else _argument(parameter)
        if "|" in str(parameter.metavar) and not is_option:
            advice = f"it is one of {', '.join(str(parameter.metavar).split('|'))}"
        if not is_option and name == "ENV" and environments:
            advice = f"name one of {', '.join(environments)}"
        return _problem(f"{path} needs {name}", advice)
    if (more := re.match(r"Got unexpected extra arguments?(?:\(s\))? \((.*)\)", message)) is not None:
        return _problem(f"{path} has no place for `{more[1]}`", advice)
    said = error.format_message() if hasattr(error, "format_message") else message
    return _problem(f"{said[:1].lower()}{said[1:].rstrip('.')}", advice)


def _argument(parameter: Any) -> str:
    """What an argument is called; one whose choices are its name in the help by its own."""
    metavar = str(getattr(parameter, "metavar", "") or "")
    return str(parameter.name).upper() if "|" in metavar or not metavar else metavar


def _problem(what: str, fix: str) -> UsageError:
    return UsageError([Problem(what, fix)])


def _wrong_choice(error: Exception) -> UsageError | None:
    """The error for a word that is none of an option's choices, with the nearest one; None for any other mistake."""
    parameter = getattr(error, "param", None)
    choices = [str(choice) for choice in getattr(getattr(parameter, "type", None), "choices", ())]
    found = re.match(r"'(.*)' is not one of ", str(getattr(error, "message", "")), re.DOTALL)
    if not choices or found is None:
        return None
    declared = [name for name in getattr(parameter, "opts", ()) if name.startswith("--")]
    option = declared[0] if declared else _argument(parameter)
    advice = did_you_mean(found[1], choices, f"it is one of {', '.join(choices)}")
    return _problem(f"{option} cannot be `{found[1]}`", advice)
