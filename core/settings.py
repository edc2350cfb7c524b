"""Settings, read once at the start: the environment, then `.env`, then the running shop's own.

A name nobody knows or a value nobody can read stops the start with one sentence, because a
misspelt setting that is silently ignored is found out in production.
"""

import os
import re
import secrets
import tempfile
from base64 import b64decode
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import MISSING, dataclass, field, fields
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

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
SEED_BYTES = 32
# Their values hold passwords, which no message may repeat.
WITH_PASSWORD = {
    "DATABASE_URL",
    "QUEUE_URL",
    "MAIL_URL",
    "STRIPE_SECRET_KEY",
    "STRIPE_WEBHOOK_SECRET",
    "LOG_KEY",
}
STRIPE_ITSELF = "https://api.stripe.com"
STRIPE_PAGES = "https://checkout.stripe.com"
_QUOTED = re.compile(r"""^(["'])(.*)\1$""")
_SQLITE = re.compile(r"sqlite:///[^?#]+")


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
    LOG_ORIGIN: str = _setting(
        "", "name of the transparency log in its checkpoints; empty: the host of PUBLIC_URL + /log"
    )
    LOG_KEY: str = _setting(
        "", "Ed25519 seed the log is signed with, base64; empty: made once, kept in var/log_key"
    )
    LOG_OLD_KEYS: tuple[str, ...] = _setting(
        (), "public keys (vkey) the log was signed with before, separated by commas"
    )
    OPERATOR_BANK_BIN: str = _setting(
        "", "six-digit BIN of the operator's bank; only SELLING_MODE=direct asks money to it"
    )
    OPERATOR_BANK_ACCOUNT: str = _setting("", "the operator's account number")
    OPERATOR_BANK_HOLDER: str = _setting("", "the account's holder, as the bank writes it")
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
    PAGE_CACHE_SECONDS: int = _setting(
        5, "how long a rendered public page answers again; 0: every page is rendered anew"
    )
    EMBEDDED_WORKER: bool = _setting(
        default=True, help_text="1: the web process also runs background work"
    )
    TRUSTED_PROXIES: int = _setting(0, "how many proxies in front may set X-Forwarded-*")
    METRICS_TOKEN: str = _setting("", "bearer token of /metrics; empty: loopback only")
    SEPAY_API_BASE: str = _setting(
        "https://my.sepay.vn", "address of SePay, asked every night for messages that were lost"
    )
    CASSO_API_BASE: str = _setting(
        "https://oauth.casso.vn", "address of Casso, asked every night for messages that were lost"
    )
    PAYOS_API_BASE: str = _setting(
        "https://api-merchant.payos.vn", "address of payOS, which is told where to call us"
    )
    GHN_API_BASE: str = _setting(
        "https://online-gateway.ghn.vn", "address of Giao Hàng Nhanh, or of a stand-in for it"
    )
    STRIPE_SECRET_KEY: str = _setting(
        "", "secret key of Stripe (sk_… or rk_…); cards are offered only when SELLING_MODE=direct"
    )
    STRIPE_WEBHOOK_SECRET: tuple[str, ...] = _setting(
        (), "signing secrets (whsec_…) of PUBLIC_URL/webhooks/stripe, separated by commas"
    )
    STRIPE_API_BASE: str = _setting(STRIPE_ITSELF, "address of Stripe, or of a stand-in for it")
    VNPAY_PAY_URL: str = _setting(
        "https://pay.vnpay.vn/vpcpay.html", "VNPay's page that buyers are sent to"
    )
    VNPAY_API_BASE: str = _setting(
        "https://merchant.vnpay.vn", "address of VNPay's queries and refunds"
    )
    SUPPORT_PHONE: str = _setting("", "phone shown in the footer and on error pages; empty: none")
    OPERATOR_NAME: str = _setting("", "legal name of who runs this shop, shown in the footer")
    OPERATOR_ADDRESS: str = _setting("", "head office of who runs this shop")
    OPERATOR_REPRESENTATIVE: str = _setting("", "legal representative of who runs this shop")
    OPERATOR_TAX_NUMBER: str = _setting(
        "", "business or tax number of who runs this shop, with day and office of issue"
    )
    OPERATOR_EMAIL: str = _setting("", "e-mail address for questions and complaints")
    OPERATOR_LICENCES: tuple[str, ...] = _setting(
        (), "licences for conditional trades, separated by commas"
    )
    NOTICE_NUMBER: str = _setting(
        "", "number and day of the authority's confirmation of this shop, shown in the footer"
    )
    NOTICE_URL: str = _setting("", "page of the authority that confirms this shop")
    LOG_LEVEL: str = _setting("INFO", "DEBUG, INFO, WARNING or ERROR")

    @property
    def https(self) -> bool:
        """Say whether people reach the shop over https; cookies are Secure only then."""
        return self.PUBLIC_URL.startswith("https://")

    @property
    def only_here(self) -> bool:
        """Say whether the shop's address leads nowhere but to this machine."""
        return urlsplit(self.PUBLIC_URL).hostname in {"127.0.0.1", "localhost", "::1", None}

    @property
    def pay_sites(self) -> tuple[str, ...]:
        """Return the sites a pay button may lead to: a browser blocks any other after a form."""
        sites = [_site_of(self.VNPAY_PAY_URL)]
        if self.STRIPE_SECRET_KEY:
            own = self.STRIPE_API_BASE != STRIPE_ITSELF
            sites.append(_site_of(self.STRIPE_API_BASE) if own else STRIPE_PAGES)
        return tuple(sites)


def load(
    environ: Mapping[str, str] | None = None, *, root: Path = ROOT, of_running: bool = True
) -> Settings:
    """Return the settings, or stop with a sentence that names the wrong one.

    What nobody set is as in the shop that runs here (`of_running`), else the default.
    """
    environ = os.environ if environ is None else environ
    known = {f.name: f for f in fields(Settings)}
    written = _read_env_file(root / ".env")
    for name in written:
        if name not in known:
            raise BadSetting(f".env: unknown setting {name}; the known ones are in .env.example")
    for name in environ:
        if name.startswith(OUR_PREFIXES) and name not in known:
            raise BadSetting(f"unknown setting {name} in the environment; see .env.example")
    note = _read_env_file(root / "var" / "run.env") if of_running else {}
    remembered = {k: v for k, v in note.items() if k in known}
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
    try:
        # Windows' editor puts a mark before the first letter.
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(f"{path.name} cannot be read as UTF-8 text: {error}") from None
    values = {}
    for number, raw in enumerate(lines, start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        name, sign, value = line.partition("=")
        if not sign:
            raise BadSetting(f"{path.name} line {number}: write NAME=value")
        values[name.strip()] = _QUOTED.sub(r"\2", value.strip())
    return values


def _parse(name: str, text: str, default: object) -> object:
    if not text.isprintable():
        raise BadSetting(f"{name} holds a line end or another character that cannot be printed")
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
    public = (given.PUBLIC_URL or f"http://127.0.0.1:{given.PORT}").rstrip("/").lower()
    checks = {
        "PORT": given.PORT > 0,
        "SELLING_MODE": given.SELLING_MODE in {"direct", "intermediary"},
        "LOG_LEVEL": given.LOG_LEVEL in {"DEBUG", "INFO", "WARNING", "ERROR"},
        "DATABASE_URL": _is_database(given.DATABASE_URL),
        "QUEUE_URL": _is_server(given.QUEUE_URL, {"redis", "rediss", "amqp", "amqps"}),
        "MAIL_URL": _is_server(given.MAIL_URL, {"smtp", "smtps"}),
        "LOG_KEY": _is_seed(given.LOG_KEY),
        "MAIL_FROM": "@" in parseaddr(given.MAIL_FROM)[1],
        "PUBLIC_URL": _is_site(public),
        "S3_ENDPOINT_URL": _is_server(given.S3_ENDPOINT_URL, {"http", "https"}),
        "STRIPE_SECRET_KEY": given.STRIPE_SECRET_KEY[:3] in {"", "sk_", "rk_"},
        "STRIPE_WEBHOOK_SECRET": all(
            key.startswith("whsec_") for key in given.STRIPE_WEBHOOK_SECRET
        ),
        "NOTICE_URL": given.NOTICE_URL == "" or _is_page(given.NOTICE_URL),
        "STRIPE_API_BASE": _is_site(given.STRIPE_API_BASE),
        "VNPAY_PAY_URL": _is_page(given.VNPAY_PAY_URL),
        "SEPAY_API_BASE": _is_site(given.SEPAY_API_BASE),
        "CASSO_API_BASE": _is_site(given.CASSO_API_BASE),
        "PAYOS_API_BASE": _is_site(given.PAYOS_API_BASE),
        "VNPAY_API_BASE": _is_site(given.VNPAY_API_BASE),
        "WEB_PROCESSES": given.WEB_PROCESSES > 0,
        "WEB_THREADS": given.WEB_THREADS > 0,
    }
    for name, fine in checks.items():
        if not fine:
            value = "" if name in WITH_PASSWORD else f"={getattr(given, name)!r}"
            raise BadSetting(f"{name}{value} cannot be used; .env.example says what can")
    secret = given.SECRET_KEY or _own_secret(root)
    for name, keys in (
        ("SECRET_KEY", (secret,)),
        ("SECRET_KEY_FALLBACKS", given.SECRET_KEY_FALLBACKS),
    ):
        # A short key that is only "still accepted" opens the same doors.
        if any(len(key) < SHORTEST_SECRET for key in keys):
            raise BadSetting(f"{name} must have at least {SHORTEST_SECRET} characters")
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


def _split(url: str) -> SplitResult | None:
    """Return the parts of an address that names a place, None for anything else."""
    try:
        parts = urlsplit(url)
        # The port is looked at only when it is asked for.
        names_a_place = parts.port != 0 and bool(parts.hostname) and " " not in url
    except ValueError:
        return None
    return parts if names_a_place else None


def _is_server(url: str, schemes: set[str]) -> bool:
    parts = _split(url)
    return url == "" or (parts is not None and parts.scheme in schemes)


def _is_site(url: str) -> bool:
    """Say whether `url` is scheme and host alone: every path of the shop is put right behind."""
    parts = _split(url)
    return (
        parts is not None
        and parts.scheme in {"http", "https"}
        and "@" not in parts.netloc
        and url == f"{parts.scheme}://{parts.netloc}"
    )


def _is_seed(text: str) -> bool:
    """Say whether `text` is an Ed25519 seed in base64, or nothing."""
    try:
        return text == "" or len(b64decode(text, validate=True)) == SEED_BYTES
    except ValueError:
        return False


def _is_page(url: str) -> bool:
    """Say whether `url` is an address on the web that a browser can be sent to."""
    return url != "" and _is_server(url, {"http", "https"}) and not set(url) & set("?#@;, ")


def _site_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _is_database(url: str) -> bool:
    from sqlalchemy import make_url  # noqa: PLC0415 - asking for the settings alone stays quick
    from sqlalchemy.exc import ArgumentError  # noqa: PLC0415

    try:
        parts = make_url(url)
    except (ArgumentError, ValueError):
        return False
    if parts.drivername == "sqlite":
        return _SQLITE.fullmatch(url) is not None and ":memory:" not in url
    return parts.drivername in {"postgresql", "postgresql+psycopg"}


def _own_secret(root: Path) -> str:
    path = root / "var" / "secret_key"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _keep_new_secret(path)
        secret = path.read_text("ascii").strip()
    except OSError as error:
        raise BadSetting(f"{path} cannot be written or read: {error.strerror}") from error
    if len(secret) < SHORTEST_SECRET:
        raise BadSetting(f"{path} is damaged; without it a new key is made and all log in anew")
    return secret


def _keep_new_secret(path: Path) -> None:
    # Written aside and linked: whoever sees the file sees all of it, and of two processes
    # starting at once one is first and both read the same key.
    handle, draft = tempfile.mkstemp(prefix=".secret", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        Path(draft).unlink()
