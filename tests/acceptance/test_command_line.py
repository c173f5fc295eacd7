import json
from pathlib import Path

import pytest

from fiksmelding.simulator.pki import Credential
from support.commands import command, running
from support.roads import privat_json

EXAMPLES = Path(__file__).parents[2] / "examples"


async def test_a_report_goes_from_one_process_to_another_and_back(tmp_path: Path) -> None:
    fiks, reports = tmp_path / "fiks", tmp_path / "reports"
    async with running("simulator", "--dir", fiks) as simulator:
        assert simulator.stdout is not None
        ready = (await simulator.stdout.readline()).decode()
        assert ready.startswith("ready: api=http://127.0.0.1:")

        submitted = await command("simulator", "submit", "--dir", fiks, "--kind", "privat", EXAMPLES / "privat-v2.json")
        assert submitted.status == 0, submitted.complaints
        report_id = submitted.out.strip()
        settings = fiks / "settings-bergen.toml"
        received = await command("receive", "--settings", settings, "--to-folder", reports, "--until-idle", "1")
        assert received.status == 0, received.complaints

        listed = await command("simulator", "list", "--dir", fiks, "--json")
        [report] = json.loads(listed.out)
        assert report["id"] == report_id
        assert [change["tilstand"] for change in report["states"]] == ["AKSEPTERT", "SENDT_FAGSYSTEM", "LEVERT"]
        stored = json.loads((reports / report_id / "bekymringsmelding.json").read_bytes())
        sent = json.loads((EXAMPLES / "privat-v2.json").read_bytes())
        assert stored == sent | {"sendingstidspunkt": stored["sendingstidspunkt"]}
        table = await command("simulator", "list", "--dir", fiks)
        assert "LEVERT" in table.out
        verified = await command("journal", "verify", "--settings", settings)
        assert verified.status == 0
        assert "whole" in verified.out
    assert simulator.returncode == 0


async def test_a_receiver_stops_in_order_when_asked(tmp_path: Path) -> None:
    fiks = tmp_path / "fiks"
    async with running("simulator", "--dir", fiks) as simulator:
        assert simulator.stdout is not None
        await simulator.stdout.readline()
        words = ("--verbose", "receive", "--settings", fiks / "settings-oslo.toml", "--to-folder", tmp_path / "reports")
        async with running(*words) as receiver:
            assert receiver.stderr is not None
            while b"consuming" not in (line := await receiver.stderr.readline()):
                assert line, "the receiver ended by itself"
        assert receiver.returncode == 0


@pytest.mark.parametrize("words", [("list",), ("submit", "--kind", "privat", EXAMPLES / "privat-v2.json")])
async def test_without_a_simulator_the_command_says_how_to_start_one(
    tmp_path: Path, words: tuple[str | Path, ...]
) -> None:
    ended = await command("simulator", words[0], "--dir", tmp_path, *words[1:])
    assert ended.status == 1
    assert "Start one" in ended.complaints
    assert "Traceback" not in ended.complaints


async def test_settings_that_are_wrong_end_with_status_2_and_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text("[acount]\n")
    ended = await command("receive", "--settings", tmp_path / "s.toml", "--to-folder", tmp_path)
    assert ended.status == 2
    assert "did you mean account?" in ended.complaints.replace("\n", " ")
    assert "Traceback" not in ended.complaints


async def test_documents_are_validated_with_every_problem_and_no_value(tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps({**json.loads(privat_json()), "kommunenummer": "Hemmelig", "melding": 7}))
    ended = await command("validate", "--json", EXAMPLES / "privat-v2.json", EXAMPLES / "offentlig-v2.xml", bad)
    assert ended.status == 1
    results = json.loads(ended.out)
    assert [result["valid"] for result in results] == [True, True, False]
    assert {problem["path"] for problem in results[2]["problems"]} == {"/kommunenummer", "/melding"}
    assert "Hemmelig" not in ended.out
    read = await command("validate", bad, "-", data=(EXAMPLES / "offentlig-v1.json").read_bytes())
    assert "/kommunenummer" in read.out
    assert "valid    -" in read.out


@pytest.mark.parametrize("name", ["privat-v1", "privat-v2", "offentlig-v1", "offentlig-v2"])
async def test_a_document_is_converted_there_and_back_without_loss(tmp_path: Path, name: str) -> None:
    kind = name.replace("-", ".")
    there = await command(
        "convert", EXAMPLES / f"{name}.json", "--to", "xml", "--type", kind, "--out", tmp_path / "a.xml"
    )
    assert there.status == 0, there.complaints
    back = await command("convert", tmp_path / "a.xml", "--to", "json")
    assert json.loads(back.out) == json.loads((EXAMPLES / f"{name}.json").read_bytes())


async def test_a_report_becomes_a_pdf(tmp_path: Path) -> None:
    made = await command("pdf", EXAMPLES / "offentlig-v2.xml", "--out", tmp_path / "report.pdf", "--language", "nn")
    assert made.status == 0, made.complaints
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF-")
    receipt = await command("pdf", EXAMPLES / "feilet.json", "--out", tmp_path / "none.pdf")
    assert receipt.status == 1
    assert not (tmp_path / "none.pdf").exists()


@pytest.fixture
def pem_files(tmp_path: Path, sender_credential: Credential, recipient_credential: Credential) -> Path:
    for name, credential in {"sender": sender_credential, "recipient": recipient_credential}.items():
        (tmp_path / f"{name}.key").write_bytes(credential.key_pem)
        (tmp_path / f"{name}.pem").write_bytes(credential.certificate_pem)
    return tmp_path


async def test_files_are_sealed_and_opened_again(pem_files: Path) -> None:
    content = pem_files / "blåbær.txt"
    content.write_bytes(b"hemmelig" * 1000)
    sealed = await command(
        "seal", "--to", pem_files / "recipient.pem", "--sign-key", pem_files / "sender.key",
        "--sign-cert", pem_files / "sender.pem", "--out", pem_files / "envelope", content,
    )  # fmt: skip
    assert sealed.status == 0, sealed.complaints
    assert b"hemmelig" not in (pem_files / "envelope").read_bytes()
    opened = await command(
        "open", pem_files / "envelope", "--key", pem_files / "recipient.key", "--out", pem_files / "out", "--json"
    )
    assert json.loads(opened.out)["files"] == [{"name": "blåbær.txt", "bytes": 8000}]
    assert json.loads(opened.out)["signer"]["organisationNumber"] == "974760673"
    assert (pem_files / "out" / "blåbær.txt").read_bytes() == content.read_bytes()

    again = await command(
        "open", pem_files / "envelope", "--key", pem_files / "recipient.key", "--out", pem_files / "out"
    )
    assert again.status == 1
    assert "nothing was overwritten" in again.complaints.replace("\n", " ")


async def test_an_envelope_for_somebody_else_is_not_opened(pem_files: Path) -> None:
    await command(
        "seal", "--to", pem_files / "recipient.pem", "--sign-key", pem_files / "sender.key",
        "--sign-cert", pem_files / "sender.pem", "--out", pem_files / "envelope", pem_files / "sender.pem",
    )  # fmt: skip
    ended = await command("open", pem_files / "envelope", "--key", pem_files / "sender.key", "--out", pem_files / "out")
    assert ended.status == 1
    assert "cannot be decrypted" in ended.complaints
    assert not (pem_files / "out").exists()
    keyless = await command("open", pem_files / "envelope")
    assert keyless.status == 2
    assert "--key" in keyless.complaints


async def test_a_key_that_does_not_fit_the_certificate_seals_nothing(pem_files: Path) -> None:
    ended = await command(
        "seal", "--to", pem_files / "recipient.pem", "--sign-key", pem_files / "recipient.key",
        "--sign-cert", pem_files / "sender.pem", "--out", pem_files / "envelope", pem_files / "sender.pem",
    )  # fmt: skip
    assert ended.status == 2
    assert not (pem_files / "envelope").exists()


async def test_help_names_every_command() -> None:
    ended = await command("--help")
    for name in ("demo", "simulator", "receive", "open", "seal", "validate", "convert", "pdf"):
        assert name in ended.out
    assert "fiksmelding" in (await command("--version")).out


async def test_a_refused_log_in_ends_a_run_until_idle_with_words(tmp_path: Path) -> None:
    fiks = tmp_path / "fiks"
    async with running("simulator", "--dir", fiks) as simulator:
        assert simulator.stdout is not None
        await simulator.stdout.readline()
        (fiks / "bergen" / "password.txt").write_text("not the password")
        settings = fiks / "settings-bergen.toml"
        ended = await command("receive", "--settings", settings, "--to-folder", tmp_path / "r", "--until-idle", "1")
    assert ended.status == 1
    assert "Error:" in ended.complaints
    assert "Traceback" not in ended.complaints
    assert "not the password" not in ended.complaints
