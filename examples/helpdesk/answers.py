"""Questions to answers."""

import logging

import openai

from helpdesk.clients import client

log = logging.getLogger(__name__)


def answer(question: str) -> str:
    """The way it should be: documented errors are handled, those that pass apart from those that stay."""
    try:
        response = client.responses.create(model="gpt-4.1", input=question)
    except (openai.APIConnectionError, openai.RateLimitError, openai.InternalServerError) as error:
        log.warning("the API is busy (%s)", error)
        return "We are busy right now. Please ask again in a minute."
    except openai.APIStatusError as error:
        log.error("the API refused the request: %s (request %s)", error, error.request_id)
        return "We cannot answer that."
    return response.output_text


def summarize(ticket: str) -> str:
    """Some documented errors are handled and others are not: OAI102 and OAI103."""
    try:
        response = client.responses.create(model="gpt-4.1-mini", input=f"Summarize:\n{ticket}")
    except openai.RateLimitError:
        log.warning("rate limit reached")
        return ticket[:200]
    return response.output_text


def tag(ticket: str) -> list[str]:
    """Nobody handles anything, here or in main.py: OAI101."""
    completion = client.chat.completions.create(
        model="gpt-4.1-mini",
        messages=[{"role": "user", "content": f"Tags for this ticket, with commas between: {ticket}"}],
    )
    return (completion.choices[0].message.content or "").split(",")


def embed(text: str) -> list[float]:
    """The error disappears without a trace: OAI107."""
    try:
        return client.embeddings.create(model="text-embedding-3-small", input=text).data[0].embedding
    except openai.APIError:
        return []


def translate(text: str) -> str:
    """Its only caller, in main.py, handles every documented error: no finding."""
    response = client.responses.create(model="gpt-4.1-mini", input=f"Translate into English:\n{text}")
    return response.output_text
