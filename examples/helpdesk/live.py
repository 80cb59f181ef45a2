"""Answers while they are being written."""

from collections.abc import AsyncIterator

import openai
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from helpdesk.clients import client, impatient

app = FastAPI()


@app.get("/answer")
def show(question: str) -> None:
    """The try protects the request, and not the loop that reads the answer: OAI105."""
    try:
        stream = client.responses.create(model="gpt-4.1", input=question, stream=True)
    except openai.APIError as error:
        print("no answer:", error)
        return
    for event in stream:
        print(event)


@app.get("/draft")
async def draft(question: str) -> str:
    """The coroutine is made inside the try and awaited outside: OAI106."""
    try:
        pending = impatient.responses.create(model="gpt-4.1", input=question)
    except openai.APIError as error:
        return f"no draft: {error}"
    response = await pending
    return response.output_text
