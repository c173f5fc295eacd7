"""The same report twice: a resend of one that the journal holds is answered as that one was, not registered again.

Equal ids make it suspicious, equal content makes it certain. A sender that by mistake gives two reports one id must not
make the second vanish.
"""

import asyncio

from fiksmelding.errors import EnvelopeError
from fiksmelding.journal import Entry, Journal, State
from fiksmelding.receiver.opening import Opened, Opener


async def find_original(journal: Journal, opener: Opener, entry: Entry, opened: Opened) -> Entry | None:
    """The entry kept earlier that holds the same report, or None.

    An original whose content is erased, or that cannot be opened, proves nothing: then the report is taken for new, for
    registering one twice is a smaller evil than losing one.

    Raises:
        JournalUnavailable: The journal cannot be read now.
    """
    for earlier in await journal.earlier_like(entry):
        if earlier.state is not State.ERASED and await _same(opener, earlier, opened):
            return earlier
    return None


async def _same(opener: Opener, earlier: Entry, opened: Opened) -> bool:
    try:
        async with opener.open(earlier) as original:
            return await asyncio.to_thread(opened.same_report_as, original)
    except EnvelopeError:
        return False
