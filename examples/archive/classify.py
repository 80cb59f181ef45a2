"""Runs once a night, on a machine that still has the old SDK. There nothing retries by itself: OAI201."""

import openai


def classify(ticket: str) -> str:
    """The guide's own snippet: Timeout and ServiceUnavailableError pass by (OAI102), and two that stay (OAI103)."""
    try:
        completion = openai.Completion.create(model="davinci-002", prompt=f"{ticket}\n\nCategory:")
    except openai.error.APIError as e:
        print(f"OpenAI API returned an API Error: {e}")
        return ""
    except openai.error.APIConnectionError as e:
        print(f"Failed to connect to OpenAI API: {e}")
        return ""
    except openai.error.RateLimitError as e:
        print(f"OpenAI API request exceeded rate limit: {e}")
        return ""
    return completion.choices[0].text


if __name__ == "__main__":
    print(classify(input()))
