"""The command line: the only file that prints, exits, or catches everything."""

import gc
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

from openai_lint import __version__
from openai_lint.config import FORMATS, LEVELS, Config, ConfigError, ConfigSource, parse
from openai_lint.files import STDIN, PathError, absolute

if TYPE_CHECKING:
    from openai_lint.mending import Mended
    from openai_lint.report import Report

CLEAN, FOUND, USAGE, FAILED = 0, 1, 2, 3
WITH_EDITS = ("json", "sarif")
"""Formats that hold the edits of each fix."""

REPORT_TO = "please report it, with the line above and --verbose, to the developers of openai-lint"


Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class _List(click.ParamType[tuple[str, ...]]):
    """Words separated by commas."""

    name = "list"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """The words, without the white space around them."""
        del param, ctx
        return tuple(word for word in (part.strip() for part in value.split(",")) if word)


def _many(*names: str, metavar: str, text: str) -> Callable[[Decorated], Decorated]:
    return click.option(*names, type=_List(), multiple=True, metavar=metavar, help=text)


@click.command(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100, "terminal_width": 100},
    add_help_option=True,
)
@click.argument("paths", nargs=-1, metavar="[PATHS]...")
@_many("--select", metavar="RULES", text="Run these rules only: codes, names, prefixes such as OAI3, or ALL.")
@_many("--extend-select", metavar="RULES", text="Run these rules besides.")
@_many("--ignore", metavar="RULES", text="Do not run these rules.")
@_many("--fixable", metavar="RULES", text="Apply the fixes of these rules only.")
@_many("--unfixable", metavar="RULES", text="Do not apply the fixes of these rules.")
@click.option("--fix/--no-fix", "fix", default=False, help="Apply safe fixes, and report the rest. [default: no-fix]")
@click.option("--fix-only", is_flag=True, help="Apply fixes, and report nothing.")
@click.option("--unsafe-fixes", is_flag=True, help="Show, and with --fix apply, fixes that change behaviour too.")
@click.option("--diff", is_flag=True, help="Show what --fix would change, and change nothing.")
@click.option("--show-fixes", is_flag=True, help="Show each fix as a diff below its finding.")
@click.option(
    "--exit-non-zero-on-fix", is_flag=True, help="Exit with 1 if anything was fixed, even if nothing is left."
)
@_many("--per-file-ignores", metavar="PATTERN:RULES", text="Ignore rules in the files that match a pattern.")
@_many("--exclude", metavar="PATTERNS", text="Leave these files and folders out, instead of the default list.")
@_many("--extend-exclude", metavar="PATTERNS", text="Leave these files and folders out, besides.")
@click.option("--force-exclude", is_flag=True, help="Leave excluded files out even where PATHS names them.")
@click.option("--config", "config_file", metavar="FILE", help="Use this configuration file for every source file.")
@click.option("--isolated", is_flag=True, help="Ignore all configuration files.")
@click.option("--sdk", metavar="RELEASE", help="Release of the openai package, such as 1.109 or 3.54.0.")
@click.option("--stdin-filename", metavar="FILE", help="Name of the file that standard input (-) holds.")
@click.option("--output-format", type=click.Choice(FORMATS), help="How findings are written. [default: text]")
@click.option("--output-file", metavar="FILE", help="Write the findings to a file.")
@click.option("--statistics", is_flag=True, help="Show a count for each rule instead of the findings.")
@click.option("--inventory", is_flag=True, help="List every API call, and what becomes of its errors.")
@click.option("--min-severity", type=click.Choice(LEVELS), help="Show findings from here on. [default: warning]")
@click.option("--fail-on", type=click.Choice(LEVELS), help="Exit with 1 from here on. [default: warning]")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 even if there are findings.")
@click.option("--baseline", metavar="FILE", help="Leave out the findings that this file knows.")
@click.option("--write-baseline", is_flag=True, help="Write all findings to the baseline file.")
@click.option("--explain", metavar="TOPIC", help="Explain a rule, an error or an HTTP status, and exit.")
@click.option("--list-rules", is_flag=True, help="List all rules, and exit.")
@click.option("--show-settings", is_flag=True, help="Show the configuration that holds for PATHS, and exit.")
@click.option("--show-files", is_flag=True, help="List the files that would be checked, and exit.")
@click.option("--no-cache", is_flag=True, help="Cache nothing. Nothing is cached in this version.")
@click.option("--cache-dir", metavar="FOLDER", help="Folder for a cache. Not used in this version.")
@click.option(
    "--jobs", type=click.IntRange(0), metavar="N", help="Processes that read files. [default: as many as pay]"
)
@click.option("-v", "--verbose", is_flag=True, help="Say what was skipped or assumed, and why.")
@click.option("-q", "--quiet", is_flag=True, help="Print findings only.")
@click.version_option(__version__, "-V", "--version", message="openai-lint %(version)s")
@click.pass_context
def command(context: click.Context, /, paths: tuple[str, ...], **options: Any) -> None:
    """Tell what Python code does when the OpenAI API fails.

    Reads the Python files and notebooks in PATHS (default: the working directory; - for standard input) and reports
    calls whose documented errors nobody handles, calls without backoff, and keys that are written into the code.

    Exit codes: 0 no findings (or all fixed), 1 findings (or with --diff a change), 2 wrong usage or configuration, 3
    the linter itself failed.
    """
    context.exit(_run(paths, options))


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line (``sys.argv`` if none is given), and exits with one of the four codes."""
    # Nothing lives long enough here to be worth collecting, and collecting would walk every fact again and again.
    gc.disable()
    try:
        code = command.main(arguments, prog_name="openai-lint", standalone_mode=False)
    except click.ClickException as error:
        code = _say(_one_line(error.format_message()), USAGE)
    except (ConfigError, PathError) as error:
        code = _say(str(error), USAGE)
    except (KeyboardInterrupt, click.Abort):
        code = 130
    except Exception as error:
        if {"-v", "--verbose"} & set(sys.argv if arguments is None else arguments):
            from traceback import print_exc

            print_exc()
        code = _say(f"internal error: {type(error).__name__}: {_one_line(str(error))}; {REPORT_TO}", FAILED)
    sys.exit(code)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _say(message: str, code: int) -> int:
    from openai_lint.formats.neutral import safe

    print(f"openai-lint: {safe(message)}", file=sys.stderr)
    return code


def _run(paths: tuple[str, ...], options: Mapping[str, Any]) -> int:
    if options["explain"] is not None:
        return _explain(options["explain"])
    if options["list_rules"]:
        return _list_rules(options["output_format"])
    config = _source(options)
    if options["show_settings"] or options["show_files"]:
        return _show(paths, config, settings=options["show_settings"])
    here = config.for_folder(absolute("."))
    from openai_lint.formats import FormatError
    from openai_lint.lint import run
    from openai_lint.selection import SelectorError

    stdin = None
    if options["stdin_filename"] is not None and not paths:
        paths = ("-",)
    if "-" in paths:
        stdin = (options["stdin_filename"], sys.stdin.buffer.read())
    fixing = options["fix"] or options["fix_only"] or options["diff"]
    mended = None
    try:
        if fixing:
            from openai_lint.mending import mend

            _refuse_beside_fixes(options)
            mended = mend(paths, config, stdin=stdin)
            report = mended.report
        else:
            shows = here.show_fixes or here.unsafe_fixes or here.output_format in WITH_EDITS
            modes = {"inventory": options["inventory"], "known": options["write_baseline"]}
            report = run(paths, config, stdin=stdin, fixes=shows, **modes)
        rendered = "" if options["fix_only"] or options["diff"] else _rendered(report, here, options, mended)
    except (SelectorError, FormatError) as error:
        raise click.UsageError(str(error)) from error
    if options["write_baseline"]:
        return _write_baseline(report, here)
    unwritten = False
    if mended is not None and not report.failures:
        if options["diff"]:
            _write(_diff(mended), None)
        elif stdin is not None:
            _give_back(mended, stdin)
        else:
            unwritten = _write_fixed(mended)
        for note in mended.notes:
            _say(note, CLEAN)
    if mended is not None and stdin is not None and not options["diff"] and here.output_file is None:
        print(rendered, end="", file=sys.stderr)  # standard output holds the fixed source
    elif not (options["diff"] or options["fix_only"]):
        _write(rendered, here.output_file)
    for failure in report.failures:
        where = f" at {failure.path}" if failure.path else ""
        _say(f"{failure.subject} failed{where}: {_one_line(failure.error)}; {REPORT_TO}", FAILED)
        if options["verbose"]:
            print(failure.trace, file=sys.stderr)
    if options["verbose"]:
        for note in report.notes:
            _say(note, CLEAN)
        _say(f"{report.files} files checked, {report.parsed} of the project's files parsed", CLEAN)
    if report.failures:
        return FAILED
    if not report.files and not options["quiet"]:
        _say("no Python files found in the given paths", CLEAN)
    return _verdict(report, mended, options, unwritten)


def _verdict(report: "Report", mended: "Mended | None", options: Mapping[str, Any], unwritten: bool) -> int:
    """The exit code of a run in which the linter did not fail."""
    if options["diff"]:
        found = mended is not None and bool(mended.changed)
    else:
        found = unwritten or (report.failing and not options["fix_only"])
        found = found or (options["exit_non_zero_on_fix"] and mended is not None and bool(mended.changed))
    return FOUND if found and not options["exit_zero"] else CLEAN


def _refuse_beside_fixes(options: Mapping[str, Any]) -> None:
    for name in ("inventory", "write_baseline"):
        if options[name]:
            raise click.UsageError(f"--{name.replace('_', '-')} changes no source; leave the options of fixes out")


def _diff(mended: "Mended") -> str:
    from openai_lint.files import display
    from openai_lint.formats.diff import of_files

    return "".join(
        of_files(display(path), path, before, after, mended.secrets) for path, (before, after) in mended.changed.items()
    )


def _give_back(mended: "Mended", stdin: tuple[str | None, bytes]) -> None:
    """Writes the source that came from standard input to standard output, fixed."""
    name = absolute(stdin[0] or STDIN)
    sys.stdout.flush()
    sys.stdout.buffer.write(mended.changed[name][1] if name in mended.changed else stdin[1])
    sys.stdout.flush()


def _write_fixed(mended: "Mended") -> bool:
    """Writes the fixed files. Whether one could not be written, and is what it was."""
    from openai_lint.files import display
    from openai_lint.fixing.write import WriteError, write

    failed = False
    for path, (before, after) in mended.changed.items():
        try:
            write(path, before, after)
        except WriteError as error:
            failed = True
            _say(f"{display(path)}: not fixed: {error}", FOUND)
    return failed


_AS_WRITTEN = ("sdk", "output_format", "output_file", "min_severity", "fail_on", "baseline", "cache_dir", "jobs")
_LISTS = ("select", "extend_select", "ignore", "fixable", "unfixable", "exclude", "extend_exclude")
_FLAGS = ("force_exclude", "statistics", "unsafe_fixes", "show_fixes")


def _source(options: Mapping[str, Any]) -> ConfigSource:
    """The configuration, with the options of the command line on top, checked as the keys of a file are."""
    table: dict[str, Any] = {name: options[name] for name in _AS_WRITTEN if options[name] is not None}
    table |= {name: [word for words in options[name] for word in words] for name in _LISTS if options[name]}
    table |= {name: True for name in _FLAGS if options[name]}
    ignores: dict[str, list[str]] = {}
    for pair in (word for words in options["per_file_ignores"] for word in words):
        pattern, colon, selector = pair.rpartition(":")
        if not colon:
            raise click.UsageError(f"--per-file-ignores: expected PATTERN:RULE, found {pair!r}")
        ignores.setdefault(pattern, []).append(selector)
    if ignores:
        table["per_file_ignores"] = ignores
    try:
        overrides = parse({name.replace("_", "-"): value for name, value in table.items()}, "", absolute("."), "--")
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    explicit = options["config_file"]
    if explicit is not None and options["isolated"]:
        raise click.UsageError("--config and --isolated contradict each other")
    return ConfigSource(
        None if explicit is None else absolute(explicit), isolated=options["isolated"], overrides=overrides
    )


def _rendered(report: "Report", config: Config, options: Mapping[str, Any], mended: "Mended | None") -> str:
    from openai_lint import formats

    to_file = config.output_file is not None
    return formats.render(
        report,
        config.output_format,
        statistics=config.statistics,
        colour=not to_file and _colour(sys.stdout),
        summary=not options["quiet"],
        fixes=(config.show_fixes or config.unsafe_fixes, config.unsafe_fixes),
        fixed=mended.fixed if mended is not None else {},
    )


def _colour(stream: IO[str]) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and os.environ.get("TERM") != "dumb")


def _write(text: str, path: str | None) -> None:
    if path is not None:
        try:
            Path(path).write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise PathError(f"{path}: cannot be written: {error.strerror}") from error
        return
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode(sys.stdout.encoding or "utf-8", "backslashreplace"))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has gone and knows why. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _write_baseline(report: "Report", config: Config) -> int:
    from openai_lint import baseline

    if config.baseline is None:
        raise click.UsageError("--write-baseline needs --baseline FILE, or baseline in the configuration")
    _write(baseline.text(report.findings), config.baseline)
    count = len(report.findings)
    return _say(f"{count} finding{'' if count == 1 else 's'} written to {config.baseline}", CLEAN)


def _explain(topic: str) -> int:
    from openai_lint.explain import UnknownTopicError, explain

    try:
        _write(explain(topic), None)
    except UnknownTopicError as error:
        raise click.UsageError(f"--explain: {error}") from error
    return CLEAN


def _list_rules(output_format: str | None) -> int:
    from openai_lint.explain import rule_table

    _write(rule_table(as_json=output_format == "json"), None)
    return CLEAN


def _show(paths: tuple[str, ...], config: ConfigSource, *, settings: bool) -> int:
    from openai_lint import files
    from openai_lint.lint import workspaces_of

    spaces = workspaces_of(paths, config)
    if settings:
        from openai_lint.config import shown

        places = {path.rpartition("/")[0] for space in spaces for path in space.reported} or {absolute(".")}
        distinct = {id(found): found for place in sorted(places) for found in (config.for_folder(place),)}
        _write("\n".join(shown(found) for found in distinct.values()), None)
        return CLEAN
    listed = sorted({files.display(path) for space in spaces for path in space.reported})
    _write("".join(f"{path}\n" for path in listed), None)
    return CLEAN
