"""Run under a release of the SDK by `sdk_env.run_under`: raises errors into clauses, and says what the clause did.

Knows nothing of the linter and shares nothing with the data that it is held against.
"""

import importlib
import json
import sys


def outcome(clause, error):
    """``catches``, ``passes``, or the class of what evaluating the clause raised."""
    import openai

    try:
        exec(f"try:\n    raise error\nexcept {clause}:\n    pass", {"openai": openai, "error": error})
    except BaseException as left:
        return "passes" if left is error else type(left).__name__
    return "catches"


def test(clause, error):
    """What ``isinstance(error, clause)`` gives; the class of the error where that raises one."""
    import openai

    try:
        return bool(eval(f"isinstance(error, {clause})", {"openai": openai, "error": error}))
    except (AttributeError, TypeError) as failure:
        return type(failure).__name__


def classes(names):
    """The classes by their dotted names; what is deep inside is imported only now, after every clause has been seen."""
    for dotted in names:
        module, _, last = dotted.rpartition(".")
        yield dotted, getattr(importlib.import_module(module), last)


if __name__ == "__main__":
    job = json.loads(sys.stdin.read())
    # Not through the constructor: a clause looks at the class alone.
    raised = {dotted: cls.__new__(cls) for dotted, cls in classes(job["errors"])}
    run = {"clause": outcome, "isinstance": test}[job["do"]]
    answer = {clause: {dotted: run(clause, error) for dotted, error in raised.items()} for clause in job["clauses"]}
    json.dump(answer, sys.stdout)
