"""Lowers expressions: one method for each kind of libcst expression, found by the node's type.

Each method reads the fields of its node in source order, because the cursor moves with it. Spans follow libcst's
position provider: parentheses around an expression do not belong to it, not even those of a tuple.
"""

from collections.abc import Callable, Sequence
from typing import Any

import libcst as cst

from openai_lint.extract import literals
from openai_lint.extract.annotations import unquoted
from openai_lint.extract.cursor import BLANK, Cursor
from openai_lint.extract.depth import SHALLOW, measure
from openai_lint.facts import (
    Arg,
    Attr,
    Await,
    BinOp,
    BoolOp,
    Call,
    Clause,
    Compare,
    Comprehension,
    Const,
    Dict,
    Expr,
    Format,
    Function,
    IfExp,
    Lambda,
    Name,
    NamedExpr,
    Not,
    Param,
    Return,
    Span,
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


class Expressions(Cursor):
    """The expression half of the visitor."""

    __slots__ = ("generator", "identifiers", "scopes")

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.identifiers: set[str] = set()
        self.scopes: list[str] = []
        self.generator = False  # a yield was seen in the function that is being lowered

    def expr(self, node: cst.BaseExpression) -> Expr:
        """Lowers any expression, and steps over the parentheses around it."""
        if self.text[self.pos] in BLANK:
            self.skip()
        if node.lpar:
            for _ in node.lpar:
                self.take("(")
            if self.text[self.pos] in BLANK:
                self.skip()
            fact = _LOWER[type(node)](self, node)
            for _ in node.rpar:
                self.take(")")
            return fact
        return _LOWER[type(node)](self, node)

    def annotation(self, node: cst.Annotation | None, mark: str) -> Expr | None:
        """Lowers ``: type`` or ``-> type``; what is quoted in it is lowered as code."""
        if node is None:
            return None
        self.take(mark)
        lowered = self.expr(node.annotation)
        return lowered if type(lowered) is Name else unquoted(lowered, self._quoted)

    def _quoted(self, text: str, span: Span) -> Expr | None:
        """The expression written in a string. Its spans are exact where the string is one plain literal."""
        code = text.strip()
        if not code or not code.isprintable() or (depth := measure(code)).refusal or depth.depth > SHALLOW:
            return None
        try:
            tree = cst.parse_expression(code)
        except Exception:  # noqa: BLE001  # whatever is wrong with it, it is no annotation
            return None
        inner = Expressions(code)
        quotes = 3 if span[3] - span[1] == len(text) + 6 else 1
        inner.line = span[0]
        inner.bol = -(span[1] + quotes + text.index(code))
        lowered = inner.expr(tree)
        self.identifiers |= inner.identifiers
        return lowered

    def identifier(self, name: str) -> str:
        """Steps over a name that is no expression of its own (a keyword, a parameter, what a statement binds)."""
        self.take(name)
        self.identifiers.add(name)
        return name

    def to_here(self, line: int, column: int) -> Span:
        """The span from the given place to the last token read."""
        return line, column, self.line, self.pos - self.bol

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

    def _string(self, node: cst.SimpleString) -> Expr:
        value = node.value
        line = self.line
        start = self.pos - self.bol
        self.take_raw(value)
        return Const((line, start, self.line, self.pos - self.bol), literals.string(value))

    def _format(self, node: cst.FormattedString) -> Expr:
        line, column = self.start()
        parts: list[str | Expr] = []
        self._format_parts(node, parts)
        return Format(self.to_here(line, column), _joined(parts))

    def _format_parts(self, node: Any, parts: list[str | Expr]) -> None:
        self.take(node.start)
        raw = "r" in node.start or "R" in node.start
        for part in node.parts:
            self._format_part(part, raw, parts)
        self.take_raw(node.end)

    def _format_part(self, part: Any, raw: bool, parts: list[str | Expr]) -> None:
        if not hasattr(part, "expression"):
            self.take_raw(part.value)
            text = part.value.replace("{{", "{").replace("}}", "}")
            parts.append(text if raw or "\\" not in text else literals.unescaped(text))
            return
        self.take_raw("{")
        parts.append(self.expr(part.expression))
        if part.equal is not None:
            self.take("=")
        if part.conversion is not None:
            self.take("!")
            self.take(part.conversion)
        if part.format_spec is not None:
            self.take(":")
            specification: list[str | Expr] = []
            for nested in part.format_spec:
                self._format_part(nested, raw, specification)
            parts.extend(nested for nested in specification if not isinstance(nested, str))
        self.take("}")

    def _concatenation(self, node: cst.ConcatenatedString) -> Expr:
        # Nested to the right, once for each piece: long prompts are written in hundreds of pieces.
        line, column = self.start()
        parts: list[str | Expr] = []
        binary: list[bytes] = []
        only_text = True
        piece: Any = node
        while True:
            following = None
            if type(piece) is cst.ConcatenatedString:
                piece, following = piece.left, piece.right
            self.start()
            if type(piece) is cst.SimpleString:
                self.take_raw(piece.value)
                value = literals.string(piece.value)
                if isinstance(value, bytes):
                    binary.append(value)
                else:
                    parts.append(value)
            else:
                only_text = False
                self._format_parts(piece, parts)
            if following is None:
                break
            piece = following
        span = self.to_here(line, column)
        if binary:
            return Const(span, b"".join(binary))
        if only_text:
            return Const(span, "".join(part for part in parts if isinstance(part, str)))
        return Format(span, _joined(parts))

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


def _joined(parts: list[str | Expr]) -> tuple[str | Expr, ...]:
    """The parts with neighbouring texts made one, and empty ones left out."""
    joined: list[str | Expr] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        elif part != "":
            joined.append(part)
    return tuple(joined)


_LOWER: dict[type[cst.CSTNode], Callable[[Any, Any], Expr]] = {
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
# Newer releases of libcst know more of Python: template strings, and `{**x for x in y}`.
if hasattr(cst, "TemplatedString"):
    _LOWER[cst.TemplatedString] = Expressions._format
if hasattr(cst, "StarredDictComp"):
    _LOWER[cst.StarredDictComp] = Expressions._dict_comprehension
