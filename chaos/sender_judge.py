"""Whether a report was lost, sent twice in silence, or called sent too early.

Pure: it compares what three parties say. The system that reports knows what it asked for, the platform what it took and
when, and the senders' outbox is taken at its word: whatever it says has to be true.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chaos.verdict import Verdict
from chaos.words import Statement

__all__ = ["Acceptance", "Claim", "Wanted", "judge"]

ACCEPTED = frozenset({"ACCEPTED", "DELIVERED", "ERASED"})
DELIVERED = frozenset({"DELIVERED", "ERASED"})
DOUBTFUL = frozenset({"UNCERTAIN", "UNTRACED"})
WAITING = frozenset({"QUEUED", "SUBMITTING", "REFUSED", *DOUBTFUL})


@dataclass(frozen=True, slots=True)
class Wanted:
    """A report that was to be sent.

    Attributes:
        key: The caller's key.
        content: What it says (`content_of`).
        sent_ids: The ids by which senders called it to its caller.
    """

    key: str
    content: str
    sent_ids: frozenset[str]


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A report that the platform took, by its own record.

    Attributes:
        report_id: The platform's id.
        content: What it says, by whoever opened it; empty when it could not be opened.
        sealed: SHA-256 of the sealed container.
        taken_at: When, in nanoseconds of the machine's monotonic clock.
        delivered_at: When it came to `LEVERT`; None when it did not.
    """

    report_id: str
    content: str
    sealed: str
    taken_at: int
    delivered_at: int | None


@dataclass(frozen=True, slots=True)
class Claim:
    """What the outbox says of a report when all is over.

    Attributes:
        sent_id: Its id there.
        key: The caller's key.
        state: How far it has come.
        report_id: The platform's id.
        uncertain: Whether its outcome was once unknown.
        repetitions: How often it was handed over with the word that this may be a repetition.
    """

    sent_id: str
    key: str
    state: str
    report_id: str | None
    uncertain: bool
    repetitions: int


@dataclass(frozen=True, slots=True)
class _File:
    """All that is known of one report."""

    wanted: Wanted
    taken: Sequence[Acceptance]
    claims: Sequence[Claim]
    said: Sequence[Statement]

    @property
    def lost(self) -> bool:
        """Nowhere: neither with the platform, nor waiting where somebody sees it."""
        return not self.taken and not any(claim.state in WAITING for claim in self.claims)

    @property
    def twice(self) -> bool:
        """Taken more often than it was said that it may be, or as another container, by which nobody knows it again."""
        told = sum(claim.repetitions for claim in self.claims)
        return len(self.taken) > 1 + told or len({one.sealed for one in self.taken}) > 1

    @property
    def early(self) -> bool:
        """Somebody said that it is there, and it was not."""
        return any(self._too_soon(statement) for statement in self.said) or any(
            self._untrue(claim) for claim in self.claims
        )

    @property
    def settled(self) -> bool:
        """It has arrived, or a person knows that it is uncertain."""
        return bool(self.claims) and all(claim.state in DELIVERED | DOUBTFUL for claim in self.claims)

    @property
    def contradicted(self) -> bool:
        """Its caller or the platform knows it by other names than the outbox."""
        names = self.wanted.sent_ids | {claim.sent_id for claim in self.claims}
        foreign = [one for one in self.claims if one.report_id and one.report_id not in self._report_ids]
        return len(names) > 1 or bool(foreign)

    @property
    def _report_ids(self) -> frozenset[str]:
        return frozenset(one.report_id for one in self.taken)

    def _too_soon(self, statement: Statement) -> bool:
        if statement.state in DELIVERED:
            return not any(one.delivered_at is not None and one.delivered_at <= statement.at for one in self.taken)
        return statement.state in ACCEPTED and not any(one.taken_at <= statement.at for one in self.taken)

    def _untrue(self, claim: Claim) -> bool:
        if claim.state in DELIVERED:
            return all(one.delivered_at is None for one in self.taken)
        return claim.state in ACCEPTED and not self.taken


def judge(
    wanted: Sequence[Wanted], taken: Sequence[Acceptance], claims: Sequence[Claim], said: Sequence[Statement]
) -> Verdict:
    """Compare the records.

    Args:
        wanted: What was to be sent.
        taken: What the platform took.
        claims: What the outbox says when all is over.
        said: What senders said meanwhile.
    """
    files = _files(wanted, taken, claims, said)

    def those(name: str) -> Sequence[str]:
        return [file.wanted.key for file in files if getattr(file, name)]

    unanswered = [file.wanted.key for file in files if not file.settled or not file.wanted.sent_ids]
    lost, twice, wrong = those("lost"), those("twice"), {*unanswered, *those("contradicted")}
    return Verdict(
        reports=len(files),
        registered=sum(bool(file.taken) and not file.twice for file in files),
        answered=sum(file.wanted.key not in wrong for file in files),
        uncertain=[file.wanted.key for file in files if any(claim.uncertain for claim in file.claims)],
        lost=lost,
        twice=twice,
        early=those("early"),
        unanswered=unanswered,
        contradicted=those("contradicted"),
        stray=_stray(wanted, taken, claims, said),
    )


def _files(
    wanted: Sequence[Wanted], taken: Sequence[Acceptance], claims: Sequence[Claim], said: Sequence[Statement]
) -> Sequence[_File]:
    by_content: dict[str, list[Acceptance]] = defaultdict(list)
    by_key: dict[str, list[Claim]] = defaultdict(list)
    by_id: dict[str, list[Statement]] = defaultdict(list)
    for acceptance in taken:
        by_content[acceptance.content].append(acceptance)
    for claim in claims:
        by_key[claim.key].append(claim)
    for statement in said:
        by_id[statement.sent_id].append(statement)
    return [
        _File(
            one,
            by_content[one.content],
            by_key[one.key],
            [statement for name in _names(one, by_key) for statement in by_id[name]],
        )
        for one in wanted
    ]


def _names(wanted: Wanted, by_key: Mapping[str, Sequence[Claim]]) -> frozenset[str]:
    return wanted.sent_ids | {claim.sent_id for claim in by_key[wanted.key]}


def _stray(
    wanted: Sequence[Wanted], taken: Sequence[Acceptance], claims: Sequence[Claim], said: Sequence[Statement]
) -> Sequence[str]:
    contents, keys = {one.content for one in wanted}, {one.key for one in wanted}
    names = {name for one in wanted for name in one.sent_ids} | {claim.sent_id for claim in claims}
    found = [
        *(one.report_id for one in taken if one.content not in contents),
        *(one.sent_id for one in claims if one.key not in keys),
        *(one.sent_id for one in said if one.sent_id not in names),
    ]
    return list(dict.fromkeys(found))
