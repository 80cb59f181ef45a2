"""Releases as PEP 440 orders them.

A release is a sort key, so that ranges are comparisons of keys. Local versions (`1.2+cpu`) are read and dropped: the
index that serves `openai` takes none.
"""

import re
from math import inf
from typing import NamedTuple

# Lengths are bounded so that no text can ask for integers of unlimited size.
_RELEASE = re.compile(
    r"""\s*v?(?:(?P<epoch>\d{1,9})!)?
    (?P<numbers>\d{1,18}(?:\.\d{1,18}){0,15})
    (?:[-_.]?(?P<phase>alpha|beta|preview|pre|rc|a|b|c)[-_.]?(?P<pre>\d{0,18}))?
    (?:-(?P<implicit_post>\d{1,18})|[-_.]?(?P<has_post>post|rev|r)[-_.]?(?P<post>\d{0,18}))?
    (?:[-_.]?(?P<has_dev>dev)[-_.]?(?P<dev>\d{0,18}))?
    (?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?\s*""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_PHASES = {"alpha": 0, "a": 0, "beta": 1, "b": 1, "rc": 2, "c": 2, "pre": 2, "preview": 2}
_FINAL = (3, 0)
_ONLY_DEV = (-1, 0)


class Release(NamedTuple):
    """One release; tuples compare as PEP 440 says.

    `numbers` has no trailing zeros (1.2 and 1.2.0 are one release). `post` is -1 where there is none, `dev` is infinite
    where there is none: a development release comes before the release it leads to.
    """

    epoch: int
    numbers: tuple[int, ...]
    pre: tuple[int, int] = _FINAL
    post: float = -1
    dev: float = inf

    @property
    def preview(self) -> bool:
        """Whether installers pass it over unless asked: alpha, beta, candidate, development."""
        return self.pre != _FINAL or self.dev != inf

    def __str__(self) -> str:
        """The release with three parts or more: `1.3` is `1.3.0`."""
        padded = (*self.numbers, 0, 0, 0)[: max(3, len(self.numbers))]
        text = ".".join(map(str, padded))
        if self.epoch:
            text = f"{self.epoch}!{text}"
        if self.pre[0] in (0, 1, 2):
            text += f"{('a', 'b', 'rc')[self.pre[0]]}{self.pre[1]}"
        if -1 < self.post < inf:
            text += f".post{self.post:.0f}"
        return text + (f".dev{self.dev:.0f}" if self.dev != inf else "")


def read_release(text: str) -> Release | None:
    """The release that `text` names, or None where it names none."""
    found = _RELEASE.fullmatch(text)
    if found is None:
        return None
    numbers = tuple(map(int, found["numbers"].split(".")))
    dev = int(found["dev"] or 0) if found["has_dev"] else inf
    post: float = -1
    if found["implicit_post"] or found["has_post"]:
        post = int(found["implicit_post"] or found["post"] or 0)
    if found["phase"]:
        pre = (_PHASES[found["phase"].lower()], int(found["pre"] or 0))
    else:
        pre = _ONLY_DEV if dev != inf and post == -1 else _FINAL
    return Release(int(found["epoch"] or 0), trimmed(numbers), pre, post, dev)


def trimmed(numbers: tuple[int, ...]) -> tuple[int, ...]:
    """`numbers` without the zeros at the end, which say nothing."""
    while numbers and numbers[-1] == 0:
        numbers = numbers[:-1]
    return numbers


def before(epoch: int, numbers: tuple[int, ...]) -> Release:
    """The earliest release that counts as part of `numbers`: its `.dev0`."""
    return Release(epoch, trimmed(numbers), _ONLY_DEV, -1, 0)
