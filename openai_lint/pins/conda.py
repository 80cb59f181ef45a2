"""conda's `environment.yml`, line by line: the one list that matters has a fixed shape, so no YAML reader is needed."""

import re
from collections.abc import Iterator

from openai_lint.pins.pin import Mention, Weight, mention
from openai_lint.pins.requirement import read_requirement

_ITEM = re.compile(r"""\s*-\s+(?P<quote>["']?)(?P<text>[^"'#]*?)(?P=quote)\s*(?:\#.*)?""")
_BUILD = re.compile(r"(?<![=<>!~])(=[^=<>!~,|]+)=[^=]+$")
_INLINE = re.compile(r"""["'\[,]\s*(openai\s*[=<>!~][^"'\],]*)""", re.IGNORECASE)


def read_environment(text: str, name: str, weight: Weight) -> Iterator[Mention]:
    """The mentions of `openai` under `dependencies:`, conda's own and those of its `pip:` list."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        top_level = bool(line) and not line[0].isspace() and line[0] not in "-#"
        if top_level:
            inside = line.startswith("dependencies:")
        if not inside:
            continue
        found = _ITEM.fullmatch(line)
        inline = _INLINE.search(line) if found is None else None
        written = found["text"] if found else inline[1] if inline else ""
        # `openai=1.3.0=py_0` names a build as well.
        requirement = read_requirement(_BUILD.sub(r"\1", written.strip()))
        if requirement is not None:
            yield mention(requirement.specifier, f"{name}:{number}", weight, conditional=requirement.conditional)
