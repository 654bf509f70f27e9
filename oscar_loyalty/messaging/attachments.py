"""Files that go with a message."""

from dataclasses import dataclass
from email.message import MIMEPart
from email.mime.image import MIMEImage
from typing import Any

import django


@dataclass(frozen=True)
class Attachment:
    """A file; with a ``cid``, a picture that the text shows as ``<img src="cid:…">``."""

    name: str
    content: bytes
    kind: str
    cid: str = ""


def attach(mail: Any, file: Attachment) -> None:
    """Attach ``file`` to Django's ``mail``."""
    if not file.cid:
        mail.attach(file.name, file.content, file.kind)
        return
    main, sub = file.kind.split("/")
    if django.VERSION >= (6, 0):
        part = MIMEPart()
        part.set_content(
            file.content, maintype=main, subtype=sub, disposition="inline", filename=file.name, cid=f"<{file.cid}>"
        )
        mail.attach(part)
        return
    image = MIMEImage(file.content, sub)
    image.add_header("Content-ID", f"<{file.cid}>")
    image.add_header("Content-Disposition", "inline", filename=file.name)
    mail.attach(image)
