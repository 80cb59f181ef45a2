"""IPython's commands in a cell, blanked: what is left is Python, at the same lines and columns."""

import re

# Magics whose argument, or whose cell, is Python that runs in the notebook's own namespace.
_RUN_PYTHON = r"(?:time|timeit|prun|lprun|mprun|memit)\b"
_PYTHON_CELLS = frozenset({"time", "timeit", "capture", "prun", "lprun", "mprun", "memit"})

_cell_magic = re.compile(r"\s*%%(\w*)").match
_timed = re.compile(rf"([ \t]*)(%{_RUN_PYTHON}(?:[ \t]+-\w+(?:[ \t]+\d+)?)*)[ \t]+(?=[^\s-])").match
_command = re.compile(
    r"([ \t]*)(?:[%!?]|[\w.%*]+\?{1,2}[ \t]*(?:\n|$)"
    # IPython takes these for commands without a `%`, as long as no variable has the name.
    r"|(?:pip3?|conda|mamba|cd|ls|mkdir)[ \t]+(?!(?:in|is|if|else|and|or|not|for)\b)[\w./~\"'{$-])"
).match
_assigned = re.compile(r"([ \t]*[^\W\d][\w.,* \t\[\]]*=[ \t]*)[!%]").match
_indent = re.compile(r"(?:[ \t]*\n)*([ \t]*)").match
_lexeme = re.compile(
    r"""(?s:#[^\n]*|\\\n|"{3}(?:[^"\\]|\\.|"(?!""))*"{3}|'{3}(?:[^'\\]|\\.|'(?!''))*'{3}"""
    r"""|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'"""
    r"|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<newline>\n))"
).search


def blanked(cell: str) -> str:
    """``cell``, which ends in a line end, without what only IPython understands. Keeps the count of lines.

    IPython takes the indentation of the first line off every line that begins with it. Here a form feed, behind which
    Python counts from 0, takes the place of its last character, so that columns stay true.
    """
    start = 0
    magic = _cell_magic(cell)
    parts: list[str] = []
    if magic:
        if magic[1] not in _PYTHON_CELLS:
            return "\n" * cell.count("\n")
        start = cell.index("\n", magic.end()) + 1
        parts.append("\n" * cell.count("\n", 0, start))
    indent = _indent(cell, start)[1]  # type: ignore[index]  # the pattern matches the empty string
    while start < len(cell):
        timed = _timed(cell, start)
        if timed:
            # `pass; ` is as long as `%time `, the shortest of them: the statement behind it keeps its columns.
            end = _statement_end(cell, timed.end())
            parts.append(timed[1] + "pass;".ljust(timed.end() - timed.end(1)) + cell[timed.end() : end])
        elif assigned := _assigned(cell, start):
            end = _command_end(cell, start)
            parts.append(assigned[1] + "..." + "\n" * cell.count("\n", start, end))
        elif command := _command(cell, start):
            end = _command_end(cell, start)
            # In a block it may be the only statement; there is no block where nothing stands before.
            in_block = command[1] and any(map(str.strip, parts))
            parts.append((command[1] + "pass" if in_block else "") + "\n" * cell.count("\n", start, end))
        else:
            end = _statement_end(cell, start)
            parts.append(cell[start:end])
        start = end
    if indent:
        parts = [f"{indent[:-1]}\f{part[len(indent) :]}" if part.startswith(indent) else part for part in parts]
    return "".join(parts)


def _command_end(cell: str, start: int) -> int:
    """Behind the line end of a command, which a backslash carries over to the next line."""
    end = cell.index("\n", start)
    while cell[end - 1] == "\\" and end + 1 < len(cell):
        end = cell.index("\n", end + 1)
    return end + 1


def _statement_end(cell: str, start: int) -> int:
    """Behind the line end of a statement: one that stands in no bracket and no string."""
    level = 0
    while match := _lexeme(cell, start):
        start = match.end()
        kind = match.lastgroup
        if kind == "open":
            level += 1
        elif kind == "close":
            level -= 1
        elif kind == "newline" and level <= 0:
            return start
    return len(cell)
