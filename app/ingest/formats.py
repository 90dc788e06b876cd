"""Which provider's format a file is in, told by what it holds, and the reader for it."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from app.ingest import anthropic, google, openai
from app.ingest.reading import Problem, Read, UnreadableBillError

LARGEST_BYTES = 50_000_000
READERS: Mapping[str, Callable[[str, str], Read]] = MappingProxyType(
    {"openai": openai.read, "anthropic": anthropic.read, "google": google.read}
)


def read_bill(content: bytes, name: str, provider: str | None = None) -> Read:
    """The lines of a file, or an error that names every row that is wrong."""
    if len(content) > LARGEST_BYTES:
        raise UnreadableBillError(name, [Problem("The file", f"it is larger than {LARGEST_BYTES:,} bytes.")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableBillError(name, [Problem(f"Byte {error.start:,}", "it is no text in UTF-8.")]) from None
    found = provider or _provider_of(text)
    if found is None or found not in READERS:
        known = "OpenAI's costs or usage, Anthropic's cost or usage report, or Google Cloud's cost table as CSV"
        raise UnreadableBillError(name, [Problem("The file", f"it is none of {known}.")])
    return READERS[found](text, name)


def _provider_of(text: str) -> str | None:
    if text.lstrip()[:1] in {"{", "["}:
        if '"starting_at"' in text:
            return "anthropic"
        return "openai" if '"start_time"' in text else None
    head = text[:20_000].lower()
    return "google" if "sku description" in head or "sku.description" in head or "sku_description" in head else None
