"""What a condition in a handler tells about the error at hand: which errors take which branch."""

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.escapes import RAW, Leak
from openai_lint.facts import Expr, Pattern
from openai_lint.link import library, messages
from openai_lint.link.blocks import leaves
from openai_lint.link.clauses import clause_of
from openai_lint.link.sums import names
from openai_lint.link.values import Caught, Display, External, Frame, Literal, Symbolic, Values, constants
from openai_lint.sdk import ErrorClass

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine

STATUS_NAMES = frozenset({"status_code", "http_status", "status"})
CAUSES = frozenset({"original", "__cause__"})
"""Attributes of an error around another one that hold the inner one."""


STATUSES = (400, 401, 403, 404, 409, 422, 429, 500, 503)
"""The documented statuses of answers that are errors."""

DEEPEST = 4
"""A predicate that asks predicates that ask predicates is followed this far."""


COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
MIRRORED = str.maketrans("<>", "><")


class Narrowing:
    """Decides conditions for one leak at a time; ``subjects`` are names that stand for the error (or its class)."""

    def __init__(self, engine: "Engine", frame: Frame, subjects: frozenset[str] = frozenset(), depth: int = 0) -> None:
        self._depth = depth
        self._engine = engine
        self._frame = frame
        self._subjects = subjects

    def decide(self, test: Expr, leak: Leak) -> bool | None:
        """Whether the condition holds for this error; None when that depends on something else."""
        match test:
            case facts.Not():
                inner = self.decide(test.value, leak)
                return None if inner is None else not inner
            case facts.BoolOp():
                found = [self.decide(item, leak) for item in test.values]
                if test.op == "and":
                    return False if False in found else None if None in found else True
                return True if True in found else None if None in found else False
            case facts.Compare():
                return self._compare(test, leak)
            case facts.Call():
                return self._call(test, leak)
            case facts.Const():
                return bool(test.value)
            case facts.Name():
                return True if self.is_subject(test) else self._flag(test, leak)
            case facts.Attr() if self.is_subject(test.value) and test.attr in STATUS_NAMES:
                return True if self._statuses(leak) else None
            case _:
                return None

    def _flag(self, test: facts.Name, leak: Leak) -> bool | None:
        """A name that keeps the result of a test on the error (``retryable = isinstance(e, ...)``)."""
        kept = self._kept(test)
        if isinstance(kept, (facts.Compare, facts.Call, facts.Not, facts.BoolOp)):
            return self.decide(kept, leak)
        return None

    def found(self, loop: facts.For, leak: Leak) -> bool | None:
        """Whether a loop comes to a class that the error is of: ``for cls in table: if isinstance(e, cls): ...``."""
        test = search_of(loop)
        if test is None or not self.is_subject(test.args[0].value):
            return None
        classes = self._engine.evaluator.value(test.args[1].value, self._frame)
        verdicts = {self._matches(frozenset({item}), leak) for item in classes}
        return True if True in verdicts else False if verdicts == {False} else None

    def is_subject(self, node: Expr) -> bool:
        """Whether an expression is the error at hand."""
        if self.is_given(node):
            return True
        if isinstance(node, facts.Name) and any(
            isinstance(value, Caught) for value in self._engine.evaluator.value(node, self._frame)
        ):
            return True
        return self._of_exc_info(node, 1)

    def tells(self, node: Expr) -> bool:
        """Whether an expression is the error at hand, or its message."""
        return self.is_subject(node) or self._is_text(node)

    def _is_class(self, node: Expr) -> bool:
        """Whether an expression is the class of the error at hand."""
        match node:
            case facts.Call():
                return library.written(node.func) == "type" and bool(node.args) and self.is_subject(node.args[0].value)
            case facts.Attr(attr="__class__"):
                return self.is_subject(node.value)
            case facts.Name():
                kept = self._kept(node)
                named = isinstance(kept, (facts.Call, facts.Attr)) and self._is_class(kept)
                return named or self._of_exc_info(node, 0)
            case _:
                return self._of_exc_info(node, 0)

    def _of_exc_info(self, node: Expr, part: int) -> bool:
        """Whether an expression is a part of ``sys.exc_info()``: the class, the error."""
        match node:
            case facts.Subscript(value=facts.Call() as call, index=facts.Const(value=index)):
                return index == part and library.written(call.func) == "exc_info"
            case facts.Name():
                for binding in self._frame.module.scope_of(self._frame.function).bindings.get(node.id, ()):
                    if binding.kind != "value" or not isinstance(binding.node, (facts.Subscript, facts.Call)):
                        continue
                    if binding.path == (part,) and library.written(binding.node) == "exc_info":
                        return True
                    if not binding.path and self._of_exc_info(binding.node, part):
                        return True
                return False
            case _:
                return False

    def _kept(self, node: facts.Name) -> Expr | None:
        """What a name is that is bound but once."""
        bindings = self._frame.module.scope_of(self._frame.function).bindings.get(node.id, [])
        if len(bindings) == 1 and bindings[0].kind == "value" and not bindings[0].path:
            return bindings[0].node if isinstance(bindings[0].node, Expr) else None
        return None

    def truth(self, node: Expr) -> bool | None:
        """Whether an expression is one of some constants that are all true, or all false."""
        values = self._engine.evaluator.value(node, self._frame)
        if not values or not all(isinstance(value, Literal) for value in values):
            return None
        return _agreed(bool(value) for value in constants(values))

    def _told(self, node: Expr, leak: Leak) -> bool | None:
        """Whether a function of the project has an answer for the error: it gives something, or nothing."""
        if isinstance(node, facts.NamedExpr):
            node = node.value
        if isinstance(node, facts.Name):
            return self._flag(node, leak)
        return self._project_predicate(node, leak) if isinstance(node, facts.Call) else None

    def is_given(self, node: Expr) -> bool:
        """Whether an expression is one of those that stand for the error."""
        return bool(self._subjects) and library.dotted(node) in self._subjects

    def _call(self, test: facts.Call, leak: Leak) -> bool | None:
        name = library.written(test.func)
        args = [arg.value for arg in test.args]
        if name in ("isinstance", "issubclass") and len(args) == 2:
            subject = args[0]
            if self._is_class(subject):
                return self._matches(self._engine.evaluator.value(args[1], self._frame), leak)
            if isinstance(subject, facts.Attr) and subject.attr in CAUSES and self.is_subject(subject.value):
                subject, leak = subject.value, leak.inside()
            if self.is_subject(subject):
                return self._matches(self._engine.evaluator.value(args[1], self._frame), leak)
            return None
        if name == "hasattr" and len(args) == 2 and self.is_subject(args[0]):
            wanted = constants(self._engine.evaluator.value(args[1], self._frame))
            error = self._error(leak)
            if error is not None and len(wanted) == 1 and isinstance(wanted[0], str):
                return wanted[0] in error.attributes
            return None
        if name in ("startswith", "endswith", "search", "match", "find") and isinstance(test.func, facts.Attr):
            texts = [item.value for item in args if isinstance(item, facts.Const) and isinstance(item.value, str)]
            if texts and any(self._is_text(item) for item in (test.func.value, *args)):
                return self._mentions(texts[0], leak)
            return None
        if name == "any" and len(args) == 1 and isinstance(args[0], facts.Comprehension):
            return self._any_text(args[0], leak)
        return self._project_predicate(test, leak)

    def _project_predicate(self, test: facts.Call, leak: Leak) -> bool | None:
        """A function of the project that tells errors apart: ``if is_retryable(e)``."""
        position = next((index for index, arg in enumerate(test.args) if self.is_subject(arg.value)), None)
        if position is None or test.args[position].keyword is not None or self._depth > DEEPEST:
            return None
        from openai_lint.link.predicates import ask

        callees = self._engine.evaluator.value(test.func, self._frame)
        verdicts = {ask(self._engine, value, leak, position, self._depth + 1) for value in callees}
        return verdicts.pop() if len(verdicts) == 1 else None

    def _matches(self, classes: Values, leak: Leak) -> bool | None:
        if not classes:
            return None
        release = leak.site.release
        return clause_of(classes, self._engine).accepts(leak, release)

    def _error(self, leak: Leak) -> ErrorClass | None:
        if leak.form != RAW:
            return None
        return leak.site.release.errors.get(leak.error)

    def _statuses(self, leak: Leak) -> frozenset[int]:
        """The documented statuses that raise the error; none for an error without an answer."""
        if self._error(leak) is None:
            return frozenset()
        release = leak.site.release
        return frozenset(status for status in STATUSES if release.error_of_status(status) == leak.error)

    def _compare(self, test: facts.Compare, leak: Leak) -> bool | None:
        left, right = test.left, test.right
        if test.op in ("is", "is not", "==", "!="):
            found = self._same(left, right, leak)
            if found is None:
                found = self._same(right, left, leak)
            return found if found is None or test.op in ("is", "==") else not found
        if test.op in ("in", "not in"):
            found = self._member(left, right, leak)
            return found if found is None or test.op == "in" else not found
        if test.op in COMPARISONS:
            op = test.op
            if self._is_status(right):  # ``400 <= status``
                left, right, op = right, left, op.translate(MIRRORED)
            limits = constants(self._engine.evaluator.value(right, self._frame))
            if not self._is_status(left) or len(limits) != 1 or not isinstance(limits[0], (int, float)):
                return None
            limit, compare = limits[0], COMPARISONS[op]
            return _agreed(compare(status, limit) for status in self._statuses(leak))
        return None

    def _same(self, left: Expr, right: Expr, leak: Leak) -> bool | None:
        if isinstance(right, facts.Const) and right.value is None:
            if self._is_status(left):
                return None if self._error(leak) is None else not self._statuses(leak)
            told = self._told(left, leak)
            if told is not None:
                return not told
            return False if self.is_subject(left) else None
        if self.is_given(left) and not isinstance(right, facts.Const):
            return self._exactly(right, leak)
        if self._is_class(left):
            return self._exactly(right, leak)
        if self._is_class_name(left):
            names = constants(self._engine.evaluator.value(right, self._frame))
            return leak.raised.rpartition(".")[2] == names[0] if len(names) == 1 else None
        if self._is_status(left):
            return self._status_in(constants(self._engine.evaluator.value(right, self._frame)), leak)
        return None

    def _is_class_name(self, node: Expr) -> bool:
        """Whether an expression is the name of the error's class, or keeps it."""
        if isinstance(node, facts.Attr):
            return node.attr in ("__name__", "__qualname__")
        kept = self._kept(node) if isinstance(node, facts.Name) else None
        return isinstance(kept, facts.Attr) and self._is_class_name(kept)

    def _exactly(self, classes: Expr, leak: Leak) -> bool | None:
        values = self._engine.evaluator.value(classes, self._frame)
        paths = [value.path for value in values if isinstance(value, External)]
        if len(paths) != 1 or len(values) != 1:
            return None
        from openai_lint.escapes import clause

        return clause(paths[0], leak.site.release) == leak.raised

    def _is_status(self, node: Expr) -> bool:
        if isinstance(node, facts.Attr):
            return node.attr in STATUS_NAMES and (
                self.is_subject(node.value) or (isinstance(node.value, facts.Attr) and node.value.attr == "response")
            )
        if isinstance(node, facts.Call) and library.written(node.func) == "getattr" and len(node.args) >= 2:
            name = node.args[1].value
            return isinstance(name, facts.Const) and name.value in STATUS_NAMES and self.is_subject(node.args[0].value)
        kept = self._kept(node) if isinstance(node, facts.Name) else None
        return isinstance(kept, (facts.Attr, facts.Call)) and self._is_status(kept)

    def _status_in(self, wanted: list[object], leak: Leak) -> bool | None:
        if not wanted or leak.form != RAW:
            return None
        return _agreed(status in wanted for status in self._statuses(leak)) if self._statuses(leak) else False

    def _member(self, left: Expr, right: Expr, leak: Leak) -> bool | None:
        if self._is_status(left) or self._is_class_name(left):
            wanted: list[object] = []
            for value in self._engine.evaluator.value(right, self._frame):
                if not isinstance(value, Display):
                    return None
                for _, found in value.items:
                    wanted += constants(found)
            if self._is_class_name(left):
                return leak.raised.rpartition(".")[2] in wanted if wanted else None
            return self._status_in(wanted, leak)
        if self._is_class(left):
            return self._matches(self._engine.evaluator.value(right, self._frame), leak)
        if self._is_text(right):
            texts = constants(self._engine.evaluator.value(left, self._frame))
            return self._mentions(texts[0], leak) if len(texts) == 1 and isinstance(texts[0], str) else None
        return None

    def _is_text(self, node: Expr) -> bool:
        """Whether an expression is the error's message (``str(e)``, ``e.message``, ``f"{e}"``, lowered or kept)."""
        match node:
            case facts.Call(func=facts.Attr() as method) if method.attr in (
                "lower",
                "upper",
                "strip",
                "casefold",
                "get",
                "format",
            ):
                return self._is_text(method.value)
            case facts.Call() if library.written(node.func) in ("str", "repr", "format") and node.args:
                return self.is_subject(node.args[0].value) or self._is_text(node.args[0].value)
            case facts.Attr(attr="message" | "user_message" | "args" | "body" | "_message"):
                return self.is_subject(node.value)
            case facts.Subscript():
                return self._is_text(node.value)
            case facts.Format():
                return any(isinstance(part, Expr) and self.is_subject(part) for part in node.parts)
            case facts.Name():
                bindings = self._frame.module.scope_of(self._frame.function).bindings.get(node.id, [])
                return any(
                    item.kind == "value"
                    and isinstance(item.node, (facts.Call, facts.Format, facts.Attr))
                    and self._is_text(item.node)
                    for item in bindings[:3]
                )
            case _:
                return False

    def _mentions(self, text: str, leak: Leak) -> bool | None:
        """Whether an error's message holds a text, judged by what the API's messages usually say."""
        if leak.form != RAW:
            return None
        return messages.mentions(leak.error, text, leak.site.release)

    def _any_text(self, node: facts.Comprehension, leak: Leak) -> bool | None:
        clause = node.clauses[0]
        test = node.element
        if not (isinstance(test, facts.Compare) and test.op == "in" and self._is_text(test.right)):
            return None
        verdicts: list[bool | None] = []
        for value in self._engine.evaluator.value(clause.iterable, self._frame):
            if not isinstance(value, Display):
                return None
            for _, found in value.items:
                verdicts += [self._mentions(text, leak) if isinstance(text, str) else None for text in constants(found)]
        if not verdicts:
            return None
        return True if True in verdicts else None if None in verdicts else False

    def case(self, subject: Expr, pattern: Pattern, leak: Leak) -> bool | None:
        """Whether a ``case`` pattern matches what is looked at: the error itself, or its status."""
        if self.is_subject(subject):
            return self.pattern(pattern, leak)
        values = _values_of(pattern) if self._is_status(subject) else []
        if values:
            wanted = [item for value in values for item in constants(self._engine.evaluator.value(value, self._frame))]
            return self._status_in(wanted, leak)
        return True if pattern.kind == "capture" else None

    def pattern(self, pattern: Pattern, leak: Leak) -> bool | None:
        """Whether a ``case`` pattern matches the error."""
        match pattern.kind:
            case "capture":
                return True
            case "class":
                if pattern.value is None:
                    return None
                found = self._matches(self._engine.evaluator.value(pattern.value, self._frame), leak)
                if found:
                    for name, inner in pattern.attributes:
                        values = _values_of(inner)
                        if name in STATUS_NAMES and values:
                            wanted = [
                                item
                                for value in values
                                for item in constants(self._engine.evaluator.value(value, self._frame))
                            ]
                            fits = self._status_in(wanted, leak)
                            if fits is not True:
                                return fits
                        elif inner.kind != "capture":
                            return None
                return found
            case "or":
                parts = [self.pattern(part, leak) for part in pattern.parts]
                return True if True in parts else None if None in parts else False
            case _:
                return None


def search_of(loop: facts.For) -> facts.Call | None:
    """The test of a loop that only looks for the class of an error, and leaves when it is found."""
    only = loop.body[0] if len(loop.body) == 1 else None
    if not isinstance(only, facts.If) or only.orelse or not leaves(only.body):
        return None
    test = only.test
    if isinstance(test, facts.Call) and library.written(test.func) == "isinstance" and len(test.args) == 2:
        wanted = test.args[1].value
        return test if isinstance(wanted, facts.Name) and wanted.id in names(loop.target) else None
    return None


def _values_of(pattern: Pattern) -> list[Expr]:
    """The values that a pattern compares with, where it only compares."""
    if pattern.kind == "value" and pattern.value is not None:
        return [pattern.value]
    parts = [_values_of(part) for part in pattern.parts] if pattern.kind == "or" else []
    return [value for part in parts for value in part] if all(parts) else []


def _agreed(answers: Iterable[bool]) -> bool | None:
    """The one answer that all give; None where they differ or there are none."""
    found = set(answers)
    return found.pop() if len(found) == 1 else None


__all__ = ["Literal", "Narrowing", "Symbolic"]
