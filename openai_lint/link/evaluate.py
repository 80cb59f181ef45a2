"""What an expression may be: names, attributes, displays and the results of calls, read on demand.

A name is a cell of the fixpoint by itself: one of everything that its scope binds it to. Where it is read in that
scope, what is overwritten there, or stands in another branch, is left out of clients, functions and objects.
"""

from typing import TYPE_CHECKING

from openai_lint import facts
from openai_lint.facts import Class, Expr
from openai_lint.link import library
from openai_lint.link.cells import BindingCell, Gives, GivesCell, NameCell, ParamCell
from openai_lint.link.displays import Displays, union
from openai_lint.link.index import Binding, ScopeInfo
from openai_lint.link.reaching import followable
from openai_lint.link.values import (
    ANYTHING,
    NOTHING,
    UNKNOWN,
    Bound,
    Caught,
    ClassRef,
    Client,
    ContextFrame,
    ContextFunction,
    Deferred,
    Display,
    External,
    Frame,
    FunctionRef,
    Instance,
    Lazy,
    Literal,
    Managed,
    ModuleRef,
    Partial,
    Policied,
    Resource,
    Retried,
    Super,
    Symbolic,
    Unknown,
    Value,
    Values,
    literal,
    one,
)
from openai_lint.link.widening import widened

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine


def _told(values: Values) -> Values:
    """What a set of values says beside that it is something of a library."""
    return frozenset(value for value in values if not isinstance(value, (Unknown, External)))


def _says(values: Values) -> bool:
    """Whether values say more than an annotation beside them would: None and library objects do not."""
    return any(not (isinstance(value, Literal) and value.value is None) for value in _told(values))


ANY_ERROR = frozenset({External("Exception"), External("BaseException")})

TOLD_APART = (Client, Resource, ClassRef, Deferred, FunctionRef, Instance, Retried)
"""What a name may hold that makes it matter which of its bindings is meant."""


class Evaluator:
    """Reads expressions in frames."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._displays = Displays(engine)

    # --- expressions

    def value(self, node: Expr, frame: Frame) -> Values:
        """What an expression may be, in one frame."""
        memo = self._engine.memo
        key = (node, frame)
        if key in memo:
            return memo[key]
        memo[key] = NOTHING
        calls = self._engine.calls
        before, calls.quiet = calls.quiet, True
        result = self._compute(node, frame)
        calls.quiet = before
        result = widened(result)
        memo[key] = result
        return result

    def _compute(self, node: Expr, frame: Frame) -> Values:
        match node:
            case facts.Name():
                earlier = frame.module.earlier.get(node)
                if earlier is not None:
                    owner = self.owner(node.id, frame)
                    return self.bound(earlier, owner, owner.module.scope_of(owner.function))
                return self._name_there(node, frame)
            case facts.Attr():
                return self._attribute_of(node, frame)
            case facts.Call():
                return self._engine.calls.call(node, frame).values
            case facts.Const():
                return literal(node.value)
            case facts.Format():
                return self._displays.format(node, frame)
            case facts.Await():
                return self._engine.triggers.trigger("await", self.value(node.value, frame)).values
            case facts.Lambda():
                return one(FunctionRef(node.function, frame))
            case facts.IfExp():
                return self.value(node.body, frame) | self.value(node.orelse, frame)
            case facts.BoolOp():
                return union(self.value(item, frame) for item in node.values)
            case facts.NamedExpr():
                return self.value(node.value, frame)
            case facts.Starred():
                return self.items(self.value(node.value, frame))
            case facts.Sequence():
                return self._displays.sequence(node, frame)
            case facts.Dict():
                return self._displays.dict(node, frame)
            case facts.Comprehension(kind="generator"):
                return one(Deferred("iterate", Lazy(node, frame)))
            case facts.Comprehension():
                held = self.value(node.element, frame)
                if node.key is None:
                    return one(Display(node.kind, ((None, held),)))
                return one(Display("table", ((0, self.value(node.key, frame)), (1, held))))
            case facts.Subscript():
                return self._displays.subscript(node, frame)
            case facts.BinOp():
                return self._displays.binary(node, frame)
            case facts.Yield():
                return ANYTHING
            case _:
                return ANYTHING

    def items(self, values: Values) -> Values:
        """What iterating these values gives (its errors are told by ``Calls.trigger``)."""
        result: Values = NOTHING
        for value in values:
            match value:
                case Display(kind="dict" | "table"):
                    result |= self._displays.keys(value)
                case Display():
                    result |= union(found for _, found in value.items)
                case Deferred():
                    result |= self._engine.triggers.trigger("iterate", one(value)).values
                case Policied():
                    result |= one(Policied(value.policy, "attempt"))
                case External():
                    result |= library.extended(value.path, "[]")
                case _:
                    result |= ANYTHING
        return result

    # --- names

    def name(self, name: str, frame: Frame) -> Values:
        """What a name may be where it is used in ``frame``."""
        return self._engine.solver.read(NameCell(self.owner(name, frame), name))  # type: ignore[no-any-return]

    def _name_there(self, node: facts.Name, frame: Frame) -> Values:
        """What a name may be at this very place: without what only bindings give that are overwritten there."""
        found = self.name(node.id, frame)
        if len(found) < 2 or not any(isinstance(value, TOLD_APART) for value in found):
            return found
        if self.owner(node.id, frame) is not frame:
            return found
        scope = frame.module.scope_of(frame.function)
        gone = self._engine.reaching.overwritten(node, scope)
        if not gone:
            return found
        left = union(self._given_by(one, frame) for one in scope.bindings[node.id] if one not in gone)
        return found - (union(self._given_by(one, frame) for one in gone) - left)

    def _given_by(self, binding: Binding, frame: Frame) -> Values:
        return self._engine.solver.read(BindingCell(frame, binding))  # type: ignore[no-any-return]

    def compute_binding(self, cell: BindingCell) -> Values:
        """What one of several bindings gives."""
        return widened(self.bound(cell.binding, cell.frame, cell.frame.module.scope_of(cell.frame.function)))

    def owner(self, name: str, frame: Frame) -> Frame:
        """The frame whose scope binds the name (the module's frame for globals and unknown names)."""
        current: Frame | None = frame
        while current is not None:
            scope = current.module.scope_of(current.function)
            if name in scope.bindings and name not in scope.globals and name not in scope.outer:
                return current
            current = current.parent
        return Frame(frame.module, None)

    def compute_name(self, cell: NameCell) -> Values:
        """Join what every binding of the name gives."""
        scope = cell.frame.module.scope_of(cell.frame.function)
        bindings = scope.bindings.get(cell.name, ())
        result: Values = NOTHING
        several = len(bindings) > 1 and len(followable(bindings)) > 1
        for binding in bindings:
            if binding.kind == "annotation" and any(other.kind != "annotation" for other in bindings):
                continue
            result |= self._given_by(binding, cell.frame) if several else self.bound(binding, cell.frame, scope)
        if not bindings:
            result = self._free(cell.name, scope, cell.frame)
        return widened(result)

    def _free(self, name: str, scope: ScopeInfo, frame: Frame) -> Values:
        for star in scope.stars:
            found = self._engine.lookup.star(star, name, frame.module)
            if found is not None:
                return found
        return library.builtin(name)

    def compute_gives(self, cell: GivesCell) -> Gives:
        """What the return and yield statements of a function may give."""
        function = cell.frame.function
        if not isinstance(function, facts.Function):
            return Gives()
        returns: Values = NOTHING
        yields: Values = NOTHING
        for node in self._engine.branches.exits(cell.frame):
            if isinstance(node, facts.Return):
                returns |= ANYTHING if node.value is None else self.value(node.value, cell.frame)
            elif node.value is None:
                yields |= ANYTHING
            else:
                found = self.value(node.value, cell.frame)
                yields |= self.items(found) if node.delegate else found
        if (
            function.returns is not None
            and not function.is_generator
            and all(isinstance(value, (Unknown, External)) for value in returns)
        ):
            returns = self.annotation(function.returns, cell.frame.parent or cell.frame) or returns
        if not function.is_generator and not returns:
            returns = ANYTHING if not self._engine.has_return(function) else returns
        return Gives(widened(returns), widened(yields))

    def bound(self, binding: Binding, frame: Frame, scope: ScopeInfo) -> Values:
        """What one binding gives a name, in the frame that holds the name."""
        node, frame = binding.node, self._written_in(binding, frame)
        match binding.kind:
            case "value":
                found = self.value(node, frame)
                declared = self.annotation(binding.annotation, frame) if binding.annotation is not None else NOTHING
                values = declared | _told(found) if declared and not _says(found) else found
            case "item":
                values = self.items(self.value(node, frame))
            case "entered":
                values = self._engine.triggers.trigger("enter", self.value(node, frame)).values
            case "caught":
                return one(Caught(frame, node))
            case "import":
                return self._engine.lookup.imported(node, frame.module)
            case "def":
                return self._engine.calls.defined(node, frame)
            case "class":
                return self._engine.calls.defined_class(node, frame)
            case "param":
                return self.parameter(node, frame, scope)
            case "annotation":
                return self.annotation(binding.annotation, frame) or ANYTHING
            case "into":
                values = self.value(node, frame)
                for _ in range(binding.nested + 1):
                    values = one(Display("list", ((None, values),)))
                return values
            case _:
                return ANYTHING
        for index in binding.path:
            values = self.items(values) if index is None else union(self._member(value, index) for value in values)
        return values

    def _written_in(self, binding: Binding, frame: Frame) -> Frame:
        """The frame in which a binding's expression stands: often that of a function inside the one with the name."""
        if binding.scope is None:
            return frame
        inside: list[facts.Function] = []
        scope: ScopeInfo | None = binding.scope
        while scope is not None and scope.node is not (frame.function or frame.module.facts):
            if isinstance(scope.node, facts.Function):
                inside.append(scope.node)
            scope = scope.parent
        if scope is None:
            return self._engine.generic_frame(binding.scope)
        for function in reversed(inside):
            frame = Frame(frame.module, function, frame)
        return frame

    def _member(self, value: Value, index: int) -> Values:
        if isinstance(value, Display):
            return self._displays.item(value, index)
        return ANYTHING

    def parameter(self, param: facts.Param, frame: Frame, scope: ScopeInfo) -> Values:
        """What a parameter may be: what this frame was given, what it is declared to be, what callers pass."""
        given = frame.argument(param.name)
        if given is not None:
            return given
        function = scope.function
        if function is None or param.kind == "**":
            return ANYTHING
        if param.kind == "*":
            several: Values = self._engine.solver.read(ParamCell(function, param.name))
            return several - ANYTHING or ANYTHING
        owner = scope.owner
        if owner is not None and param is function.params[0] and not library.is_static(function):
            receiver = self.class_ref(owner, frame)
            if function.name == "__init_subclass__":
                return frozenset(self._engine.hierarchy.subclasses(receiver)) or one(receiver)
            return one(receiver) if library.is_class_method(function) else one(Instance(receiver, False))
        declared = self.annotation(param.annotation, frame) if param.annotation is not None else NOTHING
        passed: Values = self._engine.solver.read(ParamCell(function, param.name))
        default = self.value(param.default, frame.parent or frame) if param.default is not None else NOTHING
        cell = ParamCell(function, param.name)
        if not passed - ANYTHING:
            self._engine.guessed.add(cell)
        elif _told(passed) == passed and cell not in self._engine.frames.left_out:
            default = NOTHING  # every call gives something else
        known = (passed | default) - ANYTHING - one(Literal(None, type(None)))
        if declared - ANYTHING:
            return declared | frozenset(
                value for value in known if isinstance(value, (Client, Resource, FunctionRef, Instance))
            )
        return known or (default if default and not passed else ANYTHING)

    def class_ref(self, scope: ScopeInfo, frame: Frame) -> ClassRef:
        """The class of a scope, as seen from a frame of one of its methods."""
        if not isinstance(scope.node, Class):
            raise TypeError("no scope of a class")
        return ClassRef(scope.node, frame.parent or Frame(frame.module, None))

    def annotation(self, node: Expr | None, frame: Frame) -> Values:
        """The objects that an annotation declares: clients and instances; nothing where it tells nothing."""
        match node:
            case None:
                return NOTHING
            case facts.Subscript():
                head = self.value(node.value, frame)
                if any(isinstance(value, External) and value.path in library.CLASS_TYPES for value in head):
                    named = self.value(node.index, frame)
                    # ``type[Exception]`` is any error that there is: what is passed tells more.
                    return frozenset(value for value in named if isinstance(value, (ClassRef, External))) - ANY_ERROR
                if library.is_container(head):
                    inner = node.index.items if isinstance(node.index, facts.Sequence) else (node.index,)
                    members = union(self.annotation(item, frame) for item in inner)
                    return one(Display("list", ((None, members),))) if members else NOTHING
                if library.is_type_wrapper(head):
                    inner = node.index.items if isinstance(node.index, facts.Sequence) else (node.index,)
                    wanted = inner[:1] if library.first_only(head) else inner
                    return union(self.annotation(item, frame) for item in wanted)
                return self.annotation(node.value, frame)
            case facts.BinOp(op="|"):
                return self.annotation(node.left, frame) | self.annotation(node.right, frame)
            case facts.Name() | facts.Attr():
                return union(self._declared(value, frame) for value in self.value(node, frame))
            case _:
                return NOTHING

    def _declared(self, value: Value, frame: Frame) -> Values:
        match value:
            case ClassRef():
                client = self._engine.api.client_of_class(value, "annotation")
                return one(client) if client is not None else one(Instance(value, False))
            case External():
                return self._engine.api.declared(value.path, frame.module)
            case _:
                return NOTHING

    # --- attributes

    def _attribute_of(self, node: facts.Attr, frame: Frame) -> Values:
        base = self.value(node.value, frame)
        result = union(self.attribute(value, node.attr, frame, node) for value in base)
        if UNKNOWN in base and all(
            value == UNKNOWN or (isinstance(value, Literal) and value.value is None) for value in base
        ):
            chain = self._engine.api.chain(node, frame)
            if chain is not None:
                return chain
        return result

    def attribute(self, value: Value, attr: str, frame: Frame, node: facts.Attr | None = None) -> Values:
        """What an attribute of a value may be."""
        match value:
            case External():
                kept = self._engine.lookup.kept_on(value.path, attr, node)
                return self._engine.api.external_attribute(value.path, attr, frame, node) | kept
            case ModuleRef():
                return self._engine.lookup.member(value.path, attr, frame.module.path)
            case Instance():
                return self._engine.lookup.instance_attribute(value, attr, frame)
            case ClassRef():
                return self._engine.lookup.class_attribute(value, attr, frame)
            case Super():
                return self._engine.lookup.super_attribute(value, attr, frame)
            case Client() | Resource():
                return self._engine.api.attribute(value, attr, frame, node)
            case Deferred(on="result") | Deferred(on="await"):
                return one(Bound(External(f"deferred.{attr}"), value))
            case Deferred() | ContextFrame() | Display() | Policied() | Literal():
                return one(Bound(External(f"{library.kind_of(value)}.{attr}"), value))
            case FunctionRef() | Bound() | Partial() | Retried() | Managed() | ContextFunction():
                return one(Bound(External(f"function.{attr}"), value))
            case Caught():
                return one(Bound(External(f"error.{attr}"), value))
            case Symbolic():
                return one(Bound(External(f"symbolic.{attr}"), value))
            case _:
                return ANYTHING
