"""The one pass over a libcst tree: lowers statements, and with its base classes patterns and expressions.

The pass dispatches on the node's type, visits only the fields that carry meaning, and reads them in source order (see
``cursor``). Statements which bind several things at once are split: one ``Import`` for each name.
"""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import libcst as cst

from openai_lint.extract.expressions import BINARY
from openai_lint.extract.patterns import Patterns
from openai_lint.facts import (
    Assert,
    Assign,
    AugAssign,
    Block,
    Case,
    Class,
    Const,
    Delete,
    Expr,
    ExprStmt,
    For,
    Function,
    Handler,
    If,
    Import,
    Jump,
    Match,
    Name,
    Raise,
    Return,
    Scope,
    Span,
    Starred,
    Stmt,
    Try,
    While,
    With,
    WithItem,
)
from openai_lint.facts import Sequence as Display


class Visitor(Patterns):
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
                _LOWER[type(small)](self, small, into)
                self.take_if(small.semicolon)
        else:
            _LOWER[type(node)](self, node, into)

    def _block(self, node: cst.BaseSuite) -> Block:
        self.take(":")
        return self._suite(node)

    def _suite(self, node: cst.BaseSuite) -> Block:
        body: list[Stmt] = []
        if isinstance(node, cst.SimpleStatementSuite):
            for small in node.body:
                _LOWER[type(small)](self, small, body)
                self.take_if(small.semicolon)
        else:
            for statement in node.body:
                self._statement(statement, body)
        return tuple(body)

    # --- simple statements --------------------------------------------------------------------------------------------

    def _expression(self, node: cst.Expr, into: list[Stmt]) -> None:
        line, column = self.start()
        value = self.expr(node.value)
        into.append(ExprStmt(self.to_here(line, column), value))

    def _assign(self, node: cst.Assign, into: list[Stmt]) -> None:
        line, column = self.start()
        targets = []
        for target in node.targets:
            targets.append(self.expr(target.target))
            self.take("=")
        value = self.expr(node.value)
        into.append(Assign(self.to_here(line, column), tuple(targets), value, None))

    def _annotated_assign(self, node: cst.AnnAssign, into: list[Stmt]) -> None:
        line, column = self.start()
        target = self.expr(node.target)
        annotation = self.annotation(node.annotation, ":")
        value = None
        if node.value is not None:
            self.take("=")
            value = self.expr(node.value)
        into.append(Assign(self.to_here(line, column), (target,), value, annotation))

    def _augmented_assign(self, node: cst.AugAssign, into: list[Stmt]) -> None:
        line, column = self.start()
        target = self.expr(node.target)
        operator = _AUGMENTED[type(node.operator)]
        self.take(operator + "=")
        value = self.expr(node.value)
        into.append(AugAssign(self.to_here(line, column), target, operator, value))

    def _type_alias(self, node: cst.TypeAlias, into: list[Stmt]) -> None:
        line, column = self.start()
        self.take("type")
        here = self.start()
        name = self.identifier(node.name.value)
        target = Name(self.to_here(*here), name)
        self._type_parameters(node.type_parameters)
        self.take("=")
        value = self.expr(node.value)
        into.append(Assign(self.to_here(line, column), (target,), value, None))

    def _return(self, node: cst.Return, into: list[Stmt]) -> None:
        line, column = self.start()
        self.take("return")
        value = None if node.value is None else self.expr(node.value)
        into.append(Return(self.to_here(line, column), value))

    def _raise(self, node: cst.Raise, into: list[Stmt]) -> None:
        line, column = self.start()
        self.take("raise")
        error = None if node.exc is None else self.expr(node.exc)
        cause = None
        if node.cause is not None:
            self.take("from")
            cause = self.expr(node.cause.item)
        into.append(Raise(self.to_here(line, column), error, cause))

    def _assert(self, node: cst.Assert, into: list[Stmt]) -> None:
        line, column = self.start()
        self.take("assert")
        test = self.expr(node.test)
        message = None
        if node.msg is not None:
            self.take(",")
            message = self.expr(node.msg)
        into.append(Assert(self.to_here(line, column), test, message))

    def _delete(self, node: cst.Del, into: list[Stmt]) -> None:
        line, column = self.start()
        self.take("del")
        target = self.expr(node.target)
        targets = target.items if isinstance(target, Display) and target.kind == "tuple" else (target,)
        into.append(Delete(self.to_here(line, column), targets))

    def _pass(self, _: cst.Pass, into: list[Stmt]) -> None:
        self._jump("pass", into)

    def _break(self, _: cst.Break, into: list[Stmt]) -> None:
        self._jump("break", into)

    def _continue(self, _: cst.Continue, into: list[Stmt]) -> None:
        self._jump("continue", into)

    def _jump(self, kind: str, into: list[Stmt]) -> None:
        line, column = self.start()
        self.take(kind)
        into.append(Jump(self.to_here(line, column), kind))

    def _global(self, node: cst.Global, into: list[Stmt]) -> None:
        self._scope("global", node.names, into)

    def _nonlocal(self, node: cst.Nonlocal, into: list[Stmt]) -> None:
        self._scope("nonlocal", node.names, into)

    def _scope(self, kind: str, items: Sequence[cst.NameItem], into: list[Stmt]) -> None:
        line, column = self.start()
        self.take(kind)
        names = []
        for item in items:
            names.append(self.identifier(item.name.value))
            self.take_if(item.comma)
        into.append(Scope(self.to_here(line, column), kind, tuple(names)))

    # --- imports ------------------------------------------------------------------------------------------------------

    def _import(self, node: Any, into: list[Stmt]) -> None:
        line, column = self.start()
        if _lazy(node):
            self.take("lazy")
        self.take("import")
        found = [self._alias(alias) for alias in node.names]
        span = self.to_here(line, column)
        for module, bound in found:
            into.append(Import(span, module, None, bound or module.partition(".")[0], 0))

    def _import_from(self, node: Any, into: list[Stmt]) -> None:
        line, column = self.start()
        if _lazy(node):
            self.take("lazy")
        self.take("from")
        for _ in node.relative:
            self.take(".")
        module = "" if node.module is None else self._dotted(node.module)
        self.take("import")
        if node.lpar is not None:
            self.take("(")
        if isinstance(node.names, cst.ImportStar):
            self.take("*")
            found: list[tuple[str, str | None]] = [("*", None)]
        else:
            found = [self._alias(alias) for alias in node.names]
        if node.rpar is not None:
            self.take(")")
        span = self.to_here(line, column)
        for name, bound in found:
            into.append(Import(span, module, name, bound or name, len(node.relative)))

    def _alias(self, node: cst.ImportAlias) -> tuple[str, str | None]:
        name = self._dotted(node.name)
        bound = None
        if node.asname is not None:
            assert isinstance(node.asname.name, cst.Name)  # noqa: S101  # the grammar's own rule
            self.take("as")
            bound = self.identifier(node.asname.name.value)
        self.take_if(node.comma)
        return name, bound

    def _dotted(self, node: cst.BaseExpression) -> str:
        if isinstance(node, cst.Attribute):
            module = self._dotted(node.value)
            self.take(".")
            return f"{module}.{self.identifier(node.attr.value)}"
        assert isinstance(node, cst.Name)  # noqa: S101  # the grammar's own rule
        return self.identifier(node.value)

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

    def _type_parameters(self, node: cst.TypeParameters | None) -> None:
        """Steps over ``[T: bound = default]``: no error passes through a type parameter."""
        if node is None:
            return
        self.take("[")
        for item in node.params:
            param = item.param
            if isinstance(param, cst.TypeVarTuple):
                self.take("*")
            elif isinstance(param, cst.ParamSpec):
                self.take("**")
            self.identifier(param.name.value)
            if isinstance(param, cst.TypeVar) and param.bound is not None:
                self.take(":")
                self.expr(param.bound)
            if item.default is not None:
                self.take("=")
                if item.star:
                    self.take(item.star)
                self.expr(item.default)
            self.take_if(item.comma)
        self.take("]")


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


def _lazy(node: cst.CSTNode) -> bool:
    return type(node).__name__.startswith("Lazy")


_AUGMENTED: dict[type[cst.CSTNode], str] = {
    getattr(cst, f"{kind.__name__}Assign"): operator for kind, operator in BINARY.items()
}

_LOWER: dict[type[cst.CSTNode], Callable[[Any, Any, list[Stmt]], None]] = {
    cst.Expr: Visitor._expression,
    cst.Assign: Visitor._assign,
    cst.AnnAssign: Visitor._annotated_assign,
    cst.AugAssign: Visitor._augmented_assign,
    cst.TypeAlias: Visitor._type_alias,
    cst.Return: Visitor._return,
    cst.Raise: Visitor._raise,
    cst.Assert: Visitor._assert,
    cst.Del: Visitor._delete,
    cst.Pass: Visitor._pass,
    cst.Break: Visitor._break,
    cst.Continue: Visitor._continue,
    cst.Global: Visitor._global,
    cst.Nonlocal: Visitor._nonlocal,
    cst.Import: Visitor._import,
    cst.ImportFrom: Visitor._import_from,
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
# Newer releases of libcst know the lazy imports of Python 3.15.
if hasattr(cst, "LazyImport"):
    _LOWER[cst.LazyImport] = Visitor._import
    _LOWER[cst.LazyImportFrom] = Visitor._import_from
