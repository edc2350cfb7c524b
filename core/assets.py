"""Static files under names that carry their content, so that browsers may keep them for ever.

`build()` copies static/ to var/assets with a hash in each name and compresses what compresses;
style sheets get the hashed names of the fonts they ask for.
"""

import gzip
import json
import os
import re
from hashlib import sha256
from pathlib import Path

import brotli

from core.settings import ROOT

COMPRESSIBLE = {".css", ".js", ".svg", ".json", ".webmanifest", ".txt"}
_URL = re.compile(r"url\((['\"]?)(?!data:)([^)'\"#]+)\1\)")
SOURCE = ROOT / "static"
BUILT = ROOT / "var" / "assets"


def build(source: Path, target: Path) -> dict[str, str]:
    """Copy every changed file of `source` under its hashed name; return name → hashed name."""
    target.mkdir(parents=True, exist_ok=True)
    names: dict[str, str] = {}
    files = sorted(path for path in source.rglob("*") if path.is_file())
    # Style sheets last: the names of their fonts and pictures must be known first.
    for path in sorted(files, key=lambda file: file.suffix == ".css"):
        name = path.relative_to(source).as_posix()
        content = path.read_bytes()
        if path.suffix == ".css":
            content = _with_hashed_urls(content.decode("utf-8"), name, names).encode("utf-8")
        digest = sha256(content).hexdigest()[:12]
        hashed = f"{name.removesuffix(path.suffix)}.{digest}{path.suffix}"
        names[name] = hashed
        _write(target / hashed, content, compress=path.suffix in COMPRESSIBLE)
    draft = target / f"manifest.{os.getpid()}.tmp"
    draft.write_text(json.dumps(names, indent=0, sort_keys=True))
    draft.replace(target / "manifest.json")
    return names


def _with_hashed_urls(css: str, name: str, names: dict[str, str]) -> str:
    folder = Path(name).parent

    def replace(match: re.Match[str]) -> str:
        wanted = _normal(folder / match.group(2))
        up = "../" * len(folder.parts)
        return f"url({up}{names[wanted]})"

    return _URL.sub(replace, css)


def _normal(path: Path) -> str:
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _write(path: Path, content: bytes, *, compress: bool) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    if compress:
        path.with_name(path.name + ".br").write_bytes(brotli.compress(content, quality=11))
        path.with_name(path.name + ".gz").write_bytes(gzip.compress(content, 9, mtime=0))
    draft = path.with_name(f"{path.name}.{id(content)}.tmp")
    draft.write_bytes(content)
    draft.replace(path)


def manifest(target: Path = BUILT) -> dict[str, str]:
    """Return name → hashed name of the last build; the web process has built before anyone asks."""
    return dict(json.loads((target / "manifest.json").read_text("utf-8")))
