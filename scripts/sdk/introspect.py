"""Print what the release of `openai` on the path offers, as one JSON document.

Run by `generate.py` in a process of its own, once for each release:
`PYTHONPATH=<where it is installed> python scripts/sdk/introspect.py`.
"""

import json
import os
import sys


def main() -> None:
    """Choose the reader for the line of the release, and print."""
    # Nothing of the caller's own account may leak into what is looked at.
    for name in [n for n in os.environ if n.startswith(("OPENAI_", "AZURE_OPENAI_", "AWS_"))]:
        del os.environ[name]
    out, sys.stdout = sys.stdout, sys.stderr
    import openai

    if hasattr(openai, "OpenAI"):
        from introspect_v1 import snapshot
    else:
        from introspect_v0 import snapshot
    out.write(json.dumps(snapshot(), sort_keys=True))
    out.flush()


if __name__ == "__main__":
    main()
