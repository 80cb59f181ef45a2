"""Clients for the rest of the program."""

import os

from openai import AsyncOpenAI, AzureOpenAI, OpenAI

# A key of Azure OpenAI, written into the code: OAI302.
azure = AzureOpenAI(
    api_key="7c4e19b0a6d84f23958e1d70cb36fa42",
    azure_endpoint="https://helpdesk.openai.azure.com",
    api_version="2024-10-21",
)

# A key that is used whenever the environment has none: OAI303.
client = OpenAI(api_key=os.environ.get("OPENAI_API_KEY", "sk-proj-Rw8kTz3NqYb5VhXc2LmJd7PgFs4AuQe9"))

# Nothing waits and tries again when the API is busy: OAI201 at each call that nobody else retries.
impatient = AsyncOpenAI(max_retries=0)
