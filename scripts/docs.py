"""Writes what the documents show of the program: the help and an output in README.md, the table of keys and the schema.

python scripts/docs.py           writes them
python scripts/docs.py --check   changes nothing, and exits with 1 if one of them is out of date
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP))

from openai_lint.config import DEFAULT_EXCLUDE, KEYS, schema  # noqa: E402

_SHAPES = {
    "selectors": "list of rules",
    "strings": "list of names",
    "paths": "list of paths",
    "patterns": "list of patterns",
    "pattern-selectors": "table: pattern to list of rules",
    "levels": "table: rule to level",
    "bool": "boolean",
    "count": "number",
    "release": "release",
    "path": "path",
}
_DEFAULTS = {"select": "the default set", "exclude": "the list below"}


def _lint(*arguments: str, where: Path = TOP) -> str:
    environment = {**os.environ, "PYTHONPATH": str(TOP), "NO_COLOR": "1"}
    command = [sys.executable, "-m", "openai_lint", *arguments]
    done = subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, check=False)
    if done.returncode > 1:
        sys.exit(done.stderr)
    return done.stdout


def _shape(option: Any) -> str:
    choices = option.metadata["choices"]
    return ", ".join(f'`"{choice}"`' for choice in choices) if choices else _SHAPES[option.metadata["kind"]]


def _default(key: str, option: Any) -> str:
    if key in _DEFAULTS:
        return _DEFAULTS[key]
    if option.default is None:
        return "-"
    if option.default == ():
        return "`{}`" if option.metadata["kind"] in ("levels", "pattern-selectors") else "`[]`"
    return f"`{json.dumps(option.default)}`"


def readme(text: str) -> str:
    """README.md with the present help, and the present output about the function that it shows."""
    shown = _lint("helpdesk/answers.py", where=TOP / "examples")
    block = next(block for block in shown.split("\n\n") if "summarize" in block)
    text = re.sub(
        r"(?s)(handles one of the documented errors:.*?```text\n).*?(```)", lambda m: f"{m[1]}{block}\n{m[2]}", text
    )
    usage = _lint("--help").rstrip()
    return re.sub(r"(?s)(## Options\n\n```text\n).*?(\n```)", lambda m: m[1] + usage + m[2], text)


def configuration(text: str) -> str:
    """docs/configuration.md with the present keys and default excludes."""
    rows = ["| key | value | default | meaning |", "|---|---|---|---|"]
    for key, option in KEYS.items():
        rows.append(f"| `{key}` | {_shape(option)} | {_default(key, option)} | {option.metadata['doc']} |")
    text = re.sub(r"(?s)\| key \| value.*?\n\n", lambda _: "\n".join(rows) + "\n\n", text)
    excluded = ", ".join(f"`{name}`" for name in DEFAULT_EXCLUDE)
    return re.sub(r"(?s)(Left out by default: ).*?\n\n", lambda m: f"{m[1]}{excluded}.\n\n", text)


DOCUMENTS = {
    "README.md": readme,
    "docs/configuration.md": configuration,
    "docs/openai-lint.schema.json": lambda _: json.dumps(schema(), indent=2) + "\n",
}


def main() -> int:
    """Writes the documents, or with --check says which are out of date."""
    stale = []
    for name, made in DOCUMENTS.items():
        path = TOP / name
        before = path.read_text(encoding="utf-8")
        after = made(before)
        if after != before:
            stale.append(name)
            if "--check" not in sys.argv:
                path.write_text(after, encoding="utf-8")
    print("\n".join(stale) if stale else "up to date")
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
