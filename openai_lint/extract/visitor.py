"""The one pass over a libcst tree: lowers statements, and with its base classes patterns and expressions.

The pass dispatches on the node's type, visits only the fields that carry meaning, and reads them in source order (see
``cursor``). Statements which bind several things at once are split: one ``Import`` for each name.
"""

import inspect
from collections.abc import Sequence
from typing import Any

import libcst as cst

from openai_lint.extract.statements import STATEMENTS, SimpleStatements
from openai_lint.facts import (
    Block,
    Case,
    Class,
    Const,
    Expr,
    ExprStmt,
    For,
    Function,
    Handler,
    If,
    Match,
    Span,
    Starred,
    Stmt,
    Try,
    While,
    With,
    WithItem,
)


class Visitor(SimpleStatements):
    """Lowers one module. ``module`` gives its body; names and comments are gathered on the way."""

    __slots__ = ()

    def module(self, node: cst.Module) -> Block:
        """Lowers the whole tree, and reads the text to its end."""
        body: list[Stmt] = []
        for statement in node.body:
            self._statement(statement, body)
        self.start()
        return tuple(body)

    def _statement(self, node: cst.CSTNode, into: list[Stmt]) -> None:
        if isinstance(node, cst.SimpleStatementLine):
            for small in node.body:
                STATEMENTS[type(small)](self, small, into)
                self.take_if(small.semicolon)
        else:
            STATEMENTS[type(node)](self, node, into)

    def _block(self, node: cst.BaseSuite) -> Block:
        self.take(":")
        return self._suite(node)

    def _suite(self, node: cst.BaseSuite) -> Block:
        body: list[Stmt] = []
        if isinstance(node, cst.SimpleStatementSuite):
            for small in node.body:
                STATEMENTS[type(small)](self, small, body)
                self.take_if(small.semicolon)
        else:
            for statement in node.body:
                self._statement(statement, body)
        return tuple(body)

    # --- compound statements ------------------------------------------------------------------------------------------

    def _if(self, node: cst.If, into: list[Stmt]) -> None:
        self._branch(node, "if", into)

    def _branch(self, node: cst.If, word: str, into: list[Stmt]) -> None:
        line, column = self.start()
        self.take(word)
        test = self.expr(node.test)
        body = self._block(node.body)
        orelse: list[Stmt] = []
        if isinstance(node.orelse, cst.If):
            self._branch(node.orelse, "elif", orelse)
        else:
            orelse.extend(self._else(node.orelse))
        into.append(If(_span(line, column, orelse or body), test, body, tuple(orelse)))

    def _else(self, node: cst.Else | None) -> Block:
        if node is None:
            return ()
        self.take("else")
        return self._block(node.body)

    def _while(self, node: cst.While, into: list[Stmt]) -> None:
        line, column = self.start()
        self.take("while")
        test = self.expr(node.test)
        body = self._block(node.body)
        orelse = self._else(node.orelse)
        into.append(While(_span(line, column, orelse or body), test, body, orelse))

    def _for(self, node: cst.For, into: list[Stmt]) -> None:
        line, column = self.start()
        is_async = self._async(node.asynchronous)
        self.take("for")
        target = self.expr(node.target)
        self.take("in")
        iterable = self.expr(node.iter)
        body = self._block(node.body)
        orelse = self._else(node.orelse)
        into.append(For(_span(line, column, orelse or body), target, iterable, body, orelse, is_async))

    def _async(self, node: cst.Asynchronous | None) -> bool:
        if node is None:
            return False
        self.take("async")
        return True

    def _with(self, node: cst.With, into: list[Stmt]) -> None:
        line, column = self.start()
        is_async = self._async(node.asynchronous)
        self.take("with")
        if isinstance(node.lpar, cst.LeftParen):
            self.take("(")
        items = []
        for item in node.items:
            context = self.expr(item.item)
            target = None
            if item.asname is not None:
                self.take("as")
                target = self.expr(item.asname.name)
            items.append(WithItem(context, target))
            self.take_if(item.comma)
        if isinstance(node.rpar, cst.RightParen):
            self.take(")")
        body = self._block(node.body)
        into.append(With(_span(line, column, body), tuple(items), body, is_async))

    def _try(self, node: Any, into: list[Stmt]) -> None:
        line, column = self.start()
        self.take("try")
        body = self._block(node.body)
        handlers = tuple([self._handler(handler) for handler in node.handlers])
        orelse = self._else(node.orelse)
        finalbody: Block = ()
        if node.finalbody is not None:
            self.take("finally")
            finalbody = self._block(node.finalbody.body)
        last = finalbody or orelse or (handlers[-1].body if handlers else body)
        star = isinstance(node, cst.TryStar)
        into.append(Try(_span(line, column, last), body, handlers, orelse, finalbody, star))

    def _handler(self, node: Any) -> Handler:
        line, column = self.start()
        self.take("except")
        if isinstance(node, cst.ExceptStarHandler):
            self.take("*")
        caught = None if node.type is None else self.expr(node.type)
        name = None
        if node.name is not None:
            self.take("as")
            name = self.identifier(node.name.name.value)
        self.take(":")
        header = self.to_here(line, column)
        body = self._suite(node.body)
        return Handler(_span(line, column, body), header, caught, name, body)

    def _match(self, node: cst.Match, into: list[Stmt]) -> None:
        line, column = self.start()
        self.take("match")
        subject = self.expr(node.subject)
        self.take(":")
        cases = []
        for case in node.cases:
            self.take("case")
            pattern = self.pattern(case.pattern)
            guard = None
            if case.guard is not None:
                self.take("if")
                guard = self.expr(case.guard)
            cases.append(Case(pattern, guard, self._block(case.body)))
        into.append(Match(_span(line, column, cases[-1].body), subject, tuple(cases)))

    # --- definitions --------------------------------------------------------------------------------------------------

    def _function(self, node: cst.FunctionDef, into: list[Stmt]) -> None:
        decorators = self._decorators(node.decorators)
        line, column = self.start()
        is_async = self._async(node.asynchronous)
        self.take("def")
        name = self.identifier(node.name.value)
        self._type_parameters(node.type_parameters)
        self.take("(")
        params = self.parameters(node.params)
        self.take(")")
        returns = self.annotation(node.returns, "->")
        self.take(":")
        header = self.to_here(line, column)
        outer, self.generator = self.generator, False
        self.scopes.append(name)
        body = self._suite(node.body)
        qualname = ".".join(self.scopes)
        self.scopes.pop()
        is_generator, self.generator = self.generator, outer
        into.append(
            Function(
                _span(line, column, body),
                header,
                name,
                qualname,
                params,
                decorators,
                returns,
                body,
                is_async,
                is_generator,
                docstring(body),
            )
        )

    def _class(self, node: cst.ClassDef, into: list[Stmt]) -> None:
        decorators = self._decorators(node.decorators)
        line, column = self.start()
        self.take("class")
        name = self.identifier(node.name.value)
        self._type_parameters(node.type_parameters)
        bases: list[Expr] = []
        keywords = []
        if isinstance(node.lpar, cst.LeftParen):
            self.take("(")
            for arg in self.arguments((*node.bases, *node.keywords)):
                if arg.keyword is not None or arg.star == "**":
                    keywords.append(arg)
                else:
                    bases.append(Starred(arg.value.span, arg.value) if arg.star else arg.value)
            self.take(")")
        self.take(":")
        header = self.to_here(line, column)
        self.scopes.append(name)
        body = self._suite(node.body)
        qualname = ".".join(self.scopes)
        self.scopes.pop()
        into.append(
            Class(
                _span(line, column, body),
                header,
                name,
                qualname,
                tuple(bases),
                tuple(keywords),
                decorators,
                body,
                docstring(body),
            )
        )

    def _decorators(self, nodes: Sequence[cst.Decorator]) -> tuple[Expr, ...]:
        decorators = []
        for node in nodes:
            self.take("@")
            decorators.append(self.expr(node.decorator))
        return tuple(decorators)


def docstring(body: Block) -> str | None:
    """The string a body begins with, indentation taken off as ``inspect.getdoc`` does."""
    if body and isinstance(body[0], ExprStmt) and isinstance(body[0].value, Const):
        text = body[0].value.value
        if isinstance(text, str):
            return inspect.cleandoc(text)
    return None


def _span(line: int, column: int, body: Sequence[Stmt]) -> Span:
    """From the given place to the end of a statement's last block."""
    last = body[-1].span
    return line, column, last[2], last[3]


STATEMENTS.update(
    {
        cst.If: Visitor._if,
        cst.While: Visitor._while,
        cst.For: Visitor._for,
        cst.With: Visitor._with,
        cst.Try: Visitor._try,
        cst.TryStar: Visitor._try,
        cst.Match: Visitor._match,
        cst.FunctionDef: Visitor._function,
        cst.ClassDef: Visitor._class,
    }
)
