"""Static files under names that carry their content, so that browsers may keep them for ever.

`build()` copies static/ to var/assets with a hash in each name and compresses what compresses;
style sheets get the hashed names of the fonts they ask for.
"""

import gzip
import json
import re
from hashlib import sha256
from pathlib import Path

import brotli
from flask import Flask
from whitenoise import WhiteNoise

COMPRESSIBLE = {".css", ".js", ".svg", ".json", ".webmanifest", ".txt"}
_URL = re.compile(r"url\((['\"]?)(?!data:)([^)'\"#]+)\1\)")
_HASHED = re.compile(r"\.[0-9a-f]{12}\.[a-z0-9]+$")


def build(source: Path, target: Path) -> dict[str, str]:
    """Copy every changed file of `source` under its hashed name; return name → hashed name."""
    target.mkdir(parents=True, exist_ok=True)
    manifest: dict[str, str] = {}
    files = sorted(path for path in source.rglob("*") if path.is_file())
    # Style sheets last: the names of their fonts and pictures must be known first.
    for path in sorted(files, key=lambda file: file.suffix == ".css"):
        name = path.relative_to(source).as_posix()
        content = path.read_bytes()
        if path.suffix == ".css":
            content = _with_hashed_urls(content.decode("utf-8"), name, manifest).encode("utf-8")
        digest = sha256(content).hexdigest()[:12]
        hashed = f"{name.removesuffix(path.suffix)}.{digest}{path.suffix}"
        manifest[name] = hashed
        _write(target / hashed, content, compress=path.suffix in COMPRESSIBLE)
    (target / "manifest.json").write_text(json.dumps(manifest, indent=0, sort_keys=True))
    return manifest


def _with_hashed_urls(css: str, name: str, manifest: dict[str, str]) -> str:
    folder = Path(name).parent

    def replace(match: re.Match[str]) -> str:
        wanted = _normal(folder / match.group(2))
        up = "../" * len(folder.parts)
        return f"url({up}{manifest[wanted]})"

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


def install(app: Flask, source: Path, target: Path) -> None:
    """Serve the built files and give templates `asset(name)`; an unknown name is our bug."""
    manifest = build(source, target)

    def asset(name: str) -> str:
        return f"/static/{manifest[name]}"

    app.jinja_env.globals["asset"] = asset
    app.extensions["asset"] = asset
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app,
        root=str(target),
        prefix="static/",
        immutable_file_test=lambda _path, url: bool(_HASHED.search(url)),
    )
