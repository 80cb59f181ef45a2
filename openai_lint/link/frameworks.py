"""What web, bot and command-line frameworks do with an error that leaves a function handed to them."""

from typing import TYPE_CHECKING

from openai_lint.facts import Function

if TYPE_CHECKING:
    from openai_lint.link.record import Record

FRAMEWORK_PAGES = {
    "flask": "Flask answers 500",
    "fastapi": "FastAPI answers 500",
    "starlette": "Starlette answers 500",
    "streamlit": "Streamlit shows the traceback",
    "gradio": "Gradio shows an error box",
    "django": "Django answers 500",
    "aiogram": "aiogram logs it and the user gets no answer",
    "discord": "discord.py logs it and the user gets no answer",
    "telegram": "the bot logs it and the user gets no answer",
    "celery": "Celery marks the task as failed",
    "click": "the command ends with a traceback",
    "typer": "the command ends with a traceback",
}


def describe(function: Function, record: "Record") -> str:
    """What an entry point is, in words."""
    written = record.entries.get(function)
    if written is not None:
        return f"handed to @{written.replace('()', '')}"
    if function in record.callbacks:
        return "handed over as a callback"
    return "no caller in the project"
