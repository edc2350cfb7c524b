"""`flask live …` and `flask feeds …` say in one line what is wrong, and exit with one."""

from pathlib import Path

import pytest
from flask import Flask


@pytest.mark.parametrize("content", ["", "[]", '{"S1": 3}', '{"S1": {"products": []}}'])
def test_a_file_that_describes_no_show_is_refused_in_a_sentence(
    app: Flask, tmp_path: Path, content: str
) -> None:
    sessions = tmp_path / "sessions.json"
    sessions.write_text(content, "utf-8")

    refused = app.test_cli_runner().invoke(args=["live", "parse", "--sessions", str(sessions)])

    assert refused.exit_code == 1
    assert refused.stdout == ""
    assert "sessions.json: not a description of shows" in refused.stderr


@pytest.mark.parametrize(
    "args",
    [
        ["live", "replay", __file__, "--show", "khong-co"],
        ["feeds", "build", "--producer", "khong-co"],
    ],
)
def test_what_is_not_there_is_refused(app: Flask, args: list[str]) -> None:
    refused = app.test_cli_runner().invoke(args=args)

    assert refused.exit_code == 1
    assert refused.stdout == ""
    assert refused.stderr.startswith("Error: ")
