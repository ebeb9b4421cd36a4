"""Images, audio, video and files, wherever a family puts them: inline, behind a URL, or kept by the provider."""

from __future__ import annotations

import base64
from functools import partial
from typing import Any

from collector.enrich.messages.parts import Converter, Fields, Part, text

_OBJECTS = (
    "source", "file", "image_url", "image", "input_audio", "audio", "video", "video_url", "media", "document", "s3Location",
)  # fmt: skip
"""Fields that describe the medium in an object of their own. Bedrock and OpenInference nest two of them."""

_SOURCE_TYPES = ("base64", "url", "file", "text")
_MIME_TYPES = ("mime_type", "mimeType", "media_type", "mediaType", "contentType", "content_type")
_FILE_IDS = ("file_id", "fileId")
_URLS = ("url", "uri", "file_url", "fileUri", "file_uri", "image_url", "video_url")
_BASE64 = ("file_data", "data", "base64", "bytes", "image", "audio", "content")
_URL_STARTS = ("data:", "http:", "https", "file:")

_FORMATS = {
    "csv": "text/csv",
    "html": "text/html",
    "md": "text/markdown",
    "pdf": "application/pdf",
    "txt": "text/plain",
}


def media(fields: Fields, modality: str) -> list[Part]:
    """Return the medium that these fields describe. `modality` "" leaves the modality to the media type."""
    flat = _flattened({key: _base64(value) for key, value in fields.items()})
    if flat is None:
        return []
    source_type = flat.pop("type", None)
    if source_type == "text":
        found = text(flat.pop("data", None))
    elif source_type in (None, *_SOURCE_TYPES):
        found = _medium(flat, modality, _mime_type(flat, modality))
    else:
        return []
    if found:
        fields.clear()
        fields.update(flat)
    return found


def from_url(url: str, modality: str, mime_type: str | None) -> list[Part]:
    """Return a `uri` part, or the `blob` part that a ``data:`` URL holds."""
    if url[:5].lower() == "data:":
        header, comma, content = url[5:].partition(",")
        kind, *parameters = header.split(";")
        if comma and "base64" in parameters:
            return _part("blob", modality, kind or mime_type, "content", content)
    return _part("uri", modality, mime_type, "uri", url)


def _base64(value: Any) -> Any:
    """Return the bytes that JavaScript wrote as JSON (``{"0": 137, "1": 80}``, or a `Buffer`) in base64; else the value."""
    if not isinstance(value, dict):
        return value
    numbers = value.get("data") if value.get("type") == "Buffer" else None
    if "0" in value and all(key == str(position) for position, key in enumerate(value)):
        numbers = list(value.values())
    if not isinstance(numbers, list) or not all(type(number) is int and 0 <= number < 256 for number in numbers):
        return value
    return base64.b64encode(bytes(numbers)).decode()


def _flattened(fields: Fields) -> Fields | None:
    """Return the fields with those of the objects among them beside them; None if two of them have the same name."""
    flat = dict(fields)
    for _ in _OBJECTS:
        name = next((name for name in _OBJECTS if isinstance(flat.get(name), dict)), None)
        if name is None:
            return flat
        inner = {key: value for key, value in flat.pop(name).items() if value is not None}
        if not inner.keys().isdisjoint(flat):
            return None
        flat |= inner
    return None


def _medium(flat: Fields, modality: str, mime_type: str | None) -> list[Part]:
    """Pop the identifier, URL or content of the medium."""
    # LangChain says in `source_type` what the other fields say themselves, but for the id, which may be the block's own.
    ids = ("id", *_FILE_IDS) if flat.get("source_type") == "id" else _FILE_IDS
    for name in (*ids, *_URLS, *_BASE64):
        value = flat.get(name)
        if not isinstance(value, str) or not value:
            continue
        del flat[name]
        flat.pop("source_type", None)
        if name in ids:
            return _part("file", modality, mime_type, "file_id", value)
        if name in _URLS or value[:5].lower() in _URL_STARTS:  # the AI SDK and OpenAI have fields that hold either
            return from_url(value, modality, mime_type)
        return _part("blob", modality, mime_type, "content", value)
    return []


def _mime_type(flat: Fields, modality: str) -> str | None:
    """Pop the media type, or the format that stands for one: "png", "wav", "pdf"."""
    for name in _MIME_TYPES:
        if isinstance(flat.get(name), str):
            return str(flat.pop(name))
    kind = flat.get("format")
    if not isinstance(kind, str):
        return None
    mime_type = f"{modality}/{kind}" if modality in ("image", "audio", "video") else _FORMATS.get(kind)
    if mime_type is not None:
        del flat["format"]
    return mime_type


def _part(part_type: str, modality: str, mime_type: str | None, key: str, value: str) -> list[Part]:
    part: Part = {"type": part_type, "modality": modality or _modality_of(mime_type), key: value}
    return [{**part, "mime_type": mime_type} if mime_type else part]


def _modality_of(mime_type: Any) -> str:
    kind = mime_type.partition("/")[0].lower() if isinstance(mime_type, str) else ""
    return kind if kind in ("image", "audio", "video") else "document"


def of(modality: str) -> Converter:
    """Return the converter for parts that say that they are of this modality; "" where the part does not say."""
    return partial(media, modality=modality)


PARTS: dict[str, Converter] = {
    **dict.fromkeys(("image", "image_url", "image-url", "input_image", "image_content"), of("image")),
    **dict.fromkeys(("audio", "audio-url", "input_audio", "audio_content"), of("audio")),
    **dict.fromkeys(("video", "video_url", "video-url"), of("video")),
    **dict.fromkeys(("document", "document-url", "container_upload"), of("document")),
    **dict.fromkeys(("file", "input_file", "media", "binary"), of("")),
}
"""Converters by the `type` (in some families `kind`) of a part."""
