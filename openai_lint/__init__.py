"""The linter that tells what Python code does when the OpenAI API fails."""

__version__ = "0.1.0"

from openai_lint.lint import lint

__all__ = ["__version__", "lint"]
