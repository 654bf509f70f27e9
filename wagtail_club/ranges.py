"""A part of a file, for players that ask for no more: a phone plays no film, and nobody skips in one, without it.

Django and Wagtail send a file whole, and WhiteNoise knows parts of static files only.
"""

import re
from collections.abc import Iterator
from typing import Any

BLOCK = 64 * 1024
#: One part; who asks for several at once is sent the whole file, as is who asks for what is none.
ASKED = re.compile(r"bytes=([0-9]{1,18})?-([0-9]{1,18})?", re.ASCII)


def cut(request: Any, response: Any) -> Any:
    """Make of ``response``, which sends a whole file, the part that ``request`` asks for: 206, or 416 where there is
    none. Whatever else the response is stays as it is, and what a web server sends is left to it."""
    file = getattr(response, "file_to_stream", None)
    if response.status_code != 200 or file is None or not file.seekable():
        return response
    response["Accept-Ranges"] = "bytes"
    size = int(response["Content-Length"])
    asked = _asked(request.headers.get("Range", ""), size)
    if request.method != "GET" or asked is None or not _unchanged(request, response):
        return response
    start, end = asked
    found = start < end
    if found:
        file.seek(start)
    response.streaming_content = _part(file, end - start)
    response.status_code = 206 if found else 416
    response["Content-Range"] = f"bytes {start}-{end - 1}/{size}" if found else f"bytes */{size}"
    response["Content-Length"] = max(end - start, 0)
    return response


def _asked(header: str, size: int) -> tuple[int, int] | None:
    """Return where the part that ``header`` asks for begins, and where what follows it does; the same or less where
    there is no such part, ``None`` where none is asked for."""
    found = ASKED.fullmatch(header.strip())
    first, last = found.groups() if found else (None, None)
    if first is None:
        # So many bytes from the end.
        return (max(size - int(last), 0), size) if last is not None else None
    if last is None:
        return int(first), size
    return (int(first), min(int(last) + 1, size)) if int(first) <= int(last) else None


def _unchanged(request: Any, response: Any) -> bool:
    """Whether the rest is asked for of the file as it is, and not of one that has changed since."""
    said = request.headers.get("If-Range")
    if said is None:
        return True
    return not said.startswith("W/") and said in (response.get("ETag"), response.get("Last-Modified"))


def _part(file: Any, length: int) -> Iterator[bytes]:
    while length > 0 and (block := file.read(min(length, BLOCK))):
        length -= len(block)
        yield block
