"""Labels at the desk and at a shell: looked at, printed, stopped, drawn again, kept true."""

import json
from io import BytesIO
from pathlib import Path

import pypdf
import pytest
from flask import Flask

from core.db import Database
from core.settings import Settings
from core.storage import Storage, storage_for
from core.worker import Runner
from tests.traceability.house import House, a_house
from traceability.labels import drawing, files
from traceability.labels.runs import DRAW, LabelRun, RunState

SHEET = {
    "name": "Giấy chợ huyện",
    "columns": "3",
    "rows": "8",
    "label_width": "66",
    "label_height": "33,8",
    "left": "5",
    "top": "12,5",
    "gap_x": "1",
    "gap_y": "0",
    "offset_x": "−0,5",
}


@pytest.fixture
def house(app: Flask, database: Database) -> House:
    return a_house(app, database)


@pytest.fixture
def storage(settings: Settings) -> Storage:
    return storage_for(settings)


@pytest.fixture
def runner(database: Database, settings: Settings, storage: Storage) -> Runner:
    return Runner(database, settings, storage, {DRAW: drawing.run})


def run_of(database: Database, number: int) -> LabelRun:
    with database.reading() as session:
        run = session.get_one(LabelRun, number)
        session.expunge(run)
        return run


def test_a_lots_labels_are_chosen_looked_at_and_fetched(house: House) -> None:
    lot = f"{house.address}/tem/lo/{house.lot_id}"

    listed = house.owner.get(f"{house.address}/tem").text
    chosen = house.owner.get(f"{lot}?preset=a4-40&count=12&first=30").text
    picture = house.owner.get(f"{lot}/nhan.png?preset=a4-40")
    pdf = house.owner.get(f"{lot}/tem?preset=a4-40&count=12&first=30")
    too_far = house.owner.get(f"{lot}?preset=a4-40&first=41&form=svg&level=Q")
    zpl_of_a_sheet = house.owner.get(f"{lot}/tem?preset=a4-40&form=zpl")

    assert lot in listed
    assert lot in house.owner.get(f"{house.address}/so-lo/{house.lot_id}").text
    assert "<details>" in house.owner.get(f"{lot}?preset=a4-40").text
    assert "In 12 tem" in chosen
    assert picture.data.startswith(b"\x89PNG")
    assert len(pypdf.PdfReader(BytesIO(pdf.data), strict=True).pages) == 2
    assert too_far.status_code == 422
    assert 'value="41"' in too_far.text
    assert '<option value="svg" selected' in too_far.text
    assert zpl_of_a_sheet.status_code == 422


def test_a_print_with_numbers_is_drawn_stopped_and_drawn_again(
    house: House,
    database: Database,
    storage: Storage,
    runner: Runner,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(files, "LABELS_A_PART", 65)
    form = {"preset": "a4-65", "kind": "moi", "count": "195", "key": "once"}
    place = f"/tem/lo/{house.lot_id}"
    begun = house.sends(place, **form)
    again = house.sends(place, **form)
    assert begun.status_code == 303
    assert begun.location == again.location
    assert "progress" in house.owner.get(begun.location).text
    draw_part = files.draw_part

    def draw_and_stop(*given: object) -> bytes:
        house.sends("/tem/lan-in/1/dung")
        return draw_part(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(files, "draw_part", draw_and_stop)
    runner.run_due()
    monkeypatch.setattr(files, "draw_part", draw_part)

    stopped = run_of(database, 1)
    assert stopped.state is RunState.REFUSED
    assert "đã dừng lần in này" in house.owner.get(begun.location).text
    assert list(storage.list(drawing.FOLDER)) == []
    assert house.owner.get(f"{begun.location}/tep").status_code == 409

    house.sends("/tem/lan-in/1/lam-lai")
    runner.run_due()

    done = run_of(database, 1)
    assert done.state is RunState.DONE
    assert done.pages_done == 3
    assert done.serial_run_id == stopped.serial_run_id
    file = house.owner.get(f"{begun.location}/tep")
    assert len(pypdf.PdfReader(BytesIO(file.data), strict=True).pages) == 3
    assert [one for one in storage.list(drawing.FOLDER) if not one.key.endswith(".pdf")] == []
    house.sends("/tem/lan-in/1/dung")
    assert run_of(database, 1).state is RunState.DONE


def test_a_sheet_of_ones_own_is_kept_and_a_wrong_one_keeps_what_was_typed(house: House) -> None:
    wrong = house.sends("/tem/to-giay/moi", **{**SHEET, "rows": "9"})
    kept = house.sends("/tem/to-giay/moi", **SHEET)
    twice = house.sends("/tem/to-giay/moi", **SHEET)
    chosen = house.owner.get(f"{house.address}/tem/lo/{house.lot_id}?preset=rieng-1")
    grid = house.owner.get(f"{house.address}/tem/luoi.pdf?preset=rieng-1")
    tiny = {**SHEET, "name": "Bé", "label_width": "15", "label_height": "15"}
    number = house.sends("/tem/to-giay/moi", **tiny).location.split("?")[0].rpartition("/")[2]
    refused = house.owner.get(f"{house.address}/tem/lo/{house.lot_id}?preset=rieng-{number}")

    assert wrong.status_code == 422
    assert 'value="9"' in wrong.text
    assert "Giấy chợ huyện" in wrong.text
    assert 'value="−0,5"' in wrong.text
    assert kept.status_code == 303
    assert twice.status_code == 422
    assert "In 24 tem" in chosen.text
    assert grid.data.startswith(b"%PDF")
    assert refused.status_code == 422
    assert "Mã QR cần chỗ" in refused.text


@pytest.mark.parametrize("ending", ["pdf", "svg", "zpl"])
def test_labels_are_written_at_a_shell(
    house: House, app: Flask, tmp_path: Path, ending: str
) -> None:
    out = tmp_path / f"tem.{ending}"
    preset = "nhiet-40x30-203" if ending == "zpl" else "a4-65"
    given = ["labels", "sheet", "--lot", "MAT-01", "--preset", preset, "--count", "3"]
    shell = app.test_cli_runner()

    written = shell.invoke(args=[*given, "--out", str(out), "--json"])
    refused = shell.invoke(args=[*given, "--out", str(out), "--first", "400"])

    facts = json.loads(written.stdout)
    assert written.exit_code == 0
    assert facts["files"] == [str(out)]
    assert facts["count"] == 3
    assert facts["module_mm"] >= 0.396
    assert facts["address"].endswith("/01/09520123456788/10/MAT-01")
    assert out.stat().st_size > 1_000
    assert refused.exit_code == 1
