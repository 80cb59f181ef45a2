"""Whatever a file holds, reading it ends in an answer: never an exception, a dead process or a hang."""

import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import libcst as cst
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_lint.extract import extract, lowering
from openai_lint.extract.depth import BRACKETS, DEEPEST, LONGEST, measure
from openai_lint.extract.notebook import cell_texts
from openai_lint.extract.visitor import Visitor
from openai_lint.facts import Const, ModuleFacts, Unreadable, children


def refused(data: bytes, path: str = "module.py") -> Unreadable:
    found = extract(path, data)
    assert isinstance(found, Unreadable)
    assert found.path == path
    return found


def accepted(data: bytes, path: str = "module.py") -> ModuleFacts:
    found = extract(path, data)
    assert isinstance(found, ModuleFacts), found
    return found


# --- bytes ------------------------------------------------------------------------------------------------------------

READ_AS = {
    b"a = '\xc3\xa9'": "é",
    b"\xef\xbb\xbfa = '\xc3\xa9'": "é",
    b"\xef\xbb\xbf# coding: utf-8\na = '\xc3\xa9'": "é",
    b"# -*- coding: latin-1 -*-\na = '\xe9'": "é",
    b"#!/usr/bin/python\n# vim: set fileencoding=iso-8859-15 :\na = '\xa4'": "€",
    b"\n# coding=cp1252\na = '\x80'": "€",
    b"#!python\r\n# coding: latin-1\r\na = '\xe9'\r\n": "é",
    b"a = 1\n# coding: latin-1\na = '\xc3\xa9'": "é",
    b"# one\n# two\n# coding: latin-1\na = '\xc3\xa9'": "é",
    b"# encoding: shift_jis\na = '\x82\xa0'": "あ",
    b"a = '''1\r\n2\r3\n4'''": "1\n2\n3\n4",
}


@pytest.mark.parametrize("data", READ_AS)
def test_encodings(data: bytes) -> None:
    module = accepted(data)
    assert module.body[-1].value.value == READ_AS[data]
    assert "\r" not in module.text
    assert not module.text.startswith("\ufeff")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(end: str) -> None:
    module = accepted(end.join(["import a # one", "", "if b:", "    c(", "  d)  # two", "e"]).encode())
    assert module.body[1].body[0].span == (4, 5, 5, 5)
    assert module.body[2].span == (6, 1, 6, 2)
    assert [(comment.line, comment.column, comment.text) for comment in module.comments] == [
        (1, 10, "# one"),
        (5, 7, "# two"),
    ]


REFUSED = {
    b"a = 1\nb = '\xe9'": ("0xe9", 2, 6),
    b"\xc3\xa9 = '\xff'": ("0xff", 1, 6),
    b"a\r\nb\rc \xff": ("0xff", 3, 3),
    b"# coding: ascii\na = '\xe9'": ("0xe9", 2, 6),
    b"# coding: no-such-thing\na": ("no-such-thing", 1, 1),
    b"\n# coding: hex\n6161": ("hex", 2, 1),
    b"# coding: punycode\na": ("punycode", 1, 1),
    b"\xef\xbb\xbf# coding: latin-1\na": ("latin-1", 1, 1),
    b"\xff\xfea\x00": ("UTF-16", 1, 1),
    b"\xfe\xff\x00a": ("UTF-16", 1, 1),
    b"a = 1\nb\x00c": ("NUL", 2, 2),
    b"def f(:\n    pass": ("", 1, None),
    b"a = 1\nb = = 2": ("", 2, None),
    b"if a:\nb": ("indented block", 2, None),
    b"a = (1,\n\n\n": ("never closed", 1, None),
    b"a = 'b": ("unterminated", 1, None),
    b"try: a\n": ("", 1, None),
    b"\ta\n  b": ("", None, None),
    b"# coding: utf-7\na = '+2AA-'": ("surrogate", 2, 6),
}


@pytest.mark.parametrize("data", REFUSED)
def test_what_is_wrong_and_where(data: bytes) -> None:
    text, line, column = REFUSED[data]
    problem = refused(data)
    assert text in problem.reason
    assert line in (None, problem.line)
    assert column in (None, problem.column)
    assert problem.reason.count("\n") == 0
    assert any(remedy in problem.reason for remedy in ("save", "exclude", "drop"))


@pytest.mark.parametrize(
    "source",
    [
        "print 'a'\n",
        "print a, b\n",
        "exec 'a'\n",
        "raise ValueError, 'a'\n",
        "a = 0777\n",
        "if a <> b: pass\n",
        "a = `b`\n",
        "a = 10L\n",
        "a = ur'b'\n",
    ],
)
def test_python_2_is_called_by_its_name(source: str) -> None:
    assert "Python 2" in refused(source.encode()).reason


def test_other_errors_are_not_blamed_on_python_2() -> None:
    assert "Python 2" not in refused(b"print('a'\n").reason
    assert "Python 2" not in refused(b"x = 5 5\n").reason


def test_the_parser_in_use_is_named_where_python_would_read_it() -> None:
    assert "libcst" in refused(b"(a): int = 1").reason


@pytest.mark.parametrize("data", [b"", b"\n", b" ", b"\t\n", b"\x0c", b"#", b"\xef\xbb\xbf", b"\r", b"\n\n  # a"])
def test_almost_nothing(data: bytes) -> None:
    assert accepted(data).body == ()


# --- depth ------------------------------------------------------------------------------------------------------------

# Each of these ends the process, takes gigabytes or does not end at all, when libcst is handed it without a check.
KILLERS: dict[str, Callable[[int], str]] = {
    "parentheses": lambda n: "(" * n + "1" + ")" * n,
    "brackets": lambda n: "[" * n + "1" + "]" * n,
    "braces": lambda n: "{1:" * n + "1" + "}" * n,
    "calls in calls": lambda n: "f(" * n + "1" + ")" * n,
    "sums": lambda n: "+".join("1" * n),
    "sums in brackets": lambda n: "(\n" + "+\n".join("1" * n) + "\n)",
    "continued sums": lambda n: "+ \\\n".join("1" * n),
    "attributes": lambda n: "a" + ".b" * n,
    "calls of calls": lambda n: "a" + "()" * n,
    "subscripts": lambda n: "a" + "[0]" * n,
    "powers": lambda n: "**".join("1" * n),
    "signs": lambda n: "-" * n + "1",
    "spaced signs": lambda n: "- " * n + "1",
    "nots": lambda n: "not " * n + "a",
    "awaits": lambda n: "await " * n + "a",
    "ands": lambda n: " and ".join("a" * n),
    "lambdas": lambda n: "lambda:" * n + "1",
    "conditions": lambda n: "a if b else " * n + "c",
    "clauses": lambda n: "[a " + "for a in b " * n + "]",
    "elifs": lambda n: "if a: pass\n" + "elif a: pass\n" * n,
    "inner elifs": lambda n: "if a:\n\tif a: pass\n" + "\telif a:\n\t\t'''\nb'''\n" * n,
    "strings": lambda n: "x = " + "'a' " * n,
    "f-strings": lambda n: "x = " + "f'a' " * n,
    "nested f-strings": lambda n: 'f"{' * n + "1" + '}"' * n,
    "nested formats": lambda n: "f'" + "{a:" * n + "}" * n + "'",
    "case lists": lambda n: "match x:\n case " + "[" * n + "a" + "]" * n + ": pass",
    "case mappings": lambda n: "match x:\n case " + "{1:" * n + "a" + "}" * n + ": pass",
    "case classes": lambda n: "match x:\n case " + "A(b=" * n + "a" + ")" * n + ": pass",
    "broken del": lambda n: "del " + "(" * n + "1" + ")" * n,
    "unclosed": lambda n: "([{" * n,
    "blocks": lambda n: "".join(" " * i + "if a:\n" for i in range(n % 1000)) + " " * (n % 1000) + "pass",
    "quoted brackets": lambda n: "def f(a: '" + "[" * n + "1" + "]" * n + "'): pass",
    "quoted sums": lambda n: "a: '" + "+".join("1" * n) + "'",
    "dotted import": lambda n: "import a" + ".a" * n,
}


@pytest.mark.parametrize("levels", [40, 199, DEEPEST // 3 - 1, 50_000])
@pytest.mark.parametrize("name", KILLERS)
def test_killers(name: str, levels: int) -> None:
    before = sys.getrecursionlimit(), threading.stack_size()
    started = time.monotonic()
    found = extract("module.py", KILLERS[name](levels).encode())
    assert isinstance(found, (ModuleFacts, Unreadable))
    assert time.monotonic() - started < 30
    assert (sys.getrecursionlimit(), threading.stack_size()) == before


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("a\n\n" + "(" * (BRACKETS + 1) + ")" * (BRACKETS + 1), f"more than {BRACKETS} brackets"),
        ("a\n\n" + "+".join("1" * (DEEPEST + 2)), f"over {DEEPEST} levels deep"),
        ("a\n\n" + "'' " * (LONGEST + 1), f"more than {LONGEST} string literals"),
        ("match a:\n\n    case [[[[[[[[a]]]]]]]]: pass", "more than 7 brackets"),
    ],
)
def test_refusals_say_what_and_where(source: str, reason: str) -> None:
    problem = refused(source.encode())
    assert reason in problem.reason
    assert problem.line == 3


def test_long_chains_that_real_programs_hold() -> None:
    # The lengths are beyond the ordinary recursion limit of the interpreter; the facts have to be walked without it.
    assert len(accepted(("if a: pass\n" + "elif a: pass\n" * 900).encode()).body) == 1
    assert len(accepted(("x = " + "+".join(["'a'"] * 900)).encode()).body) == 1
    module = accepted(("x = (\n" + "'a'\n" * 2_500 + ")").encode())
    assert module.body[0].value.value == "a" * 2_500
    table = "x = [" + ", ".join(["-1 + 2"] * 5_000) + "]"
    assert len(accepted(table.encode()).body[0].value.items) == 5_000


def test_depth_is_not_fooled_by_text() -> None:
    for harmless in (
        "'" + "(" * 500 + "'",
        "'''\n" + "(\n" * 500 + "'''",
        "# " + "(" * 500,
        "f'" + "(" * 500 + "'",
        "f'" + "{{" * 500 + "'",
        "rb'\\\\' + r'" + "(" * 500 + "'",
        "f'{a:" + "(" * 500 + "}'",
        "case = [[[[[[[[[1]]]]]]]]]",
        "\n".join(["a(b)(c)"] * 3_000),
        "f(" + ", ".join(["not a"] * 3_000) + ")",
    ):
        accepted(harmless.encode())
    assert measure("a = 1\nb = c.d(e)\n").depth < 10


def test_depth_sees_through_f_strings() -> None:
    hidden = "f'{a:{" + "(" * 300 + ")" * 300 + "}}'"
    assert measure(hidden).refusal
    assert measure('f"{x["a"]}{' + "(" * 300 + '}"').refusal


def test_a_tree_that_is_not_the_texts_own() -> None:
    # Cannot happen as long as libcst keeps every token; if it does, columns may be wrong, and nothing else.
    for text in ("", "b", "a\n\n\nb = f(\n1)", "'''\n\n'''\na = '''", "(a = f(b\n" * 9):
        reader = Visitor(text)
        body = reader.module(cst.parse_module("a = f(b, 'x')\nc = '''1\n2'''\n"))
        assert reader.drift > 0
        assert [statement.targets[0].id for statement in body] == ["a", "c"]
        assert reader.line <= text.count("\n") + 2


def test_a_construct_that_is_not_known_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(lowering.EXPRESSIONS, cst.Await)
    assert "report" in refused(b"await a").reason
    accepted(b"a")


def test_a_parser_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    class PanicException(BaseException):
        """What native code raises when it gives up."""

    def panic(_: str) -> None:
        raise PanicException("called `Option::unwrap()` on a `None` value")

    monkeypatch.setattr(cst, "parse_module", panic)
    assert "PanicException" in refused(b"a").reason
    assert "PanicException" in refused(("not " * 100 + "a").encode()).reason


@pytest.mark.parametrize("source", ["a", "not " * 100 + "a"])
def test_an_interrupt_is_let_through(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cst, "parse_module", interrupt)
    with pytest.raises(KeyboardInterrupt):
        extract("module.py", source.encode())


def test_huge_numbers() -> None:
    module = accepted(b"a = " + b"9" * 10_000 + b"; b = 1e999; c = 0x" + b"f" * 10_000)
    assert isinstance(module.body[0].value, Const)
    assert module.body[0].value.value > 10**100


def test_a_file_of_one_long_line_is_read_in_linear_time() -> None:
    for source in (b"a;" * 20_000, b"x = [" + b"1," * 20_000 + b"]", b"x = '" + b"\\n" * 99_000 + b"'", b"#" * 500_000):
        started = time.monotonic()
        accepted(source)
        assert time.monotonic() - started < 30


# --- notebooks --------------------------------------------------------------------------------------------------------

NO_NOTEBOOKS = {
    b"": "JSON",
    b"{": "JSON",
    b"[]": "no notebook cells",
    b"{}": "no notebook cells",
    b'{"cells": 1}': "no notebook cells",
    b'{"worksheets": {}}': "no notebook cells",
    b"\xff": "UTF-8",
    b"[" * 100_000: "RecursionError",
    b'{"a": ' + b"9" * 5_000 + b"}": "",
}


@pytest.mark.parametrize("data", NO_NOTEBOOKS)
def test_no_notebooks(data: bytes) -> None:
    assert NO_NOTEBOOKS[data] in refused(data, "book.ipynb").reason
    assert cell_texts(data) == []


@pytest.mark.parametrize(
    "cell",
    [
        None,
        1,
        [],
        {},
        {"cell_type": "code"},
        {"cell_type": "code", "source": None},
        {"cell_type": "code", "source": [1, "a\n", None]},
        {"cell_type": "code", "source": {"a": 1}, "outputs": 3},
        {"cell_type": "code", "source": "a", "metadata": [], "outputs": [[], {"data": None}]},
        {"cell_type": [], "source": "a", "language": 7},
    ],
)
def test_odd_cells(cell: Any) -> None:
    data = json.dumps(
        {"cells": [cell, {"cell_type": "code", "source": "b = 1"}], "metadata": {"kernelspec": 1}}
    ).encode()
    module = accepted(data, "book.ipynb")
    assert module.cells[-1].number == 2
    assert module.body[-1].span[1:2] == (1,)
    assert [number for number, _, _ in cell_texts(data)] == [1, 2]


@pytest.mark.parametrize(
    "source", ["(" * 500, "'" + "\ud800'", "a\0b", "'''", "\\", "def", "%%", "%", "!", "?", "a = !"]
)
def test_a_hostile_cell_leaves_the_others(source: str) -> None:
    cells = [{"cell_type": "code", "source": text} for text in ("a = 1", source, "b = 2")]
    module = accepted(json.dumps({"cells": cells}).encode(), "book.ipynb")
    assert [statement.targets[0].id for statement in module.body if statement.span[0] in (1, 3)][::-1][:1] == ["b"]
    assert all(problem.cell == 2 for problem in module.problems)


# --- laws -------------------------------------------------------------------------------------------------------------


def holds(found: ModuleFacts | Unreadable) -> None:
    """What is true of every answer."""
    if isinstance(found, Unreadable):
        assert found.reason
        assert found.line >= 1
        assert found.column >= 1
        return
    lines = found.text.split("\n")

    def inside(node: Any, outer: tuple[int, int, int, int]) -> None:
        span = getattr(node, "span", outer)
        assert span[:2] <= span[2:]
        assert outer[:2] <= span[:2] or node.__class__.__name__ in ("Name", "Attr", "Call")  # a decorator stands before
        assert span[2:] <= outer[2:]
        assert span[3] <= len(lines[span[2] - 1]) + 1
        for child in children(node):
            inside(child, span)

    for statement in found.body:
        inside(statement, (1, 1, len(lines), len(lines[-1]) + 1))


TOKENS = """
a b f x self None True 0 1.5 1j 'a' "b" f'{a}' f''' { b'c' r'\\' ''' "" \\ # ( ) [ ] { } , : ; . ... = == := -> + - * **
/ // % @ & | ^ ~ < > != += and or not in is if elif else for while try except finally with as def class return yield
await async lambda import from raise assert del global nonlocal pass break continue match case type _ print ! ? %%
%time é 😀
"""
sources = st.lists(
    st.sampled_from([*TOKENS.split(), " ", "\t", "\x0c", "\0", "\n", "\n    ", "\n  ", "\r\n"]), max_size=40
).map(" ".join)


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
)
def test_any_bytes(data: bytes) -> None:
    holds(extract("module.py", data))
    holds(extract("book.ipynb", data))
    cell_texts(data)


@settings(max_examples=500, deadline=None)
@given(sources)
def test_any_tokens(source: str) -> None:
    holds(extract("module.py", source.encode()))
    measure(source)


@settings(max_examples=200, deadline=None)
@given(st.lists(sources, max_size=4))
def test_any_cells(cells: list[str]) -> None:
    data = json.dumps({"cells": [{"cell_type": "code", "source": cell} for cell in cells]}).encode()
    found = extract("book.ipynb", data)
    holds(found)
    if isinstance(found, ModuleFacts):
        assert len(found.cells) == len(cells)
        assert found.text.count("\n") == sum(cell.lines for cell in found.cells)


NOTEBOOK_KEYS = ["cells", "worksheets", "source", "input", "cell_type", "outputs", "metadata"]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["cells", "worksheets", "source", "input", "cell_type", "outputs", "metadata"]), inner
        )
    ),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(json_values)
def test_any_json(value: Any) -> None:
    data = json.dumps(value).encode()
    holds(extract("book.ipynb", data))
    cell_texts(data)
