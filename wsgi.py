"""The composition root: builds the shop, and holds every table of wiring.

`flask` and gunicorn find `create_app` here. Nothing imports this file.
"""

import importlib
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from accounts import login
from core import events, logs
from core.db import Database
from core.i18n import mark
from core.settings import Settings, load
from core.storage import storage_for
from core.web import (
    assets,
    compression,
    edge,
    locale,
    metrics,
    page_cache,
    requests,
    security,
    uploads,
)
from core.web import logs as request_log
from traceability import log_keys

# Every module that declares tables: migrations and tests need them all, whoever imports what.
TABLES: list[str] = [
    "core.tasks",
    "core.schedules",
    "core.inbox",
    "accounts.users",
    "accounts.second_factors",
    "accounts.sessions",
    "accounts.tokens",
    "accounts.throttle",
    "accounts.audit",
    "accounts.consents",
    "catalog.places",
    "catalog.villages",
    "catalog.producers",
    "catalog.members",
    "catalog.joining",
    "catalog.identities",
    "catalog.grants",
    "catalog.slugs",
    "catalog.search",
    "catalog.products",
    "catalog.pictures",
    "catalog.prices",
    "catalog.variants",
    "catalog.sales",
    "catalog.lots",
    "catalog.certificates",
    "catalog.goods_sheets.runs",
    "catalog.stock",
    "traceability.known_gtins",
    "traceability.trace_codes",
    "traceability.serials",
    "traceability.pins",
    "traceability.scan_flags",
    "traceability.scan_counts",
    "traceability.problem_reports",
    "traceability.enumeration",
    "traceability.link_targets",
    "traceability.gs1_places",
    "traceability.cartons",
    "traceability.labels.sheets",
    "traceability.labels.runs",
    "traceability.diary",
    "traceability.log",
    "traceability.checkpoints",
    "traceability.events",
    "traceability.edges",
    "traceability.recall_cases",
    "traceability.told_lots",
    "shop.carts",
    "shop.later",
    "shop.delivery",
    "shop.carrier_fees",
    "shop.orders",
    "shop.proofs",
    "shop.vouchers",
    "shop.commissions",
    "shop.addresses",
    "shop.connections",
    "shop.payments.payments",
    "shop.payments.provider_money",
    "shop.payments.bank_rows",
    "shop.saved",
    "shop.season_calls",
    "shop.reviews",
    "shop.recalls",
    "shop.visits",
    "shop.returns",
    "shop.complaints",
    "shop.gift_sets",
    "shop.cart_sets",
    "shop.payments.refunds",
    "shop.shipments",
    "shop.remittances",
    "shop.ledger",
    "shop.payouts",
    "livestream.shows",
    "livestream.comments",
    "livestream.claims",
    "livestream.feeds.feeds",
]

# Every blueprint, in the order of a visitor's way: module, attribute.
BLUEPRINTS: list[tuple[str, str]] = [
    ("core.web.health", "blueprint"),
    ("core.web.media", "blueprint"),
    ("accounts.views.public", "blueprint"),
    ("accounts.views.second", "blueprint"),
    ("accounts.views.own_data", "blueprint"),
    ("accounts.views.legal", "blueprint"),
    ("accounts.views.profile", "blueprint"),
    ("accounts.views.staff", "blueprint"),
    ("accounts.views.tasks", "blueprint"),
    ("catalog.views.dashboard", "blueprint"),
    ("catalog.views.goods", "blueprint"),
    ("catalog.views.photos", "blueprint"),
    ("catalog.views.store", "blueprint"),
    ("catalog.views.prices", "blueprint"),
    ("catalog.views.joining", "blueprint"),
    ("catalog.views.staff_joining", "blueprint"),
    ("catalog.views.staff_goods", "blueprint"),
    ("catalog.views.staff", "blueprint"),
    ("catalog.views.papers", "blueprint"),
    ("catalog.views.staff_villages", "blueprint"),
    ("catalog.views.goods_sheets", "blueprint"),
    ("traceability.views.scan", "blueprint"),
    ("traceability.views.scan_acts", "blueprint"),
    ("traceability.views.resolver", "blueprint"),
    ("traceability.views.recall_status", "blueprint"),
    ("traceability.views.data", "blueprint"),
    ("traceability.views.log", "blueprint"),
    ("traceability.views.staff_book", "blueprint"),
    ("traceability.views.dashboard", "blueprint"),
    ("traceability.views.desk_diary", "blueprint"),
    ("traceability.views.desk_scans", "blueprint"),
    ("traceability.views.desk_serials", "blueprint"),
    ("traceability.views.desk_codes", "blueprint"),
    ("traceability.views.labels", "blueprint"),
    ("traceability.views.staff_scans", "blueprint"),
    ("shop.views.browse", "blueprint"),
    ("shop.views.machines", "blueprint"),
    ("shop.views.api", "blueprint"),
    ("shop.views.sharing", "blueprint"),
    ("shop.views.visits", "blueprint"),
    ("shop.views.visits", "desk"),
    ("shop.views.boards", "blueprint"),
    ("shop.views.boards", "desk"),
    ("shop.views.cart", "blueprint"),
    ("shop.views.checkout", "blueprint"),
    ("shop.views.orders", "blueprint"),
    ("shop.views.card_payments", "blueprint"),
    ("shop.views.order_acts", "blueprint"),
    ("shop.views.addresses", "blueprint"),
    ("shop.views.own_orders", "blueprint"),
    ("shop.views.dashboard", "blueprint"),
    ("shop.views.packing", "blueprint"),
    ("shop.views.printing", "blueprint"),
    ("shop.views.batches", "blueprint"),
    ("shop.views.desk_delivery", "blueprint"),
    ("shop.views.desk_vouchers", "blueprint"),
    ("shop.views.desk_vouchers", "staff"),
    ("shop.views.account_pages", "blueprint"),
    ("shop.views.account_pages", "staff"),
    ("shop.views.desk_shipping", "blueprint"),
    ("shop.views.desk_cod", "blueprint"),
    ("shop.views.staff_delivery", "blueprint"),
    ("shop.views.staff_orders", "blueprint"),
    ("shop.views.bank", "blueprint"),
    ("shop.views.bank", "staff"),
    ("shop.views.statements", "blueprint"),
    ("shop.views.statements", "staff"),
    ("shop.views.connections", "blueprint"),
    ("shop.views.connections", "staff"),
    ("shop.views.webhooks", "blueprint"),
    ("shop.views.staff_messages", "blueprint"),
    ("shop.views.saved", "blueprint"),
    ("shop.views.seasons", "blueprint"),
    ("shop.views.desk_seasons", "blueprint"),
    ("shop.views.reviews", "blueprint"),
    ("shop.views.desk_reviews", "blueprint"),
    ("shop.views.desk_cuts", "blueprint"),
    ("shop.views.returns", "blueprint"),
    ("shop.views.gift_sets", "blueprint"),
    ("shop.views.desk_sets", "blueprint"),
    ("shop.views.desk_sets", "staff"),
    ("shop.views.desk_returns", "blueprint"),
    ("shop.views.desk_recalls", "blueprint"),
    ("shop.views.desk_recalls", "staff"),
    ("shop.views.staff_returns", "blueprint"),
    ("shop.views.complaints", "blueprint"),
    ("shop.views.complaints", "desk"),
    ("shop.views.complaints", "staff"),
    ("shop.views.staff_reviews", "blueprint"),
    ("shop.views.staff_proofs", "blueprint"),
    ("livestream.views.feeds", "blueprint"),
    ("livestream.views.desk_feeds", "blueprint"),
    ("livestream.views.desk_preview", "blueprint"),
    ("livestream.views.shows", "blueprint"),
    ("livestream.views.desk_shows", "blueprint"),
]

# Command groups of `flask …`.
COMMANDS: list[tuple[str, str]] = [
    ("livestream.commands", "feed_commands"),
    ("livestream.commands", "live_commands"),
    ("shop.commands", "pay"),
    ("shop.commands", "audit"),
    ("traceability.commands", "trace"),
    ("traceability.labels.commands", "labels"),
    ("catalog.commands", "user_commands"),
    ("catalog.goods_sheets.commands", "catalog"),
    ("demo.commands", "demo"),
    ("core.commands", "worker"),
    ("core.commands", "backup_commands"),
    ("core.commands", "storage_commands"),
    ("core.web.commands", "database_commands"),
]

# Who listens to which news: (event class, handler), as "module:name" pairs.
SUBSCRIPTIONS: list[tuple[str, str]] = [
    ("accounts.sessions:LoggedIn", "shop.views.cart:bring_guest_cart"),
    ("accounts.sessions:LoggedIn", "shop.views.saved:bring_guest_list"),
    ("catalog.barcodes:NumberReplaced", "traceability.known_gtins:on_replaced"),
    ("catalog.arrivals:GoodsArrived", "shop.season_calls:on_arrival"),
    ("traceability.keeping:LotsLinked", "traceability.recalls:spread"),
    ("traceability.recalls:LotsStopped", "shop.recalls:on_stopped"),
    ("traceability.recalls:LotsStopped", "livestream.feeds.jobs:on_lots"),
    ("traceability.recalls:LotsFreed", "livestream.feeds.jobs:on_lots"),
    ("shop.moves:PartMoved", "shop.promotions:follow"),
    ("shop.moves:PartMoved", "shop.ledger:follow"),
    ("shop.moves:PartMoved", "shop.messages:on_move"),
    ("shop.moves:PartMoved", "shop.return_answers:on_paid_back"),
    ("shop.moves:PartMoved", "shop.completion:open_claim_window"),
    ("shop.moves:PartMoved", "shop.shipments:on_move"),
    ("shop.moves:PartMoved", "shop.payments.card_payments:close_ended"),
]

# Which function does which kind of background work.
TASKS: dict[str, str] = {
    "labels.draw": "traceability.labels.drawing:run",
    "goods.import": "catalog.goods_sheets.work:run",
    "log.sign": "traceability.checkpoints:run",
    "lots.tell": "traceability.told_lots:run",
    "log.older_lines": "traceability.older_lines:run",
    "mail.send": "core.mail:send",
    "bank.forget_statement": "shop.payments.bank_batches:forget_statement",
    "bank.refetch": "shop.payments.bank_refetch:refetch",
    "bank.register": "shop.payments.bank_refetch:register",
    "order.message": "shop.messages:send",
    "pictures.make": "catalog.pictures:make",
    "papers.remind": "catalog.paper_reminders:send",
    "payments.ask_after": "shop.payments.card_payments:ask_after",
    "payments.close_page": "shop.payments.card_payments:close_page",
    "payments.refund": "shop.payments.gateway_refunds:send",
    "carriers.create": "shop.carriage:create",
    "carriers.cancel": "shop.carriage:cancel",
    "carriers.track": "shop.carriage:track",
    "recall.tell": "shop.recalls:tell_buyers",
    "season.confirm": "shop.season_calls:ask_to_confirm",
    "season.tell": "shop.season_calls:tell",
    "feeds.build": "livestream.feeds.jobs:build",
}

# Who answers which outside service: provider in the address → function of a Call.
WEBHOOKS: dict[str, str] = {
    "casso": "shop.payments.bank_inbox:hear_casso",
    "ghn": "shop.carriage:hear_ghn",
    "payos": "shop.payments.bank_inbox:hear_payos",
    "sepay": "shop.payments.bank_inbox:hear_sepay",
    "stripe": "shop.payments.gateway_news:hear_stripe",
    "vnpay": "shop.payments.gateway_news:hear_vnpay",
}

# What runs by the clock: name, seconds between runs, function.
SCHEDULES: list[tuple[str, int, str]] = [
    (mark("sign the log"), 60, "traceability.checkpoints:ask_to_sign"),
    (mark("take older diary lines into the log"), 3_600, "traceability.older_lines:ask"),
    (mark("forget who scanned"), 3_600, "traceability.scan_counts:forget_old"),
    (mark("forget names kept long enough"), 86_400, "shop.personal:forget_old"),
    (mark("forget unfinished selling files"), 86_400, "catalog.own_data:forget_old"),
    (mark("forget ended log-ins"), 3_600, "accounts.standing:forget_ended"),
    (mark("forget finished tasks"), 86_400, "core.tasks:forget_finished"),
    (mark("catch lost messages of the bank"), 21_600, "shop.payments.bank_refetch:ask_all"),
    (mark("end unpaid orders"), 60, "shop.cancellations:expire_due"),
    (mark("begin and end sales"), 60, "catalog.sales:follow_the_clock"),
    (mark("remind of papers that run out"), 21_600, "catalog.paper_reminders:remind_due"),
    (mark("close delivered orders"), 600, "shop.completion:complete_due"),
    (mark("ask carriers about silent parcels"), 3_600, "shop.carriage:ask_about_silent"),
    (mark("forget what carriers said of fees"), 3_600, "shop.carrier_fees:forget_old"),
    (mark("forget what guests saved"), 86_400, "shop.later:forget_old"),
    (mark("forget visits long past"), 86_400, "shop.visits:forget_old"),
    (mark("forget deleted addresses"), 86_400, "shop.addresses:forget_deleted"),
    (mark("close refused returns"), 3_600, "shop.return_answers:close_due"),
    (mark("remind producers of orders"), 300, "shop.messages:remind_due"),
    (mark("let late claims go"), 30, "livestream.claims:expire_claims"),
    (mark("build every feed"), 3_600, "livestream.feeds.jobs:ask_for_all"),
    (mark("build feeds on a new day"), 60, "livestream.feeds.jobs:ask_on_new_day"),
    (mark("ask after silent payments"), 300, "shop.payments.card_payments:ask_for_silent"),
    (mark("end unanswered orders"), 300, "shop.cancellations:time_out_due"),
    (mark("prove stock, money and orders"), 86_400, "shop.commands:prove_nightly"),
]

# Entries of the producer's desk: endpoint, English label, icon. In the order they are shown.
DASHBOARD: list[tuple[str, str, str]] = [
    ("desk_orders.inbox", mark("Orders"), "don"),
    ("desk_goods.index", mark("Goods"), "gio"),
    ("desk_store.index", mark("Store"), "cua-hang"),
    ("desk_delivery.ways", mark("Delivery"), "xe"),
    ("desk_cod.index", mark("Cash on delivery"), "tien"),
    ("desk_lots.index", mark("Lot diary"), "so"),
    ("desk_labels.index", mark("Labels"), "in"),
    ("desk_boards.index", mark("Posters and cards"), "in"),
    ("desk_scans.index", mark("Scans"), "quet"),
    ("desk_codes.links", mark("Pages behind codes"), "ra"),
    ("desk_codes.numbers", mark("Places and cartons"), "ghim"),
    ("desk_recalls.index", mark("Recalls"), "canh-bao"),
    ("desk_shows.index", mark("Live shows"), "live"),
    ("desk_returns.index", mark("Returns"), "lam-lai"),
    ("desk_visits.index", mark("Visitors"), "lich"),
    ("desk_complaints.index", mark("Complaints"), "chuong"),
    ("desk_reviews.index", mark("Reviews"), "sao"),
    ("desk_sets.index", mark("Gift sets"), "don"),
    ("desk_seasons.index", mark("Waiting for new goods"), "lich"),
    ("desk_feeds.index", mark("Catalogue for Facebook"), "lien-ket"),
    ("desk_prices.index", mark("Prices"), "sua"),
    ("desk_vouchers.index", mark("Vouchers"), "tin"),
    ("desk_account.statement", mark("Account with the shop"), "bieu-do"),
    ("desk.papers", mark("Papers"), "giay"),
    ("joining.file", mark("Selling file"), "khien"),
    ("desk.bank", mark("Bank account"), "tien"),
    ("desk_bank.index", mark("Money on the account"), "tien"),
    ("desk_connections.index", mark("Connections"), "lien-ket"),
    ("desk.acts", mark("Acts"), "so"),
]

# Who tells a producer what waits: (session, producer id) → duties, the most urgent floor first.
DUTIES: list[str] = [
    "shop.recalls:tell_duties",
    "catalog.paper_reminders:tell_duties",
    "traceability.problem_reports:tell_duties",
    "traceability.scan_flags:tell_duties",
    "shop.inbox:tell_duties",
    "catalog.publishing:tell_duties",
    "shop.parcel_desk:tell_duties",
    "shop.payments.bank_desk:tell_duties",
    "shop.return_answers:tell_duties",
    "shop.complaints:tell_duties",
    "shop.season_calls:tell_duties",
    "shop.visits:tell_duties",
]

# Who tells what is on soon at a village or maker: (session, producer ids, now) → news.
PLACE_NEWS: list[str] = [
    "livestream.next_shows:tell",
]

# What the shop tells a person of themselves: (session, user id) → headings and what stands there.
TELLERS: list[str] = [
    "accounts.own_data:tell",
    "catalog.own_data:tell",
    "traceability.own_data:tell",
    "shop.personal:tell",
]

# Who takes a person's name out of what each floor keeps; the account itself goes last.
ERASERS: list[str] = [
    "shop.personal:erase",
    "catalog.own_data:erase",
    "traceability.own_data:erase",
    "accounts.own_data:erase",
]

# How long what is kept, as the privacy page shows it: what, and the constant that decides.
RETENTION: list[tuple[str, str]] = [
    (mark("Name, phone and address on orders"), "shop.personal:ORDERS_KEPT"),
    (mark("Who complained, and their words"), "shop.personal:COMPLAINTS_KEPT"),
    (mark("Selling files that were never sent"), "catalog.own_data:DRAFTS_KEPT"),
    (mark("What guests saved for later"), "shop.later:GUEST_DAYS"),
    (mark("Log-ins"), "accounts.sessions:LONGEST"),
    (mark("Deleted addresses"), "shop.addresses:UNDO_FOR"),
    (mark("Letters that were sent"), "core.tasks:KEPT"),
    (mark("That somebody scanned a code today"), "traceability.scan_counts:DAYS_KEPT"),
]

# What `flask audit` proves: session → faults, in the order they are told.
AUDITS: list[str] = [
    "traceability.proving:find_faults",
    "shop.audit:find_faults",
    "shop.bank_audit:find_faults",
    "shop.parcel_audit:find_faults",
    "shop.gateway_audit:find_faults",
    "shop.ledger_audit:find_faults",
    "shop.aftersale_audit:find_faults",
    "livestream.audit:find_faults",
]

# Entries of the staff pages: endpoint, English label, icon.
STAFF: list[tuple[str, str, str]] = [
    ("staff.home", mark("At a glance"), "nha"),
    ("staff_orders.waiting", mark("What waits for staff"), "chuong"),
    ("staff_orders.index", mark("All orders"), "don"),
    ("staff_joining.index", mark("Who asks to sell"), "giay"),
    ("staff.places_to_sell", mark("Producers"), "cua-hang"),
    ("staff.helpers", mark("Helpers"), "khien"),
    ("staff_returns.index", mark("Returns to decide"), "lam-lai"),
    ("staff_complaints.queue", mark("Complaints"), "chuong"),
    ("staff_goods.index", mark("Goods to look at"), "anh"),
    ("staff_papers.index", mark("Papers to check"), "giay"),
    ("staff_recalls.all_cases", mark("Recalls"), "canh-bao"),
    ("staff_reviews.index", mark("Reviews to check"), "sao"),
    ("staff_sets.index_of_staff", mark("Gift sets"), "don"),
    ("staff_villages.index", mark("Villages"), "ghim"),
    ("staff_delivery.index", mark("Delivery"), "xe"),
    ("staff_accounts.people", mark("Accounts"), "nguoi"),
    ("staff_accounts.acts", mark("Acts"), "so"),
    ("staff_bank.operator", mark("Money on the accounts"), "tien"),
    ("staff_ledger.index", mark("Producers' accounts"), "bieu-do"),
    ("staff_vouchers.of_shop", mark("Vouchers"), "tin"),
    ("staff_connections.operator", mark("Connections"), "lien-ket"),
    ("staff_messages.index", mark("Messages of services"), "giay"),
    ("staff_proofs.index", mark("Proof of stock and money"), "khien"),
    ("staff_book.index", mark("Transparency log"), "so"),
    ("staff_scans.index", mark("Scans and reports"), "quet"),
    ("tasks.index", mark("Background work"), "dong-ho"),
]

# Where a role goes after logging in, unless it came from a page: role → endpoint.
LANDINGS: dict[str, str] = {
    "producer": "desk.index",
    "helper": "desk.index",
    "staff": "staff.home",
}

# Named places in lower floors' pages that upper floors fill: slot → template to include.
SLOTS: dict[str, list[str]] = {
    "account.home": ["catalog/_account_home.html", "shop/_account_home.html"],
    "desk.product": ["livestream/_product_preview.html"],
    "desk.home": ["shop/desk/_day.html"],
    "staff.home": ["shop/_staff_home.html"],
}


def create_app(settings: Settings | None = None) -> Flask:
    """Return the shop, ready to serve; `settings` are read from the environment by default."""
    if settings is None:
        settings = load()
        # Made on the first start, so that whoever backs the shop up finds it.
        log_keys.verifiers(settings)
    load_tables()
    logs.configure(settings.LOG_LEVEL)
    app = Flask(__name__, static_folder=None)
    app.config.update(
        SETTINGS=settings,
        SECRET_KEY=settings.SECRET_KEY,
        SECRET_KEY_FALLBACKS=list(settings.SECRET_KEY_FALLBACKS),
        MAX_CONTENT_LENGTH=1024 * 1024,
        MAX_FORM_MEMORY_SIZE=256 * 1024,
        MAX_FORM_PARTS=200,
        # Links are built from PUBLIC_URL, never from Host; a foreign Host is refused besides.
        TRUSTED_HOSTS=[urlsplit(settings.PUBLIC_URL).hostname or "", "127.0.0.1", "localhost"],
        SESSION_COOKIE_NAME="__Host-bao" if settings.https else "bao",
        SESSION_COOKIE_SECURE=settings.https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
    )
    app.extensions["database"] = Database(settings.DATABASE_URL)
    app.extensions["storage"] = storage_for(settings)
    app.extensions["tasks"] = {kind: named(path) for kind, path in TASKS.items()}
    app.extensions["webhooks"] = {service: named(path) for service, path in WEBHOOKS.items()}
    app.extensions["schedules"] = [(name, every, named(path)) for name, every, path in SCHEDULES]
    app.extensions["dashboard"] = DASHBOARD
    app.extensions["duties"] = [named(path) for path in DUTIES]
    app.extensions["place_news"] = [named(path) for path in PLACE_NEWS]
    app.extensions["audits"] = [named(path) for path in AUDITS]
    app.extensions["tellers"] = [named(path) for path in TELLERS]
    app.extensions["erasers"] = [named(path) for path in ERASERS]
    app.extensions["retention"] = [(what, _days(named(path))) for what, path in RETENTION]
    app.extensions["staff"] = STAFF
    app.extensions["landings"] = LANDINGS
    app.extensions["slots"] = SLOTS
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    events.subscribe((named(news), named(handler)) for news, handler in SUBSCRIPTIONS)
    request_log.install(app)
    page_cache.install(app)
    metrics.install(app)
    uploads.install(app)
    assets.install(app)
    locale.install(app)
    edge.install(app)
    requests.install(app)
    security.install(app)
    compression.install(app)
    login.install(app)
    for module, name in BLUEPRINTS:
        app.register_blueprint(named(f"{module}:{name}"))
    for module, name in COMMANDS:
        app.cli.add_command(named(f"{module}:{name}"))
    if settings.TRUSTED_PROXIES:
        hops = settings.TRUSTED_PROXIES
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app


def load_tables() -> None:
    """Import every module that declares tables."""
    for module in TABLES:
        importlib.import_module(module)


def _days(kept: timedelta | int) -> int:
    return kept.days if isinstance(kept, timedelta) else kept


def named(path: str) -> Any:
    """Return what "module:name" names; a wrong name in a table stops the start."""
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)
