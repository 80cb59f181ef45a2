"""The linter that tells what Python code does when the OpenAI API fails."""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

from openai_lint.config import Config, ConfigError
from openai_lint.lint import lint

if TYPE_CHECKING:
    from openai_lint.rule import Finding

__all__ = ["Config", "ConfigError", "Finding", "__version__", "lint"]


def __getattr__(name: str) -> Any:
    """``Finding``, when somebody asks for it: a run that finds nothing does without."""
    if name == "Finding":
        from openai_lint.rule import Finding

        return Finding
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
