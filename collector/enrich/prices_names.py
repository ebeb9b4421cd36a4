"""Names of providers and models: whom a name means, and the further spellings under which a model is looked for.

A model is first looked for under the name that was sent. Only what a table or pattern of this module names is ever taken
off it: a date, a router in front, a region of Bedrock. Anything else that follows a known name makes it another model,
so that `claude-opus-4-8` is never priced as `claude-opus-4`, nor `gpt-4o-mini-x` as `gpt-4o-mini`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from datetime import date
from typing import NamedTuple

PROVIDERS = {
    "anthropic": "anthropic",
    "aws.bedrock": "aws",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",  # which sells the models of OpenAI, at their rates
    "cohere": "cohere",
    "deepseek": "deepseek",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "groq": "groq",
    "mistral_ai": "mistral",
    "moonshot_ai": "moonshotai",
    "openai": "openai",
    "perplexity": "perplexity",
    "x_ai": "x-ai",
}
"""`gen_ai.provider.name` as the semantic conventions spell it -> provider id in genai-prices.

A name that is not here is looked up as it is. `ibm.watsonx.ai` is missing because genai-prices has no prices for it.
"""

FRAMEWORKS = frozenset({"", "crewai", "gateway", "langchain", "litellm", "llama_index", "strands-agents"})
"""Names that say nothing about who bills: that is told by the server's address, else by the model."""

SPOKEN_BY_OTHERS = frozenset({"openai", "anthropic"})
"""Providers whose API others offer as well: a client library names them whoever answers.

The address of another provider, or another provider in front of the model name, then says who bills; the semantic
conventions name `server.address` for it.
"""

_ROUTES = {
    "azure": "azure",
    "azure_ai": "azure",
    "bedrock": "aws",
    "bedrock_converse": "aws",
    "cohere_chat": "cohere",
    "fireworks_ai": "fireworks",
    "gemini": "google",
    "google_genai": "google",
    "google_vertexai": "google",
    "litellm_proxy": "",
    "mistralai": "mistral",
    "moonshot": "moonshotai",
    "together_ai": "together",
    "vertex_ai": "google",
    "vertex_ai_beta": "google",
    "voyage": "voyageai",
    "xai": "x-ai",
}
"""What routers (LiteLLM, LangChain) put before a model name -> provider id in genai-prices, "" if it bills nothing.

The provider ids of genai-prices stand for themselves.
"""

_DATE = r"20\d\d-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])"
_COMPACT_DATE = re.compile(r"(?<=-)(20\d\d)(\d\d)(\d\d)(?=-|:|$)")
_SNAPSHOT = re.compile(rf"(?:[-@:](?P<date>{_DATE})|[-@]latest|@default)$")
_NEUTRAL_END = re.compile(
    rf"""(?:
        [-@:]{_DATE} (?:-v\d+)?                      # gpt-4o-2024-08-06, claude-sonnet-4@20250514, ...-20241022-v2
      | [-@]latest | @default | -preview | -exp | -experimental
      | -preview-customtools                         # Google: the same model, with another way to call tools
      | -(?:0[1-9]|1[0-2])-(?:20\d\d|[0-3]\d)        # gemini-2.5-pro-preview-05-06, ...-09-2025
      | -(?:0[1-9]|1[0-2])[0-3]\d                    # gpt-3.5-turbo-0125
      | -2[3-9](?:0[1-9]|1[0-2])                     # mistral-large-2411
      | -0\d\d                                       # gemini-1.5-pro-002
      | -v1                                          # amazon.nova-pro-v1:0
      | :\d (?::\d+k)?                               # ...:0, ...:0:28k
    )+$""",
    re.VERBOSE,
)
_FINE_TUNED = re.compile(r"^(ft:[^:]+):.*$|^(.*)\.ft-[^.]*$")
_REGION = r"us|eu|global|[a-z]{2}(?:-[a-z]+)+-\d"
_PATH = re.compile(rf"^(?:(?!(?:{_REGION})/)[^/]*/)*")  # without a region: there prices may differ

_VENDORS = (
    "ai21|amazon|anthropic|cohere|deepseek|google|luma|meta|minimax|mistral|moonshotai?|nvidia|openai|qwen|stability|"
    "twelvelabs|writer|zai"
)
_REGIONAL = "us|eu|apac|au|jp|in|ca"  # all at one price; not so us-gov
_MOVING = re.compile(r"^(?:labs-)?(?:(?:mi|code|dev|magi|mini)stral|pixtral|voxtral)")
_BEDROCK = re.compile(rf"^(?:(?P<area>{_REGIONAL}|global)\.)?(?P<model>(?:{_VENDORS})\..+)$")
_BEDROCK_DATE = re.compile(r"-20\d{6}(?=-v\d)")
_BEDROCK_ARN = re.compile(r"^(?:bedrock/)?arn:aws:bedrock:[^:]*:[^:]*:(?:foundation-model|inference-profile)/(.+)$")
_BEDROCK_ROUTE = re.compile(r"^(?:(?:converse|invoke|us-east-1|us-east-2|us-west-2)/)*")  # at the listed price
_GOOGLE_PATH = re.compile(r"^(?:projects/[^/]+/locations/[^/]+/)?(?:publishers/[^/]+/)?models/(.+)$")


class Spelling(NamedTuple):
    """One name under which a model is looked for."""

    route: str
    """Provider id that the name itself tells, or ""."""
    name: str
    """In lower case."""


def spellings(model: str, provider_ids: Collection[str]) -> Iterator[Spelling]:
    """Yield the names under which to look for a model, the one that was sent first.

    - without what routers put in front: `openai/gpt-4o`, `vertex_ai/gemini-2.5-pro`, `models/gemini-2.5-pro`
    - Bedrock: the model in an ARN; without the region (`us.`, `eu.`, `apac.`; not `global.`, which has other prices)
    - with the date written as the package has it, then without date, `-latest` or `@default`

    `provider_ids` are those of genai-prices. Names of fine-tuned models are never changed.
    """
    whole = model.strip().lower()
    seen: set[Spelling] = set()
    for routed in _routed(whole, provider_ids):
        for regional in _bedrock(routed):
            for spelling in _dated(regional):
                if spelling.name and spelling not in seen:
                    seen.add(spelling)
                    yield spelling


def _routed(name: str, provider_ids: Collection[str]) -> Iterator[Spelling]:
    if "arn:" in name:
        if arn := _BEDROCK_ARN.match(name):  # of others, such as profiles of one's own, the model is not told
            yield Spelling("aws", arn[1])
        return
    yield Spelling("", name)
    if _ROUTES.get(name.partition("/")[0]) == "":  # one that bills nothing: what stands behind it is the name
        name = name.partition("/")[2]
        yield Spelling("", name)
    if path := _GOOGLE_PATH.match(name):
        yield Spelling("google", path[1])
        return
    head, slash, tail = name.partition("/")
    route = _ROUTES.get(head) or (head if head in provider_ids else "")
    if slash and route:
        yield Spelling(route, _BEDROCK_ROUTE.sub("", tail) if route == "aws" else tail)


def _bedrock(spelling: Spelling) -> Iterator[Spelling]:
    yield spelling
    found = _BEDROCK.match(spelling.name) if spelling.route in ("", "aws") else None
    if found is not None:
        yield Spelling("aws", spelling.name)
        if found["area"] not in (None, "global"):
            yield Spelling("aws", found["model"])


def _dated(spelling: Spelling) -> Iterator[Spelling]:
    route, name = spelling
    yield spelling
    if name.startswith("ft:"):
        return
    yield Spelling(route, _COMPACT_DATE.sub(_dashed, name))
    snapshot = _SNAPSHOT.search(name)
    if snapshot is not None and _is_neutral(snapshot, name):
        yield Spelling(route, name[: snapshot.start()])
    if route == "aws":
        yield Spelling(route, _BEDROCK_DATE.sub("", name))


def _dashed(found: re.Match[str]) -> str:
    return "-".join(found.groups()) if _is_date(found[0]) else found[0]


def _is_neutral(snapshot: re.Match[str], name: str) -> bool:
    """Say whether a model costs the same without this end of its name.

    Not so with an end that is no date, and with `-latest` where it moves on to models of another price.
    """
    if snapshot["date"] is not None:
        return _is_date(snapshot["date"])
    return not (snapshot[0] == "-latest" and _MOVING.match(name))


def _is_date(text: str) -> bool:
    digits = text.replace("-", "")
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True


def core(name: str) -> tuple[int, int]:
    """Return where the part of a model name lies that says which model it is: from start to end, the end excluded.

    Left out are path and router in front, region and vendor of a Bedrock id, and at the end dates, numbers of a release,
    and what fine-tuning appends.
    """
    path = _PATH.match(name)
    start = path.end() if path is not None else 0
    if bedrock := _BEDROCK.match(name[start:]):
        start += len(name[start:]) - len(bedrock["model"].partition(".")[2])
    end = len(name)
    if tuned := _FINE_TUNED.match(name):
        end = len(tuned[1] or tuned[2])
    if neutral := _NEUTRAL_END.search(name, start, end):
        end = neutral.start()
    return start, end
