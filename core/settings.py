"""Settings, read once at the start: the environment, then `.env`, then the running shop's own.

A name nobody knows or a value nobody can read stops the start with one sentence, because a
misspelt setting that is silently ignored is found out in production.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
OUR_PREFIXES = (
    "STRIPE_",
    "S3_",
    "SEPAY_",
    "CASSO_",
    "PAYOS_",
    "VNPAY_",
    "GHN_",
    "TIKTOK_SHOP_",
    "FACEBOOK_",
)
SHORTEST_SECRET = 32
LARGEST_NUMBER = 65_535


class BadSetting(SystemExit):
    """The shop cannot start: a setting is unknown or malformed; the message names it."""


def _setting(default: Any, help_text: str) -> Any:
    return field(default=default, metadata={"help": help_text})


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting, its default and one line of help (the help is also `.env.example`)."""

    PORT: int = _setting(8000, "port of the web server on 127.0.0.1")
    PUBLIC_URL: str = _setting(
        "", "address people type, printed into QR codes; default http://127.0.0.1:PORT"
    )
    DATABASE_URL: str = _setting(
        "sqlite:///var/shop.db", "sqlite:///path or postgresql://user:password@host/name"
    )
    QUEUE_URL: str = _setting(
        "",
        "redis://… or amqp://… hands background work to Dramatiq workers; empty: embedded worker",
    )
    SECRET_KEY: str = _setting(
        "", "32 characters or more; empty: made once and kept in var/secret_key"
    )
    SECRET_KEY_FALLBACKS: tuple[str, ...] = _setting(
        (), "older secret keys, separated by commas, still accepted while they fade out"
    )
    SELLING_MODE: str = _setting(
        "intermediary", "intermediary (each producer is paid on its own account) or direct"
    )
    STORAGE_DIR: str = _setting(
        "var/storage", "folder of pictures, papers and feeds while S3_BUCKET is empty"
    )
    S3_BUCKET: str = _setting("", "bucket for pictures, papers and feeds; empty: STORAGE_DIR")
    S3_ENDPOINT_URL: str = _setting("", "address of an S3-compatible server; empty: AWS")
    S3_REGION: str = _setting("us-east-1", "region of the bucket")
    AWS_ACCESS_KEY_ID: str = _setting("", "key of the bucket")
    AWS_SECRET_ACCESS_KEY: str = _setting("", "secret of the bucket")
    MAIL_URL: str = _setting(
        "", "smtp://user:password@host:port (smtps:// for TLS); empty: mails are printed to the log"
    )
    MAIL_FROM: str = _setting("Chợ Phiên <no-reply@localhost>", "sender of every mail")
    WEB_PROCESSES: int = _setting(1, "web processes started by ./manage run")
    WEB_THREADS: int = _setting(16, "threads of each web process")
    EMBEDDED_WORKER: bool = _setting(
        default=True, help_text="1: the web process also runs background work"
    )
    TRUSTED_PROXIES: int = _setting(0, "how many proxies in front may set X-Forwarded-*")
    METRICS_TOKEN: str = _setting("", "bearer token of /metrics; empty: loopback only")
    SUPPORT_PHONE: str = _setting("", "phone shown in the footer and on error pages; empty: none")
    OPERATOR_NAME: str = _setting("", "legal name of who runs this shop, shown in the footer")
    LOG_LEVEL: str = _setting("INFO", "DEBUG, INFO, WARNING or ERROR")

    @property
    def https(self) -> bool:
        """Say whether people reach the shop over https; cookies are Secure only then."""
        return self.PUBLIC_URL.startswith("https://")


def load(environ: Mapping[str, str] | None = None, *, root: Path = ROOT) -> Settings:
    """Return the settings, or stop with a sentence that names the wrong one."""
    environ = os.environ if environ is None else environ
    known = {f.name: f for f in fields(Settings)}
    written = _read_env_file(root / ".env")
    for name in written:
        if name not in known:
            raise BadSetting(f".env: unknown setting {name}; the known ones are in .env.example")
    for name in environ:
        if name.startswith(OUR_PREFIXES) and name not in known:
            raise BadSetting(f"unknown setting {name} in the environment; see .env.example")
    remembered = {k: v for k, v in _read_env_file(root / "var" / "run.env").items() if k in known}
    chosen = {**remembered, **written, **{k: v for k, v in environ.items() if k in known}}
    values = {
        name: _parse(name, chosen[name], f.default)
        for name, f in known.items()
        if chosen.get(name, "") != ""
    }
    return _finish(Settings(**values), root)  # type: ignore[arg-type]


def env_example() -> str:
    """Return the text of `.env.example`: every setting, its default, one line each."""
    lines = ["# Copy to .env and change what you need. The environment wins over this file."]
    for f in fields(Settings):
        default = f.default if f.default is not MISSING else ""
        shown = ",".join(default) if isinstance(default, tuple) else default
        shown = int(shown) if isinstance(shown, bool) else shown
        lines += ["", f"# {f.metadata['help']}", f"# {f.name}={shown}"]
    return "\n".join(lines) + "\n"


def _read_env_file(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    values = {}
    for number, raw in enumerate(path.read_text("utf-8").splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        name, sign, value = line.partition("=")
        if not sign:
            raise BadSetting(f"{path.name} line {number}: write NAME=value")
        values[name.strip()] = value.strip().strip("'\"")
    return values


def _parse(name: str, text: str, default: object) -> object:
    if isinstance(default, bool):
        if text not in {"0", "1"}:
            raise BadSetting(f"{name} must be 0 or 1, not {text!r}")
        return text == "1"
    if isinstance(default, int):
        if not text.isascii() or not text.isdigit() or int(text) > LARGEST_NUMBER:
            raise BadSetting(f"{name} must be a whole number up to 65535, not {text!r}")
        return int(text)
    if isinstance(default, tuple):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    return text


def _finish(given: Settings, root: Path) -> Settings:
    checks = {
        "SELLING_MODE": given.SELLING_MODE in {"direct", "intermediary"},
        "LOG_LEVEL": given.LOG_LEVEL in {"DEBUG", "INFO", "WARNING", "ERROR"},
        "DATABASE_URL": urlsplit(given.DATABASE_URL).scheme.split("+")[0]
        in {"sqlite", "postgresql"},
        "QUEUE_URL": urlsplit(given.QUEUE_URL).scheme in {"", "redis", "rediss", "amqp", "amqps"},
        "MAIL_URL": urlsplit(given.MAIL_URL).scheme in {"", "smtp", "smtps"},
        "PUBLIC_URL": urlsplit(given.PUBLIC_URL).scheme in {"", "http", "https"},
        "S3_ENDPOINT_URL": urlsplit(given.S3_ENDPOINT_URL).scheme in {"", "http", "https"},
        "WEB_PROCESSES": given.WEB_PROCESSES > 0,
        "WEB_THREADS": given.WEB_THREADS > 0,
        "PORT": given.PORT > 0,
    }
    for name, fine in checks.items():
        if not fine:
            value = getattr(given, name)
            raise BadSetting(f"{name}={value!r} cannot be used; .env.example says what can")
    secret = given.SECRET_KEY or _own_secret(root)
    if len(secret) < SHORTEST_SECRET:
        raise BadSetting(f"SECRET_KEY must have at least {SHORTEST_SECRET} characters")
    public = (given.PUBLIC_URL or f"http://127.0.0.1:{given.PORT}").rstrip("/")
    url = given.DATABASE_URL
    if url.startswith("sqlite:///") and not url.startswith("sqlite:////"):
        url = f"sqlite:///{root / url.removeprefix('sqlite:///')}"
    changed = {
        "SECRET_KEY": secret,
        "PUBLIC_URL": public,
        "DATABASE_URL": url,
        "STORAGE_DIR": str(root / given.STORAGE_DIR),
    }
    return Settings(
        **{f.name: changed.get(f.name, getattr(given, f.name)) for f in fields(Settings)}
    )


def _own_secret(root: Path) -> str:
    path = root / "var" / "secret_key"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # O_EXCL: of two processes starting at once, one writes and both read the same key.
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text("ascii").strip()
    with os.fdopen(handle, "w", encoding="ascii") as file:
        secret = secrets.token_urlsafe(48)
        file.write(secret)
    return secret
