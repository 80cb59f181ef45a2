"""Lowers expressions: one method for each kind of libcst expression, found by the node's type.

Each method reads the fields of its node in source order, because the cursor moves with it. Spans follow libcst's
position provider: parentheses around an expression do not belong to it, not even those of a tuple.
"""

from collections.abc import Sequence
from typing import Any

import libcst as cst

from openai_lint.extract import literals
from openai_lint.extract.displays import Displays
from openai_lint.extract.lowering import EXPRESSIONS
from openai_lint.facts import (
    Arg,
    Attr,
    Await,
    BinOp,
    BoolOp,
    Call,
    Compare,
    Const,
    Expr,
    IfExp,
    Name,
    NamedExpr,
    Not,
    Starred,
    Subscript,
    Yield,
)
from openai_lint.facts import Sequence as Display

_WORDS: dict[str, bool | None] = {"True": True, "False": False, "None": None}

BINARY: dict[type[cst.CSTNode], str] = {
    cst.Add: "+",
    cst.Subtract: "-",
    cst.Multiply: "*",
    cst.MatrixMultiply: "@",
    cst.Divide: "/",
    cst.FloorDivide: "//",
    cst.Modulo: "%",
    cst.Power: "**",
    cst.LeftShift: "<<",
    cst.RightShift: ">>",
    cst.BitAnd: "&",
    cst.BitOr: "|",
    cst.BitXor: "^",
}

_COMPARISONS: dict[type[cst.CSTNode], tuple[str, ...]] = {
    cst.Equal: ("==",),
    cst.LessThan: ("<",),
    cst.LessThanEqual: ("<=",),
    cst.GreaterThan: (">",),
    cst.GreaterThanEqual: (">=",),
    cst.In: ("in",),
    cst.Is: ("is",),
    cst.NotIn: ("not", "in"),
    cst.IsNot: ("is", "not"),
}


class Expressions(Displays):
    """The rest of the expressions: names, operators, calls, subscripts."""

    __slots__ = ()

    # --- names and literals -------------------------------------------------------------------------------------------

    def _name(self, node: cst.Name) -> Expr:
        value = node.value
        line = self.line
        start = self.pos - self.bol
        self.take(value)
        span = (line, start, line, start + len(value))
        if value in _WORDS:
            return Const(span, _WORDS[value])
        self.identifiers.add(value)
        return Name(span, value)

    def _attribute(self, node: cst.Attribute) -> Expr:
        line = self.line
        start = self.pos - self.bol
        value = self.expr(node.value)
        self.take(".")
        attr = node.attr.value
        self.take(attr)
        self.identifiers.add(attr)
        return Attr((line, start, self.line, self.pos - self.bol), value, attr)

    def _ellipsis(self, _: cst.Ellipsis) -> Expr:
        return self._token("...", ...)

    def _integer(self, node: cst.Integer) -> Expr:
        return self._token(node.value, literals.integer(node.value))

    def _float(self, node: cst.Float) -> Expr:
        return self._token(node.value, literals.real(node.value))

    def _imaginary(self, node: cst.Imaginary) -> Expr:
        return self._token(node.value, literals.imaginary(node.value))

    def _token(self, token: str, value: Any) -> Const:
        line, column = self.start()
        self.take(token)
        return Const(self.to_here(line, column), value)

    # --- operators ----------------------------------------------------------------------------------------------------

    def _boolean(self, node: cst.BooleanOperation) -> Expr:
        line, column = self.start()
        kind = type(node.operator)
        word = "and" if kind is cst.And else "or"
        first: cst.BaseExpression = node
        rest: list[cst.BaseExpression] = []
        while (
            type(first) is cst.BooleanOperation and type(first.operator) is kind and (first is node or not first.lpar)
        ):
            rest.append(first.right)
            first = first.left
        values = [self.expr(first)]
        for right in reversed(rest):
            self.take(word)
            values.append(self.expr(right))
        return BoolOp(self.to_here(line, column), word, tuple(values))

    def _unary(self, node: cst.UnaryOperation) -> Expr:
        line, column = self.start()
        kind = type(node.operator)
        if kind is cst.Not:
            self.take("not")
            value = self.expr(node.expression)
            return Not(self.to_here(line, column), value)
        sign = "-" if kind is cst.Minus else "+" if kind is cst.Plus else "~"
        self.take(sign)
        operator = self.to_here(line, column)
        value = self.expr(node.expression)
        span = self.to_here(line, column)
        if sign == "-" and isinstance(value, Const):
            number = value.value
            if isinstance(number, (int, float, complex)) and not isinstance(number, bool):
                return Const(span, -number)
        if sign == "~":
            return BinOp(span, "^", Const(operator, -1), value)
        return BinOp(span, sign, Const(operator, 0), value)

    def _binary(self, node: cst.BinaryOperation) -> Expr:
        line, column = self.start()
        left = self.expr(node.left)
        operator = BINARY[type(node.operator)]
        self.take(operator)
        right = self.expr(node.right)
        return BinOp(self.to_here(line, column), operator, left, right)

    def _comparison(self, node: cst.Comparison) -> Expr:
        line, column = self.start()
        left = self.expr(node.left)
        pairs: list[Compare] = []
        here = line, column
        for target in node.comparisons:
            operator = target.operator
            tokens = (operator.value,) if isinstance(operator, cst.NotEqual) else _COMPARISONS[type(operator)]
            for token in tokens:
                self.take(token)
            next_here = self.start()
            right = self.expr(target.comparator)
            pairs.append(Compare(self.to_here(*here), left, " ".join(tokens), right))
            left, here = right, next_here
        if len(pairs) == 1:
            return pairs[0]
        return BoolOp(self.to_here(line, column), "and", tuple(pairs))

    def _conditional(self, node: cst.IfExp) -> Expr:
        line, column = self.start()
        body = self.expr(node.body)
        self.take("if")
        test = self.expr(node.test)
        self.take("else")
        orelse = self.expr(node.orelse)
        return IfExp(self.to_here(line, column), test, body, orelse)

    def _walrus(self, node: cst.NamedExpr) -> Expr:
        line, column = self.start()
        target = self.expr(node.target)
        self.take(":=")
        value = self.expr(node.value)
        return NamedExpr(self.to_here(line, column), target, value)

    def _await(self, node: cst.Await) -> Expr:
        line, column = self.start()
        self.take("await")
        value = self.expr(node.expression)
        return Await(self.to_here(line, column), value)

    def _yield(self, node: cst.Yield) -> Expr:
        line, column = self.start()
        self.generator = True
        self.take("yield")
        value = node.value
        delegate = isinstance(value, cst.From)
        if isinstance(value, cst.From):
            self.take("from")
            value = value.item
        lowered = None if value is None else self.expr(value)
        return Yield(self.to_here(line, column), lowered, delegate)

    # --- calls and subscripts -----------------------------------------------------------------------------------------

    def _call(self, node: cst.Call) -> Expr:
        line = self.line
        start = self.pos - self.bol
        func = self.expr(node.func)
        self.take("(")
        args = self.arguments(node.args)
        self.take(")")
        return Call((line, start, self.line, self.pos - self.bol), func, args)

    def arguments(self, nodes: Sequence[cst.Arg]) -> tuple[Arg, ...]:
        """Lowers what stands between the parentheses of a call or a class statement."""
        args = []
        for node in nodes:
            star = node.star
            keyword = None
            if star:
                self.take(star)
            elif node.keyword is not None:
                keyword = node.keyword.value
                self.take(keyword)
                self.identifiers.add(keyword)
                self.take("=")
            args.append(Arg(keyword, star, self.expr(node.value)))
            if type(node.comma) is cst.Comma:
                self.take(",")
        return tuple(args)

    def _subscript(self, node: cst.Subscript) -> Expr:
        line, column = self.start()
        value = self.expr(node.value)
        self.take("[")
        here = self.start()
        items = []
        for element in node.slice:
            items.append(self._index(element.slice))
            self.take_if(element.comma)
        if len(items) == 1 and not isinstance(node.slice[0].comma, cst.Comma):
            index = items[0]
        else:
            index = Display(self.to_here(*here), "tuple", tuple(items))
        self.take("]")
        return Subscript(self.to_here(line, column), value, index)

    def _index(self, node: cst.BaseSlice) -> Expr:
        line, column = self.start()
        if isinstance(node, cst.Index):
            if node.star is None:
                return self.expr(node.value)
            self.take("*")
            value = self.expr(node.value)
            return Starred(self.to_here(line, column), value)
        assert isinstance(node, cst.Slice)  # noqa: S101  # libcst has no third kind
        items = []
        if node.lower is not None:
            items.append(self.expr(node.lower))
        self.take(":")
        if node.upper is not None:
            items.append(self.expr(node.upper))
        if isinstance(node.second_colon, cst.Colon):
            self.take(":")
        if node.step is not None:
            items.append(self.expr(node.step))
        return Display(self.to_here(line, column), "slice", tuple(items))


EXPRESSIONS.update(
    {
        cst.Name: Expressions._name,
        cst.Attribute: Expressions._attribute,
        cst.Call: Expressions._call,
        cst.SimpleString: Expressions._string,
        cst.Integer: Expressions._integer,
        cst.Subscript: Expressions._subscript,
        cst.FormattedString: Expressions._format,
        cst.ConcatenatedString: Expressions._concatenation,
        cst.Float: Expressions._float,
        cst.Imaginary: Expressions._imaginary,
        cst.Ellipsis: Expressions._ellipsis,
        cst.BinaryOperation: Expressions._binary,
        cst.BooleanOperation: Expressions._boolean,
        cst.UnaryOperation: Expressions._unary,
        cst.Comparison: Expressions._comparison,
        cst.IfExp: Expressions._conditional,
        cst.NamedExpr: Expressions._walrus,
        cst.Await: Expressions._await,
        cst.Yield: Expressions._yield,
        cst.Lambda: Expressions._lambda,
        cst.Tuple: Expressions._tuple,
        cst.List: Expressions._list,
        cst.Set: Expressions._set,
        cst.Dict: Expressions._dict,
        cst.StarredElement: Expressions._starred,
        cst.GeneratorExp: Expressions._generator,
        cst.ListComp: Expressions._list_comprehension,
        cst.SetComp: Expressions._set_comprehension,
        cst.DictComp: Expressions._dict_comprehension,
    }
)
# Newer releases of libcst know more of Python: template strings, and `{**x for x in y}`.
if hasattr(cst, "TemplatedString"):
    EXPRESSIONS[cst.TemplatedString] = Expressions._format
if hasattr(cst, "StarredDictComp"):
    EXPRESSIONS[cst.StarredDictComp] = Expressions._dict_comprehension
