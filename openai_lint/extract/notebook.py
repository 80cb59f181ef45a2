"""Jupyter notebooks (nbformat 3 and 4): the code cells as one module, and the texts of all cells.

IPython's own commands are no Python. They are blanked in what is parsed, so that lines and columns of the rest stay
true; the text of the facts keeps them.
"""

import json
from typing import Any

from openai_lint.extract.magics import blanked
from openai_lint.facts import Cell, ModuleFacts, Unreadable


def read_notebook(path: str, data: bytes) -> ModuleFacts | Unreadable:
    """The code cells, in order, as one module. Cells that cannot be parsed are left out and named in ``problems``."""
    notebook = _load(path, data)
    if isinstance(notebook, Unreadable):
        return notebook
    from openai_lint.extract.module import problem_in, read_module  # libcst is slow to import

    is_python = _is_python(notebook)
    cells: list[Cell] = []
    texts: list[str] = []
    codes: list[str] = []
    line = 1
    for number, cell in enumerate(_cells(notebook), 1):
        if cell.get("cell_type") != "code":
            continue
        text = _source(cell)
        text = text if text.endswith("\n") else text + "\n"
        height = text.count("\n")
        cells.append(Cell(number, line, height))
        texts.append(text)
        codes.append(blanked(text) if is_python and _is_python_cell(cell) else "\n" * height)
        line += height
    text = "".join(texts)
    facts = read_module(path, text, "".join(codes), tuple(cells))
    if isinstance(facts, ModuleFacts):
        return facts
    problems: list[Unreadable] = []
    for index, placed in enumerate(cells):
        problem = problem_in(path, codes[index])
        if problem is not None:
            problems.append(Unreadable(path, problem.reason, problem.line, problem.column, placed.number))
            codes[index] = "\n" * placed.lines
    return read_module(path, text, "".join(codes), tuple(cells), tuple(problems))


def cell_texts(data: bytes) -> list[tuple[int, str, str]]:
    """Number (from 1), source and text output of every cell, markdown too; empty for what is no notebook."""
    notebook = _load("", data)
    if isinstance(notebook, Unreadable):
        return []
    texts = []
    for number, cell in enumerate(_cells(notebook), 1):
        found: list[str] = []
        _gather(cell.get("outputs"), found)
        texts.append((number, _source(cell), "\n".join(found)))
    return texts


def _load(path: str, data: bytes) -> dict[str, Any] | Unreadable:
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
    except json.JSONDecodeError as error:
        reason = f"the notebook is not valid JSON ({error.msg}); open and save it with Jupyter, or exclude it"
        return Unreadable(path, reason, error.lineno, error.colno)
    except UnicodeDecodeError as error:
        before = data[: error.start]
        reason = "the notebook is not UTF-8; open and save it with Jupyter, or exclude it"
        return Unreadable(path, reason, before.count(b"\n") + 1, len(before) - before.rfind(b"\n"))
    except (ValueError, RecursionError) as error:
        reason = f"the notebook's JSON cannot be read ({type(error).__name__}); exclude it"
        return Unreadable(path, reason, 1, 1)
    if not isinstance(notebook, dict) or not isinstance(notebook.get("cells", notebook.get("worksheets")), list):
        return Unreadable(path, "the file holds JSON, but no notebook cells; exclude it", 1, 1)
    return notebook


def _cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """Every cell, in order. A broken one counts, so that numbers stay true. nbformat 3 keeps them in worksheets."""
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        cells = []
        for sheet in notebook["worksheets"]:
            found = sheet.get("cells") if isinstance(sheet, dict) else None
            cells += found if isinstance(found, list) else []
    return [cell if isinstance(cell, dict) else {} for cell in cells]


def _source(cell: dict[str, Any]) -> str:
    """A cell's text: a string or a list of lines, called ``input`` in nbformat 3."""
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(line for line in source if isinstance(line, str))
    if not isinstance(source, str):
        return ""
    return source.replace("\r\n", "\n").replace("\r", "\n")


def _is_python(notebook: dict[str, Any]) -> bool:
    metadata = notebook.get("metadata")
    if not isinstance(metadata, dict):
        return True
    for section, key in (("language_info", "name"), ("kernelspec", "language"), ("kernelspec", "name")):
        found = metadata.get(section)
        language = found.get(key) if isinstance(found, dict) else None
        if isinstance(language, str) and language:
            return "python" in language.lower() or (section == "kernelspec" and key == "name")
    return True


def _is_python_cell(cell: dict[str, Any]) -> bool:
    """Whether a code cell keeps to the notebook's language, as far as nbformat 3 and polyglot editors tell."""
    languages = [cell.get("language")]
    metadata = cell.get("metadata")
    if isinstance(metadata, dict):
        for section, key in (
            ("dotnet_interactive", "language"),
            ("polyglot_notebook", "kernelName"),
            ("vscode", "languageId"),
        ):
            found = metadata.get(section)
            languages.append(found.get(key) if isinstance(found, dict) else None)
    return all("python" in language for language in languages if isinstance(language, str))


def _gather(value: Any, into: list[str]) -> None:
    """All text in a cell's outputs; pictures and other encoded data are left out."""
    pending = [value]
    while pending:
        value = pending.pop()
        if isinstance(value, str):
            into.append(value)
        elif isinstance(value, list):
            if value and all(isinstance(item, str) for item in value):
                into.append("".join(value))
            else:
                pending.extend(reversed(value))
        elif isinstance(value, dict):
            pending.extend(
                item for key, item in reversed(value.items()) if not key.startswith(("image/", "png", "jpeg", "pdf"))
            )
