"""The classes of the project: bases, subclasses, and which function a method name means."""

from typing import TYPE_CHECKING

from openai_lint.facts import Function
from openai_lint.link import library
from openai_lint.link.cells import ClassesCell, OverridesCell
from openai_lint.link.values import ClassRef, External, Frame

if TYPE_CHECKING:
    from openai_lint.link.engine import Engine

ANY = "*"
"""Stands for the name of a member where it does not matter."""


class Hierarchy:
    """Answers about classes; what is sure is kept."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._mro: dict[ClassRef, tuple[ClassRef | External, ...]] = {}
        self._below: dict[tuple[ClassRef, str], list[ClassRef]] = {}
        """The subclasses that define a member, for what somebody asked for."""
        self._bases: dict[ClassRef, list[ClassRef]] = {}
        """Every class with those below it."""
        self._seen = 0
        self._open: list[ClassRef] = []
        self._wanted: dict[ClassRef, frozenset[str]] = {}

    def mro(self, cls: ClassRef) -> tuple[ClassRef | External, ...]:
        """The class, then its bases depth first, each once (close enough to C3 for looking names up)."""
        if cls in self._mro:
            return self._mro[cls]
        self._mro[cls] = (cls,)
        order: list[ClassRef | External] = [cls]
        for base in cls.node.bases:
            for value in self._engine.evaluator.value(base, cls.parent):
                if isinstance(value, ClassRef):
                    order += [item for item in self.mro(value) if item not in order]
                elif isinstance(value, External) and value not in order:
                    order.append(value)
        if self._engine.solving and len(order) <= len(cls.node.bases):
            del self._mro[cls]  # a base is not known yet
        else:
            self._mro[cls] = tuple(order)
        return tuple(order)

    def subclasses(self, cls: ClassRef) -> list[ClassRef]:
        """The known classes of the project below this one; those that fit it, where it is a protocol."""
        return self.overriding(cls, ANY)

    def overriding(self, cls: ClassRef, name: str) -> list[ClassRef]:
        """Those of the classes below this one that themselves define a member."""
        self._engine.solver.read(OverridesCell(cls, name))
        self.grow()
        key = (cls, name)
        if key not in self._below:
            self._below[key] = [other for other in self._bases.get(cls, ()) if self._defines(other, name)]
        found = [
            *self._below[key],
            *(
                other
                for other in self._open
                if other is not cls and self._defines(other, name) and cls in self.mro(other)
            ),
        ]
        wanted = self._protocol(cls)
        if wanted:
            self._engine.solver.read(ClassesCell())
            found += [
                other
                for other in self._engine.classes()
                if other is not cls and self._defines(other, name) and self._fits(other, wanted)
            ]
        return found

    def _defines(self, cls: ClassRef, name: str) -> bool:
        return name == ANY or self._engine.lookup.defines(cls, name)

    def grow(self) -> None:
        """Put the classes that have come up since the last time below their bases, and tell who asked for those."""
        classes = self._engine.classes()
        if len(classes) == self._seen:
            return
        new, self._seen = [*self._open, *classes[self._seen :]], len(classes)
        self._open = []
        for cls in new:
            order = self.mro(cls)
            if cls not in self._mro:
                self._open.append(cls)
                continue
            for base in order[1:]:
                if isinstance(base, ClassRef):
                    self._bases.setdefault(base, []).append(cls)
                    for name in (ANY, *self._engine.lookup.members(cls)):
                        below = self._below.get((base, name))
                        if below is not None:
                            below.append(cls)
                            self._engine.solver.contribute(OverridesCell(base, name), len(below))

    def _protocol(self, cls: ClassRef) -> frozenset[str]:
        """The methods that a protocol asks for; none where the class is no protocol."""
        if cls not in self._wanted:
            found: frozenset[str] = frozenset()
            if any(isinstance(base, External) and library.last(base.path) == "Protocol" for base in self.mro(cls)):
                bindings = cls.parent.module.scopes[cls.node].bindings
                found = frozenset(name for name, held in bindings.items() if any(one.kind == "def" for one in held))
            if cls not in self._mro:
                return found
            self._wanted[cls] = found
        return self._wanted[cls]

    def _fits(self, cls: ClassRef, wanted: frozenset[str]) -> bool:
        """Whether a class, no protocol itself, has every method that is asked for."""
        return not self._protocol(cls) and all(self.method(cls, name) is not None for name in wanted)

    def class_frame(self, cls: ClassRef) -> Frame:
        """The frame in which a class body runs."""
        return Frame(cls.parent.module, cls.node, cls.parent)

    def method(self, cls: ClassRef, name: str) -> tuple[ClassRef, Function] | None:
        """The function that a class or its nearest base defines under a name (the last definition)."""
        for item in self.mro(cls):
            if isinstance(item, ClassRef):
                found = self.own_method(item, name)
                if found is not None:
                    return item, found
        return None

    @staticmethod
    def own_method(owner: ClassRef, name: str) -> Function | None:
        """The function that a class itself defines under a name."""
        scope = owner.parent.module.scopes[owner.node]
        for binding in reversed(scope.bindings.get(name, [])):
            if binding.kind == "def" and not library.is_setter(binding.node):
                return binding.node  # type: ignore[no-any-return]
        return None
