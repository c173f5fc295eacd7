"""Every way to make a container hostile has its own error, and nothing of it is handed on."""

import hashlib
import io
import re
import struct
import zipfile
import zlib
from base64 import b64encode
from collections.abc import Mapping

import pytest

from fiksmelding.envelope import ContainerProblem, ContainerRefused, Limits, Trust, open_container
from fiksmelding.envelope.signature import sign
from fiksmelding.errors import SignatureInvalid
from fiksmelding.simulator.pki import Credential
from support.envelopes import noise, signer
from support.zip_tools import (
    MANIFEST,
    SIGNATURE,
    central_header,
    local_header,
    moved,
    moved_directory,
    patched,
    renamed,
    signed_entries,
    zipped,
)

FILES = {"a.json": b"{}", "b.bin": noise(500)}


@pytest.fixture(scope="module")
def entries(sender_credential: Credential) -> dict[str, bytes]:
    return signed_entries(FILES, signer(sender_credential))


def read(container: bytes, limits: Limits | None = None) -> dict[str, bytes]:
    with open_container(io.BytesIO(container), limits=limits) as content:
        return {name: file.read() for name, file in content.files.items()}


def refused(container: bytes, problem: ContainerProblem, limits: Limits | None = None) -> None:
    with pytest.raises(ContainerRefused) as error:
        read(container, limits)
    assert error.value.problem is problem


def with_more(entries: Mapping[str, bytes], **more: bytes) -> dict[str, bytes]:
    return {**entries, **more}


def test_what_they_all_start_from_is_a_good_container(entries: dict[str, bytes]) -> None:
    for compression in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        assert read(zipped(entries, compression=compression)) == FILES


def test_a_container_without_mimetype_is_read(entries: dict[str, bytes]) -> None:
    assert read(zipped({name: data for name, data in entries.items() if name != "mimetype"})) == FILES


def test_a_manifest_is_found_in_any_case(entries: dict[str, bytes]) -> None:
    for name in ("META-INF/ASiCManifest.xml", "META-INF/ASICMANIFEST001.XML", "meta-inf/asicmanifest.xml"):
        assert read(zipped({name if key == MANIFEST else key: data for key, data in entries.items()})) == FILES


def test_an_opendocument_manifest_and_folders_are_ignored(entries: dict[str, bytes]) -> None:
    assert read(zipped({"META-INF/": b"", **entries, "META-INF/manifest.xml": b"<manifest/>"})) == FILES


def test_nested_archives_are_just_files(sender_credential: Credential, entries: dict[str, bytes]) -> None:
    files = {"inner.zip": zipped(entries)}
    assert read(zipped(signed_entries(files, signer(sender_credential)))) == files


def test_a_file_in_a_folder_is_read(sender_credential: Credential) -> None:
    files = {"vedlegg/a.txt": b"a"}
    assert read(zipped(signed_entries(files, signer(sender_credential)))) == files


def test_both_spellings_of_the_digest_and_every_manifest_namespace_are_read(sender_credential: Credential) -> None:
    entries = signed_entries(FILES, signer(sender_credential))
    for old, new in [
        (b"http://www.w3.org/2001/04/xmlenc#sha256", b"http://www.w3.org/2000/09/xmldsig#sha256"),
        (b"http://uri.etsi.org/2918/v1.2.1#", b"http://uri.etsi.org/02918/v1.2.1#"),
        (b"http://uri.etsi.org/2918/v1.2.1#", b"http://uri.etsi.org/02918/v1.1.1#"),
    ]:
        manifest = entries[MANIFEST].replace(old, new)
        resigned = entries | {MANIFEST: manifest, SIGNATURE: sign(manifest, signer(sender_credential))}
        assert read(zipped(resigned)) == FILES


def test_a_name_may_be_percent_encoded_in_the_manifest(sender_credential: Credential) -> None:
    entries = signed_entries({"a%20%C3%A5.txt": b"a"}, signer(sender_credential))
    renamed = {"a å.txt" if name == "a%20%C3%A5.txt" else name: data for name, data in entries.items()}
    assert read(zipped(renamed)) == {"a å.txt": b"a"}


def test_a_zip64_container_is_read(entries: dict[str, bytes]) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in entries.items():
            with archive.open(name, "w", force_zip64=True) as entry:
                entry.write(data)
    assert read(out.getvalue()) == FILES


def test_a_zip64_end_record_is_read(entries: dict[str, bytes]) -> None:
    data = zipped(entries)
    end = data.rindex(b"PK\x05\x06")
    _, _, _, _, count, size, start, _ = struct.unpack("<4s4H2LH", data[end:])
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, start)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    small = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    assert read(data[:end] + record + locator + small) == FILES
    refused(data[:end] + record + b"x" + locator + small, ContainerProblem.MALFORMED_ZIP)
    refused(data[:end] + small, ContainerProblem.MALFORMED_ZIP)
    refused(data[:end] + patched(record, 4, "<Q", 45) + locator + small, ContainerProblem.MALFORMED_ZIP)


def test_a_streamed_zip_with_data_descriptors_is_read(entries: dict[str, bytes]) -> None:
    class Unseekable(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, offset: int, whence: int = 0) -> int:
            raise io.UnsupportedOperation

        def tell(self) -> int:
            raise io.UnsupportedOperation

    out = Unseekable()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    assert read(out.getvalue()) == FILES


# Bombs


def test_an_entry_that_unpacks_to_far_more_than_its_size_is_refused(sender_credential: Credential) -> None:
    bomb = zipped(
        signed_entries({"zeros.bin": bytes(40_000_000)}, signer(sender_credential)), compression=zipfile.ZIP_DEFLATED
    )
    assert len(bomb) < 100_000
    refused(bomb, ContainerProblem.ZIP_BOMB)


def test_an_entry_that_unpacks_to_more_than_it_says_is_refused(sender_credential: Credential) -> None:
    bomb = zipped(
        signed_entries({"zeros.bin": bytes(9_000_000)}, signer(sender_credential)), compression=zipfile.ZIP_DEFLATED
    )
    lying = patched(bomb, central_header(bomb, "zeros.bin") + 24, "<L", 1000)
    lying = patched(lying, local_header(bomb, "zeros.bin") + 22, "<L", 1000)
    refused(lying, ContainerProblem.MALFORMED_ZIP)


def test_too_many_entries_are_refused(entries: dict[str, bytes]) -> None:
    refused(zipped(entries), ContainerProblem.TOO_MANY_ENTRIES, Limits(entries=4))


def test_too_much_in_all_is_refused(entries: dict[str, bytes]) -> None:
    refused(zipped(entries), ContainerProblem.TOO_LARGE, Limits(total_size=600))


def test_too_large_a_directory_is_refused(entries: dict[str, bytes]) -> None:
    refused(zipped(entries), ContainerProblem.TOO_LARGE, Limits(central_directory=100))


def test_too_large_a_manifest_or_signature_is_refused(entries: dict[str, bytes]) -> None:
    refused(zipped(entries), ContainerProblem.TOO_LARGE, Limits(manifest=100))
    refused(zipped(entries), ContainerProblem.TOO_LARGE, Limits(signature=100))


def test_a_directory_that_claims_to_be_enormous_is_refused(entries: dict[str, bytes]) -> None:
    data = zipped(entries)
    refused(patched(data, data.rindex(b"PK\x05\x06") + 12, "<L", 0x7FFFFFFF), ContainerProblem.TOO_LARGE)


# Names


@pytest.mark.parametrize(
    "name",
    [
        "../a.txt",
        "a/../../b.txt",
        "..",
        "./a.txt",
        "/etc/passwd",
        "C:/a.txt",
        "c:a.txt",
        "a\\b.txt",
        "\\\\server\\share",
        "a\x00.txt",
        "a\nb.txt",
        "a//b.txt",
        "exe.\u202etxt",
        "a\u2028b",
    ],
)
def test_a_dangerous_name_is_refused(name: str, entries: dict[str, bytes]) -> None:
    placeholder = "N" * len(name.encode())
    data = zipped(with_more(entries, **{placeholder: b"a"}))
    refused(renamed(data, placeholder, name.encode(), utf8=True), ContainerProblem.BAD_NAME)


def test_a_name_that_is_no_utf8_though_it_says_so_is_refused(entries: dict[str, bytes]) -> None:
    data = zipped(with_more(entries, NN=b"a"))
    refused(renamed(data, "NN", b"\xff\xfe", utf8=True), ContainerProblem.BAD_NAME)


def test_two_entries_of_one_name_are_refused(entries: dict[str, bytes]) -> None:
    data = zipped(with_more(entries, N1=b"a", N2=b"b"))
    refused(renamed(data, "N2", b"N1"), ContainerProblem.DUPLICATE_ENTRY)


def test_links_and_devices_are_refused(entries: dict[str, bytes]) -> None:
    for kind in (0o120777, 0o020666, 0o010666):

        def make_special(info: zipfile.ZipInfo, kind: int = kind) -> None:
            if info.filename == "a.json":
                info.create_system, info.external_attr = 3, kind << 16

        refused(zipped(entries, change=make_special), ContainerProblem.SPECIAL_FILE)


def test_a_folder_with_content_is_refused(entries: dict[str, bytes]) -> None:
    data = zipped(with_more(entries, folderX=b"content"))
    refused(renamed(data, "folderX", b"folder/"), ContainerProblem.SPECIAL_FILE)


# Structure


@pytest.mark.parametrize("bit", [0, 6, 13])
def test_an_encrypted_entry_is_refused(bit: int, entries: dict[str, bytes]) -> None:
    data = zipped(entries)
    for at in (local_header(data, "a.json") + 6, central_header(data, "a.json") + 8):
        data = patched(data, at, "<H", 1 << bit)
    refused(data, ContainerProblem.ENCRYPTED_ENTRY)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_odd_compression_is_refused(method: int, entries: dict[str, bytes]) -> None:
    refused(zipped(entries, compression=method), ContainerProblem.UNKNOWN_COMPRESSION)


@pytest.mark.parametrize(
    ("local_at", "form"),
    [(6, "<H"), (8, "<H"), (14, "<L"), (18, "<L"), (22, "<L")],
    ids=["flags", "method", "crc", "packed", "size"],
)
def test_a_local_header_that_contradicts_the_directory_is_refused(
    local_at: int, form: str, entries: dict[str, bytes]
) -> None:
    data = zipped(entries)
    at = local_header(data, "b.bin") + local_at
    value = struct.unpack_from(form, data, at)[0] ^ 2
    refused(patched(data, at, form, value), ContainerProblem.MISMATCHED_HEADERS)


def test_another_name_in_the_local_header_is_refused(entries: dict[str, bytes]) -> None:
    data = zipped(entries)
    at = local_header(data, "a.json") + 30
    refused(data[:at] + b"c" + data[at + 1 :], ContainerProblem.MISMATCHED_HEADERS)


def test_a_data_descriptor_that_contradicts_the_directory_is_refused(entries: dict[str, bytes]) -> None:
    data = zipped(entries)
    for at in (local_header(data, "a.json") + 6, central_header(data, "a.json") + 8):
        data = patched(data, at, "<H", 8)
    refused(data, ContainerProblem.MISMATCHED_HEADERS)


def test_data_before_the_first_entry_are_refused(entries: dict[str, bytes]) -> None:
    refused(moved(b"#!/bin/sh\n" + zipped(entries), 10), ContainerProblem.DATA_BETWEEN)
    refused(b"#!/bin/sh\n" + zipped(entries), ContainerProblem.DATA_BETWEEN)


def test_data_between_entries_are_refused(entries: dict[str, bytes]) -> None:
    data = zipped(entries)
    at = local_header(data, "a.json")
    hidden = data[:at] + b"hidden" + data[at:]
    refused(moved(hidden, 6, but="mimetype"), ContainerProblem.DATA_BETWEEN)


def test_data_before_the_directory_are_refused(entries: dict[str, bytes]) -> None:
    data = zipped(entries)
    at = data.index(b"PK\x01\x02")
    refused(moved_directory(data[:at] + b"hidden" + data[at:], 6), ContainerProblem.DATA_BETWEEN)


def test_data_after_the_end_are_refused(entries: dict[str, bytes]) -> None:
    refused(zipped(entries) + b"hidden", ContainerProblem.NOT_A_CONTAINER)


def test_overlapping_entries_are_refused(entries: dict[str, bytes]) -> None:
    data = zipped(with_more(entries, N1=b"a", N2=b"b"))
    second = central_header(data, "N2")
    overlapping = patched(data, second + 42, "<L", local_header(data, "N1"))
    overlapping = overlapping[: second + 46] + b"N1" + overlapping[second + 48 :]
    for at, form in ((16, "<L"),):
        overlapping = patched(overlapping, second + at, form, zlib.crc32(b"a"))
    refused(overlapping, ContainerProblem.OVERLAPPING_ENTRIES)


def test_an_entry_that_overlaps_the_directory_is_refused(entries: dict[str, bytes]) -> None:
    data = zipped(entries)
    size = len(entries[SIGNATURE]) + 40
    for at in (local_header(data, SIGNATURE) + 18, central_header(data, SIGNATURE) + 20):
        data = patched(patched(data, at, "<L", size), at + 4, "<L", size)
    refused(data, ContainerProblem.OVERLAPPING_ENTRIES)


def test_several_disks_are_refused(entries: dict[str, bytes]) -> None:
    data = zipped(entries)
    refused(patched(data, data.rindex(b"PK\x05\x06") + 4, "<H", 1), ContainerProblem.MALFORMED_ZIP)


@pytest.mark.parametrize("data", [b"", b"PK", b"no zip at all" * 9, b"PK\x05\x06" + bytes(18)])
def test_what_is_no_container_is_told(data: bytes) -> None:
    with pytest.raises(ContainerRefused) as error:
        read(data)
    assert error.value.problem in {ContainerProblem.NOT_A_CONTAINER, ContainerProblem.NO_MANIFEST}


# Manifest and signature


def test_a_container_without_manifest_is_refused(entries: dict[str, bytes]) -> None:
    refused(zipped({n: d for n, d in entries.items() if n != MANIFEST}), ContainerProblem.NO_MANIFEST)


def test_two_manifests_are_refused(entries: dict[str, bytes]) -> None:
    more = {"META-INF/ASiCManifest2.xml": entries[MANIFEST]}
    refused(zipped(entries | more), ContainerProblem.TOO_MANY_MANIFESTS)
    refused(zipped(entries | {"META-INF/signatures.xml": b"<x/>"}), ContainerProblem.TOO_MANY_MANIFESTS)


def test_a_container_without_its_signature_is_refused(entries: dict[str, bytes]) -> None:
    refused(zipped({n: d for n, d in entries.items() if n != SIGNATURE}), ContainerProblem.NO_SIGNATURE)


def test_a_manifest_that_names_an_absent_file_is_refused(entries: dict[str, bytes]) -> None:
    refused(zipped({n: d for n, d in entries.items() if n != "a.json"}), ContainerProblem.ABSENT_FILE)


def test_a_file_that_the_manifest_does_not_name_is_refused(entries: dict[str, bytes]) -> None:
    refused(zipped(with_more(entries, extra=b"a")), ContainerProblem.UNSIGNED_FILE)


def test_a_manifest_that_names_a_file_twice_is_refused(sender_credential: Credential) -> None:
    entries = signed_entries({"a.txt": b"a", "b.txt": b"a"}, signer(sender_credential))
    manifest = entries[MANIFEST].replace(b"b.txt", b"a.txt")
    resigned = entries | {MANIFEST: manifest, SIGNATURE: sign(manifest, signer(sender_credential))}
    refused(zipped(resigned), ContainerProblem.MALFORMED_MANIFEST)


def test_a_signature_over_another_manifest_is_refused(entries: dict[str, bytes], sender_credential: Credential) -> None:
    with pytest.raises(SignatureInvalid, match="covers something else"):
        read(zipped(entries | {SIGNATURE: sign(b"<other/>", signer(sender_credential))}))


def test_an_altered_file_is_refused(entries: dict[str, bytes]) -> None:
    with pytest.raises(SignatureInvalid, match="digest differs"):
        read(zipped(entries | {"a.json": b"[]"}))


def test_sha1_digests_are_refused_unless_the_policy_accepts_them(sender_credential: Credential) -> None:
    entries = signed_entries({"a.txt": b"a"}, signer(sender_credential))
    manifest = entries[MANIFEST].replace(b"2001/04/xmlenc#sha256", b"2000/09/xmldsig#sha1")
    sha256, sha1 = (b64encode(hashlib.new(name, b"a").digest()) for name in ("sha256", "sha1"))
    manifest = manifest.replace(sha256, sha1)
    container = zipped(entries | {MANIFEST: manifest, SIGNATURE: sign(manifest, signer(sender_credential))})
    with pytest.raises(SignatureInvalid, match="SHA-1"):
        read(container)
    with open_container(io.BytesIO(container), trust=Trust(sha1="accept")) as content:
        assert content.files["a.txt"].read() == b"a"


ENTITY = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
EXTERNAL = b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
OUTSIDE = b'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">'


@pytest.mark.parametrize("trick", [ENTITY, EXTERNAL, OUTSIDE], ids=["bomb", "external entity", "external DTD"])
def test_entity_tricks_in_the_manifest_are_refused(trick: bytes, entries: dict[str, bytes]) -> None:
    manifest = re.sub(rb"(<asic:ASiCManifest)", trick + rb"\1", entries[MANIFEST])
    assert manifest != entries[MANIFEST]
    refused(zipped(entries | {MANIFEST: manifest}), ContainerProblem.ENTITY_IN_MANIFEST)


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"<not closed",
        b"<other/>",
        b'<ASiCManifest xmlns="http://uri.etsi.org/2918/v1.2.1#"/>',
        b'<a:ASiCManifest xmlns:a="http://uri.etsi.org/2918/v1.2.1#"><a:SigReference/></a:ASiCManifest>',
        b'<a:ASiCManifest xmlns:a="http://uri.etsi.org/2918/v1.2.1#"><a:SigReference URI="META-INF/x.p7s"/>%s'
        % b'<a:DataObjectReference URI="a.json"/></a:ASiCManifest>',
    ],
)
def test_a_malformed_manifest_is_refused(manifest: bytes, entries: dict[str, bytes]) -> None:
    refused(zipped(entries | {MANIFEST: manifest}), ContainerProblem.MALFORMED_MANIFEST)


def test_unknown_digests_and_broken_base64_in_the_manifest_are_refused(entries: dict[str, bytes]) -> None:
    for old, new in ((b"xmlenc#sha256", b"xmlenc#sha999"), (b"=</ds:DigestValue>", b"!</ds:DigestValue>")):
        manifest = entries[MANIFEST].replace(old, new)
        assert manifest != entries[MANIFEST]
        refused(zipped(entries | {MANIFEST: manifest}), ContainerProblem.MALFORMED_MANIFEST)
