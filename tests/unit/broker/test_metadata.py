"""Headers of a delivery, well-formed and hostile."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiksmelding.broker import Metadata

MELDING, AVSENDER = "2f0c1c1e-6f0e-4e57-9c1d-3f6b3a5d7e01", "9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d"
REQUIRED = {"melding-id": MELDING, "type": "no.ks.fiks.bekymringsmelding.privat.v2", "avsender-id": AVSENDER}

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text()
    | st.binary()
    | st.datetimes(timezones=st.just(UTC))
)
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10)
known = st.sampled_from(
    [*REQUIRED, "avsender-navn", "svar-til", "egendefinert-header.klientMeldingId", "bekymringsmelding-id"]
)


def test_the_headers_of_a_report_are_read() -> None:
    metadata = Metadata.parse(
        {
            **REQUIRED,
            "avsender-navn": "Nasjonal portal",
            "svar-til": "s",
            "svar-til-type": "t",
            "dokumentlager-id": "d",
            "egendefinert-header.bydel-ressurs-id": "b",
            "egendefinert-header.bekymringsmelding-id": "r",
            "egendefinert-header.klientMeldingId": "k",
            "egendefinert-header.klientKorrelasjonsId": "c",
        },
        expiration="86400000",
    )
    assert metadata.missing == ()
    assert (metadata.melding_id, metadata.avsender_id) == (MELDING, AVSENDER)
    assert metadata.melding_type == REQUIRED["type"]
    assert metadata.avsender_navn == "Nasjonal portal"
    assert (metadata.svar_til, metadata.svar_til_type, metadata.dokumentlager_id) == ("s", "t", "d")
    assert (metadata.bydel_ressurs_id, metadata.bekymringsmelding_id) == ("b", "r")
    assert (metadata.klient_melding_id, metadata.klient_korrelasjons_id) == ("k", "c")
    assert metadata.expiration_ms == 86_400_000


def test_values_of_bytes_read_like_text() -> None:
    as_bytes: dict[str, object] = {name: value.encode() for name, value in REQUIRED.items()}
    assert Metadata.parse(as_bytes) == Metadata.parse(dict(REQUIRED))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"K\xc3\xa5re", "Kåre"),
        (b"K\xe5re", "K\\xe5re"),
        ("nul\x00l", "nul\\x00l"),
        ("\ud800", "\\ud800"),
        (True, "true"),
        (42, "42"),
        (Decimal("1.50"), "1.50"),
        (datetime(2026, 11, 22, tzinfo=UTC), "2026-11-22T00:00:00+00:00"),
        (None, ""),
        ([1, b"\xff", {"a": None}], '[1, "\\\\xff", {"a": null}]'),
    ],
)
def test_any_value_becomes_text(value: object, text: str) -> None:
    assert Metadata.parse({"x": value}).headers["x"] == text


@pytest.mark.parametrize("name", ["melding-id", "type", "avsender-id"])
@pytest.mark.parametrize("value", [None, "", b""])
def test_a_required_header_that_is_empty_is_missing(name: str, value: object) -> None:
    assert Metadata.parse({**REQUIRED, name: value}).missing == (name,)


@pytest.mark.parametrize("name", ["melding-id", "avsender-id"])
@pytest.mark.parametrize(
    "value", ["1", 7, b"\xff", MELDING + "\n", "{" + MELDING + "}", MELDING.replace("-", "_"), "\u0661" * 32]
)
def test_an_id_that_is_no_uuid_is_missing_and_kept_as_it_came(name: str, value: object) -> None:
    metadata = Metadata.parse({**REQUIRED, name: value})
    assert metadata.missing == (name,)
    assert metadata.headers[name]


def test_no_headers_at_all_are_all_missing() -> None:
    assert Metadata.parse(None).missing == ("melding-id", "type", "avsender-id")


@pytest.mark.parametrize("prefix", ["", "egendefinert-header."])
@pytest.mark.parametrize("name", ["klientMeldingId", "klientmelding-id"])
def test_every_spelling_of_the_senders_id_is_read(prefix: str, name: str) -> None:
    assert Metadata.parse({prefix + name: "k-1"}).klient_melding_id == "k-1"


@pytest.mark.parametrize("prefix", ["", "egendefinert-header."])
@pytest.mark.parametrize("name", ["klientKorrelasjonsId", "klientKorrelasjonId"])
def test_both_spellings_of_the_correlation_id_are_read(prefix: str, name: str) -> None:
    assert Metadata.parse({prefix + name: "c-1"}).klient_korrelasjons_id == "c-1"


@pytest.mark.parametrize("name", ["bydel-ressurs-id", "bekymringsmelding-id"])
def test_the_platforms_own_header_comes_before_a_custom_one(name: str) -> None:
    metadata = Metadata.parse({f"egendefinert-header.{name}": "custom", name: "own"})
    assert {metadata.bydel_ressurs_id, metadata.bekymringsmelding_id} == {"own", None}


def test_an_empty_spelling_does_not_hide_a_filled_one() -> None:
    headers = {"egendefinert-header.klientMeldingId": "", "egendefinert-header.klientmelding-id": "k-2"}
    assert Metadata.parse(headers).klient_melding_id == "k-2"


@pytest.mark.parametrize("value", [None, "", "soon", "-1", "1.5", "\u0661\u0662", "9" * 5000, b"\xff", [1]])
def test_an_expiration_that_is_no_number_is_none(value: object) -> None:
    assert Metadata.parse(REQUIRED, expiration=value).expiration_ms is None


def test_a_value_nested_too_deep_does_no_harm() -> None:
    deep: object = 1
    for _ in range(5_000):
        deep = [deep]
    assert Metadata.parse({"x": deep}).headers["x"] == "(nested too deep)"


@given(st.dictionaries(known | st.text(), values, max_size=12), values)
def test_no_headers_can_do_harm(headers: dict[str, object], expiration: object) -> None:
    metadata = Metadata.parse(headers, expiration=expiration)
    for name, value in metadata.headers.items():
        assert isinstance(value, str)
        assert "\x00" not in name + value
        assert (name + value).encode() is not None
    assert set(metadata.missing) <= {"melding-id", "type", "avsender-id"}
