"""Which packages stand for the SDK, which only look like it, and which of its words others use too, as data."""

DROP_INS = {
    "gptcache.adapter.openai": "openai",
    "langfuse.openai.openai": "openai",
    "langfuse.openai": "openai",
    "helicone.openai_proxy.openai": "openai",
    "openai_async_client": "openai",
    "promptlayer.openai": "openai",
    "posthog.ai.openai": "openai",
    "agentops.openai": "openai",
    "opik.integrations.openai.openai": "openai",
}
"""Modules that give back the SDK's module or classes, and what they stand for."""

CLIENT_WRAPPERS = frozenset(
    {
        "langsmith.wrappers.wrap_openai",
        "braintrust.wrap_openai",
        "braintrust.oai.wrap_openai",
        "instructor.from_openai",
        "instructor.patch",
        "instructor.apatch",
        "opik.integrations.openai.track_openai",
        "outlines.from_openai",
        "mirascope.wrap_openai",
        "agentops.wrap_openai",
        "ragas.wrap_openai",
        "weave.integrations.openai.wrap_openai",
        "copy.copy",
        "copy.deepcopy",
    }
)
"""Functions that give back the client they are given as first argument, wrapped."""

CLIENT_MAKERS = {
    "azure.ai.projects.AIProjectClient().get_openai_client": "openai.OpenAI",
    "azure.ai.projects.aio.AIProjectClient().get_openai_client": "openai.AsyncOpenAI",
    "azure.ai.projects.AIProjectClient().inference.get_azure_openai_client": "openai.AzureOpenAI",
    "azure.ai.projects.aio.AIProjectClient().inference.get_azure_openai_client": "openai.AsyncAzureOpenAI",
}
"""Methods of other packages that give one of the SDK's own clients, and which."""

SPOKEN_OF = frozenset({"openai", *(path.partition("()")[0].rpartition(".")[2] for path in CLIENT_MAKERS)})
"""A module that holds one of these names speaks of the SDK, or of what gives its clients."""

OTHER_VENDORS = frozenset(
    {
        "anthropic",
        "groq",
        "zhipuai",
        "zai",
        "mistralai",
        "cohere",
        "together",
        "portkey_ai",
        "cerebras",
        "fireworks",
        "dashscope",
        "qianfan",
        "volcenginesdkarkruntime",
        "g4f",
        "replicate",
        "ollama",
        "litellm",
        "ai21",
        "writerai",
        "reka",
        "sambanova",
        "nebius",
        "xai_sdk",
        "google",
        "huggingface_hub",
        "aleph_alpha_client",
        "sparkai",
        "erniebot",
        "llamaapi",
        "llama_api_client",
        "cartesia",
        "deepgram",
        "elevenlabs",
    }
)
"""Packages whose clients look like the SDK's and are not."""

COMMON_RESOURCES = frozenset(
    {
        "files",
        "models",
        "uploads",
        "containers",
        "skills",
        "videos",
        "admin",
        "live",
        "safety",
        "decisions",
        "conversations",
        "webhooks",
        "evals",
        "batches",
        "edits",
    }
)
"""Resources of the SDK whose names other clients use too: on an unknown receiver they say nothing."""

TAKEN_AT_THEIR_WORD = frozenset(path.partition(".")[0] for path in (*DROP_INS, *CLIENT_WRAPPERS)) - {"copy"}
"""Packages that stand for the SDK: what they give is known by their name, in their own repository too."""
