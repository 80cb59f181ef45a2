"""Lowers the statements that hold no others. One which binds several names is split: one ``Import`` for each name."""

from collections.abc import Callable, Sequence
from typing import Any

import libcst as cst

from openai_lint.extract.expressions import BINARY
from openai_lint.extract.patterns import Patterns
from openai_lint.facts import (
    Assert,
    Assign,
    AugAssign,
    Delete,
    ExprStmt,
    Import,
    Jump,
    Name,
    Raise,
    Return,
    Scope,
    Stmt,
)
from openai_lint.facts import Sequence as Display

STATEMENTS: dict[type[cst.CSTNode], Callable[[Any, Any, list[Stmt]], None]] = {}
"""How each kind of statement is lowered: it is appended to the block it stands in."""


class SimpleStatements(Patterns):
    """The simple statements, and what definitions share with them."""

    __slots__ = ()

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


def _lazy(node: cst.CSTNode) -> bool:
    return type(node).__name__.startswith("Lazy")


_AUGMENTED: dict[type[cst.CSTNode], str] = {
    getattr(cst, f"{kind.__name__}Assign"): operator for kind, operator in BINARY.items()
}

STATEMENTS.update(
    {
        cst.Expr: SimpleStatements._expression,
        cst.Assign: SimpleStatements._assign,
        cst.AnnAssign: SimpleStatements._annotated_assign,
        cst.AugAssign: SimpleStatements._augmented_assign,
        cst.TypeAlias: SimpleStatements._type_alias,
        cst.Return: SimpleStatements._return,
        cst.Raise: SimpleStatements._raise,
        cst.Assert: SimpleStatements._assert,
        cst.Del: SimpleStatements._delete,
        cst.Pass: SimpleStatements._pass,
        cst.Break: SimpleStatements._break,
        cst.Continue: SimpleStatements._continue,
        cst.Global: SimpleStatements._global,
        cst.Nonlocal: SimpleStatements._nonlocal,
        cst.Import: SimpleStatements._import,
        cst.ImportFrom: SimpleStatements._import_from,
    }
)
# Newer releases of libcst know the lazy imports of Python 3.15.
if hasattr(cst, "LazyImport"):
    STATEMENTS[cst.LazyImport] = SimpleStatements._import
    STATEMENTS[cst.LazyImportFrom] = SimpleStatements._import_from
