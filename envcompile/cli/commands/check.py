"""`envc check`: what is wrong or risky in the compiled environments."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import typer

from envcompile.cli.arguments import Envs, Untrusted, project_of

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from envcompile.actions.check import Gathered
    from envcompile.check.baseline import KnownFinding
    from envcompile.check.report import Counts, Report
    from envcompile.cli.render.check import Wanted
    from envcompile.errors import EnvcError
    from envcompile.units.project import Project

EPILOG = """Examples:

  envc check                                every environment

  envc check prod --fail-on warning

  envc check --staged                       what the next commit holds

  envc check --statistics                   what there is most of

  envc check --select rbac,image-latest     only some rules

  envc check --format sarif > envc.sarif    for code scanning

  envc check --write-baseline               from now on only new findings count
"""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command("check", epilog=EPILOG)
    def command(
        context: typer.Context,
        environments: Envs = None,
        *,
        output_format: Annotated[
            Literal["text", "json", "sarif", "github", "gitlab", "junit"],
            typer.Option("--format", "-o", metavar="text|json|sarif|github|gitlab|junit", help="How to print."),
        ] = "text",
        group_by: Annotated[
            Literal["place", "rule", "resource"] | None,
            typer.Option(
                "--group-by",
                metavar="place|rule|resource",
                help="What stands together; default: by rule on a terminal, else one under the other.",
                show_default=False,
            ),
        ] = None,
        limit: Annotated[
            int | None,
            typer.Option(
                "--limit",
                metavar="N",
                min=0,
                help="Show so many and count the rest, 0 for all; default: 100 on a terminal.",
                show_default=False,
            ),
        ] = None,
        statistics: Annotated[bool, typer.Option("--statistics", help="Count the findings of each rule.")] = False,
        select: Annotated[
            list[str] | None,
            typer.Option(
                "--select",
                metavar="RULES",
                help="Only these: ids or first words of ids, with commas between.",
                show_default=False,
            ),
        ] = None,
        ignore: Annotated[
            list[str] | None,
            typer.Option(
                "--ignore",
                metavar="RULES",
                help="Not these; the longer word wins.",
                show_default=False,
            ),
        ] = None,
        blame: Annotated[bool, typer.Option("--blame", help="Tell since when a line is so, and by whom.")] = False,
        fail_on: Annotated[
            Literal["error", "warning", "info", "never"],
            typer.Option("--fail-on", metavar="error|warning|info|never", help="Exit 1 from this grade on."),
        ] = "error",
        baseline: Annotated[
            Path | None,
            typer.Option(
                "--baseline",
                metavar="FILE",
                help="Findings in it do not count; default: .envc-baseline.json, where there is one.",
                show_default=False,
            ),
        ] = None,
        write_baseline: Annotated[
            bool, typer.Option("--write-baseline", help="Write what is found now to the baseline.")
        ] = False,
        since: Annotated[
            str | None,
            typer.Option(
                "--since",
                metavar="COMMIT",
                help="Whose manifests say what cannot change any more; default: those compiled last.",
                show_default=False,
            ),
        ] = None,
        fix: Annotated[
            bool, typer.Option("--fix", help="First mend what has one right answer, as `envc fix --write` does.")
        ] = False,
        staged: Annotated[
            bool, typer.Option("--staged", help="What the next commit holds: git's index, not the folder.")
        ] = False,
        at: Annotated[
            str | None, typer.Option("--at", metavar="REV", help="What a commit holds.", show_default=False)
        ] = None,
        untrusted: Untrusted = False,
        test: Annotated[
            bool, typer.Option("--test", help="Try the rules in checks/ on their own examples; check nothing else.")
        ] = False,
        allow_python: Annotated[
            bool,
            typer.Option(
                "--allow-python",
                help="From now on run the rules in checks/*.py as they are now; noted in your own settings.",
            ),
        ] = False,
        list_rules: Annotated[
            bool, typer.Option("--list-rules", help="Print the rules, as `envc rule` does; check nothing.")
        ] = False,
    ) -> int:
        """Check compiled environments: the Kubernetes schema, and rules about how the resources fit together.

        A finding points at the line of base/ or overlays/ that set the field. `checks:` of envc.yaml and
        environment.yaml grades rules; the annotation `envcompile.dev/ignore: "rule: why"` sets one aside for a
        resource. Exit 1 when a finding reaches the grade of --fail-on.
        """
        import gc

        from envcompile.actions.check import own_rules_near
        from envcompile.check.rules.catalogue import ALL
        from envcompile.cli.output import table, tell
        from envcompile.cli.render.check import Wanted, listed

        # One short run allocates much and frees little: the collector would only look for cycles that are not there.
        gc.disable()
        folder = context.obj.project
        if list_rules:
            table(listed((*ALL, *own_rules_near(folder))))
            return 0
        if allow_python and untrusted:
            raise _refused(
                "--allow-python and --untrusted exclude each other", "no Python of a tree that is not trusted is run"
            )
        if test:
            with project_of(context, untrusted=untrusted, staged=staged, at=at) as project:
                return _try_own(project, _allowed(project, folder, anew=allow_python))
        wanted = Wanted(output_format, group_by, limit, statistics)
        if statistics and output_format not in {"text", "json"}:
            what = f"--statistics and --format {output_format} cannot be given together"
            raise _refused(what, "leave one of them out; counts are printed as text or json")
        if (write_baseline or fix) and (staged or at is not None):
            what = "--fix mends the folder" if fix else "--write-baseline writes what is found in the folder"
            raise _refused(what, f"leave out {'--staged' if staged else '--at'}")
        if blame and staged:
            raise _refused("--blame knows no lines of the index", "leave out --staged, or name a commit with --at")
        if fix:
            from envcompile.cli.commands.fix import mend

            with project_of(context, untrusted=untrusted) as project:
                mend(project, select or (), ignore or (), tell, write=True)
        asked = _Asked(
            environments or (), wanted, fail_on, select or (), ignore or (), baseline, write_baseline, since, blame, at
        )
        with (
            _told_to_programs(wanted, fail_on, folder),
            project_of(context, untrusted=untrusted, staged=staged, at=at) as project,
        ):
            root = project.tree.root or _folder_of(folder)
            return _check(project, root, asked, _allowed(project, root, anew=allow_python))


class _Asked(NamedTuple):
    """What is asked of findings."""

    environments: Sequence[str]
    wanted: Wanted
    fail_on: str
    select: Sequence[str]
    ignore: Sequence[str]
    baseline: Path | None
    write_baseline: bool
    since: str | None
    blame: bool
    at: str | None


def _check(project: Project, root: Path, asked: _Asked, allowed: frozenset[str]) -> int:
    """Find what is asked for, and print it or write it into the baseline; the exit code."""
    from envcompile.actions.check import gather, report_of, rules_of
    from envcompile.actions.not_evaluated import untried
    from envcompile.check.baseline import FILE
    from envcompile.check.picking import only, picked
    from envcompile.check.rules.catalogue import ALL
    from envcompile.check.rules.policies.not_evaluated import RULE as NOT_EVALUATED

    file = asked.baseline or root / FILE
    entries = _known(project, root, asked)
    rules, own = rules_of(project.tree, allowed)
    chosen = None
    if asked.select or asked.ignore:
        chosen = picked({rule.id for rule in (*ALL, *rules)}, asked.select, asked.ignore)
    found = gather(project, asked.environments, since=asked.since, folder=root, allowed=allowed)
    if asked.wanted.output_format == "text" and not (entries or chosen or asked.write_baseline or asked.blame):
        code = _tell(found, asked.wanted, asked.fail_on, file.name)
        if code is not None:
            return code
    report = report_of(found, chosen)
    skipped = {*project.environments} - {*report.environments}
    if chosen is not None:
        if asked.select and chosen & untried(own):
            chosen |= {NOT_EVALUATED.id}
        report = only(report, chosen)
    elsewhere = [
        entry for entry in entries if entry.environment in skipped or (chosen is not None and entry.rule not in chosen)
    ]
    if asked.write_baseline:
        return _write(file, report, elsewhere, root)
    return _print(report, [entry for entry in entries if entry not in elsewhere], asked, root, file.name)


def _print(report: Report, entries: Sequence[KnownFinding], asked: _Asked, root: Path, baseline: str) -> int:
    """Print the findings that the baseline does not hold; the exit code."""
    from envcompile.check.baseline import sort_out
    from envcompile.check.report import counts_of, together
    from envcompile.cli.output import raw, tell, text
    from envcompile.cli.render.check import printed, remarks

    told = sort_out(report.findings, entries, ())
    findings = told.new
    if asked.blame:
        from envcompile.actions.since import with_origins

        findings = with_origins(root, findings, asked.at)
    report = report._replace(findings=findings, known=told.known, stale=told.stale)
    show = text if asked.wanted.output_format == "text" else raw
    groups = together(report.findings)
    shown, left_out = printed(report, asked.wanted, asked.fail_on, root, groups)
    show(shown)
    counts = counts_of(report, groups)
    for line in (*left_out, *remarks(report, baseline, counts)):
        tell(line)
    return _exit_code(counts, asked.fail_on)


def _refused(what: str, fix: str) -> EnvcError:
    """That options do not go together."""
    from envcompile.errors import Problem, UsageError

    return UsageError([Problem(what, fix)])


@contextmanager
def _told_to_programs(wanted: Wanted, fail_on: str, folder: Path) -> Generator[None]:
    """Sources that do not compile are findings, too, in the formats that programs read."""
    from envcompile.errors import EXIT_WRONG, EnvcError

    try:
        yield
    except EnvcError as error:
        if wanted.output_format != "text" and error.exit_code == EXIT_WRONG:
            from envcompile.check.report import together
            from envcompile.check.uncompiled import uncompiled
            from envcompile.cli.output import raw
            from envcompile.cli.render.check import printed

            report = uncompiled(error.problems)
            raw(printed(report, wanted, fail_on, _folder_of(folder), together(report.findings))[0])
        raise


def _allowed(project: Project, folder: Path, *, anew: bool) -> frozenset[str]:
    """The digests of files in Python that this user lets run; with `anew` those in the project as they are now."""
    import os

    from envcompile.actions.allowed_checks import allow, allowed
    from envcompile.actions.own_rules import digest_of
    from envcompile.check.policy.ownrules import FOLDER
    from envcompile.cli.output import tell

    root = project.tree.root or _folder_of(folder)
    if anew:
        files = [entry.path for entry in project.tree.files(FOLDER) if entry.path.endswith(".py")]
        digests = {path: digest_of(project.tree.read(path)) for path in files}
        noted = allow(os.environ, root, digests.values())
        for path, digest in digests.items():
            tell(f"{path} may be run as it is now: {digest} is noted in {noted}")
    return allowed(os.environ, root)


def _try_own(project: Project, allowed: frozenset[str]) -> int:
    """Try the rules in `checks/` on their examples, and tell how many hold."""
    from envcompile.actions.check import rules_of
    from envcompile.actions.own_rules import try_examples
    from envcompile.cli.output import tell, text
    from envcompile.errors import EXIT_OK, EXIT_WRONG, Problem, UsageError
    from envcompile.kubernetes.tables import supported_versions

    _, own = rules_of(project.tree, allowed)
    if not own.rules:
        raise UsageError([Problem("there is no rule in checks/", "write one: envc guide own-rules")])
    told = try_examples(own, supported_versions()[-1])
    text("".join(f"{line}\n" for line in told))
    rules = f"{len(own.rules)} {'rule' if len(own.rules) == 1 else 'rules'}"
    tell(f"{rules} tried, {len(told)} {'example is' if len(told) == 1 else 'examples are'} wrong or missing")
    return EXIT_WRONG if told else EXIT_OK


def _folder_of(folder: Path) -> Path:
    """The project's folder, which need not be checked out; a bare repository stands for itself."""
    from envcompile.errors import UsageError
    from envcompile.sources import find_root

    try:
        return find_root(folder)
    except UsageError:
        return folder.absolute()


def _known(project: Project, root: Path, asked: _Asked) -> list[KnownFinding]:
    """The entries of the baseline; that of a commit or of the index is read there."""
    from envcompile.check.baseline import FILE, read_baseline

    if asked.baseline is None and project.tree.root is None:
        return read_baseline(project.tree.read(FILE), FILE) if project.tree.is_file(FILE) else []
    return _read(root, asked.baseline, required=not asked.write_baseline)


def _read(root: Path, named: Path | None, *, required: bool) -> list[KnownFinding]:
    """The entries of the project's baseline, or of the file that was named; none where there is no file.

    Raises:
        UsageError: the named file cannot be read, or has to be there and is not.
        EnvcError: the project's is no file of the repository.
    """
    from envcompile.check.baseline import FILE, read_baseline
    from envcompile.errors import Problem, UsageError
    from envcompile.files import read_below

    if named is None:
        data = read_below(root, FILE)
        return read_baseline(data, (root / FILE).as_posix()) if data is not None else []
    try:
        return read_baseline(named.read_bytes(), named.as_posix())
    except FileNotFoundError as error:
        if not required:
            return []
        fix = f"write it first: envc check --write-baseline --baseline {named}"
        raise UsageError([Problem(f"there is no baseline {named}", fix)]) from error
    except OSError as error:
        what = f"the baseline {named} cannot be read: {error.strerror}"
        raise UsageError([Problem(what, "name another file with --baseline")]) from error


def _write(file: Path, report: Report, kept: list[KnownFinding], root: Path) -> int:
    from envcompile.check.baseline import write_baseline
    from envcompile.check.report import together
    from envcompile.cli.output import tell
    from envcompile.errors import EXIT_OK
    from envcompile.files import write_output

    write_output(file, write_baseline(report.findings, kept).encode(), root)
    count = len(together(report.findings))
    tell(f"{file.name}: {count} {'finding that does' if count == 1 else 'findings that do'} not count from now on")
    return EXIT_OK


def _tell(found: Gathered, wanted: Wanted, fail_on: str, baseline: str) -> int | None:
    """Print findings as far as that is done by application; the exit code, None where it is not."""
    from envcompile.cli.output import tell, text
    from envcompile.cli.render.check import how, printed_sheets, remarks

    if wanted.statistics or how(wanted)[1] == "resource":
        return None
    from envcompile.actions.told import told_of

    told = told_of(found)
    if told is None:
        return None
    shown, left_out = printed_sheets(told.sheets, wanted, told.report.rules)
    text(shown)
    for line in (*left_out, *remarks(told.report, baseline, told.counts)):
        tell(line)
    return _exit_code(told.counts, fail_on)


def _exit_code(counts: Counts, fail_on: str) -> int:
    from envcompile.check.finding import RANK
    from envcompile.check.grading import reaches
    from envcompile.errors import EXIT_OK, EXIT_WRONG

    threshold = next((grade for grade in RANK if grade == fail_on), None)
    is_reached = threshold is not None and reaches(counts.grades, threshold)
    return EXIT_WRONG if is_reached else EXIT_OK
