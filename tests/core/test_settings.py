"""Settings: one sentence for what cannot be used, and never a password in it."""

import threading
from pathlib import Path

import pytest

from core import settings as settings_module
from core.settings import BadSetting, load
from tests.conftest import SECRET


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PUBLIC_URL", "http://["),
        ("PUBLIC_URL", "https://"),
        ("PUBLIC_URL", "http://cho phien.vn"),
        ("PUBLIC_URL", "http://cho.vn:abc"),
        ("PUBLIC_URL", "https://cho.vn/shop"),
        ("PUBLIC_URL", "https://cho.vn?a=1"),
        ("PUBLIC_URL", "https://lan:mat@cho.vn"),
        ("PUBLIC_URL", "https://cho.vn\r"),
        ("DATABASE_URL", "postgresql://shop:mat@db:abc/shop"),
        ("DATABASE_URL", "postgresql+asyncpg://db/shop"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "sqlite:shop.db"),
        ("QUEUE_URL", "redis://queue:abc"),
        ("MAIL_URL", "smtp://["),
        ("MAIL_FROM", "Chợ Phiên"),
        ("MAIL_FROM", "shop@cho.vn\nBcc: a@b.vn"),
        ("S3_ENDPOINT_URL", "http://["),
        ("SECRET_KEY_FALLBACKS", f"{SECRET},dev"),
        ("PORT", "0"),
    ],
)
def test_a_setting_nobody_can_use_is_named_in_one_sentence(
    tmp_path: Path, name: str, value: str
) -> None:
    with pytest.raises(BadSetting) as stopped:
        load({"SECRET_KEY": SECRET, name: value}, root=tmp_path)

    assert str(stopped.value).startswith(name)
    assert "\n" not in str(stopped.value)


def test_the_sentence_never_repeats_a_password(tmp_path: Path) -> None:
    for name in ("DATABASE_URL", "QUEUE_URL", "MAIL_URL", "LOG_KEY"):
        with pytest.raises(BadSetting) as stopped:
            load({"SECRET_KEY": SECRET, name: "mysql://shop:mat-khau@host/x"}, root=tmp_path)

        assert "mat-khau" not in str(stopped.value)


def test_https_in_capitals_is_https(tmp_path: Path) -> None:
    settings = load({"SECRET_KEY": SECRET, "PUBLIC_URL": "HTTPS://Cho.vn/"}, root=tmp_path)

    assert settings.PUBLIC_URL == "https://cho.vn"
    assert settings.https


def test_a_file_from_windows_is_read_and_only_a_pair_of_quotes_is_taken_off(
    tmp_path: Path,
) -> None:
    text = '\ufeffPORT=8001\r\nOPERATOR_NAME="Chợ"\r\nMAIL_FROM=\'"Chợ" <a@cho.vn>\'\r\n'
    (tmp_path / ".env").write_bytes(text.encode())

    settings = load({"SECRET_KEY": SECRET}, root=tmp_path)

    assert settings.PORT == 8001
    assert settings.OPERATOR_NAME == "Chợ"
    assert settings.MAIL_FROM == '"Chợ" <a@cho.vn>'


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("OPERATOR_NAME=Chợ".encode("utf-16"))

    with pytest.raises(BadSetting, match=r"\.env cannot be read"):
        load({"SECRET_KEY": SECRET}, root=tmp_path)


def test_many_starts_at_once_share_one_secret(tmp_path: Path) -> None:
    secrets: list[str] = []
    starts = [
        threading.Thread(target=lambda: secrets.append(load({}, root=tmp_path).SECRET_KEY))
        for _start in range(16)
    ]

    for start in starts:
        start.start()
    for start in starts:
        start.join()

    assert len(secrets) == 16
    assert len(set(secrets)) == 1


def test_a_start_killed_while_writing_its_secret_leaves_nothing_half_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_handle: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(settings_module.os, "fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        load({}, root=tmp_path)
    monkeypatch.undo()

    assert list((tmp_path / "var").iterdir()) == []
    assert len(load({}, root=tmp_path).SECRET_KEY) >= 43


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("no folder")

    with pytest.raises(BadSetting, match="secret_key cannot be written"):
        load({}, root=tmp_path)
