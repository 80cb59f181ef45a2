"""A baseline: findings that are known and not reported, so that a linter can join a project that is not clean yet."""

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from openai_lint.config import ConfigError
from openai_lint.files import display
from openai_lint.rule import Finding

VERSION = 1


@cache
def read(path: str) -> frozenset[str]:
    """The fingerprints in a baseline. Raises ConfigError for a file that is none."""
    try:
        document = json.loads(Path(path).read_bytes())
        if document["version"] != VERSION:
            raise ConfigError(path, "version", f"expected {VERSION}, found {document['version']!r}; write it anew")
        return frozenset(entry["fingerprint"] for entry in document["findings"])
    except OSError as error:
        message = f"cannot be read: {error.strerror}; --write-baseline makes it"
        raise ConfigError(path, None, message) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(path, None, "is no baseline of openai-lint; --write-baseline makes one") from error


def text(findings: Iterable[Finding]) -> str:
    """The baseline that holds these findings. Code and path are for the reader; only the fingerprint counts."""
    entries = sorted(
        {(display(finding.anchor.path), finding.code, finding.fingerprint) for finding in findings},
    )
    rows = [{"fingerprint": mark, "code": code, "path": path} for path, code, mark in entries]
    return json.dumps({"version": VERSION, "findings": rows}, indent=1) + "\n"
