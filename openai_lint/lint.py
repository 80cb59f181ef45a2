"""The pipeline: paths -> files -> gate -> facts -> link -> rules -> findings. Read ``run`` from top to bottom."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openai_lint import files, gate
from openai_lint.config import Config, ConfigSource, parse

if TYPE_CHECKING:
    from openai_lint.facts import ModuleFacts, Unreadable
    from openai_lint.files import Workspace
    from openai_lint.findings import Judged
    from openai_lint.link import Project
    from openai_lint.report import Failure, Report
    from openai_lint.rule import Finding, Hit, Rule
    from openai_lint.suppress import Silencers


def lint(
    paths: Iterable[str | Path] = (".",), config: Mapping[str, Any] | Config | ConfigSource | None = None
) -> "list[Finding]":
    """The findings in files and folders. Changes nothing and prints nothing.

    ``config`` holds keys as the configuration file writes them (``{"select": ["OAI1"]}``), which override the files
    that are found beside the sources; or it is a ``Config`` that holds for every file. Raises ``ConfigError`` for a
    configuration that cannot be used, ``PathError`` for a path that does not exist, RuntimeError where a rule fails.
    """
    if isinstance(config, Config):
        config = ConfigSource(config)
    elif not isinstance(config, ConfigSource):
        config = ConfigSource(overrides=parse(config or {}, "config", files.absolute(".")))
    report = run([str(path) for path in paths], config, fixes=True)
    for failure in report.failures:
        raise RuntimeError(f"{failure.subject} failed: {failure.error}\n{failure.trace}")
    return list(report.findings)


class Extractor:
    """Makes facts of files, and remembers those that it made, so that another round reads only what changed."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[bytes, ModuleFacts | Unreadable]] = {}

    def __call__(self, path: str, data: bytes) -> "ModuleFacts | Unreadable":
        """The facts of a file."""
        known = self._known.get(path)
        if known is None or known[0] != data:
            known = self._known[path] = (data, _extract(path, data))
        return known[1]

    def data(self, path: str) -> bytes:
        """The bytes that a file's facts were made from."""
        return self._known[path][0]

    def remember(self, workspace: "Workspace") -> None:
        """Keeps the facts of a workspace, also those that other processes made."""
        for path in workspace.parsed:
            known = self._known.get(path)
            if known is None or known[1] is not workspace.facts(path):
                with suppress(OSError):
                    self._known[path] = (workspace.read(path), workspace.facts(path))

    def remind(self, workspace: "Workspace") -> None:
        """Gives a workspace the facts of the files that did not change."""
        for path in self._known.keys() & set(workspace.files):
            with suppress(OSError):
                if workspace.read(path) == self._known[path][0]:
                    workspace.facts(path)


def run(
    paths: Sequence[str],
    config: ConfigSource,
    *,
    stdin: tuple[str | None, bytes] | None = None,
    inventory: bool = False,
    known: bool = False,
    fixes: bool = False,
    changed: Mapping[str, bytes] | None = None,
    extractor: Extractor | None = None,
) -> "Report":
    """Lints the paths; with ``inventory`` lists their API calls instead. ``stdin`` is the name and contents of ``-``.

    Findings that a baseline knows are left out, unless ``known``. With ``fixes`` each finding has the edits that mend
    it. ``changed`` holds contents that take the place of those on disk. Raises PathError, ConfigError and
    SelectorError for what the user has to mend; nothing else.
    """
    from openai_lint import selection
    from openai_lint.report import joined

    selection.validate(config.for_folder(files.absolute(".")))  # a wrong one is told even where there is no file
    spaces = workspaces_of(paths, config, stdin, extractor)
    if changed:
        spaces = [_overlaid(space, config, changed, extractor or _extract) for space in spaces]
    reports = []
    for workspace in spaces:
        if extractor is not None:
            extractor.remind(workspace)
        reports.append(_lint(workspace, inventory, known, fixes))
        if extractor is not None:
            extractor.remember(workspace)
    return joined(reports)


def workspaces_of(
    paths: Sequence[str],
    config: ConfigSource,
    stdin: tuple[str | None, bytes] | None = None,
    extractor: Extractor | None = None,
) -> "list[Workspace]":
    """The files that the paths stand for, one workspace for each root. Raises PathError."""
    return files.workspaces(files.given(paths, stdin), config, extractor or _extract)


def _overlaid(
    space: "Workspace",
    config: ConfigSource,
    changed: Mapping[str, bytes],
    extract: "Callable[[str, bytes], ModuleFacts | Unreadable]",
) -> "Workspace":
    """The same workspace, with other contents for some of its files."""
    overlay = {path: data for path, data in changed.items() if path in space.files}
    return files.Workspace(
        str(space.root),
        space.files,
        space.reported,
        config,
        extract,
        overlay=overlay,
        named=space.named,
        notes=space.notes,
        sdk=space.sdk,
    )


def _extract(path: str, data: bytes) -> "ModuleFacts | Unreadable":
    from openai_lint.extract import extract  # only now does libcst come in

    return extract(path, data)


def _lint(workspace: "Workspace", inventory: bool, known: bool, fixes: bool) -> "Report":
    from openai_lint.report import Report

    _validate(workspace)
    workspace.judges_tests = inventory
    workspace.jobs = workspace.config_for(f"{workspace.root}/.").jobs
    reported = sorted(workspace.reported)
    doubtful = [path for path in reported if _worth_a_check(path, workspace) and not _compiles(path, workspace)]
    if not doubtful and not any(workspace.gate(path) for path in workspace.files):
        return Report(
            calls=() if inventory else None,
            files=len(reported),
            notes=tuple(workspace.notes),
            reported=workspace.reported,
        )

    from openai_lint.link.deep import run_deep

    # Linking and what rules ask of the project nest as deeply as the calls of the program that is read.
    return run_deep(lambda: _linked(workspace, doubtful, inventory, known, fixes))


def _linked(workspace: "Workspace", doubtful: Sequence[str], inventory: bool, known: bool, fixes: bool) -> "Report":
    from openai_lint.link import link
    from openai_lint.report import Report

    project = link(workspace)
    notes = [*workspace.notes, *project.notes]
    if inventory:
        from openai_lint.link import http

        listed = [call.to_json(project) for call in project.calls]
        listed += [request.to_json(project) for request in http.requests(project)]
        listed.sort(key=lambda call: (call["path"], call["cell"] or 0, *call["start"].values()))
        return Report(
            calls=tuple(call for call in listed if call["path"] in workspace.reported),
            files=len(workspace.reported),
            parsed=len(workspace.parsed),
            notes=tuple(notes),
            failures=_unfollowed(project),
        )

    hits, failures = _check(_selected(workspace), project)
    failures += _unfollowed(project)
    hits += _unreadable(workspace, doubtful)
    return _report(workspace, hits, failures, notes, project.outside, known, fixes)


def _validate(workspace: "Workspace") -> None:
    """Refuses selectors that match no rule, whether or not there is anything to check."""
    from openai_lint import selection

    for config in _configs(workspace):
        selection.validate(config)


def _configs(workspace: "Workspace") -> list[Config]:
    """The different configurations of the reported files."""
    folders = {path.rpartition("/")[0]: path for path in workspace.reported}
    return list({id(config): config for path in folders.values() for config in (workspace.config_for(path),)}.values())


def _selected(workspace: "Workspace") -> "list[Rule]":
    """Every rule that runs for at least one reported file, in order of the codes."""
    from openai_lint import rules, selection

    codes = {code for config in _configs(workspace) for code in selection.chosen(config).codes}
    return [rules.load(entry.code) for entry in rules.catalogue() if entry.code in codes]


def _worth_a_check(path: str, workspace: "Workspace") -> bool:
    """Whether a file that does not pass the gate is nevertheless held against Python's grammar.

    It is where somebody named it, or where it imports the SDK.
    """
    if workspace.gate(path):
        return False
    try:
        return path in workspace.named or gate.imports_sdk(workspace.read(path))
    except OSError:
        return False


def _compiles(path: str, workspace: "Workspace") -> bool:
    """A quick look with the running interpreter's own grammar, which needs no libcst; what it refuses is parsed."""
    data = workspace.read(path)
    if path.endswith(".ipynb"):
        return data.lstrip().startswith(b"{") and data.rstrip().endswith(b"}") and b'"cells"' in data
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(data, path, "exec", flags=0x400, dont_inherit=True)  # ast.PyCF_ONLY_AST
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _check(rules: "Iterable[Rule]", project: "Project") -> "tuple[list[tuple[Rule, Hit]], list[Failure]]":
    """Runs the rules. One that raises is reported, and the others still run."""
    hits: list[tuple[Rule, Hit]] = []
    failures: list[Failure] = []
    for rule in rules:
        try:
            hits.extend((rule, hit) for hit in rule.check(project))
        except Exception as error:  # noqa: BLE001 - whatever a rule does, the others still run
            failures.append(_failure(rule, error))
    return hits, failures


def _unfollowed(project: "Project") -> "tuple[Failure, ...]":
    """The functions that the linker could not run to their ends."""
    from traceback import format_exception

    from openai_lint.report import Failure

    return tuple(
        Failure(None, f"{path}:{line}", f"{type(error).__name__}: {error}", "".join(format_exception(error)))
        for (path, line), error in sorted(project.engine.failures.items())
    )


def _failure(rule: "Rule", error: Exception) -> "Failure":
    from traceback import format_exception, walk_tb

    from openai_lint.report import Failure

    path = None
    for frame, _ in walk_tb(error.__traceback__):
        for value in frame.f_locals.values():
            found = getattr(getattr(value, "place", value), "path", None)
            if isinstance(found, str):
                path = found
    return Failure(rule.code, path, f"{type(error).__name__}: {error}", "".join(format_exception(error)))


def _unreadable(workspace: "Workspace", doubtful: Iterable[str]) -> "list[tuple[Rule, Hit]]":
    """OAI001: the reported files, and the cells of notebooks, that could not be read."""
    from openai_lint import rules
    from openai_lint.facts import Unreadable
    from openai_lint.rules.oai001_unreadable_file import hit

    rule = rules.load("OAI001")
    matter = {path for path in workspace.reported if workspace.gate(path)}
    found: list[tuple[Rule, Hit]] = []
    for path in sorted({*doubtful, *matter, *(set(workspace.parsed) & workspace.reported)}):
        facts = workspace.facts(path)
        problems = (facts,) if isinstance(facts, Unreadable) else facts.problems
        found += [(rule, hit(problem)) for problem in problems]
    return found


def _report(
    workspace: "Workspace",
    hits: "list[tuple[Rule, Hit]]",
    failures: "Sequence[Failure]",
    notes: list[str],
    outside: int,
    known: bool,
    fixes: bool,
) -> "Report":
    """Findings of one root: selected, placed, silenced, and those too mild or too well known to show counted."""
    from openai_lint import findings
    from openai_lint.report import Report

    placed = findings.shown(findings.select(hits, workspace), workspace.reported)
    silencers = findings.silencers_of(placed, workspace)
    kept = findings.silenced(placed, silencers)
    unused = findings.shown(_unused_suppressions(workspace, silencers), workspace.reported)
    if fixes:
        kept, unused = findings.fixable(kept, workspace, notes), findings.fixable(unused, workspace, notes)
    sources = findings.sources_of([*kept, *unused], workspace)
    made = findings.findings([*kept, *unused], sources, str(workspace.root))
    verdict = findings.judge(made, workspace, known)
    return Report(
        verdict.shown,
        None,
        verdict.hidden,
        len(placed) - len(kept),
        verdict.known,
        outside,
        len(workspace.reported),
        len(workspace.parsed),
        tuple(notes),
        tuple(failures),
        verdict.failing,
        sources,
        workspace.reported,
    )


def _unused_suppressions(workspace: "Workspace", silencers: "Mapping[str, Silencers]") -> "list[Judged]":
    """OAI002, once every other finding has been held against the comments."""
    from openai_lint import findings, rules, selection
    from openai_lint.rule import Place
    from openai_lint.rules.oai002_unused_suppression import hit

    rule = rules.load("OAI002")
    names = findings.rule_names()
    found: list[Judged] = []
    for path in sorted(silencers.keys() & workspace.reported):
        config = workspace.config_for(path)
        ran = selection.chosen(config).codes
        if workspace.is_test(path) and not config.lint_tests:
            ran &= findings.IN_TESTS
        for silencer, idle in silencers[path].unused(ran, names):
            comment = silencer.comment
            cell, line = silencers[path].cell_of(comment.line)
            place = Place(path, cell, (line, comment.column, line, comment.column + len(comment.text)))
            text = silencers[path].lines[comment.line - 1]
            fix = findings.removal(place, text, comment.text, idle)
            found += [replace(judged, fix=fix) for judged in findings.select([(rule, hit(place, idle))], workspace)]
    return found
