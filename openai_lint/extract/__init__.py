"""Source files to facts: decoding, parsing, and the one pass that lowers libcst's tree to ``openai_lint.facts``.

Only this package and the writer of fixes know libcst.
"""

from openai_lint.extract.decode import decode
from openai_lint.extract.notebook import read_notebook
from openai_lint.facts import ModuleFacts, Unreadable


def extract(path: str, data: bytes) -> ModuleFacts | Unreadable:
    """Reads one ``.py``, ``.pyi`` or ``.ipynb`` file. Total: whatever the bytes are, it answers and never raises.

    In a notebook, cells which cannot be parsed are left out and stand in ``problems``.
    """
    if path.endswith(".ipynb"):
        return read_notebook(path, data)
    text = decode(path, data)
    if isinstance(text, Unreadable):
        return text
    from openai_lint.extract.module import read_module  # libcst is slow to import

    return read_module(path, text, text)
