"""The Letta endpoints. Responses are rendered straight to bytes; the declared models serve the OpenAPI document."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Response

from collector.json_text import JSON_MEDIA_TYPE, render
from collector.query.access import Access, bearer_or_api_key
from collector.query.api import Backend, documented_api
from collector.query.errors import ErrorBody
from collector.query.letta.bodies import bodies
from collector.query.letta.errors import LettaProblem, LettaValidationProblem, letta_body
from collector.query.letta.feedback import changed, feedback_id, verdict
from collector.query.letta.messages import page_of, step_messages
from collector.query.letta.parameters import FeedbackChange, MessageListParameters, StepListParameters, StepPath
from collector.query.letta.schema import Health, ProviderTrace, StepMessage, StepMetrics
from collector.query.letta.schema import Step as StepDocument
from collector.query.letta.steps import Step, Steps
from collector.query.letta.view import metrics_document, provider_trace, step_document

ORIGIN_HEADER = "X-Spanledger-Bodies"
"""Says of both bodies of a ProviderTrace whether they are reported or rebuilt, as its `source` does."""

_ABOUT = "Model calls as Letta's steps, with what was sent to the provider and what came back."
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {"model": LettaProblem, "description": "The request shows no API key, or one that is not known"},
    403: {"model": LettaProblem, "description": "The key does not allow this, or belongs to another project"},
    422: {"model": LettaValidationProblem, "description": "The request is not valid, or costs too much"},
    503: {"model": LettaProblem, "description": "The store does not answer now; see Retry-After"},
}
_NOT_FOUND: dict[int | str, dict[str, Any]] = {404: {"model": LettaProblem, "description": "There is no such step"}}


def letta_api(backend: Backend, version: str) -> tuple[FastAPI, ErrorBody]:
    """Return the API as an application, and how it tells of errors."""
    router = APIRouter()
    access = Access(backend.keys, bearer_or_api_key)
    _add_health(router, version)
    _add_lists(router, backend, access)
    _add_steps(router, backend, access)
    return documented_api("Letta", router, letta_body, version=version, description=_ABOUT), letta_body


def _answer(document: Any, headers: dict[str, str] | None = None) -> Response:
    return Response(render(document), headers=headers, media_type=JSON_MEDIA_TYPE)


def _add_health(router: APIRouter, version: str) -> None:
    @router.get("/v1/health/", tags=["health"], response_model=Health)
    @router.get("/v1/health", include_in_schema=False)
    async def get_health() -> Response:
        """Say that the service answers."""
        return _answer({"version": version, "status": "ok"})


def _add_lists(router: APIRouter, backend: Backend, access: Access) -> None:
    steps = Steps(backend.store, backend.attributes.letta)

    @router.get("/v1/steps/", tags=["steps"], response_model=list[StepDocument], responses={**_NOT_FOUND, **_PROBLEMS})
    @router.get("/v1/steps", include_in_schema=False)
    def list_steps(parameters: Annotated[StepListParameters, Query()], project: str = Depends(access.read)) -> Response:
        """Return one page of steps; an empty one after the last."""
        page = steps.page(project, parameters)
        return _answer(_documents(backend, project, page))

    @router.get(
        "/v1/steps/{step_id}/messages",
        tags=["steps"],
        response_model=list[StepMessage],
        responses={**_NOT_FOUND, **_PROBLEMS},
    )
    def list_messages(
        step_id: StepPath,
        parameters: Annotated[MessageListParameters, Query()],
        project: str = Depends(access.read),
    ) -> Response:
        """Return one page of what the model was given and answered; an empty one after the last."""
        step = steps.get(project, step_id)
        messages = step_messages(step.id, step.row, backend.attributes.letta)
        return _answer(page_of(messages, parameters))


def _add_steps(router: APIRouter, backend: Backend, access: Access) -> None:
    names = backend.attributes.letta
    steps = Steps(backend.store, names)

    @router.get(
        "/v1/steps/{step_id}", tags=["steps"], response_model=StepDocument, responses={**_NOT_FOUND, **_PROBLEMS}
    )
    def get_step(step_id: StepPath, project: str = Depends(access.read)) -> Response:
        """Return a step."""
        return _answer(_documents(backend, project, [steps.get(project, step_id)])[0])

    @router.get(
        "/v1/steps/{step_id}/metrics",
        tags=["steps"],
        response_model=StepMetrics,
        responses={**_NOT_FOUND, **_PROBLEMS},
    )
    def get_metrics(step_id: StepPath, project: str = Depends(access.read)) -> Response:
        """Return how long a step took."""
        step = steps.get(project, step_id)
        return _answer(metrics_document(project, step.id, step.row, names))

    @router.get("/v1/steps/{step_id}/trace", tags=["steps"], response_model=ProviderTrace | None, responses=_PROBLEMS)
    def get_trace(step_id: StepPath, project: str = Depends(access.read)) -> Response:
        """Return what was sent to the provider and what came back; null if there is no such step."""
        step = steps.find(project, step_id)
        if step is None:
            return _answer(None)
        found = bodies(step.row, names)
        return _answer(provider_trace(step.id, step.row, found, names), {ORIGIN_HEADER: found.origin})

    @router.patch(
        "/v1/steps/{step_id}/feedback",
        tags=["steps"],
        response_model=StepDocument,
        responses={**_NOT_FOUND, **_PROBLEMS},
    )
    def change_feedback(step_id: StepPath, change: FeedbackChange, project: str = Depends(access.write)) -> Response:
        """Change the feedback on a step, and return the step."""
        step = steps.get(project, step_id)
        trace_id = step.row["trace_id"]
        feedback = changed(project, step.row, backend.store.feedback(project, [trace_id]), change)
        if feedback is None:
            backend.editor.remove_feedback(project, trace_id, feedback_id(project, step.row))
        else:
            backend.editor.add_feedback(project, [feedback])
        return _answer(_documents(backend, project, [step])[0])


def _documents(backend: Backend, project: str, found: list[Step]) -> list[dict[str, Any]]:
    """Return the documents of steps, with the feedback on them."""
    trace_ids = sorted({step.row["trace_id"] for step in found})
    given = backend.store.feedback(project, trace_ids) if trace_ids else []
    return [
        step_document(project, step.id, step.row, verdict(project, step.row, given), backend.attributes.letta)
        for step in found
    ]
