"""Lowers displays, comprehensions and lambdas."""

from collections.abc import Sequence
from typing import Any

import libcst as cst

from openai_lint.extract.strings import Strings
from openai_lint.facts import Clause, Comprehension, Dict, Expr, Function, Lambda, Param, Return, Starred
from openai_lint.facts import Sequence as Display


class Displays(Strings):
    """What is written between brackets, and lambdas."""

    __slots__ = ()

    # --- displays -----------------------------------------------------------------------------------------------------

    def _tuple(self, node: cst.Tuple) -> Expr:
        line, column = self.start()
        items = self._elements(node.elements)
        return Display(self.to_here(line, column), "tuple", items)

    def _list(self, node: cst.List) -> Expr:
        line, column = self.start()
        self.take("[")
        items = self._elements(node.elements)
        self.take("]")
        return Display(self.to_here(line, column), "list", items)

    def _set(self, node: cst.Set) -> Expr:
        line, column = self.start()
        self.take("{")
        items = self._elements(node.elements)
        self.take("}")
        return Display(self.to_here(line, column), "set", items)

    def _elements(self, nodes: Sequence[cst.BaseElement]) -> tuple[Expr, ...]:
        items = []
        for node in nodes:
            items.append(self.expr(node) if isinstance(node, cst.StarredElement) else self.expr(node.value))
            if type(node.comma) is cst.Comma:
                self.take(",")
        return tuple(items)

    def _starred(self, node: cst.StarredElement) -> Expr:
        line, column = self.start()
        self.take("*")
        value = self.expr(node.value)
        return Starred(self.to_here(line, column), value)

    def _dict(self, node: cst.Dict) -> Expr:
        line, column = self.start()
        self.take("{")
        items: list[tuple[Expr | None, Expr]] = []
        for element in node.elements:
            key = None
            if isinstance(element, cst.DictElement):
                key = self.expr(element.key)
                self.take(":")
            else:
                self.take("**")
            items.append((key, self.expr(element.value)))
            self.take_if(element.comma)
        self.take("}")
        return Dict(self.to_here(line, column), tuple(items))

    # --- comprehensions and lambdas -----------------------------------------------------------------------------------

    def _generator(self, node: cst.GeneratorExp) -> Expr:
        return self._comprehension(node, "generator", "", "")

    def _list_comprehension(self, node: cst.ListComp) -> Expr:
        return self._comprehension(node, "list", "[", "]")

    def _set_comprehension(self, node: cst.SetComp) -> Expr:
        return self._comprehension(node, "set", "{", "}")

    def _comprehension(self, node: cst.BaseSimpleComp, kind: str, opening: str, closing: str) -> Expr:
        line, column = self.start()
        self.take(opening)
        element = self.expr(node.elt)
        clauses = self._clauses(node.for_in)
        self.take(closing)
        return Comprehension(self.to_here(line, column), kind, None, element, clauses)

    def _dict_comprehension(self, node: Any) -> Expr:
        line, column = self.start()
        self.take("{")
        key = None
        if isinstance(node, cst.DictComp):
            key = self.expr(node.key)
            self.take(":")
        else:
            self.take("**")
        element = self.expr(node.value)
        clauses = self._clauses(node.for_in)
        self.take("}")
        return Comprehension(self.to_here(line, column), "dict", key, element, clauses)

    def _clauses(self, node: cst.CompFor) -> tuple[Clause, ...]:
        clauses = []
        following: cst.CompFor | None = node
        while following is not None:
            if following.asynchronous is not None:
                self.take("async")
            self.take("for")
            target = self.expr(following.target)
            self.take("in")
            iterable = self.expr(following.iter)
            conditions = []
            for condition in following.ifs:
                self.take("if")
                conditions.append(self.expr(condition.test))
            clauses.append(Clause(target, iterable, tuple(conditions), following.asynchronous is not None))
            following = following.inner_for_in
        return tuple(clauses)

    def _lambda(self, node: cst.Lambda) -> Expr:
        line, column = self.start()
        self.take("lambda")
        params = self.parameters(node.params)
        self.take(":")
        header = self.to_here(line, column)
        outer, self.generator = self.generator, False
        self.scopes.append("<lambda>")
        value = self.expr(node.body)
        span = self.to_here(line, column)
        function = Function(
            span,
            header,
            "<lambda>",
            ".".join(self.scopes),
            params,
            (),
            None,
            (Return(value.span, value),),
            False,
            self.generator,
            None,
        )
        self.scopes.pop()
        self.generator = outer
        return Lambda(span, function)

    def parameters(self, node: cst.Parameters) -> tuple[Param, ...]:
        """Lowers the parameters of a ``def`` or a lambda, in source order."""
        params = [self._parameter(param, "positional", "") for param in node.posonly_params]
        if params:
            self.take("/")
            self.take_if(getattr(node.posonly_ind, "comma", None))
        params += [self._parameter(param, "positional", "") for param in node.params]
        if isinstance(node.star_arg, cst.Param):
            params.append(self._parameter(node.star_arg, "*", "*"))
        elif isinstance(node.star_arg, cst.ParamStar):
            self.take("*")
            self.take(",")
        params += [self._parameter(param, "keyword", "") for param in node.kwonly_params]
        if node.star_kwarg is not None:
            params.append(self._parameter(node.star_kwarg, "**", "**"))
        return tuple(params)

    def _parameter(self, node: cst.Param, kind: str, star: str) -> Param:
        if star:
            self.take(star)
        name = self.identifier(node.name.value)
        annotation = None if node.annotation is None else self.annotation(node.annotation, ":")
        default = None
        if node.default is not None:
            self.take("=")
            default = self.expr(node.default)
        if type(node.comma) is cst.Comma:
            self.take(",")
        return Param(name, kind, annotation, default)
