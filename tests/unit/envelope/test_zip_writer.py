"""The zip we write is read by other readers, whatever its size."""

import io
import zipfile

import pytest

from fiksmelding.envelope import zip_writer
from fiksmelding.envelope.limits import Limits
from fiksmelding.envelope.zip_reader import ZipReader
from fiksmelding.envelope.zip_writer import ZipWriter
from support.envelopes import noise

CONTENT = {"a.txt": b"a" * 5000, "b.bin": noise(70_000), "tom": b""}


class InMemory:
    """A source for the zip reader."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read_at(self, offset: int, size: int) -> bytes:
        return self._data[offset : offset + size]


def written() -> bytes:
    out = io.BytesIO()
    archive = ZipWriter(out)
    archive.store("mimetype", b"x")
    for name, data in CONTENT.items():
        archive.stream(name, data[:100], [data[100:]], lambda _: None)
        archive.deflate(f"known {name}", data)
    archive.finish(b"comment")
    return out.getvalue()


def check(data: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert all(archive.read(name) == content for name, content in CONTENT.items())
    reader = ZipReader(InMemory(data), Limits())
    for name, content in CONTENT.items():
        for entry in (reader.entries[name], reader.entries[f"known {name}"]):
            assert reader.read(entry, limit=100_000) == content


def test_other_readers_read_our_zip() -> None:
    check(written())


@pytest.mark.parametrize("limit", [60_000, 1000])
def test_zip64_begins_where_sizes_and_positions_ask_for_it(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a low bound the records of a zip over 4 GB are written around little data, for other readers to read."""
    real = zip_writer.LIMIT_32

    class LowBound(int):
        """Compares like the low bound, but is written as the mark it stands for."""

        def __lt__(self, other: int) -> bool:
            return limit < other

        def __gt__(self, other: int) -> bool:
            return limit > other

    monkeypatch.setattr(zip_writer, "LIMIT_32", LowBound(real))
    data = written()
    assert b"PK\x06\x06" in data
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert all(archive.read(name) == content for name, content in CONTENT.items())
    reader = ZipReader(InMemory(data), Limits())
    assert reader.read(reader.entries["b.bin"], limit=100_000) == CONTENT["b.bin"]


def test_very_many_entries_need_zip64_too() -> None:
    out = io.BytesIO()
    archive = ZipWriter(out)
    for number in range(70_000):
        archive.store(str(number), b"")
    archive.finish(b"")
    with zipfile.ZipFile(out) as read:
        assert len(read.namelist()) == 70_000
