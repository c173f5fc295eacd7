"""Whether anything was lost, registered twice or acknowledged too early.

Pure: it looks at two records and nothing else. One is the case system's, the other the platform's; the library's own
journal is not asked.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from chaos.case_system import Call, Case
from chaos.verdict import Verdict

__all__ = ["Answer", "Sending", "judge"]

MOTTATT = "no.ks.fiks.bekymringsmelding.mottatt.v1"


@dataclass(frozen=True, slots=True)
class Sending:
    """A report that the platform sent, by its own record.

    Attributes:
        melding_id: The platform's id of the sending.
        report_id: Which report it holds; a report may be sent more than once.
        content: SHA-256 of its `bekymringsmelding.json`, hexadecimal.
        given_up: Whether the platform gave a sending of this report up after three deliveries that broke, and sent
            the report by letter.
    """

    melding_id: str
    report_id: str
    content: str
    given_up: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that the platform took, by its own record.

    Attributes:
        svar_til: Which sending it answers; empty when it does not say.
        message_type: Its type.
        klient_melding_id: The same on each resend of one answer.
        taken_at: When the platform took it, in nanoseconds of the machine's monotonic clock.
    """

    svar_til: str
    message_type: str
    klient_melding_id: str | None
    taken_at: int


def judge(
    sendings: Sequence[Sending], calls: Sequence[Call], cases: Sequence[Case], answers: Sequence[Answer]
) -> Verdict:
    """Compare the records.

    Args:
        sendings: What the platform sent.
        calls: How often the case system was asked, and for what.
        cases: What it holds.
        answers: What the platform was told.
    """
    reports = dict.fromkeys(sending.report_id for sending in sendings)
    sent_as = {sending.melding_id: sending for sending in sendings}
    heard_of = {call.melding_id for call in calls} | {answer.svar_til for answer in answers}
    sendings = [one for one in sendings if not one.given_up or one.melding_id in heard_of]
    arrived = dict.fromkeys(sending.report_id for sending in sendings)
    held: dict[str, list[Case]] = defaultdict(list)
    for case in cases:
        if case.melding_id in sent_as:
            held[sent_as[case.melding_id].report_id].append(case)
    content = {sending.report_id: sending.content for sending in sendings}
    lost = [one for one in arrived if not any(case.content == content[one] for case in held[one])]
    twice = _twice(held, calls, sent_as)
    told: dict[str, list[Answer]] = {sending.melding_id: [] for sending in sendings}
    for answer in answers:
        if answer.svar_til in told:
            told[answer.svar_til].append(answer)
    unanswered = _reports_where(sendings, lambda one: not told[one.melding_id])
    contradicted = _reports_where(sendings, lambda one: not _agree(told[one.melding_id]))
    early = _reports_where(
        sendings, lambda one: any(_is_early(answer, held[one.report_id]) for answer in told[one.melding_id])
    )
    wrong = {*unanswered, *contradicted}
    return Verdict(
        reports=len(reports),
        registered=sum(len(held[one]) == 1 for one in arrived if one not in set(lost)),
        answered=sum(one not in wrong for one in arrived),
        by_letter=[one for one in reports if one not in arrived],
        lost=lost,
        twice=twice,
        early=early,
        unanswered=unanswered,
        contradicted=contradicted,
        stray=_stray(calls, cases, answers, sent_as),
    )


def _reports_where(sendings: Sequence[Sending], holds: Callable[[Sending], bool]) -> Sequence[str]:
    return list(dict.fromkeys(sending.report_id for sending in sendings if holds(sending)))


def _twice(held: Mapping[str, Sequence[Case]], calls: Sequence[Call], sent_as: Mapping[str, Sending]) -> Sequence[str]:
    """Held under two references, or asked for again, held already, as if for the first time."""
    several = [report_id for report_id, cases in held.items() if len({case.reference for case in cases}) > 1]
    unwarned = [
        sent_as[call.melding_id].report_id
        for call in calls
        if call.had_already and not call.told_repeat and call.melding_id in sent_as
    ]
    return list(dict.fromkeys([*several, *unwarned]))


def _agree(answers: Sequence[Answer]) -> bool:
    """At most one answer, however often it was sent, and that one `mottatt`."""
    distinct = {(answer.message_type, answer.klient_melding_id) for answer in answers}
    return len(distinct) <= 1 and all(answer.message_type == MOTTATT for answer in answers)


def _is_early(answer: Answer, cases: Sequence[Case]) -> bool:
    known = [case.had_at for case in cases if case.had_at is not None]
    return answer.message_type == MOTTATT and (not known or answer.taken_at < min(known))


def _stray(
    calls: Sequence[Call], cases: Sequence[Case], answers: Sequence[Answer], sent_as: Mapping[str, Sending]
) -> Sequence[str]:
    found = [
        *(call.melding_id for call in calls if call.melding_id not in sent_as),
        *(case.melding_id for case in cases if case.melding_id not in sent_as),
        *(answer.svar_til for answer in answers if answer.svar_til not in sent_as),
    ]
    return list(dict.fromkeys(found))
