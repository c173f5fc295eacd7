"""Our keys: whether they can be read, and whether they open what is sealed for us."""

import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from fiksmelding import keys
from fiksmelding.config import Settings
from fiksmelding.doctor.conditions import Condition
from fiksmelding.doctor.findings import Finding
from fiksmelding.doctor.patient import Patient, Unexaminable, in_thread
from fiksmelding.errors import NotFound, SettingsError
from fiksmelding.fiks import Catalog
from fiksmelding.sender.recipients import read_pins

__all__ = ["examine_key_files", "examine_published_key"]


async def examine_key_files(patient: Patient) -> Sequence[Finding]:
    """Can every key and certificate be read, by us and not by everybody?"""
    return await in_thread(lambda: _key_files(patient))


def _key_files(patient: Patient) -> list[Finding]:
    settings, found = patient.settings, []
    readers: list[Callable[[Settings], object]] = [keys.account_keys, keys.signer]
    if patient.receives:
        readers.append(keys.trust)
    if patient.sends:
        readers.append(lambda settings: read_pins(settings.sender.pinned_certificates))
    for read in readers:
        try:
            read(settings)
        except SettingsError as error:
            found.append(Finding(Condition.KEY_UNREADABLE, error.text))
    if not found:
        found.append(Finding(Condition.KEYS_READ, f"{len(settings.account.private_keys)} private key(s) can be read."))
    secret = (*settings.account.private_keys, settings.account.sign_key, settings.maskinporten.private_key)
    passwords = (settings.integration.password_file, settings.webhook.secret_file)
    found += [
        Finding(Condition.KEY_OPEN_TO_OTHERS, f"{path.name} can be read by every user of the machine.")
        for path in dict.fromkeys(path for path in (*secret, *passwords) if path is not None)
        if _open_to_others(path)
    ]
    return found


def _open_to_others(path: Path) -> bool:
    try:
        return os.name != "nt" and bool(path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH))
    except OSError:
        return False  # told already: it cannot be read


async def examine_published_key(patient: Patient) -> Sequence[Finding]:
    """Do our private keys open what is sealed for the certificate that the catalog gives to senders?"""
    ours = await in_thread(lambda: _public_halves(patient.settings))
    session = await patient.session()
    try:
        published = (await Catalog(session).public_key(session.account_id)).public_key()
    except NotFound as error:
        return [Finding(Condition.NO_PUBLISHED_KEY, f"Nothing can be sealed for the account: {error.text}")]
    if published not in ours:
        text = f"None of the {len(ours)} configured private keys belongs to the published certificate."
        return [Finding(Condition.KEY_NOT_PUBLISHED, text)]
    if published != ours[0]:
        place = ours.index(published) + 1
        text = f"The published certificate belongs to key number {place} of account.private_keys, not to the first."
        return [Finding(Condition.NEWEST_KEY_NOT_PUBLISHED, text)]
    return [Finding(Condition.KEY_PUBLISHED, "The published certificate belongs to the newest private key.")]


def _public_halves(settings: Settings) -> list[PublicKeyTypes]:
    try:
        return [key.public_key() for key in keys.account_keys(settings)]
    except SettingsError as error:
        raise Unexaminable("a private key cannot be read") from error
