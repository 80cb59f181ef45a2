"""``python -m openai_lint``."""

from openai_lint.cli import main

if __name__ == "__main__":
    main()
