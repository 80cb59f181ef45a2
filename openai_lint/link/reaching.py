"""Which of the bindings of a name have been overwritten where it is read, or stand in another branch.

``client = OpenAI()`` in one branch and ``client = Groq()`` in the next, or one after the other: a read in between sees
one of them. Only what a statement of the same scope binds is followed; what else binds the name may always be meant.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from openai_lint import facts
from openai_lint.facts import Name
from openai_lint.link.index import Binding, ScopeInfo

FOLLOWED = frozenset({"value", "item", "entered", "caught", "import", "def", "class", "param"})

State = Mapping[str, frozenset[Binding]]
"""For each name that is followed, the bindings that it may have here."""


def followable(bindings: Iterable[Binding]) -> list[Binding]:
    """The bindings of a name that statements of its own scope make."""
    return [one for one in bindings if one.scope is None and one.kind in FOLLOWED]


class Reaching:
    """Answers for one scope after the other, when somebody asks."""

    def __init__(self) -> None:
        self._tables: dict[ScopeInfo, dict[Name, frozenset[Binding]]] = {}

    def overwritten(self, node: Name, scope: ScopeInfo) -> frozenset[Binding]:
        """The bindings of the scope that a name, read in its own scope, cannot have."""
        table = self._tables.get(scope)
        if table is None:
            table = self._tables[scope] = _table(scope)
        return table.get(node, frozenset())


def _table(scope: ScopeInfo) -> dict[Name, frozenset[Binding]]:
    followed: dict[str, list[Binding]] = {}
    for name, bindings in scope.bindings.items():
        own = followable(bindings)
        if len(own) > 1:
            followed[name] = own
    if not followed:
        return {}
    flow = _Flow(followed)
    flow.block(scope.node.body, {name: frozenset() for name in followed} | flow.bind_params(scope))
    return {
        node: gone
        for node, reached in flow.reads.items()
        if (gone := frozenset(one for one in followed[node.id] if one in flow.made and one not in reached))
    }


class _Flow:
    """One way through the statements of a scope, with every branch: more may be meant than is, never less."""

    def __init__(self, followed: dict[str, list[Binding]]) -> None:
        self.reads: dict[Name, frozenset[Binding]] = {}
        self.made: set[Binding] = set()
        self._followed = followed
        self._by_node: dict[int, list[tuple[str, Binding]]] = {}
        for name, bindings in followed.items():
            for one in bindings:
                self._by_node.setdefault(id(one.node), []).append((name, one))

    def bind_params(self, scope: ScopeInfo) -> dict[str, frozenset[Binding]]:
        """What the parameters bind on entry."""
        if not isinstance(scope.node, facts.Function):
            return {}
        return self._made_by(scope.node.params)

    def block(self, body: facts.Block, state: State | None) -> State | None:
        """The bindings behind a block; None where nothing gets there."""
        for statement in body:
            if state is None:
                return None
            state = self._statement(statement, state)
        return state

    def _statement(self, node: facts.Stmt, state: State) -> State | None:
        match node:
            case facts.Assign():
                self._read(facts.children(node), state)
                return {**state, **self._made_by((node.value,))} if node.value is not None else state
            case facts.Import():
                return {**state, **self._made_by((node,))}
            case facts.Function():
                self._read((*node.decorators, *(param.default for param in node.params)), state)
                return {**state, **self._made_by((node,))}
            case facts.Class():
                self._read((*node.decorators, *node.bases, *(keyword.value for keyword in node.keywords)), state)
                return {**state, **self._made_by((node,))}
            case facts.If():
                self._read((node.test,), state)
                return _joined(self.block(node.body, state), self.block(node.orelse, state))
            case facts.For() | facts.While():
                return self._loop(node, state)
            case facts.With():
                for item in node.items:
                    self._read((item.context, item.target), state)
                    state = {**state, **self._made_by((item.context,))}
                return self.block(node.body, state)
            case facts.Try():
                return self._try(node, state)
            case facts.Match():
                self._read((node.subject,), state)
                behind: State | None = state
                for case in node.cases:
                    self._read((case.guard, case.pattern), state)
                    behind = _joined(behind, self.block(case.body, state))
                return behind
            case facts.Return() | facts.Raise() | facts.Jump(kind="break" | "continue"):
                self._read(facts.children(node), state)
                return None
            case _:
                self._read(facts.children(node), state)
                return state

    def _loop(self, node: facts.For | facts.While, state: State) -> State:
        """A round begins with whatever an earlier one bound, and any round may be the last."""
        head = _joined(state, self._anywhere((node,), state)) or state
        if isinstance(node, facts.For):
            self._read((node.iterable, node.target), state)
            body = {**head, **self._made_by((node.iterable,))}
        else:
            self._read((node.test,), head)
            body = dict(head)
        self.block(node.body, body)
        return _joined(head, self.block(node.orelse, head)) or head

    def _try(self, node: facts.Try, state: State) -> State | None:
        """A handler may begin after any part of the body."""
        broken = _joined(state, self._anywhere(node.body, state)) or state
        done = self.block(node.body, state)
        behind = self.block(node.orelse, done) if done is not None else None
        for handler in node.handlers:
            self._read((handler.type,), broken)
            caught = {**broken, **self._made_by((handler,))}
            behind = _joined(behind, self.block(handler.body, caught))
        if not node.finalbody:
            return behind
        anyhow = _joined(state, self._anywhere((node,), state)) or state
        last = self.block(node.finalbody, anyhow)
        if behind is None or last is None:
            return None
        changed = self._anywhere(node.finalbody, {})
        return {**behind, **{name: last[name] for name in changed}}

    def _anywhere(self, body: Iterable[Any], state: State) -> dict[str, frozenset[Binding]]:
        """The state joined with everything that statements below bind."""
        found = dict(state)
        stack: list[Any] = list(body)
        while stack:
            node = stack.pop()
            for name, bindings in self._made_by((node,), note=False).items():
                found[name] = found.get(name, frozenset()) | bindings
            if not isinstance(node, (facts.Lambda, facts.Class, facts.Function)):
                stack += facts.children(node)
        return found

    def _made_by(self, nodes: Iterable[Any], note: bool = True) -> dict[str, frozenset[Binding]]:
        found: dict[str, frozenset[Binding]] = {}
        for node in nodes:
            for name, one in self._by_node.get(id(node), ()):
                found[name] = found.get(name, frozenset()) | {one}
                if note:
                    self.made.add(one)
        return found

    def _read(self, nodes: Iterable[Any], state: State) -> None:
        stack = [node for node in nodes if node is not None]
        while stack:
            node = stack.pop()
            if isinstance(node, Name):
                if node.id in self._followed:
                    self.reads[node] = state[node.id]
            elif isinstance(node, facts.Lambda):
                stack += [param.default for param in node.function.params if param.default is not None]
            else:
                stack += facts.children(node)


def _joined(one: State | None, other: State | None) -> State | None:
    """What holds where two ways meet."""
    if one is None or other is None:
        return other if one is None else one
    return {name: one[name] | other[name] for name in one}
