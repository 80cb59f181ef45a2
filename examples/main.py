"""The entry point: python main.py ticket.txt"""

import sys
from pathlib import Path

import openai

from helpdesk.answers import answer, embed, summarize, tag, translate


def main() -> None:
    ticket = Path(sys.argv[1]).read_text(encoding="utf-8")
    try:
        ticket = translate(ticket)
    except openai.OpenAIError as error:
        sys.exit(f"cannot translate: {error}")
    print(answer(ticket), summarize(ticket), tag(ticket), len(embed(ticket)))


if __name__ == "__main__":
    main()
