"""BER is read as X.690 says, and nothing malformed gets through."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiksmelding.envelope.ber import (
    BerError,
    decode,
    encode,
    encode_integer,
    encode_oid,
    encode_sequence,
    read_element,
    read_header,
)
from support.cms_writer import indefinite, oid, tlv


@given(st.integers(-(2**2048), 2**2048))
def test_integers_come_out_as_they_went_in(value: int) -> None:
    assert decode(encode_integer(value)).integer() == value


@pytest.mark.parametrize(
    ("value", "encoded"), [(0, "020100"), (127, "02017f"), (128, "02020080"), (-1, "0201ff"), (256, "02020100")]
)
def test_integers_are_encoded_as_short_as_can_be(value: int, encoded: str) -> None:
    assert encode_integer(value).hex() == encoded


@given(st.integers(0, 2), st.integers(0, 39), st.lists(st.integers(0, 2**40), max_size=8))
def test_object_identifiers_come_out_as_they_went_in(first: int, second: int, rest: list[int]) -> None:
    dotted = ".".join(str(number) for number in (first, second, *rest))
    assert decode(encode_oid(dotted)).oid() == dotted
    assert encode_oid(dotted) == oid(dotted)


def test_a_large_second_number_belongs_to_the_joint_arc() -> None:
    assert decode(bytes.fromhex("0603883703")).oid() == "2.999.3"


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65_535, 65_536])
def test_lengths_are_encoded_as_short_as_can_be(size: int) -> None:
    encoded = encode(4, bytes(size))
    assert encoded == tlv(4, bytes(size))
    assert decode(encoded).content == bytes(size)
    assert read_element(io.BytesIO(encoded + b"more"), limit=70_000).content == bytes(size)


def test_indefinite_lengths_end_where_they_say() -> None:
    inner = indefinite(0x24, tlv(4, b"ab"), indefinite(0x24, tlv(4, b"c")), tlv(0x24, tlv(4, b"d")))
    for data in (indefinite(0x30, inner, tlv(2, b"\x05")), tlv(0x30, inner, tlv(2, b"\x05"))):
        for element in (decode(data), read_element(io.BytesIO(data + b"more"), limit=100)):
            children = element.children()
            assert children.take().octets() == b"abcd"
            assert children.take().integer() == 5
            assert children.optional(2) is None
            with pytest.raises(BerError):
                children.take()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30",
        b"\x30\x05\x02\x01",
        b"\x04\x82\x01",
        b"\x04\x89" + b"\x01" * 9,
        b"\x04\x88" + b"\xff" * 8,
        b"\x04\x80\x00\x00",
        b"\x1f\x81\x01\x00",
        b"\x30\x80\x02\x01\x01",
        b"\x30\x80" * 40 + b"\x00\x00" * 40,
    ],
)
def test_malformed_elements_are_refused_in_memory_and_from_a_stream(data: bytes) -> None:
    with pytest.raises(BerError):
        decode(data)
    with pytest.raises(BerError):
        read_element(io.BytesIO(data), limit=1000)


def test_an_element_over_the_limit_is_refused_before_it_is_read() -> None:
    for data in (tlv(4, bytes(100)), indefinite(0x24, *[tlv(4, bytes(10))] * 10)):
        with pytest.raises(BerError, match="too large"):
            read_element(io.BytesIO(data), limit=50)


def test_elements_of_another_kind_than_expected_are_refused() -> None:
    for element, ask in [
        (decode(b"\x05\x00"), "integer"),
        (decode(b"\x02\x00"), "integer"),
        (decode(b"\x02\x01\x00"), "oid"),
        (decode(b"\x06\x01\x80"), "oid"),
        (decode(b"\x06\x00"), "oid"),
        (decode(tlv(0x24, tlv(2, b"\x00"))), "octets"),
        (decode(b"\x04\x00"), "children"),
    ]:
        with pytest.raises(BerError):
            getattr(element, ask)()
    with pytest.raises(BerError):
        decode(encode_sequence(encode_integer(1))).children().take(0x30)


def test_a_stream_that_gives_little_at_a_time_is_read_all_the_same() -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            return super().read(min(size or 0, 1))

    assert read_header(Slow(tlv(4, bytes(300)))).length == 300
    assert read_element(Slow(tlv(4, bytes(300))), limit=400).content == bytes(300)
    with pytest.raises(BerError):
        read_element(Slow(tlv(4, bytes(300))[:-1]), limit=400)
