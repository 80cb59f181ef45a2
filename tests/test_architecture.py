"""Data flows one way: imports between the rooms go down only, and the rooms that must stay pure are."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "openai_lint"

FLOORS = (
    ("cli", "__main__"),
    ("mending",),
    ("lint",),
    ("explain", "formats"),
    ("findings",),
    ("baseline",),
    ("report",),
    ("suppress", "selection"),
    ("files",),
    ("config",),
    ("fixing",),
    ("rules", "guide"),
    ("extract", "gate"),
    ("link",),
    ("rule",),
    ("escapes",),
    ("rewrites",),
    ("facts", "keys", "parallel", "patterns", "pins", "sdk", "unique"),
)
"""Rooms from the top floor to the bottom; a room imports from its own floor or from those below it."""

LOOKS_UP = {("rule", "link")}
"""Names that a lower room needs for its types only."""


def rooms() -> dict[str, list[Path]]:
    """Each room with its source files."""
    found: dict[str, list[Path]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        first = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if first != "__init__":
            found.setdefault(first, []).append(path)
    return found


def imports(path: Path, *, typing: bool) -> set[str]:
    """Every module that a file imports; those under ``if TYPE_CHECKING`` only when asked for."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        hidden = isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        if hidden and not typing:
            return
        if isinstance(node, ast.Import):
            found.update(item.name for item in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{item.name}" for item in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(("openai_lint", *path.relative_to(PACKAGE).parts[: -node.level]))
            found.add(f"{base}.{node.module}" if node.module else base)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return found


def room_of(module: str) -> str | None:
    """The room that a dotted module belongs to."""
    words = module.split(".")
    return words[1] if len(words) > 1 and words[0] == "openai_lint" and words[1] in rooms() else None


def test_every_room_has_a_floor() -> None:
    assert {room for floor in FLOORS for room in floor} == set(rooms())


@pytest.mark.parametrize("room", sorted(rooms()))
def test_imports_go_down_only(room: str) -> None:
    level = {name: index for index, floor in enumerate(FLOORS) for name in floor}
    wrong = {
        f"{path.relative_to(PACKAGE)} imports {target}"
        for path in rooms()[room]
        for module in imports(path, typing=False)
        if (target := room_of(module)) is not None
        and target != room
        and level[target] < level[room]
        and (room, target) not in LOOKS_UP
    }
    assert not wrong


@pytest.mark.parametrize("room", ["facts", "escapes", "link", "rule", "rules", "rewrites", "keys", "pins", "sdk"])
def test_pure_rooms_know_neither_libcst_nor_click(room: str) -> None:
    for path in rooms()[room]:
        assert not {name.partition(".")[0] for name in imports(path, typing=True)} & {"libcst", "click"}, path


def test_only_two_rooms_know_libcst() -> None:
    knowing = {
        room
        for room, paths in rooms().items()
        for path in paths
        if "libcst" in {name.partition(".")[0] for name in imports(path, typing=True)}
    }
    assert knowing == {"extract", "fixing"}


def test_no_rule_imports_a_rule() -> None:
    for path in (PACKAGE / "rules").glob("oai*.py"):
        assert not {name for name in imports(path, typing=True) if name.startswith("openai_lint.rules.oai")}, path


def test_only_the_command_line_prints() -> None:
    for room, paths in rooms().items():
        if room in ("cli", "__main__"):
            continue
        for path in paths:
            tree = ast.parse(path.read_text(encoding="utf-8"))
            calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
            assert not any(isinstance(node.func, ast.Name) and node.func.id == "print" for node in calls), path
