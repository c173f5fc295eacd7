"""What can be wrong with a container, as a value that an event or a metric can carry."""

from enum import StrEnum

from fiksmelding.errors import ContainerInvalid

__all__ = ["ContainerProblem", "ContainerRefused"]


class ContainerProblem(StrEnum):
    """Why a container is refused."""

    ABSENT_FILE = "absent_file"
    BAD_NAME = "bad_name"
    DATA_BETWEEN = "data_between"
    DUPLICATE_ENTRY = "duplicate_entry"
    ENCRYPTED_ENTRY = "encrypted_entry"
    ENTITY_IN_MANIFEST = "entity_in_manifest"
    MALFORMED_MANIFEST = "malformed_manifest"
    MALFORMED_ZIP = "malformed_zip"
    MISMATCHED_HEADERS = "mismatched_headers"
    NO_MANIFEST = "no_manifest"
    NO_SIGNATURE = "no_signature"
    NOT_A_CONTAINER = "not_a_container"
    OVERLAPPING_ENTRIES = "overlapping_entries"
    SPECIAL_FILE = "special_file"
    TOO_LARGE = "too_large"
    TOO_MANY_ENTRIES = "too_many_entries"
    TOO_MANY_MANIFESTS = "too_many_manifests"
    UNKNOWN_COMPRESSION = "unknown_compression"
    UNSIGNED_FILE = "unsigned_file"
    ZIP_BOMB = "zip_bomb"


class ContainerRefused(ContainerInvalid):
    """The container is malformed, incomplete or hostile.

    Attributes:
        problem: What is wrong with it.
    """

    def __init__(self, problem: ContainerProblem, text: str) -> None:
        super().__init__(text, advice="Keep it sealed; nothing of its content was handed on.")
        self.problem = problem
