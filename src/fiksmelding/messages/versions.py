"""A report of version 2 for a receiver that only knows version 1 (`stottetVersjon` V1, contract section 10)."""

from fiksmelding.messages.reports import (
    Bekymringsmelding,
    OffentligBekymringsmelding,
    OffentligBekymringsmeldingV1,
    PrivatBekymringsmeldingV1,
)
from fiksmelding.messages.validation import model_from

__all__ = ["VIEWS_HEADING", "as_version_1"]

VIEWS_HEADING = "Andre synspunkter:"
"""What stands above `andreSynspunkter` where version 1 has it: at the end of `historie`."""


def as_version_1(message: Bekymringsmelding) -> Bekymringsmelding:
    """The same report in version 1; a report that already is comes back as it is.

    Version 1 has no `andreSynspunkter`: the text goes, under a heading, to the end of `historie`, so that nothing the
    reporter wrote is lost. Unknown members stay.
    """
    if isinstance(message, OffentligBekymringsmeldingV1 | PrivatBekymringsmeldingV1):
        return message
    if not isinstance(message, OffentligBekymringsmelding):
        return model_from(message.document(), PrivatBekymringsmeldingV1)
    document, texts = message.document(), message.melding.document()
    views = texts.pop("andreSynspunkter", None)
    if isinstance(views, str) and views.strip():
        texts["historie"] = (
            "\n\n".join(text for text in (message.melding.historie, VIEWS_HEADING) if text) + f"\n{views}"
        )
    document["melding"] = texts
    return model_from(document, OffentligBekymringsmeldingV1)
