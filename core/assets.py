"""Static files under names that carry their content, so that browsers may keep them for ever.

`build()` copies static/ to var/assets with a hash in each name and compresses what compresses;
style sheets get the hashed names of the fonts they ask for.
"""

import gzip
import json
import os
import re
import threading
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
        _write(target, hashed, content, compress=path.suffix in COMPRESSIBLE)
    known = json.dumps(names, indent=0, sort_keys=True).encode()
    if not _holds(target / "manifest.json", known):
        _put(target, "manifest.json", known)
    return names


def _holds(path: Path, content: bytes) -> bool:
    return path.exists() and path.read_bytes() == content


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


def _write(target: Path, name: str, content: bytes, *, compress: bool) -> None:
    if (target / name).exists():
        return
    if compress:
        _put(target, f"{name}.br", brotli.compress(content, quality=11))
        _put(target, f"{name}.gz", gzip.compress(content, 9, mtime=0))
    _put(target, name, content)


def _put(target: Path, name: str, content: bytes) -> None:
    """Write a file whole.

    Drafts lie beside the folder: a process that starts up and reads it never meets one.
    """
    drafts = target.with_name(f"{target.name}.drafts")
    drafts.mkdir(parents=True, exist_ok=True)
    draft = drafts / f"{os.getpid()}.{threading.get_ident()}"
    draft.write_bytes(content)
    (target / name).parent.mkdir(parents=True, exist_ok=True)
    draft.replace(target / name)


def manifest(target: Path = BUILT) -> dict[str, str]:
    """Return name → hashed name of the last build; the web process has built before anyone asks."""
    return dict(json.loads((target / "manifest.json").read_text("utf-8")))
