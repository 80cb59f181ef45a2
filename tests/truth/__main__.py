"""Run programs by name, and print what was seen beside what the linter says.

``python -m tests.truth [NAME]... [--sdk RELEASE]``
"""

import argparse
import sys

from . import claims, harness
from .environment import NEWEST
from .programs import all_programs


def main() -> int:
    """Without names: every program. Exit code 1 when a program is unfit or a verdict is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.truth", description=__doc__)
    parser.add_argument("names", nargs="*", help="programs, or Markdown files of programs")
    parser.add_argument("--sdk", default=NEWEST, help="the release of openai to run with (default: %(default)s)")
    parser.add_argument("--fresh", action="store_true", help="observe again what is remembered")
    parser.add_argument("--observe", action="store_true", help="only observe: do not ask the linter")
    parser.add_argument("--show", action="store_true", help="print the program too")
    options = parser.parse_args()
    programs = [p for p in all_programs() if not options.names or {p.name, p.source} & set(options.names)]
    fitting = [p for p in programs if p.fits(options.sdk, sys.version_info[:2])]
    if not fitting:
        print("no such program for this release; its sdk line may be another (--sdk)", file=sys.stderr)
        return 2
    truths = harness.observe(fitting, options.sdk, fresh=options.fresh)
    said = {} if options.observe else claims.inventory(fitting, options.sdk)
    verdicts: list[claims.Verdict] = []
    for program in fitting:
        truth = truths[program.name]
        if options.show:
            for path, text in program.files.items():
                print(f"--- {program.name}/{path}\n{text}")
        for problem in truth.problems:
            print(f"{program.name}: unfit: {problem}")
        if len(fitting) <= 10:
            for place, site in truth.sites.items():
                print(f"{program.name} {place}\n  seen: {site}")
                entry = next(
                    (claims.entry_for(s, said.get(program.name, [])) for s in program.sites() if s.id == place), None
                )
                if not options.observe:
                    print(f"  said: {entry}")
        if not options.observe:
            verdicts += claims.judge(program, options.sdk, truth, said[program.name])
    print("\n".join(claims.wrong_lines(verdicts)))
    if not options.observe:
        print(claims.table(verdicts))
    unfit = any(truths[p.name].problems for p in fitting)
    return int(unfit or bool(claims.wrong_lines(verdicts)))


if __name__ == "__main__":
    sys.exit(main())
