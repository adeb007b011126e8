"""The manual page `envc(1)`, made from the commands themselves: `python -m tests.docs.reference` writes it."""

from __future__ import annotations

import inspect
import re
import textwrap
from pathlib import Path
from typing import Any

import typer

from envcompile.cli.app import make_app
from envcompile.cli.grammar import in_brief
from tests.docs.reference import commands

PAGE = Path(__file__).parents[2] / "docs" / "man" / "envc.1"

_HEAD = r"""\" Made from the commands: python -m tests.docs.reference
.TH ENVC 1 "" "envcompile" "User Commands"
.SH NAME
envc \- compile one Kubernetes configuration into every environment
.SH SYNOPSIS
.B envc
.RI [ OPTIONS ]
.I COMMAND
.RI [ ARGUMENTS ]
.SH DESCRIPTION
.B envc
compiles
.I base/
and
.I overlays/<env>/
into
.IR environments/<env>/ :
plain manifests and a Helm chart that renders to the same objects.
Secrets are sealed with the public key of the cluster, and no cluster is asked.
.B envc guide
has pages to read,
.B envc
.I COMMAND
.B \-\-help
has examples.
"""
_TAIL = r""".SH EXIT STATUS
.TP
.B 0
All is well.
.TP
.B 1
The configuration is wrong, or a finding reaches the threshold.
.TP
.B 2
The command line is wrong.
.TP
.B 3
A fault of envc; the message names a log file.
.TP
.B 4
Something outside is not available: a database, a cluster, a git host.
.TP
.B 16
There are differences
.RB ( diff ", " compare ", " "build \-\-check" ).
.TP
.B 130
Interrupted.
.SH ENVIRONMENT
.TP
.B ENVC_HISTORY_URL
The database of the history.
.TP
.B ENVC_CACHE
A shared memo of compiled units.
.TP
.B ENVC_LIMITS
Raises what a project may take of the machine.
.TP
.B ENVC_LOG
With
.I debug
what was decided, and why, is logged.
.TP
.BR NO_COLOR ", " FORCE_COLOR ", " ENVC_PAGER ", " PAGER
As elsewhere.
.SH FILES
.TP
.I envc.yaml
Settings of the repository.
.TP
.I overlays/<env>/environment.yaml
Settings of an environment.
.TP
.I .envc/
What may be lost at any time, but for
.I history.db
where the history is kept there.
.SH SEE ALSO
.BR git (1),
.BR kubectl (1),
.BR kustomize (1),
.BR helm (1)
"""


def _escaped(text: str) -> str:
    """A text of which troff takes nothing for a request or an escape."""
    text = text.replace("\\", r"\e").replace("-", r"\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.MULTILINE)


def _paragraph(text: str) -> str:
    plain = re.sub(r"\s+", " ", text.replace("`", "")).strip()
    return "".join(f"{_escaped(line)}\n" for line in textwrap.wrap(plain, 72, break_on_hyphens=False))


def _command(words: list[str]) -> str:
    command: Any = typer.main.get_command(make_app())
    for word in words:
        command = command.commands[word]
    arguments = [param.metavar or param.name.upper() for param in command.params if param.param_type_name == "argument"]
    lines = [f".SS envc {_escaped(' '.join([*words, *arguments]))}\n"]
    lines.append(_paragraph(in_brief(inspect.cleandoc(command.help or ""), 400)))
    for param in command.params:
        if param.param_type_name == "argument" or getattr(param, "hidden", False):
            continue
        names = ", ".join([*param.opts, *param.secondary_opts])
        value = "" if getattr(param, "is_flag", False) else f" {param.metavar or 'VALUE'}"
        lines.append(f".TP\n.B {_escaped(names + value)}\n{_paragraph(param.help or names)}")
    return "".join(lines)


def page() -> str:
    """The whole manual page."""
    return f".{_HEAD}.SH COMMANDS\n{''.join(_command(words) for words in commands())}{_TAIL}"
