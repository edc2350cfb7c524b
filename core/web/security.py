"""Headers, cookies and cross-site guards, with the exact values of the security baseline.

There is no inline script or style anywhere, so the policy needs no nonce and pages stay cacheable.
"""

import hmac
import secrets
from collections.abc import Callable
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request
from flask_babel import gettext as _

from core.errors import Forbidden
from core.settings import Settings
from core.web.requests import refusal_page

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "form-action 'self'; base-uri 'none'; object-src 'none'; frame-src 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(self), geolocation=(self), microphone=(), payment=(), usb=()",
}
HSTS = "max-age=63072000; includeSubDomains"
VISITOR_DAYS = 30


class CrossSite(Forbidden):
    """The request was sent by another site, or its form is too old to be trusted."""


def same_origin_only(view: Callable[..., Any]) -> Callable[..., Any]:
    """Let this view be posted to from cached pages, which carry no token.

    The browser's own Sec-Fetch-Site or Origin header decides; the cookies are SameSite=Lax besides.
    """
    view.csrf = "origin"  # type: ignore[attr-defined]
    return view


def signed_elsewhere(view: Callable[..., Any]) -> Callable[..., Any]:
    """Exempt a view whose caller proves itself by a signature: webhooks."""
    view.csrf = "signature"  # type: ignore[attr-defined]
    return view


def install(app: Flask) -> None:
    """Guard every unsafe request and set every header, on errors too."""
    app.before_request(_refuse_cross_site)
    app.after_request(_set_headers)
    app.jinja_env.globals["csrf_token"] = csrf_token


def cookie_name(name: str) -> str:
    """Return the cookie's full name: __Host- over https, bare on the loopback demo."""
    return f"__Host-{name}" if current_app.config["SETTINGS"].https else name


def set_cookie(
    response: Response, name: str, value: str, *, days: int | None, http_only: bool = True
) -> None:
    """Set a cookie of this house: Lax, whole site, Secure wherever the shop is on https."""
    response.set_cookie(
        cookie_name(name),
        value,
        max_age=days * 86_400 if days else None,
        path="/",
        secure=current_app.config["SETTINGS"].https,
        httponly=http_only,
        samesite="Lax",
    )


def drop_cookie(response: Response, name: str) -> None:
    """Forget a cookie."""
    response.set_cookie(
        cookie_name(name),
        "",
        max_age=0,
        path="/",
        secure=current_app.config["SETTINGS"].https,
        httponly=True,
        samesite="Lax",
    )


def may_lead_to_payment() -> None:
    """Let the forms of this page lead to the payment providers' pages.

    A browser holds the redirect that answers a form to the same list as the form itself.
    """
    g.may_lead_to_payment = True


def may_send_files() -> None:
    """Let scripts of this page send files straight to the bucket, where the shop has one."""
    g.may_send_files = True


def csrf_token() -> str:
    """Return the token of this visitor's forms; a new visitor gets a cookie to bind it to."""
    g.private = True
    return _token_for(_visitor(), current_app.config["SETTINGS"].SECRET_KEY)


def _visitor() -> str:
    """Return what the token is bound to: the log-in cookie, else a random visitor cookie."""
    bound = request.cookies.get(cookie_name("sid")) or request.cookies.get(cookie_name("khach"))
    if bound:
        return bound
    if "new_visitor" not in g:
        g.new_visitor = secrets.token_urlsafe(32)
    return str(g.new_visitor)


def _token_for(visitor: str, key: str) -> str:
    return hmac.new(key.encode(), b"csrf:" + visitor.encode("utf-8", "replace"), sha256).hexdigest()


def _refuse_cross_site() -> Response | None:
    if request.method in SAFE_METHODS:
        return None
    view = current_app.view_functions.get(request.endpoint or "")
    rule = getattr(view, "csrf", "token")
    if rule == "signature":
        return None
    if _sent_by_another_site() or (rule == "token" and not _token_matches()):
        return refusal_page(
            CrossSite(_("This form has expired. Go back, reload the page and send it again."))
        )
    return None


def _sent_by_another_site() -> bool:
    """Say whether the browser tells that another site sent this (no header: not a browser)."""
    fetch_site = request.headers.get("Sec-Fetch-Site")
    if fetch_site is not None:
        return fetch_site not in {"same-origin", "none"}
    origin = request.headers.get("Origin")
    try:
        return origin is not None and urlsplit(origin).netloc != request.host
    except ValueError:
        return True


def _token_matches() -> bool:
    given = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token", "")
    settings = current_app.config["SETTINGS"]
    visitors = [request.cookies.get(cookie_name(name)) for name in ("sid", "khach")]
    return any(
        hmac.compare_digest(given.encode(), _token_for(visitor, key).encode())
        for visitor in visitors
        if visitor
        for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    )


def _set_headers(response: Response) -> Response:
    settings = current_app.config["SETTINGS"]
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    policy = POLICY + ("; upgrade-insecure-requests" if settings.https else "")
    if "may_lead_to_payment" in g:
        sites = " ".join(("form-action 'self'", *settings.pay_sites))
        policy = policy.replace("form-action 'self'", sites)
    if "may_send_files" in g and settings.S3_BUCKET:
        policy = policy.replace(
            "connect-src 'self'", f"connect-src 'self' {_bucket_site(settings)}"
        )
    response.headers.setdefault("Content-Security-Policy", policy)
    if settings.https:
        response.headers.setdefault("Strict-Transport-Security", HSTS)
    if "new_visitor" in g:
        set_cookie(response, "khach", g.new_visitor, days=VISITOR_DAYS)
    if g.get("private") or "Set-Cookie" in response.headers:
        response.headers["Cache-Control"] = "no-store"
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _bucket_site(settings: Settings) -> str:
    """Return the origin a browser finds the bucket at."""
    if settings.S3_ENDPOINT_URL:
        return settings.S3_ENDPOINT_URL.rstrip("/")
    return f"https://{settings.S3_BUCKET}.s3.amazonaws.com"
