"""Where a member comes from: imports, re-exports, classes with their bases, and the attributes of their objects."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from openai_lint.facts import Attr, Class, Function, Import, Name
from openai_lint.link import library, running, vendors
from openai_lint.link.cells import AttrCell, ForeignCell, KeptCell, RunCell, StoresCell
from openai_lint.link.index import ModuleInfo, ScopeInfo, Store
from openai_lint.link.values import (
    ANYTHING,
    NOTHING,
    UNKNOWN,
    Bound,
    ClassRef,
    Client,
    ContextFunction,
    Display,
    External,
    Frame,
    FunctionRef,
    Instance,
    Literal,
    Managed,
    ModuleRef,
    Partial,
    Resource,
    Retried,
    Super,
    Unknown,
    Value,
    Values,
    literal,
    one,
)

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine

NO_OBJECT = ANYTHING | literal(None)
"""What an attribute may be of which nothing is said but that it is still empty."""

MOST_OVERRIDES = 12
"""A call through a base class reaches each override; of more than these, those that let something out."""


class Lookup:
    """Finds members. One object for a project; what it finds is read through the engine's cells."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._stores: dict[ModuleInfo, dict[tuple[Class, str], list[Store]]] = {}
        self._by_name: dict[str, list[Store]] = {}
        self._named = 0
        self._given: dict[str, list[Store]] = {}
        self._told = 0
        self._starred: set[tuple[str, str]] = set()
        """Names that are looked for in modules which others take everything from."""

    # --- modules

    def imported(self, node: Import, module: ModuleInfo) -> Values:
        """What an import statement binds."""
        path = (
            self._engine.modules.resolve(module.path, node)
            if node.level or node.module.partition(".")[0] not in vendors.TAKEN_AT_THEIR_WORD
            else None
        )
        if node.name is None:
            if path is None:
                return one(External(node.module if node.bound != node.module.partition(".")[0] else node.bound))
            if node.bound == node.module.partition(".")[0] and "." in node.module:
                top = Import(node.span, node.bound, None, node.bound, 0)
                return one(ModuleRef(self._engine.modules.resolve(module.path, top) or path))
            return one(ModuleRef(path))
        if path is None:
            return self._external(node.module, node.name) if not node.level else ANYTHING
        if path == module.path:  # a package takes a module of its own: `from . import llm`
            child = self._engine.modules.child(path, node.name)
            if child is not None:
                return one(ModuleRef(child))
        found = self.member(path, node.name, module.path)
        if found <= ANYTHING and not path.endswith((".py", ".ipynb")) and not node.level:
            return self._external(node.module, node.name)
        return found

    def _external(self, module: str, name: str) -> Values:
        path = f"{module}.{name}"
        return one(External(vendors.DROP_INS.get(path, path)))

    def star(self, node: Import, name: str, module: ModuleInfo) -> Values | None:
        """What ``from m import *`` binds a name to, if it binds it."""
        path = self._engine.modules.resolve(module.path, node)
        if path is None:
            return self._engine.api.star_member(node.module, name)
        if path == module.path or name.startswith("_"):
            return None
        target = self._engine.modules.load(self._file(path)) if self._file(path) else None
        if target is None or (name not in target.scope.bindings and not target.scope.stars):
            return None
        if (path, name) in self._starred:
            return None  # two modules that take everything from each other, and neither has it
        self._starred.add((path, name))
        try:
            found = self.member(path, name, module.path)
        finally:
            self._starred.discard((path, name))
        return None if found <= ANYTHING else found

    @staticmethod
    def _file(path: str) -> str:
        return path if path.endswith((".py", ".ipynb", ".pyi")) else ""

    def member(self, path: str, name: str, importer: str) -> Values:
        """An attribute of a module or package of the project."""
        file = self._file(path)
        del importer
        target = self._engine.modules.load(file) if file else None
        if target is not None and name in target.scope.bindings:
            return self._engine.evaluator.name(name, Frame(target, None))
        child = self._engine.modules.child(path, name)
        if child is not None:
            return one(ModuleRef(child))
        if target is not None:
            for star in target.scope.stars:
                found = self.star(star, name, target)
                if found is not None:
                    return found
        return ANYTHING

    # --- classes

    def instance_attribute(self, instance: Instance, attr: str, frame: Frame) -> Values:
        """What ``instance.attr`` may be: a bound method, a property's value, or what was stored."""
        found = self._attribute(instance.cls, attr, instance, frame)
        owners = self._owners(instance, attr, not all(map(_keeps_place, found)))
        result = NOTHING
        for cls in owners:
            receiver = instance if cls == instance.cls else Instance(cls, False)
            own = self._engine.hierarchy.method(cls, attr)
            if len(owners) > 1 and own is not None and cls == instance.cls and library.is_abstract(own[1]):
                continue
            result |= found if cls == instance.cls else self._attribute(cls, attr, receiver, frame)
        if result - NO_OBJECT:
            return result
        put = self._foreign(instance.cls, attr)
        if put:
            return put | (result - ANYTHING)
        if result:
            return result
        if attr == "__class__":
            return one(instance.cls)
        for base in self._engine.hierarchy.mro(instance.cls):
            if isinstance(base, External) and f"{base.path}.{attr}" in running.RUN_ELSEWHERE:
                return one(Bound(External(f"{base.path}.{attr}"), instance))
        client = self._engine.api.client_of_class(instance.cls, "subclass")
        if client is not None:
            return self._engine.evaluator.attribute(client, attr, frame)
        getter = self._engine.hierarchy.method(instance.cls, "__getattr__")
        if getter is not None and self._engine.waiting:
            return NOTHING
        return ANYTHING

    def _owners(self, instance: Instance, attr: str, has: bool) -> list[ClassRef]:
        """The classes whose attribute an object's may be: its own, and those below it that define it anew.

        ``has``: whether its own class has one.
        """
        owners = [instance.cls]
        if not instance.exact and (not has or self._engine.hierarchy.method(instance.cls, attr) is not None):
            below = self._engine.hierarchy.overriding(instance.cls, attr)
            owners += below if len(below) <= MOST_OVERRIDES else [cls for cls in below if self._leaks(cls, attr)]
        return owners

    def methods_like(self, value: Value, start: str, frame: Frame) -> Values:
        """The methods of an object whose names begin so: it is asked for one (``getattr(self, f"do_{name}")``)."""
        if not isinstance(value, Instance):
            return NOTHING
        classes = [*self._engine.hierarchy.mro(value.cls), *self._engine.hierarchy.subclasses(value.cls)]
        names = {
            name
            for cls in classes
            if isinstance(cls, ClassRef)
            for name, bindings in cls.parent.module.scopes[cls.node].bindings.items()
            if name.startswith(start) and any(binding.kind == "def" for binding in bindings)
        }
        return NOTHING.union(*(self.instance_attribute(value, name, frame) for name in sorted(names)))

    def properties(self, base: Value, attr: str) -> Iterator[tuple[FunctionRef, Value]]:
        """The properties of the project that reading ``base.attr`` runs, each with the object that it is given."""
        hierarchy = self._engine.hierarchy
        if isinstance(base, Instance):
            for cls in self._owners(base, attr, hierarchy.method(base.cls, attr) is not None):
                found = hierarchy.method(cls, attr)
                if found is not None and library.is_property(found[1]):
                    yield FunctionRef(found[1], found[0].parent), base if cls == base.cls else Instance(cls, False)
        elif isinstance(base, Super):
            for item in self._after(base):
                method = hierarchy.own_method(item, attr)
                if method is not None:
                    if library.is_property(method):
                        yield FunctionRef(method, item.parent), base.receiver
                    return

    def _leaks(self, cls: ClassRef, name: str) -> bool:
        """Whether the method that a class itself defines lets something out."""
        method = self._engine.hierarchy.own_method(cls, name)
        return method is not None and bool(
            self._engine.solver.read(RunCell(Frame(cls.parent.module, method, cls.parent)))
        )

    def defines(self, cls: ClassRef, attr: str) -> bool:
        """Whether a class itself defines a member, in its body or by a store to ``self``."""
        return attr in cls.parent.module.scopes[cls.node].bindings or bool(self._class_stores(cls, attr))

    def members(self, cls: ClassRef) -> set[str]:
        """Every member that a class itself defines."""
        stored = {attr for owner, attr in self._table_of_stores(cls.parent.module) if owner is cls.node}
        return stored | cls.parent.module.scopes[cls.node].bindings.keys()

    def _foreign(self, cls: ClassRef, attr: str) -> Values:
        """What is stored from outside of the class, in the modules that mention it: ``obj.attr = value``, or
        ``Class.attr = value`` (of a base too).
        """
        found: Values = self._engine.solver.read(ForeignCell(cls, attr)) if self._is_stored(attr) else NOTHING
        return found

    def compute_foreign(self, cell: ForeignCell) -> Values:
        """Join what is stored under the name on what may be an object of the class."""
        result = NOTHING
        mro = self._engine.hierarchy.mro(cell.cls)
        for store in self._stores_of(cell.name):
            frame = self._engine.generic_frame(store.scope)
            for target in self._engine.evaluator.value(store.target, frame):
                if (isinstance(target, Instance) and target.cls == cell.cls) or (
                    isinstance(target, ClassRef) and target in mro
                ):
                    result |= self._engine.evaluator.bound(store.binding, frame, store.scope)
        return result

    def kept_on(self, path: str, attr: str, node: Attr | None) -> Values:
        """What the project keeps on an object of a library (``app.state.client = OpenAI()``).

        It is the same object where both are of one library, or written with the same last word.
        """
        if not self._is_stored(attr):
            return NOTHING
        word = library.written(node.value) if node is not None else None
        found: Values = self._engine.solver.read(KeptCell(path.partition(".")[0], attr, word))
        return found

    def compute_kept(self, cell: KeptCell) -> Values:
        """Join what is stored under the name on what may be the library's object."""
        result = NOTHING
        for store in self._stores_of(cell.name):
            frame = self._engine.generic_frame(store.scope)
            targets = self._engine.evaluator.value(store.target, frame)
            if not all(isinstance(target, (External, Unknown)) for target in targets):
                continue
            library_of = {target.path.partition(".")[0] for target in targets if isinstance(target, External)}
            if cell.library in library_of or cell.word == library.written(store.target):
                found = self._engine.evaluator.bound(store.binding, frame, store.scope)
                result |= frozenset(value for value in found if isinstance(value, (Client, Resource, Instance)))
        return result

    def _is_stored(self, attr: str) -> bool:
        """Whether anything stores to an attribute of that name from outside; who asks is told when something does."""
        self._index_stores()
        return bool(self._engine.solver.read(StoresCell(attr)))

    def _stores_of(self, attr: str) -> list[Store]:
        """Every store to an attribute of that name on something else than ``self``, in the modules loaded so far."""
        self._index_stores()
        self._engine.solver.read(StoresCell(attr))
        return self._by_name.get(attr, [])

    def _index_stores(self) -> None:
        loaded = self._engine.modules.loaded
        new = {}
        for module in loaded[self._named :]:
            for store in module.stores:
                if self._store_owner(store) is None:
                    new[store.attr] = self._by_name.setdefault(store.attr, [])
                    new[store.attr].append(store)
        self._named = len(loaded)
        for attr, stores in new.items():
            self._engine.solver.contribute(StoresCell(attr), len(stores))

    def given(self, attr: str) -> Values:
        """What an attribute of an object may be that a library makes, where the project says what it is to hold."""
        loaded = self._engine.modules.loaded
        for module in loaded[self._told :]:
            for name, stores in module.given.items():
                self._given.setdefault(name, []).extend(stores)
        self._told = len(loaded)
        result = NOTHING
        for store in self._given.get(attr, ()):
            frame = self._engine.generic_frame(store.scope)
            result |= self._engine.evaluator.bound(store.binding, frame, store.scope)
        return result

    def class_attribute(self, cls: ClassRef, attr: str, frame: Frame) -> Values:
        """What ``Class.attr`` may be."""
        return self._attribute(cls, attr, cls, frame) or ANYTHING

    def super_attribute(self, value: Super, attr: str, frame: Frame) -> Values:
        """What ``super().attr`` may be: the next class that defines it after the method's own."""
        for item in self._after(value):
            found = self._own(item, attr, value.receiver, frame)
            if found:
                return found
        return one(External("object.__new__")) if attr == "__new__" else ANYTHING

    def _after(self, value: Super) -> list[ClassRef]:
        """The classes of the project in which ``super()`` looks, in order."""
        order = self._engine.hierarchy.mro(value.receiver.cls)
        start = order.index(value.cls) + 1 if value.cls in order else len(order)
        found = order[start:] or self._engine.hierarchy.mro(value.cls)[1:]
        return [item for item in found if isinstance(item, ClassRef)]

    def _attribute(self, cls: ClassRef, attr: str, receiver: Value, frame: Frame) -> Values:
        declared = NOTHING
        for item in self._engine.hierarchy.mro(cls):
            if isinstance(item, External):
                continue
            found = self._own(item, attr, receiver, frame)
            if found - ANYTHING and not self._only_changes(item, attr, found):
                return found - ANYTHING if declared <= ANYTHING else declared | found
            declared |= found
        return declared

    def _only_changes(self, cls: ClassRef, attr: str, found: Values) -> bool:
        """Whether a class only sets a constant meanwhile (``self.aborted = True``): at first its base's holds."""
        if not all(isinstance(value, Literal) for value in found):
            return False
        if attr in cls.parent.module.scopes[cls.node].bindings:
            return False
        return not any(
            isinstance(store.scope.node, Function) and store.scope.node.name == "__init__"
            for store in self._class_stores(cls, attr)
        )

    def _own(self, cls: ClassRef, attr: str, receiver: Value, frame: Frame) -> Values:
        engine = self._engine
        scope = cls.parent.module.scopes[cls.node]
        bindings = scope.bindings.get(attr, ())
        result = NOTHING
        inner = self._engine.hierarchy.class_frame(cls)
        method = self._engine.hierarchy.own_method(cls, attr)
        if method is not None:
            if library.is_property(method):
                return engine.calls.call_property(FunctionRef(method, cls.parent), receiver, frame)
            for value in engine.evaluator.name(attr, inner):
                result |= one(self._bind(value, method, receiver, cls))
            return result
        stored: Values = (
            engine.solver.read(AttrCell(cls, attr))
            if self._class_stores(cls, attr) or engine.solver.known(AttrCell(cls, attr))
            else NOTHING
        )
        filled = stored - ANYTHING and not self._class_stores(cls, attr)
        for binding in bindings:
            if stored - ANYTHING and (binding.kind == "annotation" or (filled and binding.annotation is not None)):
                continue  # whoever makes an object says what it holds, or leaves it to the default: both are stored
            result |= engine.evaluator.bound(binding, inner, scope)
        if stored - ANYTHING:
            nothing = {value for value in result if value == UNKNOWN or getattr(value, "value", 0) is None}
            return (result - nothing) | stored
        return result | stored

    def default(self, cls: ClassRef, field: str) -> Values:
        """What a field of a class holds that is not given to its constructor."""
        frame, scope = self._engine.hierarchy.class_frame(cls), cls.parent.module.scopes[cls.node]
        written = (binding for binding in scope.bindings.get(field, ()) if binding.kind == "value")
        return NOTHING.union(*(self._engine.evaluator.bound(binding, frame, scope) for binding in written))

    @staticmethod
    def _bind(value: Value, method: Function, receiver: Value, cls: ClassRef) -> Value:
        if library.is_static(method):
            return value
        if library.is_class_method(method):
            return Bound(value, receiver if isinstance(receiver, ClassRef) else getattr(receiver, "cls", cls))
        if isinstance(receiver, ClassRef):
            return value
        if isinstance(value, (FunctionRef, Retried, Managed, ContextFunction, Partial, Bound)):
            return Bound(value, receiver)
        return value

    def _class_stores(self, cls: ClassRef, attr: str) -> list[Store]:
        return self._table_of_stores(cls.parent.module).get((cls.node, attr), [])

    def _table_of_stores(self, module: ModuleInfo) -> dict[tuple[Class, str], list[Store]]:
        table = self._stores.get(module)
        if table is None:
            table = self._stores[module] = {}
            for store in module.stores:
                owner = self._store_owner(store)
                if owner is not None:
                    table.setdefault((owner, store.attr), []).append(store)
        return table

    @staticmethod
    def _store_owner(store: Store) -> Class | None:
        """The class on whose objects ``self.attr = ...`` stores: that of the method around it."""
        scope: ScopeInfo | None = store.scope
        while scope is not None:
            if scope.owner is not None:
                name = scope.first_parameter()
                is_self = isinstance(store.target, Name) and store.target.id == name
                return scope.owner.node if is_self else None  # type: ignore[return-value]
            scope = scope.parent
        return None

    def compute_attr(self, cell: AttrCell) -> Values:
        """Join what every method of the class stores under the name."""
        result = NOTHING
        for store in self._class_stores(cell.cls, cell.name):
            frame = self._engine.generic_frame(store.scope)
            result |= self._engine.evaluator.bound(store.binding, frame, store.scope)
        return result


def _keeps_place(value: Value) -> bool:
    """Whether a value of a base class is there to be replaced: None, or an empty tuple."""
    return (isinstance(value, Display) and not value.items) or (isinstance(value, Literal) and value.value is None)
