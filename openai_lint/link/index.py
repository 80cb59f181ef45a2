"""Who binds which name where: scopes of a module, made in one pass over its facts.

Nothing is evaluated here. A binding says by what kind of statement a name gets its value and keeps the expression; the
evaluator reads it when somebody asks for the name.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from openai_lint import facts
from openai_lint.facts import (
    Assign,
    Attr,
    AugAssign,
    Call,
    Class,
    Comprehension,
    Expr,
    For,
    Function,
    Import,
    Lambda,
    Match,
    ModuleFacts,
    Name,
    NamedExpr,
    Pattern,
    Scope,
    Sequence,
    Starred,
    Stmt,
    Subscript,
    Try,
    With,
)
from openai_lint.link.library import APPENDERS, SETTERS

BY_NAME = "getattr"
"""The built-in function that gets at anything by a string. Mentions of it are those where the string is not written."""


@dataclass(frozen=True, slots=True, eq=False)
class Binding:
    """One way in which a name gets a value.

    ``kind``: ``value`` (the expression itself), ``member`` (``path`` into it), ``item`` (what iterating it gives),
    ``entered`` (what entering it gives), ``caught`` (the error of ``node``, a handler), ``import``, ``def``, ``class``,
    ``param``, ``annotation`` (declared only), ``into`` (put into it, ``nested`` displays deep). ``path`` leads on
    through unpacking. ``scope`` is where the expression stands, if that is another scope than the name's.
    """

    kind: str
    node: Any
    path: tuple[int | None, ...] = ()
    annotation: Expr | None = None
    conditional: bool = False
    nested: int = 0
    scope: "ScopeInfo | None" = None


@dataclass(frozen=True, slots=True, eq=False)
class Put:
    """Something put into a container that a name holds: ``TABLE[key] = value`` or ``found.append(value)``."""

    name: str
    owner: "ScopeInfo"


@dataclass(frozen=True, slots=True, eq=False)
class Store:
    """An assignment to an attribute: ``target.attr = binding``, seen in ``scope``."""

    target: Expr
    attr: str
    binding: Binding
    scope: "ScopeInfo"


@dataclass(slots=True, eq=False)
class ScopeInfo:
    """A module, class or function with the names that it binds and the identifiers that it mentions.

    ``words`` are the identifiers that it hands on as strings (``self._call("_raw_gen")``).
    """

    node: Function | Class | ModuleFacts
    parent: "ScopeInfo | None"
    module: "ModuleInfo"
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    mentions: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)
    attributes: dict[str, list[Attr]] = field(default_factory=dict)
    outer: set[str] = field(default_factory=set)
    globals: set[str] = field(default_factory=set)
    stars: list[Import] = field(default_factory=list)
    children: "list[ScopeInfo]" = field(default_factory=list)

    @property
    def function(self) -> Function | None:
        """The function of this scope, if it is one."""
        return self.node if isinstance(self.node, Function) else None

    @property
    def owner(self) -> "ScopeInfo | None":
        """The class whose body directly holds this function."""
        if self.parent is not None and isinstance(self.node, Function) and isinstance(self.parent.node, Class):
            return self.parent
        return None

    def enclosing(self) -> "ScopeInfo":
        """The nearest scope around this one in which free names are looked up (class bodies are skipped)."""
        scope = self.parent
        while scope is not None and isinstance(scope.node, Class):
            scope = scope.parent
        return scope if scope is not None else self.module.scope

    def filled(self) -> frozenset[str]:
        """The parameters whose containers the function puts something into."""
        return frozenset(
            name
            for name, found in self.bindings.items()
            if any(one.kind == "param" for one in found) and any(one.kind == "into" for one in found)
        )

    def first_parameter(self) -> str | None:
        """The name of ``self`` or ``cls`` in a method."""
        if isinstance(self.node, Function) and self.node.params and self.node.params[0].kind == "positional":
            return self.node.params[0].name
        return None


@dataclass(slots=True, eq=False)
class ModuleInfo:
    """An extracted module with its scopes. ``calls`` maps an expression to the smallest call around it.

    ``given`` are attributes that objects get which a library makes (``parser.set_defaults(func=ask)``). ``values`` are
    the frames, functions, classes and objects of the module that the linker tells apart, each once. ``earlier`` has
    the definition that a name means where it is wrapped and bound anew (``ask = retry(...)(ask)``).
    """

    facts: ModuleFacts
    path: str
    is_test: bool
    scope: ScopeInfo = field(init=False)
    scopes: dict[Function | Class, ScopeInfo] = field(default_factory=dict)
    stores: list[Store] = field(default_factory=list)
    puts: list[Put] = field(default_factory=list)
    given: dict[str, list[Store]] = field(default_factory=dict)
    calls: dict[Expr, Call] = field(default_factory=dict)
    functions: list[Function] = field(default_factory=list)
    awaited: set[Expr] = field(default_factory=set)
    imports: set[str] = field(default_factory=set)
    tries: dict[Expr, tuple[Try, ...]] = field(default_factory=dict)
    statements: dict[Expr, Stmt] = field(default_factory=dict)
    earlier: dict[Expr, Binding] = field(default_factory=dict)
    values: dict[tuple[Any, ...], Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Index the facts."""
        self.scope = ScopeInfo(self.facts, None, self)
        indexer = _Indexer(self)
        indexer.block(self.facts.body, self.scope)
        indexer.settle()

    def scope_of(self, function: Function | Class | None) -> ScopeInfo:
        """The scope of a function; the module's own for None."""
        return self.scope if function is None else self.scopes[function]

    def __repr__(self) -> str:
        return f"<module {self.path}>"


class _Indexer:
    """The pass. Expressions are walked too: they bind names (walrus, comprehensions) and mention identifiers."""

    def __init__(self, module: ModuleInfo) -> None:
        self._module = module
        self._call: Call | None = None
        self._tries: tuple[Try, ...] = ()
        self._statement: Stmt | None = None
        self._late: list[tuple[str, Binding, ScopeInfo]] = []

    def settle(self) -> None:
        """Bind what is put into containers, now that it is known which scope has the name."""
        for name, binding, scope in self._late:
            owner: ScopeInfo | None = scope
            while owner is not None and (
                name not in owner.bindings or (isinstance(owner.node, Class) and owner is not scope)
            ):
                owner = owner.parent
            self._add(name, binding, owner or scope, scope)
            self._module.puts.append(Put(name, owner or scope))

    def block(self, body: facts.Block, scope: ScopeInfo) -> None:
        for statement in body:
            self._statement = statement
            self._stmt(statement, scope)

    def _stmt(self, node: Stmt, scope: ScopeInfo) -> None:
        if isinstance(node, Assign):
            self._assign(node, scope)
        elif isinstance(node, (Function, Class)):
            self._define(node, scope)
        elif isinstance(node, Import):
            self._import(node, scope)
        elif isinstance(node, For):
            self._bind(node.target, Binding("item", node.iterable), scope)
            self._expr(node.iterable, scope)
            self.block(node.body, scope)
            self.block(node.orelse, scope)
        elif isinstance(node, With):
            for item in node.items:
                self._expr(item.context, scope)
                if item.target is not None:
                    self._bind(item.target, Binding("entered", item.context), scope)
            self.block(node.body, scope)
        elif isinstance(node, Try):
            self._try(node, scope)
        elif isinstance(node, AugAssign):
            if isinstance(node.target, Name):
                self._bind(node.target, Binding("into" if node.op == "+=" else "value", node.value), scope)
            self._expr(node.target, scope)
            self._expr(node.value, scope)
        elif isinstance(node, Scope):
            (scope.globals if node.kind == "global" else scope.outer).update(node.names)
        elif isinstance(node, Match):
            self._expr(node.subject, scope)
            for case in node.cases:
                self._pattern(case.pattern, node.subject, scope)
                if case.guard is not None:
                    self._expr(case.guard, scope)
                self.block(case.body, scope)
        elif isinstance(node, (facts.If, facts.While)):
            self._expr(node.test, scope)
            self.block(node.body, scope)
            self.block(node.orelse, scope)
        else:
            for child in facts.children(node):
                if isinstance(child, Expr):
                    self._expr(child, scope)

    def _assign(self, node: Assign, scope: ScopeInfo) -> None:
        self._rewrap(node, scope)
        for target in node.targets:
            if node.value is None:
                self._bind(target, Binding("annotation", None, annotation=node.annotation), scope)
            else:
                self._bind(target, Binding("value", node.value, annotation=node.annotation), scope)
            if not isinstance(target, Name):
                self._expr(target, scope)
        if node.value is not None:
            self._expr(node.value, scope)
        if node.annotation is not None:
            self._expr(node.annotation, scope)

    def _rewrap(self, node: Assign, scope: ScopeInfo) -> None:
        """``ask = retry(...)(ask)``: from here on, the name means what was made of the function."""
        target = node.targets[0] if len(node.targets) == 1 else None
        if not isinstance(node.value, Call) or not isinstance(target, Name) or isinstance(scope.node, Class):
            return
        known = scope.bindings.get(target.id, [])
        given = [arg.value for arg in node.value.args if isinstance(arg.value, Name) and arg.value.id == target.id]
        wraps = given and len(known) == 1 and known[0].kind == "def"
        if wraps and any(statement is node for statement in scope.node.body):
            self._module.earlier |= dict.fromkeys(given, known.pop())

    def _try(self, node: Try, scope: ScopeInfo) -> None:
        outer = self._tries
        self._tries = (*outer, node)
        self.block(node.body, scope)
        self._tries = outer
        for handler in node.handlers:
            if handler.type is not None:
                self._expr(handler.type, scope)
            if handler.name is not None:
                scope.bindings.setdefault(handler.name, []).append(Binding("caught", handler))
            self.block(handler.body, scope)
        self.block(node.orelse, scope)
        self.block(node.finalbody, scope)

    def _define(self, node: Function | Class, scope: ScopeInfo) -> None:
        kind = "def" if isinstance(node, Function) else "class"
        if not (isinstance(node, Function) and node.name == "<lambda>"):
            self._add(node.name, Binding(kind, node), scope)
        inner = ScopeInfo(node, scope, self._module)
        scope.children.append(inner)
        self._module.scopes[node] = inner
        outer_tries, self._tries = self._tries, ()
        for decorator in node.decorators:
            self._expr(decorator, scope)
        if isinstance(node, Function):
            self._module.functions.append(node)
            for param in node.params:
                inner.bindings.setdefault(param.name, []).append(Binding("param", param))
                if param.default is not None:
                    self._expr(param.default, scope)
                if param.annotation is not None:
                    self._expr(param.annotation, scope)
        else:
            for base in node.bases:
                self._expr(base, scope)
            for keyword in node.keywords:
                self._expr(keyword.value, scope)
        call, self._call = self._call, None
        self.block(node.body, inner)
        self._call = call
        self._tries = outer_tries
        if isinstance(node, Function) and node.name == "<lambda>":
            scope.mentions |= inner.mentions
            scope.words |= inner.words

    def _import(self, node: Import, scope: ScopeInfo) -> None:
        self._module.imports.add(node.module)
        if node.name == "*":
            scope.stars.append(node)
        else:
            self._add(node.bound, Binding("import", node, conditional=bool(self._tries)), scope)
        scope.mentions.add(node.bound)
        if node.name is not None:
            scope.mentions.add(node.name)

    def _add(self, name: str, binding: Binding, scope: ScopeInfo, written: ScopeInfo | None = None) -> None:
        written = written or scope
        if name in scope.globals:
            scope = self._module.scope
        elif name in scope.outer:
            scope = scope.enclosing()
        if scope is not written:
            binding = replace(binding, scope=written)
        scope.bindings.setdefault(name, []).append(binding)

    def _bind(self, target: Expr, binding: Binding, scope: ScopeInfo) -> None:
        if isinstance(target, Name):
            self._add(target.id, binding, scope)
        elif isinstance(target, Attr):
            self._module.stores.append(Store(target.value, target.attr, binding, scope))
        elif isinstance(target, Sequence):
            for position, item in enumerate(target.items):
                index = None if isinstance(item, Starred) else position
                inner = item.value if isinstance(item, Starred) else item
                path = (*binding.path, index)
                self._bind(inner, Binding(binding.kind, binding.node, path), scope)
        elif (
            isinstance(target, Subscript) and binding.kind == "value" and binding.node is not None and not binding.path
        ):
            self._put(target.value, Binding("into", binding.node), scope)

    def _put(self, container: Expr, binding: Binding, scope: ScopeInfo) -> None:
        """Something is put into a container, or into one that is held in it (``table[key].append(value)``)."""
        match container:
            case Name():
                self._late.append((container.id, binding, scope))
            case Attr():
                self._module.stores.append(Store(container.value, container.attr, binding, scope))
            case Subscript():
                self._put(container.value, replace(binding, nested=binding.nested + 1), scope)
            case Call(func=Attr(value=outer, attr="setdefault" | "get")):
                self._put(outer, replace(binding, nested=binding.nested + 1), scope)
            case _:
                pass

    def _pattern(self, pattern: Pattern, subject: Expr, scope: ScopeInfo) -> None:
        if pattern.name is not None:
            self._add(pattern.name, Binding("value", subject), scope)
        if pattern.value is not None:
            self._expr(pattern.value, scope)
        for part in pattern.parts:
            self._pattern(part, subject, scope)

    def _expr(self, node: Expr, scope: ScopeInfo) -> None:
        kind = type(node)
        if kind is Name:
            scope.mentions.add(node.id)  # type: ignore[attr-defined]
            self._place(node)
        elif isinstance(node, Attr):
            scope.mentions.add(node.attr)
            scope.attributes.setdefault(node.attr, []).append(node)
            self._place(node)
            self._expr(node.value, scope)
        elif isinstance(node, Call):
            self._call_expr(node, scope)
        elif isinstance(node, Lambda):
            self._place(node)
            self._define(node.function, scope)
        elif isinstance(node, Comprehension):
            for clause in node.clauses:
                self._bind(clause.target, Binding("item", clause.iterable), scope)
            self._children(node, scope)
        elif isinstance(node, NamedExpr):
            self._bind(node.target, Binding("value", node.value), scope)
            self._expr(node.value, scope)
        elif isinstance(node, facts.Await):
            self._module.awaited.add(node.value)
            self._expr(node.value, scope)
        else:
            self._children(node, scope)

    def _place(self, node: Expr) -> None:
        if self._call is not None:
            self._module.calls[node] = self._call
        if self._tries:
            self._module.tries[node] = self._tries
        if self._statement is not None:
            self._module.statements[node] = self._statement

    def _call_expr(self, node: Call, scope: ScopeInfo) -> None:
        outer, self._call = self._call, node
        self._place(node)
        if not _names_its_attribute(node):
            self._expr(node.func, scope)
        for arg in node.args:
            if arg.keyword is not None:
                scope.mentions.add(arg.keyword)
            if (
                isinstance(arg.value, facts.Const)
                and isinstance(arg.value.value, str)
                and arg.value.value.isidentifier()
            ):
                scope.words.add(arg.value.value)
            self._expr(arg.value, scope)
        self._call = outer
        if isinstance(node.func, Attr) and node.func.attr in APPENDERS and node.args:
            kind = "value" if node.func.attr == "extend" else "into"
            self._put(node.func.value, Binding(kind, node.args[-1].value), scope)
        if isinstance(node.func, Attr) and node.func.attr == "__init__" and _is_super(node.func.value):
            self._fill(node, scope)
        if isinstance(node.func, Attr) and node.func.attr in SETTERS:
            for arg in node.args:
                if arg.keyword is not None:
                    self._module.given[arg.keyword] = [
                        *self._module.given.get(arg.keyword, ()),
                        Store(node, arg.keyword, Binding("value", arg.value), scope),
                    ]

    def _fill(self, node: Call, scope: ScopeInfo) -> None:
        """``super().__init__(field=value)`` stores the value where the class says that it has such a field."""
        owner, receiver = scope.owner, scope.first_parameter()
        if owner is None or receiver is None:
            return
        for arg in node.args:
            if arg.keyword is not None and any(
                binding.annotation is not None for binding in owner.bindings.get(arg.keyword, ())
            ):
                target = Name(node.func.span, receiver)
                self._module.stores.append(Store(target, arg.keyword, Binding("value", arg.value), scope))

    def _children(self, node: Expr, scope: ScopeInfo) -> None:
        for child in facts.children(node):
            if isinstance(child, Expr):
                self._expr(child, scope)
            elif isinstance(child, (facts.Arg, facts.Clause)):
                for inner in facts.children(child):
                    if isinstance(inner, Expr):
                        self._expr(inner, scope)


def _names_its_attribute(node: Call) -> bool:
    """Whether a call is ``getattr(x, "name")``: it gets at that attribute, and at no other."""
    return (
        isinstance(node.func, Name)
        and node.func.id == BY_NAME
        and len(node.args) > 1
        and isinstance(node.args[1].value, facts.Const)
    )


def _is_super(node: Expr) -> bool:
    return isinstance(node, Call) and isinstance(node.func, Name) and node.func.id == "super"
