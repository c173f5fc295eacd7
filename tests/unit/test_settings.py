from pathlib import Path

import pytest

from fiksmelding.config import Settings
from fiksmelding.errors import SettingsError

MINIMAL = """
[account]
id = "5f2f2b2a-6a4b-4f0e-9f57-3a4e8a2b7c01"
private_keys = ["keys/account.pem"]
[integration]
id = "0e6a3f6e-0d84-4f5a-8c58-6d0a1b2c3d04"
password_file = "password"
[maskinporten]
client_id = "our-client"
private_key = "keys/business.pem"
key_id = "registered-key"
"""


def load(folder: Path, text: str, environment: dict[str, str] | None = None) -> Settings:
    file = folder / "settings.toml"
    file.write_text(text, "utf-8")
    return Settings.load(file, environment or {})


def test_paths_start_from_the_folder_of_the_file(tmp_path: Path) -> None:
    settings = load(tmp_path, MINIMAL)
    assert settings.account.private_keys == (tmp_path / "keys" / "account.pem",)
    assert settings.journal.url == f"sqlite:///{(tmp_path / 'fiksmelding.db').as_posix()}"


def test_an_absolute_journal_path_stays(tmp_path: Path) -> None:
    settings = load(tmp_path, MINIMAL + '[journal]\nurl = "sqlite:////srv/journal.db"\n')
    assert settings.journal.url == "sqlite:////srv/journal.db"


def test_the_password_comes_from_its_file_without_the_line_end(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hunter2\n", "utf-8")
    assert load(tmp_path, MINIMAL).integration.secret().get_secret_value() == "hunter2"


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    environment = {"FIKSMELDING_INTEGRATION_PASSWORD": "from outside", "FIKSMELDING_BROKER_PREFETCH": "3"}
    settings = load(tmp_path, MINIMAL, environment)
    assert settings.integration.secret().get_secret_value() == "from outside"
    assert settings.broker.prefetch == 3


def test_a_broker_has_one_address_or_several(tmp_path: Path) -> None:
    one = load(tmp_path, MINIMAL + '[broker]\nhost = "a"\nport = 5\n').broker
    assert one.addresses == (("a", 5),)
    several = load(tmp_path, MINIMAL, {"FIKSMELDING_BROKER_HOSTS": "a.example,b.example:7,[::1]:8"}).broker
    assert several.addresses == (("a.example", 5671), ("b.example", 7), ("::1", 8))


@pytest.mark.parametrize("host", ["", "a b", "a:", "a:0", "a:65536", "::1", "amqps://a", "user@a", "a/vhost", "a?b"])
def test_an_address_is_a_name_or_a_name_and_a_port(host: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"broker\.hosts\.0: .*name:port"):
        load(tmp_path, MINIMAL + f'[broker]\nhosts = ["{host}"]\n')


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    settings = load(tmp_path, MINIMAL, {"FIKSMELDING_INTEGRATION_PASSWORD": "hunter2"})
    assert "hunter2" not in repr(settings)
    assert "hunter2" not in str(settings)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("[broker]\nprefech = 3\n", "broker.prefech is unknown; did you mean broker.prefetch?"),
        ("[brokr]\n", "brokr is unknown; did you mean broker?"),
        ("[broker]\nprefetch = 0\n", "broker.prefetch"),
        ("[receiver]\nunstructured = 'maybe'\n", "receiver.unstructured"),
        ("[journal]\nurl = 'mysql://somewhere'\n", "journal.url"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, change: str, told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, MINIMAL + change)
    assert told in str(caught.value)


def test_every_mistake_is_named_at_once_and_no_value_is(tmp_path: Path) -> None:
    text = MINIMAL.replace('client_id = "our-client"', "").replace("5f2f2b2a-6a4b", "secret")
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, text)
    assert "maskinporten.client_id is missing." in str(caught.value)
    assert "account.id" in str(caught.value)
    assert "secret-" not in str(caught.value)


@pytest.mark.parametrize(("text", "told"), [("account = [", "is not TOML"), (b"\xff".decode("latin-1"), "is not TOML")])
def test_a_file_that_is_no_toml_is_refused(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        load(tmp_path, text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml cannot be read"):
        Settings.load(tmp_path / "nowhere.toml")


def test_a_missing_password_says_where_to_put_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load(tmp_path, MINIMAL).integration.secret()
    with pytest.raises(SettingsError, match=r"integration\.password_file"):
        load(tmp_path, MINIMAL.replace('password_file = "password"', "")).integration.secret()
