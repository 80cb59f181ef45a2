"""What evaluating an expression raises, in evaluation order."""

from typing import TYPE_CHECKING

from openai_lint import escapes, facts
from openai_lint.escapes import NO_LEAKS, RETRY_ERROR, Leak, Leaks
from openai_lint.facts import Expr
from openai_lint.link import library
from openai_lint.link.handed import sorted_out
from openai_lint.link.values import External, Values

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine
    from openai_lint.link.walk import Walk


class Raises:
    """The expressions of one walk."""

    def __init__(self, engine: "Engine", walk: "Walk") -> None:
        self._engine = engine
        self._walk = walk

    def expr(self, node: Expr) -> None:
        """Raise what evaluating an expression raises, in evaluation order."""
        match node:
            case facts.Call():
                self._call(node)
            case facts.Await():
                self.expr(node.value)
                values = self._engine.evaluator.value(node.value, self._walk.frame)
                leaks = self._engine.triggers.trigger("await", values).leaks
                self._walk.leak(sorted_out(self._engine, self._walk, node.value, leaks), node)
            case facts.Attr():
                self._attr(node)
            case facts.Name() | facts.Const() | facts.Lambda():
                pass
            case facts.Comprehension(kind="generator"):
                self.expr(node.clauses[0].iterable)
            case facts.Comprehension():
                self._comprehend(node)
            case facts.Starred():
                self.expr(node.value)
                self.iterate(node.value)
            case facts.Yield():
                self._yield(node)
            case facts.NamedExpr():
                self.expr(node.value)
            case facts.Subscript():
                self._subscript(node)
            case facts.BinOp():
                self._binary(node)
            case _:
                for child in facts.children(node):
                    if isinstance(child, Expr):
                        self.expr(child)

    def comprehension(self, node: facts.Comprehension) -> Leaks:
        """What going through a comprehension raises."""
        with self._walk.collect() as raised:
            self._comprehend(node)
        return frozenset(raised)

    def _comprehend(self, node: facts.Comprehension) -> None:
        for clause in node.clauses:
            self.expr(clause.iterable)
            self.iterate(clause.iterable)
            for condition in clause.conditions:
                self.expr(condition)
        if node.key is not None:
            self.expr(node.key)
        self.expr(node.element)

    def iterate(self, node: Expr) -> None:
        """Raise what iterating the value of an expression raises."""
        values = self._engine.evaluator.value(node, self._walk.frame)
        self._walk.leak(self._engine.triggers.trigger("iterate", values).leaks, node)

    def _attr(self, node: facts.Attr) -> None:
        self.expr(node.value)
        engine = self._engine
        if node.attr in engine.property_names:
            for base in engine.evaluator.value(node.value, self._walk.frame):
                self._walk.leak(engine.calls.property_leaks(base, node.attr, self._walk.frame).leaks, node)
        elif node.attr in engine.method_words:
            engine.evaluator.value(node, self._walk.frame)

    def _call(self, node: facts.Call) -> None:
        self.expr(node.func) if isinstance(node.func, facts.Attr) else self._callee(node.func)
        for arg in node.args:
            self.expr(arg.value)
            if arg.star == "*":
                self.iterate(arg.value)
        if self._walk.injected is not None and self._walk.through and library.dotted(node.func) == self._walk.through:
            self._walk.leak(self._walk.injected)
        method = node.func
        if (
            isinstance(method, facts.Attr)
            and method.attr == "result"
            and library.dotted(method.value) in self._walk.settled
        ):
            return
        leaks = self._engine.calls.call(node, self._walk.frame).leaks
        self._walk.leak(sorted_out(self._engine, self._walk, node, leaks), node)

    def _subscript(self, node: facts.Subscript) -> None:
        self.expr(node.value)
        self.expr(node.index)
        engine, frame = self._engine, self._walk.frame
        if engine.operators.looks_up():
            base, key = engine.evaluator.value(node.value, frame), engine.evaluator.value(node.index, frame)
            self._walk.leak(engine.operators.item(base, key, frame, node).leaks, node)

    def _binary(self, node: facts.BinOp) -> None:
        self.expr(node.left)
        self.expr(node.right)
        engine, frame = self._engine, self._walk.frame
        if engine.operators.computes(node.op):
            left, right = engine.evaluator.value(node.left, frame), engine.evaluator.value(node.right, frame)
            self._walk.leak(engine.operators.binary(node.op, left, right, frame, node).leaks, node)

    def _callee(self, node: Expr) -> None:
        if not isinstance(node, facts.Name):
            self.expr(node)

    def anew(self, node: Expr, values: Values, live: Leaks, passed: bool) -> Leaks:
        """What of the errors at hand goes on as an error of the SDK that the code makes itself; behind their handlers
        (``passed``) only those of the same class do.

        From 1.x the SDK's errors want the answer or the request that they come from; without, making one crashes.
        """
        paths = [item.path.removesuffix("()") for item in values if isinstance(item, External)]
        if len(paths) != 1 or not live:
            return NO_LEAKS
        given = {arg.keyword or arg.star for arg in node.args} if isinstance(node, facts.Call) else set()
        found: set[Leak] = set()
        for leak in live:
            release = leak.site.release
            meaning = escapes.clause(paths[0], release)
            name = meaning.removeprefix("openai.") if isinstance(meaning, str) else ""
            if passed and leak.error != name:
                continue
            if name in release.inventory_errors and (leak.site.era == 0 or given & {"response", "request", "**"}):
                found.add(leak.made_anew(name))
        return frozenset(found)

    def _yield(self, node: facts.Yield) -> None:
        if node.value is not None:
            self.expr(node.value)
            if node.delegate:
                values = self._engine.evaluator.value(node.value, self._walk.frame)
                self._walk.leak(self._engine.triggers.trigger("iterate", values).leaks, node)
        if self._walk.injected is not None and not self._walk.through:
            self._walk.leak(self._walk.injected)


def holder(node: Expr) -> Expr | None:
    """The retry library's error whose inner one an expression is: ``e.last_attempt.exception()``, ``e.__cause__``."""
    match node:
        case facts.Call(func=facts.Attr(attr="exception", value=facts.Attr(attr="last_attempt", value=outer))):
            return outer
        case facts.Attr(attr="_exception", value=facts.Attr(attr="last_attempt", value=outer)):
            return outer
        case facts.Attr(attr="__cause__", value=outer):
            return outer
        case _:
            return None


def unwrapped(leaks: Leaks) -> Leaks:
    """What is inside of the errors of retry libraries among these."""
    wrapped = (leak for leak in leaks if leak.form == RETRY_ERROR)
    return frozenset(leak.inside() for leak in wrapped)


def has_error(test: Expr, present: bool) -> frozenset[str]:
    """The tasks of which a condition, if it holds, says that they ended with an error, or (not ``present``) without.

    If it does not hold, the contrary is true of those that ``present`` names.
    """
    match test:
        case facts.Not():
            return has_error(test.value, not present)
        case facts.Compare(op="is" | "==", right=facts.Const(value=None)):
            return has_error(test.left, not present)
        case facts.Compare(op="is not" | "!=", right=facts.Const(value=None)):
            return has_error(test.left, present)
        case facts.NamedExpr():
            return has_error(test.value, present)
        case facts.Call(func=facts.Attr(attr="exception", value=task)) if present:
            return frozenset({library.dotted(task)} - {""})
        case _:
            return frozenset()
