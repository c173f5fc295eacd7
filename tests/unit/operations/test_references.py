"""What a case system has, told by a file, a folder or a function."""

import io
import json
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fiksmelding.errors import SettingsError
from fiksmelding.operations import Period, in_file, in_folder
from fiksmelding.operations import json_elements as elements_module
from fiksmelding.operations.json_elements import json_elements
from fiksmelding.operations.references import references_of

PERIOD = Period.last_days(2, datetime(2026, 3, 2, tzinfo=UTC))


async def read(file: Path, column: str | None = None) -> list[str]:
    return [one async for one in references_of(in_file(file, column), PERIOD)]


@pytest.mark.parametrize(
    "content",
    [
        b"2026/1\n2026/2\n",
        b"2026/1\r\n2026/2",
        b"referanse\n2026/1\n2026/2\n",
        "\ufeffSaksnummer;Navn\r\n2026/1;Åse\r\n2026/2;Bø\r\n".encode(),
        "Navn;REFERANSE \r\nÅse;2026/1\r\nBø;2026/2\r\n".encode("cp1252"),
        "Navn\tReferanse\r\nÅse\t2026/1\r\nBø\t2026/2\r\n".encode("utf-16"),
        b'sep=,\r\nname,reference\r\n"Hansen, Per",2026/1\r\n"two\nlines",2026/2\r\n',
        b"reference;\n2026/1;\n2026/2;\n",
    ],
    ids=["bare", "without end", "headed", "excel", "windows-1252", "utf-16", "quoted", "empty column"],
)
async def test_csv_is_read_as_it_is_written_somewhere(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "list.csv"
    file.write_bytes(content)
    assert await read(file) == ["2026/1", "2026/2"]


@pytest.mark.parametrize("column", ["Sak", " sak ", "2"])
async def test_the_column_can_be_named_or_numbered(tmp_path: Path, column: str) -> None:
    file = tmp_path / "list.csv"
    file.write_text("referanse;Sak\nx;2026/1\ny\nz;2026/2\n")
    found = [one for one in await read(file, column) if one != "Sak"]
    assert found == ["2026/1", "2026/2"]


async def test_a_comma_in_a_single_column_is_part_of_the_reference(tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("referanse\n2026/1, dokument 3\n")
    assert await read(file) == ["2026/1, dokument 3"]


@pytest.mark.parametrize(
    ("content", "column"),
    [("Hansen;2026/1\n", None), ("saksnr;referanse\n1;2\n", None), ("a;b\n", "c"), ("a;b\n", "3")],
    ids=["no heading", "two headings", "no such heading", "no such number"],
)
async def test_an_unclear_column_is_asked_for_without_telling_what_is_in_it(
    tmp_path: Path, content: str, column: str | None
) -> None:
    file = tmp_path / "list.csv"
    file.write_text(content)
    with pytest.raises(SettingsError, match=r"2 columns.*--column") as caught:
        await read(file, column)
    assert "Hansen" not in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        '["2026/1", "2026/2"]',
        ' [ "2026/1"\n, "2026/2" ] \n',
        '[{"reference": "2026/1", "name": "Åse"}, {"name": null, "Referanse": "2026/2"}]',
        '"2026/1"\n"2026/2"\n',
        '{"reference": "2026/1"}\n{"reference": "2026/2"}',
        '\ufeff["2026/1", null, "2026/2"]',
    ],
)
async def test_json_is_an_array_or_lines_of_texts_or_objects(tmp_path: Path, content: str) -> None:
    file = tmp_path / "list.json"
    file.write_text(content, "utf-8")
    assert await read(file) == ["2026/1", "2026/2"]


@pytest.mark.parametrize(
    "content",
    ['["2026/1"', '["2026/1", "202', '["2026/1"] x', '[{"sak": "1"}]', "[[1]]", "[true]", "[" * 100_000, "nei"],
)
async def test_json_that_breaks_off_or_holds_something_else_is_no_list(tmp_path: Path, content: str) -> None:
    file = tmp_path / "list.json"
    file.write_text(content)
    with pytest.raises((SettingsError, TypeError)):
        await read(file)


@given(st.lists(st.text(max_size=20) | st.integers()), st.integers(1, 30), st.booleans())
@example([12], 2, False)
def test_no_matter_where_the_pieces_end_the_elements_are_the_same(
    elements: list[str | int], piece: int, in_array: bool
) -> None:
    text = json.dumps(elements) if in_array else "\n".join(map(json.dumps, elements))
    before, elements_module.PIECE = elements_module.PIECE, piece  # type: ignore[misc]  # small pieces for the test
    try:
        assert list(json_elements(io.StringIO(text))) == elements
    finally:
        elements_module.PIECE = before  # type: ignore[misc]  # as it was


async def test_a_list_that_is_no_list_is_told_without_what_is_in_it(tmp_path: Path) -> None:
    for name, content in {"one.csv": b'"' + b"Hansen" * 30_000, "two.json": b'["' + b"Hansen" * 300_000}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SettingsError, match="cannot be read as a list") as caught:
            await read(tmp_path / name)
        assert "Hansen" not in str(caught.value)


async def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        await read(tmp_path / "list.csv")
    with pytest.raises(SettingsError, match="There is no folder"):
        [one async for one in references_of(in_folder(tmp_path / "nowhere"), PERIOD)]


async def test_a_function_may_stream_or_return_texts_or_numbers() -> None:
    async def streams(period: Period) -> AsyncIterator[str]:
        assert period is PERIOD
        yield "2026/1"

    async def returns(period: Period) -> Iterable[str]:
        return {"2026/1"}

    async def numbers(period: Period) -> Iterable[str]:
        return [17]  # type: ignore[list-item]  # as many would

    async def nothing(period: Period) -> Iterable[str]:
        return [None]  # type: ignore[list-item]  # a mistake

    assert [one async for one in references_of(streams, PERIOD)] == ["2026/1"]
    assert [one async for one in references_of(returns, PERIOD)] == ["2026/1"]
    assert [one async for one in references_of(numbers, PERIOD)] == ["17"]
    with pytest.raises(TypeError):
        [one async for one in references_of(nothing, PERIOD)]


async def test_in_a_folder_only_whole_reports_count(tmp_path: Path) -> None:
    def report(name: str, about: str, content: bytes | None) -> None:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "report.json").write_text(about)
        if content is not None:
            (folder / "bekymringsmelding.pdf").write_bytes(content)

    about = json.dumps({"files": {"bekymringsmelding.pdf": {"bytes": 3, "sha256": "x"}}})
    report("whole", about, b"pdf")
    report("cut", about, b"")
    report("gone", about, None)
    report("odd", "[1]", b"pdf")
    report(".x.partial", about, b"pdf")
    (tmp_path / "file").touch()
    assert [one async for one in references_of(in_folder(tmp_path), PERIOD)] == ["whole"]
