"""Images, audio, video and files, wherever a family puts them: inline, behind a URL, or kept by the provider."""

from __future__ import annotations

from functools import partial
from typing import Any

from collector.enrich.messages.parts import (
    Converter,
    Fields,
    Part,
    from_data,
    from_file_id,
    from_url,
    modality_of,
    text,
)

_OBJECTS = (
    "source", "file", "image_url", "image", "input_audio", "audio", "video", "video_url", "media", "document", "s3Location",
)  # fmt: skip
"""Fields that describe the medium in an object of their own."""

_SOURCE_TYPES = ("base64", "url", "file", "text")

_MIME_TYPES = ("mime_type", "mimeType", "media_type", "mediaType", "contentType", "content_type")
_FILE_IDS = ("file_id", "fileId")
_LOCATIONS = (
    "url", "uri", "file_url", "fileUri", "file_uri", "image_url", "video_url",
    "file_data", "data", "base64", "bytes", "image", "audio", "content",
)  # fmt: skip
"""Fields that hold a URL or base64. Several hold either, so the value decides."""

_FORMATS = {
    "csv": "text/csv",
    "html": "text/html",
    "md": "text/markdown",
    "pdf": "application/pdf",
    "txt": "text/plain",
}


def media(fields: Fields, modality: str) -> list[Part]:
    """Return the medium that these fields describe. `modality` "" leaves the modality to the media type."""
    flat = _flattened(fields)
    if flat is None:
        return []
    source_type = flat.pop("source_type", None)
    if flat.get("type") == "text":
        del flat["type"]
        found = text(flat.pop("data", None))
    else:
        if flat.get("type") in _SOURCE_TYPES:
            del flat["type"]
        mime_type = _mime_type(flat, modality)
        found = _medium(flat, modality or modality_of(mime_type), mime_type, source_type)
    if found:
        fields.clear()
        fields.update(flat)
    return found


def _flattened(fields: Fields) -> Fields | None:
    """Return the fields with those of the objects among them beside them; None if two of them have the same name."""
    flat = dict(fields)
    for _ in range(3):
        name = next((name for name in _OBJECTS if isinstance(flat.get(name), dict)), None)
        if name is None:
            return flat
        inner = {key: value for key, value in flat.pop(name).items() if value is not None}
        if not inner.keys().isdisjoint(flat):
            return None
        flat |= inner
    return None


def _medium(flat: Fields, modality: str, mime_type: Any, source_type: Any) -> list[Part]:
    for name in (*_FILE_IDS, "id") if source_type == "id" else _FILE_IDS:
        if found := from_file_id(flat.get(name), modality, mime_type):
            del flat[name]
            return found
    for name in _LOCATIONS:
        value = flat.get(name)
        if isinstance(value, str) and value:
            del flat[name]
            is_url = "ur" in name or value[:5].lower() in ("data:", "http:", "https", "file:")
            return from_url(value, modality, mime_type) if is_url else from_data(value, modality, mime_type)
    return []


def _mime_type(flat: Fields, modality: str) -> str | None:
    """Pop the media type, or the format that stands for one: "png", "wav", "pdf"."""
    for name in _MIME_TYPES:
        if isinstance(flat.get(name), str):
            found: str = flat.pop(name)
            return found
    name = flat.get("format")
    if not isinstance(name, str):
        return None
    mime_type = f"{modality}/{name}" if modality in ("image", "audio", "video") else _FORMATS.get(name)
    if mime_type:
        del flat["format"]
    return mime_type


def _media(modality: str) -> Converter:
    return partial(media, modality=modality)


PARTS: dict[str, Converter] = {
    **dict.fromkeys(("image", "image_url", "image-url", "input_image", "image_content"), _media("image")),
    **dict.fromkeys(("audio", "audio-url", "input_audio", "audio_content"), _media("audio")),
    **dict.fromkeys(("video", "video_url", "video-url"), _media("video")),
    **dict.fromkeys(("document", "document-url"), _media("document")),
    **dict.fromkeys(("file", "input_file", "media", "binary", "container_upload"), _media("")),
}
"""Converters by the `type` (in some families `kind`) of a part."""
