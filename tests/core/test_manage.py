"""`./manage run` on a machine that is not as it should be."""

import importlib.machinery
import importlib.util
import socket
from pathlib import Path
from types import ModuleType

import pytest

from core.settings import ROOT, load
from tests.conftest import SECRET
from tests.postgres import free_port


@pytest.fixture
def manage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The commands, working in a folder of their own."""
    loader = importlib.machinery.SourceFileLoader("manage", str(ROOT / "manage"))
    spec = importlib.util.spec_from_loader("manage", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    return module


def settings_of(port: int) -> dict[str, object]:
    return {
        "port": port,
        "public_url": f"http://127.0.0.1:{port}",
        "database_url": "postgresql://shop:mat-khau@db/shop",
        "queue_url": "",
    }


def test_a_taken_port_is_named_before_anything_is_touched(
    manage: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setattr(manage, "install", lambda _kind: None)
    monkeypatch.setattr(manage, "ask_settings", lambda: settings_of(port))
    monkeypatch.setattr(manage, "check", lambda *command: pytest.fail(f"{command} was run"))

    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        with pytest.raises(SystemExit) as stopped:
            manage.run()

    assert f"Port {port}" in str(stopped.value)
    assert list(tmp_path.iterdir()) == []


def test_a_free_port_is_taken(manage: ModuleType) -> None:
    manage.refuse_taken_port(free_port())


def test_the_note_of_the_running_shop_is_for_nobody_else(
    manage: ModuleType, tmp_path: Path
) -> None:
    manage.remember(settings_of(8001))

    note = tmp_path / "var" / "run.env"
    assert note.stat().st_mode & 0o077 == 0
    assert load({"SECRET_KEY": SECRET}, root=tmp_path).PORT == 8001


def test_a_new_start_takes_nothing_from_the_run_before(manage: ModuleType, tmp_path: Path) -> None:
    manage.remember(settings_of(8001))

    settings = load({"SECRET_KEY": SECRET, "PORT": "8002"}, root=tmp_path, of_running=False)

    assert settings.PUBLIC_URL == "http://127.0.0.1:8002"
    assert settings.DATABASE_URL.startswith("sqlite:")
