"""Pictures that the owner uploads."""

from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

#: A photograph of a telephone has five megabytes and twelve million points; unpacked, each point takes four bytes.
LARGEST = 8 * 1024 * 1024
MOST_PIXELS = 40_000_000
#: What browsers show, by Pillow's names. Others can hold programs (EPS) or are read by nobody.
FORMATS = {"JPEG": "jpg", "PNG": "png", "GIF": "gif", "WEBP": "webp"}


class PictureField(forms.ImageField):
    """A picture for the web, of a size that can be shown. It is never unpacked here, so nothing in it can grow.

    It is stored under a name of our own with the ending of what it is: a file that is a picture and a page at once
    is then sent as a picture only.
    """

    widget = forms.ClearableFileInput(attrs={"accept": ".jpg,.jpeg,.png,.gif,.webp"})
    default_validators: list[Any] = []

    def to_python(self, data: Any) -> Any:
        if data not in self.empty_values and data.size > LARGEST:
            raise forms.ValidationError(
                _("This file is too large: no more than %(most)s megabytes, please."),
                params={"most": LARGEST // 1024**2},
            )
        if data not in self.empty_values:
            data.name = uuid4().hex
        found = super().to_python(data)
        if found is None:
            return None
        kind = FORMATS.get(found.image.format)
        if kind is None:
            raise forms.ValidationError(_("Please choose a JPEG, PNG, GIF or WebP picture."))
        width, height = found.image.size
        if width * height > MOST_PIXELS:
            raise forms.ValidationError(
                _("This picture has too many points (%(width)s × %(height)s). Make it smaller first."),
                params={"width": width, "height": height},
            )
        found.name = f"{found.name}.{kind}"
        return found
