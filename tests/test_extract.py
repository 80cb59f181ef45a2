"""Sources become the facts they should: every construct, every position, comments, names, notebooks."""

import json
import sysconfig
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider

from openai_lint.extract import extract, lowering, visitor
from openai_lint.extract.decode import decode
from openai_lint.extract.notebook import cell_texts
from openai_lint.facts import Attr, Call, Cell, Comment, Const, Function, ModuleFacts, Name, Unreadable, children


def facts(source: str, path: str = "module.py") -> ModuleFacts:
    found = extract(path, source.encode())
    assert isinstance(found, ModuleFacts), found
    return found


def shape(value: Any) -> str:
    """A fact without its spans: names as they are, constants as Python writes them, the rest as ``Kind(fields)``."""
    if isinstance(value, Name):
        return value.id
    if isinstance(value, Const):
        return "..." if value.value is ... else repr(value.value)
    if isinstance(value, tuple):
        return "[" + ", ".join(shape(item) for item in value) + "]"
    if is_dataclass(value):
        shown = [shape(getattr(value, field.name)) for field in fields(value) if field.name not in ("span", "header")]
        return f"{type(value).__name__}({', '.join(shown)})"
    return repr(value)


def nodes(value: Any) -> Iterator[Any]:
    yield value
    for child in children(value):
        yield from nodes(child)


def every_node(module: ModuleFacts) -> Iterator[Any]:
    for statement in module.body:
        yield from nodes(statement)


def cut(module: ModuleFacts, span: tuple[int, int, int, int]) -> str:
    lines = module.text.split("\n")
    line, column, end_line, end_column = span
    if line == end_line:
        return lines[line - 1][column - 1 : end_column - 1]
    inside = [lines[line - 1][column - 1 :], *lines[line : end_line - 1], lines[end_line - 1][: end_column - 1]]
    return "\n".join(inside)


EXPRESSIONS = {
    "a": "a",
    "True, False, None, ...": "Sequence('tuple', [True, False, None, ...])",
    "1_000 + 0x1F": "BinOp('+', 1000, 31)",
    "0b11 @ 0o17": "BinOp('@', 3, 15)",
    "1.5e3 - 2j": "BinOp('-', 1500.0, 2j)",
    "-1": "-1",
    "-'a'": "BinOp('-', 0, 'a')",
    "-a": "BinOp('-', 0, a)",
    "+a": "BinOp('+', 0, a)",
    "~a": "BinOp('^', -1, a)",
    "a ** -2": "BinOp('**', a, -2)",
    "not a": "Not(a)",
    "a.b.c": "Attr(Attr(a, 'b'), 'c')",
    "f()": "Call(f, [])",
    "f(a, *b, c=d, **e)": "Call(f, [Arg(None, '', a), Arg(None, '*', b), Arg('c', '', d), Arg(None, '**', e)])",
    "f(x for x in y)": "Call(f, [Arg(None, '', Comprehension('generator', None, x, [Clause(x, y, [], False)]))])",
    "await f": "Await(f)",
    "a and b and c": "BoolOp('and', [a, b, c])",
    "a and (b and c)": "BoolOp('and', [a, BoolOp('and', [b, c])])",
    "(a and b) and c": "BoolOp('and', [BoolOp('and', [a, b]), c])",
    "a or b and c or d": "BoolOp('or', [a, BoolOp('and', [b, c]), d])",
    "a == b": "Compare(a, '==', b)",
    "a != b": "Compare(a, '!=', b)",
    "a is  not b": "Compare(a, 'is not', b)",
    "a not\\\n in b": "Compare(a, 'not in', b)",
    "a < b <= c": "BoolOp('and', [Compare(a, '<', b), Compare(b, '<=', c)])",
    "a if b else c": "IfExp(b, a, c)",
    "(a := b)": "NamedExpr(a, b)",
    "lambda: 0": "Lambda(Function('<lambda>', '<lambda>', [], [], None, [Return(0)], False, False, None))",
    "lambda a, /, b=1, *c, d, **e: (yield)": (
        "Lambda(Function('<lambda>', '<lambda>', [Param('a', 'positional', None, None), "
        "Param('b', 'positional', None, 1), Param('c', '*', None, None), Param('d', 'keyword', None, None), "
        "Param('e', '**', None, None)], [], None, [Return(Yield(None, False))], False, True, None))"
    ),
    "a[b]": "Subscript(a, b)",
    "a[b, c]": "Subscript(a, Sequence('tuple', [b, c]))",
    "a[b,]": "Subscript(a, Sequence('tuple', [b]))",
    "a[b:c:d]": "Subscript(a, Sequence('slice', [b, c, d]))",
    "a[:]": "Subscript(a, Sequence('slice', []))",
    "a[::b, *c]": "Subscript(a, Sequence('tuple', [Sequence('slice', [b]), Starred(c)]))",
    "()": "Sequence('tuple', [])",
    "(a,)": "Sequence('tuple', [a])",
    "*a, b": "Sequence('tuple', [Starred(a), b])",
    "[a, *b]": "Sequence('list', [a, Starred(b)])",
    "{a, *b}": "Sequence('set', [a, Starred(b)])",
    "{}": "Dict([])",
    "{a: b, **c}": "Dict([[a, b], [None, c]])",
    "[a for b in c if d if e async for f in g]": (
        "Comprehension('list', None, a, [Clause(b, c, [d, e], False), Clause(f, g, [], True)])"
    ),
    "{a for a in b}": "Comprehension('set', None, a, [Clause(a, b, [], False)])",
    "{a: b for c, d in e}": "Comprehension('dict', a, b, [Clause(Sequence('tuple', [c, d]), e, [], False)])",
    "(yield)": "Yield(None, False)",
    "(yield a)": "Yield(a, False)",
    "(yield from a)": "Yield(a, True)",
    r"'a\n\x41\u00e9\N{BULLET}\101\q\
b\N{NO SUCH NAME}'": r"'a\nAé•A\\qb\\N{NO SUCH NAME}'",
    r"r'\n' '\n'": r"'\\n\n'",
    "b'a\\xff' rb'\\x'": r"b'a\xff\\x'",
    '''"""a "quoted" text
over lines"""''': r"""'a "quoted" text\nover lines'""",
    "u'a'": "'a'",
    "''": "''",
    "f'a{b}c'": "Format(['a', b, 'c'])",
    "f'{{{a!r:>{b}}}}\\n'": "Format(['{', a, b, '}\\n'])",
    "rf'\\n{a = }' 'x' f''": "Format(['\\\\n', a, 'x'])",
    "f'{f\"{a}\"}'": "Format([Format([a])])",
    # PEP 701 (3.12): any quotes, comments and line ends inside the braces.
    'f"{a["b"]} {f"{c}"} {\n d # why\n}"': "Format([Subscript(a, 'b'), ' ', Format([c]), ' ', d])",
    "'' f'{a}'": "Format([a])",
    "f'{a:%H:%M} {b:\\n}'": "Format([a, ' ', b])",
    "(f'{a}'\n 'b'\n)": "Format([a, 'b'])",
}


@pytest.mark.parametrize("source", EXPRESSIONS)
def test_expressions(source: str) -> None:
    # In brackets line ends are white space; `call(...)` cannot hold what only a statement or a slice may.
    module = facts(f"x = {source}\n")
    assert shape(module.body[0].value) == EXPRESSIONS[source]


STATEMENTS = {
    "a": "ExprStmt(a)",
    "a = b, c = d": "Assign([a, Sequence('tuple', [b, c])], d, None)",
    "a: int = 1": "Assign([a], 1, int)",
    "a.b: c": "Assign([Attr(a, 'b')], None, c)",
    "a //= b": "AugAssign(a, '//', b)",
    "a @= b": "AugAssign(a, '@', b)",
    "pass; break; continue;": "Jump('pass') Jump('break') Jump('continue')",
    "return": "Return(None)",
    "return *a, b": "Return(Sequence('tuple', [Starred(a), b]))",
    "raise": "Raise(None, None)",
    "raise a(b) from c": "Raise(Call(a, [Arg(None, '', b)]), c)",
    "assert a": "Assert(a, None)",
    "assert a, b": "Assert(a, b)",
    "del a, b[c]": "Delete([a, Subscript(b, c)])",
    "del (a)": "Delete([a])",
    "global a, b": "Scope('global', ['a', 'b'])",
    "nonlocal a": "Scope('nonlocal', ['a'])",
    "import a, b.c, d.e as f": ("Import('a', None, 'a', 0) Import('b.c', None, 'b', 0) Import('d.e', None, 'f', 0)"),
    "from a.b import c, d as e": "Import('a.b', 'c', 'c', 0) Import('a.b', 'd', 'e', 0)",
    "from ...a import (b, # why\n c as d,)": "Import('a', 'b', 'b', 3) Import('a', 'c', 'd', 3)",
    "from . import a": "Import('', 'a', 'a', 1)",
    "from a import *": "Import('a', '*', '*', 0)",
    "if a: b\nelif c: d\nelse: e": "If(a, [ExprStmt(b)], [If(c, [ExprStmt(d)], [ExprStmt(e)])])",
    "if a:\n b\n c; d\n": "If(a, [ExprStmt(b), ExprStmt(c), ExprStmt(d)], [])",
    "while a: b\nelse: c": "While(a, [ExprStmt(b)], [ExprStmt(c)])",
    "for a, in b: c\nelse: d": "For(Sequence('tuple', [a]), b, [ExprStmt(c)], [ExprStmt(d)], False)",
    "async for a in b: c": "For(a, b, [ExprStmt(c)], [], True)",
    "with a, b as c: d": "With([WithItem(a, None), WithItem(b, c)], [ExprStmt(d)], False)",
    "async with (a as b, c,): d": "With([WithItem(a, b), WithItem(c, None)], [ExprStmt(d)], True)",
    "with (a): b": "With([WithItem(a, None)], [ExprStmt(b)], False)",
    "try: a\nexcept b: c\nexcept (d, e) as f: g\nexcept: h\nelse: i\nfinally: j": (
        "Try([ExprStmt(a)], [Handler(b, None, [ExprStmt(c)]), Handler(Sequence('tuple', [d, e]), 'f', [ExprStmt(g)]), "
        "Handler(None, None, [ExprStmt(h)])], [ExprStmt(i)], [ExprStmt(j)], False)"
    ),
    "try: a\nfinally: b": "Try([ExprStmt(a)], [], [], [ExprStmt(b)], False)",
    "try: a\nexcept* b as c: d": "Try([ExprStmt(a)], [Handler(b, 'c', [ExprStmt(d)])], [], [], True)",
    "type A[T] = list[T]": "Assign([A], Subscript(list, T), None)",
    "def f(): 'doc'": "Function('f', 'f', [], [], None, [ExprStmt('doc')], False, False, 'doc')",
    "@a.b(c)\n@d[0]\nasync def f(a: b = c, /, *, d=1, **e: g) -> h: yield": (
        "Function('f', 'f', [Param('a', 'positional', b, c), Param('d', 'keyword', None, 1), "
        "Param('e', '**', g, None)], [Call(Attr(a, 'b'), [Arg(None, '', c)]), Subscript(d, 0)], h, "
        "[ExprStmt(Yield(None, False))], True, True, None)"
    ),
    "def f(*a: *b): pass": "Function('f', 'f', [Param('a', '*', Starred(b), None)], [], None, [Jump('pass')], "
    "False, False, None)",
    "def f[T: (int, str) = int, *U = *V, **P = [int]](a: T): pass": (
        "Function('f', 'f', [Param('a', 'positional', T, None)], [], None, [Jump('pass')], False, False, None)"
    ),
    "class A: pass": "Class('A', 'A', [], [], [], [Jump('pass')], None)",
    "@a\nclass A[T](b, *c, d=e, **f): 'doc'": (
        "Class('A', 'A', [b, Starred(c)], [Arg('d', '', e), Arg(None, '**', f)], [a], [ExprStmt('doc')], 'doc')"
    ),
    "class A():\n def f(self): pass": (
        "Class('A', 'A', [], [], [], [Function('f', 'A.f', [Param('self', 'positional', None, None)], [], None, "
        "[Jump('pass')], False, False, None)], None)"
    ),
}


@pytest.mark.parametrize("source", STATEMENTS)
def test_statements(source: str) -> None:
    assert " ".join(shape(statement) for statement in facts(source).body) == STATEMENTS[source]


PATTERNS = {
    "_": "Pattern('capture', None, [], None, [])",
    "a": "Pattern('capture', None, [], 'a', [])",
    "1": "Pattern('value', 1, [], None, [])",
    "-1": "Pattern('value', -1, [], None, [])",
    "None": "Pattern('value', None, [], None, [])",
    "a.b": "Pattern('value', Attr(a, 'b'), [], None, [])",
    "('a' 'b')": "Pattern('value', 'ab', [], None, [])",
    "A()": "Pattern('class', A, [], None, [])",
    "a.A() as e": "Pattern('class', Attr(a, 'A'), [], 'e', [])",
    "A(1, b=c,)": "Pattern('class', A, [Pattern('value', 1, [], None, [])], None, "
    "[['b', Pattern('capture', None, [], 'c', [])]])",
    "A() | (B())": "Pattern('or', None, [Pattern('class', A, [], None, []), Pattern('class', B, [], None, [])], "
    "None, [])",
    "(A() as a) as b": "Pattern('or', None, [Pattern('class', A, [], 'a', [])], 'b', [])",
    "[a, *_]": "Pattern('other', None, [Pattern('capture', None, [], 'a', []), Pattern('capture', None, [], None, [])],"
    " None, [])",
    "*a, 1": "Pattern('other', None, [Pattern('capture', None, [], 'a', []), Pattern('value', 1, [], None, [])], "
    "None, [])",
    "()": "Pattern('other', None, [], None, [])",
    "{1: a, **b}": "Pattern('other', None, [Pattern('capture', None, [], 'a', []), Pattern('capture', None, [], 'b', "
    "[])], None, [])",
}


@pytest.mark.parametrize("source", PATTERNS)
def test_patterns(source: str) -> None:
    (statement,) = facts(f"match x, y:\n    case {source} if z: pass\n    case _: pass").body
    assert shape(statement.subject) == "Sequence('tuple', [x, y])"
    case, other = statement.cases
    assert shape(case.pattern) == PATTERNS[source]
    assert shape(case.guard) == "z"
    assert shape(case.body) == "[Jump('pass')]"
    assert other.guard is None


@pytest.mark.parametrize(
    ("needs", "source", "expected"),
    [
        ("StarredDictComp", "{**a for a in b}", "ExprStmt(Comprehension('dict', None, a, [Clause(a, b, [], False)]))"),
        ("LazyImport", "lazy import a", "Import('a', None, 'a', 0)"),
        ("LazyImportFrom", "lazy from a import b", "Import('a', 'b', 'b', 0)"),
        ("TemplatedString", "t'a{b}'", "ExprStmt(Format(['a', b]))"),
    ],
)
def test_what_newer_parsers_know(needs: str, source: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(cst, needs):
        pytest.skip(f"this libcst has no {needs}")
    assert " ".join(map(shape, facts(source).body)) == expected
    positions_compared(source, monkeypatch)


ANNOTATIONS = {
    "'OpenAI'": "OpenAI",
    "'openai.OpenAI'": "Attr(openai, 'OpenAI')",
    "Optional['OpenAI']": "Subscript(Optional, OpenAI)",
    "'OpenAI | None'": "BinOp('|', OpenAI, None)",
    "'OpenAI' | None": "BinOp('|', OpenAI, None)",
    "dict[str, 'OpenAI']": "Subscript(dict, Sequence('tuple', [str, OpenAI]))",
    "Annotated['OpenAI', 'the client']": "Subscript(Annotated, Sequence('tuple', [OpenAI, 'the client']))",
    "t.Literal['a', 'b']": "Subscript(Attr(t, 'Literal'), Sequence('tuple', ['a', 'b']))",
    "'two words'": "'two words'",
    "''": "''",
}


@pytest.mark.parametrize("source", ANNOTATIONS)
def test_quoted_annotations(source: str) -> None:
    module = facts(f"def f(a: {source}) -> {source}: b: {source} = 1")
    (function,) = module.body
    assert isinstance(function, Function)
    assert shape(function.params[0].annotation) == ANNOTATIONS[source]
    assert shape(function.returns) == ANNOTATIONS[source]
    assert shape(function.body[0].annotation) == ANNOTATIONS[source]


def test_what_is_quoted_has_its_place_and_its_name() -> None:
    module = facts("a: List['b.C']\n")
    quoted = module.body[0].annotation.index
    assert cut(module, quoted.span) == "b.C"
    assert {"a", "List", "b", "C"} <= module.identifiers


def test_names_within_names() -> None:
    module = facts(
        """
class A:
    class B:
        def run(self):
            def inner():
                return lambda: 0
            yield inner
"""
    )
    named = {node.qualname: node for node in every_node(module) if isinstance(node, Function)}
    assert list(named) == ["A.B.run", "A.B.run.inner", "A.B.run.inner.<lambda>"]
    assert [function.is_generator for function in named.values()] == [True, False, False]


def test_a_yield_belongs_to_the_innermost_function() -> None:
    module = facts("def f(a=(yield)):\n    x = lambda: (yield)\n    class A:\n        def g(self): yield\n")
    found = {node.name: node.is_generator for node in every_node(module) if isinstance(node, Function)}
    assert found == {"f": False, "<lambda>": True, "g": True}


def test_docstrings_are_cleaned() -> None:
    module = facts('"""Module."""\ndef f():\n    """First.\n\n        Raises:\n            A: b\n        """\n')
    assert module.docstring == "Module."
    assert module.body[1].docstring == "First.\n\nRaises:\n    A: b"
    assert facts("f'no docstring'").docstring is None
    assert facts("b'no docstring'").docstring is None
    assert facts("a = 1").docstring is None


def test_comments_have_their_places() -> None:
    module = facts("# one\nx = [  # two\n    1,\n    # three\n]\nif x:  #four\n    pass\n    # five\n# six")
    assert module.comments == (
        Comment(1, 1, "# one"),
        Comment(2, 8, "# two"),
        Comment(4, 5, "# three"),
        Comment(6, 8, "#four"),
        Comment(8, 5, "# five"),
        Comment(9, 1, "# six"),
    )
    assert facts("x = '# none'  # é # one").comments == (Comment(1, 15, "# é # one"),)
    assert facts("# only").comments == (Comment(1, 1, "# only"),)


def test_identifiers_are_all_names_of_the_code() -> None:
    module = facts(
        "import a1.b1 as c1\nfrom d1 import e1\n@f1.g1\nclass h1(i1=j1):\n def k1(l1, *m1, **n1): global o1\n"
        "def p1[q1](): match_(r1=s1)\ntype t1 = u1\nmatch v1:\n case w1(x1=y1): pass\n case {**z1}: pass\n"
        "try: pass\nexcept a2 as b2: pass\nf'{c2!r:{d2}}' # not_this\n'nor_this'\nfrom e2 import (f2 as g2)\n"
    )
    expected = {f"{letter}1" for letter in "abcdefghijklmnopqrstuvwxyz"} | {f"{letter}2" for letter in "abcdefg"}
    assert module.identifiers == expected | {"match_"}


def test_spans_of_definitions() -> None:
    module = facts("@a\nasync def f(\n    a,\n) -> b: # c\n    pass\n    # d\n\n@e\nclass A: x; y;\n")
    function, klass = module.body
    assert cut(module, function.span) == "async def f(\n    a,\n) -> b: # c\n    pass"
    assert cut(module, function.header) == "async def f(\n    a,\n) -> b:"
    assert cut(module, klass.span) == "class A: x; y"
    assert cut(module, klass.header) == "class A:"
    (handler,) = facts("try: a\nexcept (b,\n c) as d : e").body[0].handlers
    assert (handler.header, handler.span) == ((2, 1, 3, 11), (2, 1, 3, 13))


def test_columns_count_code_points() -> None:
    module = facts("x = 'äöü😀' + y\n")
    assert module.body[0].value.right.span == (1, 14, 1, 15)


AWKWARD = (
    """\
#!/usr/bin/python
# -*- coding: utf-8 -*-

x = (  # a
    ((a . b) . c) [ 0 , ] ( ) ,
) ; y = 1 \\
    + 2 ;
\tz = 1
""".replace("\tz", "z")
    + """
if a :
\tif b :
\t\tpass
\t# comment
  # another
\telse :
\t\tc = [ a for ( b ) , in ( c ) if ( d ) ]
\x0c
def f ( a , / , * , b : int = ( 1 ) , ) -> ( c ) :
    return ( yield ) , * ( d ) ,
class A ( ( B ) , * C , d = ( e ) ) : pass ; pass
async def g():
    async  with ( a as b , ( c ) as ( d ) , ) : pass
    for ( e ) in 1 , 2 , : pass
    ( await h ) . i ( j for j in k ) ( ( l for l in m ) , )
    a [ 1 : ( 2 ) : , : : 3 , * b ] = { ** c , 'd' : e , } , { f , * g }
    print ( f'{ a !r: > { b } } { c = } {{ }} ' f"" 'x' % ( 1 , ) , * a , b = c , ** d )
    not ( a ) < ( b ) is not ( c ) not in d if e else lambda * a , b = 1 , ** c : ( d := 1 )
    ( '''a
    b''' "c" ) . d
    x = '''
    ''' ; y = f'''
    {a}
    ''' ; z
try : pass
except * ( A ) as b : pass
else : pass
finally : pass
match a , * b :
    case ( A ( 1 , b = ( c ) , ) as d ) | { 1 : 2 , ** e } | [ * f , ( g ) , ] | -1 | 'a' 'b' if ( c ) :
        pass
    case 1 , * _ : pass
type X [ T : int = str , * U , ** P ] = ( list [ T ] )
from . . a . b import ( c as d , e , )
import a . b as c , d
global q , r
assert ( a ) , ( b )
raise ( a ) from ( b )
del ( a ) , b
a : ( int ) = ( yield )
a += ( 1 ) ; b : 'C'
"""
)


def positions_compared(source: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Compares the span of every statement and expression with libcst's own provider; returns how many there were."""
    made: list[tuple[cst.CSTNode, Any]] = []
    quoted: list[int] = []

    def recording(table: dict[Any, Any]) -> dict[Any, Any]:
        def recorder(lower: Any) -> Any:
            def record(self: Any, node: cst.CSTNode, *into: Any) -> Any:
                before = len(into[0]) if into else 0
                fact = lower(self, node, *into)
                if not quoted:
                    made.append((node, into[0][before].span if into else fact.span))
                return fact

            return record

        return {kind: recorder(lower) for kind, lower in table.items()}

    read_quoted = lowering.Lowering._quoted

    def apart(self: Any, text: str, span: Any) -> Any:
        quoted.append(1)  # what is in a string has no place in libcst's eyes
        try:
            return read_quoted(self, text, span)
        finally:
            quoted.pop()

    with monkeypatch.context() as patch:
        patch.setattr(lowering, "EXPRESSIONS", recording(lowering.EXPRESSIONS))
        patch.setattr(visitor, "STATEMENTS", recording(visitor.STATEMENTS))
        patch.setattr(lowering.Lowering, "_quoted", apart)
        wrapper = MetadataWrapper(cst.parse_module(source), unsafe_skip_copy=True)
        places = wrapper.resolve(PositionProvider)
        reader = visitor.Visitor(source)
        reader.module(wrapper.module)
    assert reader.drift == 0
    assert reader.pos == len(reader.text) - 1
    for node, span in made:
        place = places[node]
        expected = (place.start.line, place.start.column + 1, place.end.line, place.end.column + 1)
        assert span == expected, (type(node).__name__, source.split("\n")[expected[0] - 1])
    return len(made)


def test_positions_in_awkward_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    assert positions_compared(AWKWARD, monkeypatch) > 150


def test_a_place_that_libcst_forgets() -> None:
    # libcst drops the space before the colon, and with it its own positions; those of the text are what counts.
    module = facts("x = f'{ a !r : >{ b } } { c }'")
    assert [cut(module, part.span) for part in module.body[0].value.parts if isinstance(part, Name)] == ["a", "b", "c"]


@pytest.mark.parametrize("table", [EXPRESSIONS, STATEMENTS], ids=["expressions", "statements"])
def test_positions_of_every_construct(table: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for source in table:
        positions_compared(f"x = (\n{source})\n" if table is EXPRESSIONS else source, monkeypatch)


STANDARD_LIBRARY = sorted(
    path for path in Path(sysconfig.get_paths()["stdlib"]).rglob("*.py") if "site-packages" not in path.parts
)


def test_positions_in_the_standard_library(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0
    for path in STANDARD_LIBRARY[7::60]:
        text = decode(str(path), path.read_bytes())
        if isinstance(text, Unreadable) or len(text) > 40_000:
            continue
        try:
            compared += positions_compared(text, monkeypatch)
        except cst.ParserSyntaxError:
            continue
    assert compared > 5_000


def test_the_standard_library_is_read() -> None:
    unread = []
    for path in STANDARD_LIBRARY[3::40]:
        data = path.read_bytes()
        found = extract(str(path), data)
        if isinstance(found, Unreadable):
            try:
                compile(data, str(path), "exec", dont_inherit=True)
            except (SyntaxError, ValueError):
                continue  # really broken, on purpose
            unread.append(found)
            continue
        lines = found.text.split("\n")
        for node in every_node(found):
            if isinstance(node, (Name, Attr, Call)):
                end = {Name: "id", Attr: "attr"}.get(type(node))
                expected = ")" if end is None else getattr(node, end)
                assert lines[node.span[2] - 1][: node.span[3] - 1].endswith(expected)
    assert unread == []


# --- notebooks --------------------------------------------------------------------------------------------------------


def notebook(*cells: "str | tuple[str, str]", **metadata: Any) -> bytes:
    """nbformat 4; a cell is code, or (type, text)."""
    made = []
    for cell in cells:
        kind, text = ("code", cell) if isinstance(cell, str) else cell
        made.append({"cell_type": kind, "metadata": {}, "source": text.splitlines(keepends=True)})
    return json.dumps({"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}).encode()


def read(*cells: "str | tuple[str, str]", **metadata: Any) -> ModuleFacts:
    found = extract("book.ipynb", notebook(*cells, **metadata))
    assert isinstance(found, ModuleFacts), found
    return found


def test_code_cells_are_one_module() -> None:
    module = read(("markdown", "# title"), "a = 1\n", "b\nawait c", ("raw", "x"), "return d")
    assert module.text == "a = 1\nb\nawait c\nreturn d\n"
    assert module.cells == (Cell(2, 1, 1), Cell(3, 2, 2), Cell(5, 4, 1))
    assert " ".join(map(shape, module.body)) == "Assign([a], 1, None) ExprStmt(b) ExprStmt(Await(c)) Return(d)"
    assert module.problems == ()


def test_notebooks_of_the_third_format() -> None:
    sheets = [
        {"cells": [{"cell_type": "code", "language": "python", "input": "a", "outputs": []}]},
        {"cells": [{"cell_type": "heading", "source": "x"}, {"cell_type": "code", "input": ["b\n", "c"]}]},
    ]
    data = json.dumps({"worksheets": sheets, "metadata": {"name": ""}, "nbformat": 3}).encode()
    module = extract("old.ipynb", data)
    assert isinstance(module, ModuleFacts)
    assert module.text == "a\nb\nc\n"
    assert module.cells == (Cell(1, 1, 1), Cell(3, 2, 2))


MAGICS = {
    "%matplotlib inline\na": "ExprStmt(a)",
    "!pip install openai==1.0 \\\n  'it''s'\na": "ExprStmt(a)",
    "  !ls\na": "ExprStmt(a)",
    "if a:\n    %cd x\n    b": "If(a, [Jump('pass'), ExprStmt(b)], [])",
    "if a:\n    !cmd": "If(a, [Jump('pass')], [])",
    "x = !ls {y}\nx.a, b = %sql select\na": "Assign([x], ..., None) "
    "Assign([Sequence('tuple', [Attr(x, 'a'), b])], ..., None) ExprStmt(a)",
    "?a\na?\na.b??\n%a?\na": "ExprStmt(a)",
    "%time a = f(\n  1)": "Jump('pass') Assign([a], Call(f, [Arg(None, '', 1)]), None)",
    "%timeit -n 10 -r 3 f()": "Jump('pass') ExprStmt(Call(f, []))",
    "%time\na": "ExprStmt(a)",
    "%%time\na\nb": "ExprStmt(a) ExprStmt(b)",
    "\n%%capture out\na": "ExprStmt(a)",
    "%%bash\nset -e": "",
    "%%writefile a.py\na": "",
    "a = '''\n%not a magic\n!nor this\n'''": "Assign([a], '\\n%not a magic\\n!nor this\\n', None)",
    "a = (b\n% c)": "Assign([a], BinOp('%', b, c), None)",
    "a = b \\\n  % c": "Assign([a], BinOp('%', b, c), None)",
    "a('%d' % b) # ?": "ExprStmt(Call(a, [Arg(None, '', BinOp('%', '%d', b))]))",
    "pip install openai\ncd ..\nls -la\nls = 3": "Assign([ls], 3, None)",
    "\n  a\n  if a:\n    b\n  !ls\n  %time c": "ExprStmt(a) If(a, [ExprStmt(b)], []) Jump('pass') "
    "Jump('pass') ExprStmt(c)",
    "%%time\n\ta\n\tb": "ExprStmt(a) ExprStmt(b)",
    "  a = (\nb\n  )\nc": "Assign([a], b, None) ExprStmt(c)",
}


@pytest.mark.parametrize("source", MAGICS)
def test_magics_are_blanked(source: str) -> None:
    module = read(source)
    assert " ".join(map(shape, module.body)) == MAGICS[source]
    assert module.problems == ()
    assert module.text == source + "\n"  # the text keeps them: `%pip install openai==1.0` is of interest


def test_places_stay_true_behind_magics() -> None:
    module = read("%%time\nimport os\n%timeit -n 10 client.ask(1)\nx = !ls\nif x:\n    !echo it's\n    done()\n")
    calls = [cut(module, node.span) for node in every_node(module) if isinstance(node, Call)]
    assert calls == ["client.ask(1)", "done()"]


def test_places_stay_true_in_an_indented_cell() -> None:
    module = read("    ask(1)\n    for x in y:\n        ask(\n    2)\n    done()\n")
    calls = [(cut(module, node.span), node.span[:2]) for node in every_node(module) if isinstance(node, Call)]
    assert calls == [("ask(1)", (1, 5)), ("ask(\n    2)", (3, 9)), ("done()", (5, 5))]


def test_a_broken_cell_leaves_the_others() -> None:
    module = read("a = 1\n", ("markdown", "m"), "b = (\n'''", "c = 2\nd d", "e = 3")
    assert [shape(statement) for statement in module.body] == ["Assign([a], 1, None)", "Assign([e], 3, None)"]
    assert module.body[1].span == (6, 1, 6, 6)
    assert [(problem.cell, problem.line) for problem in module.problems] == [(3, 2), (4, 2)]


def test_other_languages_are_no_code() -> None:
    assert read("library(x)", language_info={"name": "R"}).body == ()
    assert read("x", kernelspec={"name": "ir", "language": "R"}).body == ()
    assert len(read("x", kernelspec={"name": "python3"}).body) == 1
    assert len(read("x", kernelspec={"name": "my-env", "display_name": "Python"}).body) == 1
    cells = [{"cell_type": "code", "source": "var a;", "metadata": {"dotnet_interactive": {"language": "csharp"}}}]
    module = extract("a.ipynb", json.dumps({"cells": cells}).encode())
    assert isinstance(module, ModuleFacts)
    assert (module.body, module.problems) == ((), ())


def test_cell_texts_hold_sources_and_outputs() -> None:
    outputs = [
        {"output_type": "stream", "text": ["one\n", "two"]},
        {"output_type": "execute_result", "data": {"text/plain": "three", "image/png": "aGVsbG8="}},
        {"output_type": "error", "ename": "E", "evalue": "four", "traceback": ["five"]},
    ]
    cells = [
        {"cell_type": "markdown", "source": ["# a\n", "b"]},
        {"cell_type": "code", "source": "c", "outputs": outputs},
        "broken",
    ]
    texts = cell_texts(json.dumps({"cells": cells}).encode())
    assert [(number, source) for number, source, _ in texts] == [(1, "# a\nb"), (2, "c"), (3, "")]
    for expected in ("one\ntwo", "three", "four", "five"):
        assert expected in texts[1][2]
    assert "aGVsbG8" not in texts[1][2]
    assert cell_texts(b"{") == []
