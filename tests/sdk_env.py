"""Real releases of the SDK for tests: `sdk_path("0.28.1")` is a folder in which `import openai` is that release."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "scripts" / "sdk"


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"sdk_scripts_{name}", SCRIPTS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sdk_path(release: str) -> Path:
    """The folder of a release, installed into `.sdk/` of the checkout the first time; safe under parallel tests."""
    path: Path = _script("releases").install(release)
    return path


def run_under(release: str, script: Path, job: Any = None) -> Any:
    """Run a script in a process of its own under a release; `job` goes in and the answer comes out as JSON."""
    environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(sdk_path(release)), "PYTHONWARNINGS": "ignore"}
    result = subprocess.run(
        [sys.executable, str(script)], input=json.dumps(job), env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return json.loads(result.stdout)


def introspected(release: str) -> dict[str, Any]:
    """A fresh look at a release, by the script that the data is made with."""
    snapshot: dict[str, Any] = run_under(release, SCRIPTS / "introspect.py")
    return snapshot
