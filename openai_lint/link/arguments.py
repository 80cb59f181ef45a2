"""What a call passes, and which parameter gets what."""

from dataclasses import dataclass, field

from openai_lint.facts import Function
from openai_lint.link.values import Display, Values, one


@dataclass(slots=True)
class Arguments:
    """The evaluated arguments of a call. ``open_*``: there may be more than are listed (``*args``, ``**kwargs``)."""

    positional: list[Values] = field(default_factory=list)
    keywords: dict[str, Values] = field(default_factory=dict)
    open_positional: bool = False
    open_keywords: bool = False

    def at(self, position: int, *names: str) -> Values | None:
        """The argument at a position or under one of the names."""
        for name in names:
            if name in self.keywords:
                return self.keywords[name]
        return self.positional[position] if 0 <= position < len(self.positional) else None

    def all(self) -> list[Values]:
        """Every argument."""
        return [*self.positional, *self.keywords.values()]

    def named(self) -> tuple[tuple[str, Values], ...]:
        """The keyword arguments, sorted, as a hashable value."""
        return tuple(sorted(self.keywords.items(), key=lambda item: item[0]))

    def after(self, count: int) -> "Arguments":
        """Without the first positional arguments (those that say what to call)."""
        return Arguments(self.positional[count:], self.keywords, self.open_positional, self.open_keywords)


def assigned(function: Function, args: Arguments) -> dict[str, Values]:
    """Pair arguments with parameters, as Python does; what is left over goes to ``*`` and ``**``."""
    assigned: dict[str, Values] = {}
    positional = [param for param in function.params if param.kind == "positional"]
    rest: list[Values] = []
    for index, values in enumerate(args.positional):
        if args.open_positional and index == len(args.positional) - 1:
            rest.append(values)
        elif index < len(positional):
            assigned[positional[index].name] = values
        else:
            rest.append(values)
    names = {param.name for param in function.params if param.kind in ("positional", "keyword")}
    extra: list[tuple[object, Values]] = []
    for name, values in args.keywords.items():
        if name in names:
            assigned[name] = values
        else:
            extra.append((name, values))
    for param in function.params:
        if param.kind == "*" and rest:
            known = not args.open_positional
            assigned[param.name] = one(
                Display("tuple", tuple((index if known else None, item) for index, item in enumerate(rest)))
            )
        elif param.kind == "**" and extra:
            assigned[param.name] = one(Display("dict", tuple(extra)))
    return assigned


def fits(function: Function, args: Arguments, given: int) -> bool:
    """Whether a call can be one of this function: ``given`` arguments come before those of the call."""
    positional = [param for param in function.params if param.kind == "positional"]
    named = {param.name for param in function.params if param.kind in ("positional", "keyword")}
    kinds = {param.kind for param in function.params}
    count = given + len(args.positional)
    if count > len(positional) and "*" not in kinds and not args.open_positional:
        return False
    if not named.issuperset(args.keywords) and "**" not in kinds:
        return False
    if args.open_positional or args.open_keywords:
        return True
    filled = {param.name for param in positional[:count]} | args.keywords.keys()
    needed = (param for param in function.params if param.kind in ("positional", "keyword") and param.default is None)
    return all(param.name in filled for param in needed)
