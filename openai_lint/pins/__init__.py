"""Which release of the `openai` package does the project around a file use?

`Pins.for_source` answers for one file: what its text says itself (`pin_in_source`) goes before what the project says
(`Pins.for_file`). `resolve` turns a pin into the known releases that it allows.
"""

from openai_lint.pins.pin import Pin, nearest, read_pin, resolve
from openai_lint.pins.project import Pins
from openai_lint.pins.source import pin_in_source

__all__ = ["Pin", "Pins", "nearest", "pin_in_source", "read_pin", "resolve"]
