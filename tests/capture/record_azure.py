"""Record Azure's AI clients: `python tests/capture/record_azure.py OUTDIR`.

Last run with azure-ai-inference 1.0.0b9, azure-ai-projects 2.10.0, azure-core-tracing-opentelemetry 1.0.0b13, openai
3.57.0, opentelemetry-sdk 1.45.2.
"""

from __future__ import annotations

import os
import sys

os.environ |= {
    "AZURE_EXPERIMENTAL_ENABLE_GENAI_TRACING": "true",
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true",
}

import openai
import questions
from azure.ai.inference import ChatCompletionsClient
from azure.ai.inference.tracing import AIInferenceInstrumentor
from azure.ai.projects.telemetry import AIProjectInstrumentor
from azure.core.credentials import AzureKeyCredential
from azure.core.pipeline.policies import UserAgentPolicy
from azure.core.settings import settings
from opentelemetry import trace
from recording import Recorder, attempt

from tests.demo.model_server import ModelServer


def record_inference(recorder: Recorder, server: ModelServer) -> None:
    client = ChatCompletionsClient(
        server.openai_url,
        AzureKeyCredential("not-needed"),
        retry_total=0,
        user_agent_policy=UserAgentPolicy("azsdk-python-ai-inference"),
    )
    messages = questions.CHAT["messages"]
    with recorder.case("inference_chat"):
        client.complete(messages=messages, model="gpt-4o", temperature=0.2)
    with recorder.case("inference_stream"):
        list(
            client.complete(
                messages=messages, model="gpt-4o", stream=True, model_extras={"stream_options": {"include_usage": True}}
            )
        )
    with recorder.case("inference_tools"):
        client.complete(messages=messages, model="gpt-4o", tools=questions.TOOLS["tools"])
        client.complete(messages=questions.TOOL_RESULT["messages"], model="gpt-4o", tools=questions.TOOLS["tools"])
    with recorder.case("inference_failure"):
        attempt(lambda: client.complete(messages=messages, model="gpt-4o-broken"))


def record_projects(recorder: Recorder, server: ModelServer) -> None:
    client = openai.OpenAI(api_key="not-needed", base_url=server.openai_url, max_retries=0)
    with recorder.case("projects_response"):
        client.responses.create(**questions.RESPONSE)


def main(directory: str) -> None:
    recorder = Recorder(directory, "azure")
    trace.set_tracer_provider(recorder.provider)
    settings.tracing_implementation = "opentelemetry"
    with ModelServer(first_chunk_delay=0.02) as server:
        AIInferenceInstrumentor().instrument(enable_content_recording=True)
        record_inference(recorder, server)
        AIInferenceInstrumentor().uninstrument()
        AIProjectInstrumentor().instrument(enable_content_recording=True)
        record_projects(recorder, server)


if __name__ == "__main__":
    main(sys.argv[1])
