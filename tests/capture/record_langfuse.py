"""Record the Langfuse SDK and its wrapper of the OpenAI client: `python tests/capture/record_langfuse.py OUTDIR`.

Last run with langfuse 5.0.4, openai 3.57.0, opentelemetry-sdk 1.45.2.
"""

from __future__ import annotations

import os
import sys

os.environ["OTEL_SERVICE_NAME"] = "shop-assistant"
os.environ["LANGFUSE_RELEASE"] = "2026.1"
os.environ["LANGFUSE_TRACING_ENVIRONMENT"] = "staging"

import questions
from langfuse import Langfuse, propagate_attributes
from langfuse.openai import OpenAI
from otlp_sink import Sink
from recording import attempt

from tests.demo.model_server import ModelServer

TRACED = {
    "session_id": "conversation-42",
    "user_id": "user-7",
    "tags": ["shop", "beta"],
    "metadata": {"plan": "pro"},
    "version": "3",
    "trace_name": "order question",
}
BUCKETS = {"input": 10, "cache_read_input_tokens": 500, "cache_creation_input_tokens": 100, "output": 20}


def agent(client: Langfuse) -> None:
    """An agent run with an observation of each type, written by hand as the SDK's documentation shows."""
    with client.start_as_current_observation(
        name="assistant", as_type="agent", input={"question": questions.QUESTION}
    ) as run:
        with client.start_as_current_observation(
            name="look_up_order", as_type="tool", input={"order_id": "A-1001"}
        ) as tool:
            tool.update(output={"status": "packed"})
        with client.start_as_current_observation(name="shelf", as_type="retriever", input=questions.QUESTION) as shelf:
            shelf.update(output=[{"id": "d-1", "score": 0.9, "content": "Parcels ship daily."}])
        with client.start_as_current_observation(
            name="claude",
            as_type="generation",
            model="claude-sonnet-4-5",
            model_parameters={"max_tokens": 100},
            input=[{"role": "user", "content": questions.QUESTION}],
            metadata={"attempt": 1},
        ) as generation:
            generation.update(output={"role": "assistant", "content": "Tomorrow."}, usage_details=BUCKETS)
            generation.update(cost_details={"input": 0.000555, "output": 0.0003, "total": 0.000855})
        with client.start_as_current_observation(name="check", as_type="guardrail", input="Tomorrow.") as guard:
            guard.update(output={"allowed": True}, level="WARNING", status_message="close call")
        run.update(output="Tomorrow.")


def main(directory: str) -> None:
    with ModelServer(first_chunk_delay=0.02) as server, Sink(directory) as sink:
        client = Langfuse(public_key="pk-lf-none", secret_key="sk-lf-none", base_url=sink.url)
        model = OpenAI(api_key="not-needed", base_url=server.openai_url, max_retries=0)

        def write(name: str) -> None:
            client.flush()
            sink.write(f"langfuse_{name}")

        with propagate_attributes(**TRACED):
            model.chat.completions.create(**questions.CHAT, metadata={"order": "A-1001"})
        write("openai_chat")
        list(model.chat.completions.create(**questions.STREAM))
        write("openai_stream")
        model.chat.completions.create(**questions.TOOLS)
        model.chat.completions.create(**questions.TOOL_RESULT)
        write("openai_tools")
        model.responses.create(**questions.RESPONSE)
        write("openai_responses")
        model.embeddings.create(**questions.EMBEDDING)
        write("openai_embedding")
        attempt(lambda: model.chat.completions.create(**questions.BROKEN))
        write("openai_failure")
        with propagate_attributes(**TRACED):
            agent(client)
        write("agent")
        client.shutdown()


if __name__ == "__main__":
    main(sys.argv[1])
