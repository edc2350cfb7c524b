"""What no linter sees: where commits, clocks and time live, and that nothing is left unwired."""

import re
from pathlib import Path

import pytest
from flask import Flask

from accounts import audit
from core.settings import ROOT, Settings, env_example
from tests.conftest import SECRET
from wsgi import TABLES, create_app

FLOORS = ("core", "accounts", "catalog", "traceability", "shop", "livestream")
SOURCES = sorted(
    [path for folder in (*FLOORS, "demo") for path in (ROOT / folder).rglob("*.py")]
    + [ROOT / "wsgi.py"]
)
TEMPLATES = sorted(path for path in (ROOT / "templates").rglob("*.*") if path.is_file())


@pytest.fixture(scope="module")
def built_app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    folder = tmp_path_factory.mktemp("app")
    return create_app(
        Settings(
            PUBLIC_URL="http://localhost",
            DATABASE_URL=f"sqlite:///{folder}/shop.db",
            SECRET_KEY=SECRET,
            STORAGE_DIR=str(folder / "storage"),
        )
    )


def test_only_the_database_module_commits() -> None:
    guilty = _files_with(
        r"\.(commit|rollback|begin)\(", allowed={"core/db.py", "core/migrations.py"}
    )

    assert guilty == []


def test_only_the_clock_asks_the_time() -> None:
    guilty = _files_with(
        r"datetime\.(now|utcnow|today)\(|date\.today\(|\btime\.time\(|\btime_ns\(",
        allowed={"core/clock.py"},
    )

    assert guilty == []


def test_money_never_meets_a_float_or_a_hundred() -> None:
    guilty = _files_with(r"\.dong\s*[*/]\s*(100\b|1\.0|0\.)|float\(.*\.dong", allowed=set())

    assert guilty == []


def test_no_route_writes_a_state_column() -> None:
    guilty = [
        path.relative_to(ROOT).as_posix()
        for path in SOURCES
        if "views" in path.parts and re.search(r"\.state\s*=[^=]|values\(state=", path.read_text())
    ]

    assert guilty == []


def test_every_endpoint_names_its_audience(built_app: Flask) -> None:
    silent = [
        name for name, view in built_app.view_functions.items() if not hasattr(view, "audience")
    ]

    assert silent == []


def test_every_table_module_is_listed_in_wsgi() -> None:
    declaring = {
        path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
        for path in SOURCES
        if "__tablename__" in path.read_text()
    }

    assert declaring == set(TABLES)


def test_every_template_has_a_view_and_every_view_its_template() -> None:
    python = "\n".join(path.read_text() for path in SOURCES)
    rendered = set(re.findall(r"render_template\(\s*[\"']([^\"']+)[\"']", python))
    rendered |= set(re.findall(r"get_template\(\s*[\"']([^\"']+)[\"']", python))
    rendered |= set(re.findall(r"[\"']([a-z_]+/[a-z_/]+\.html)[\"']", python))
    for path in TEMPLATES:
        rendered |= set(
            re.findall(r"(?:extends|include|import|from)\s+[\"']([^\"']+)[\"']", path.read_text())
        )
    existing = {path.relative_to(ROOT / "templates").as_posix() for path in TEMPLATES}

    assert rendered - existing == set()
    assert existing - rendered == set()


def test_templates_hold_no_inline_script_style_or_handler() -> None:
    guilty = [
        path.relative_to(ROOT).as_posix()
        for path in TEMPLATES
        if re.search(
            r"<style|\sstyle=|\son[a-z]+=[\"']|javascript:|<script(?![^>]*(\ssrc=|ld\+json))",
            path.read_text(),
        )
        or "|safe" in path.read_text().replace(" ", "")
    ]

    assert guilty == []


def test_every_act_that_is_recorded_has_words(built_app: Flask) -> None:
    recorded = {
        verb
        for path in SOURCES
        for verb in re.findall(r"""record\(\s*session,\s*\w+,\s*"([a-z_.]+)\"""", path.read_text())
    }

    assert recorded
    assert recorded - audit._words.keys() == set()


def test_every_setting_is_in_the_example() -> None:
    assert (ROOT / ".env.example").read_text("utf-8") == env_example()


def test_no_python_file_grows_past_what_a_reader_holds() -> None:
    long = {
        path.relative_to(ROOT).as_posix(): lines
        for path in SOURCES
        # Tables are looked up, not read: the wiring grows by a line with each thing wired.
        if (lines := len(path.read_text().splitlines())) > (600 if path.name == "wsgi.py" else 450)
    }

    assert long == {}


def _files_with(pattern: str, *, allowed: set[str]) -> list[str]:
    found = []
    for path in SOURCES:
        name = path.relative_to(ROOT).as_posix()
        if name not in allowed and re.search(pattern, _code_of(path)):
            found.append(name)
    return found


def _code_of(path: Path) -> str:
    """Return the file without comments and docstrings: words about commits are not commits."""
    text = re.sub(r'"""(?:.|\n)*?"""', "", path.read_text())
    return re.sub(r"#.*", "", text)
