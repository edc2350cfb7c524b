"""Every night the services are asked for the last days: a message that was lost is caught.

Only connections that hold a key for asking are asked.
"""

from datetime import date, datetime, timedelta

from core import outgoing, tasks
from core.clock import vietnam_day
from core.db import Database
from core.tasks import Hopeless, Work
from shop import connections
from shop.connections import Connection, ConnectionState
from shop.payments import bank_batches, casso, payos, sepay
from shop.payments.notices import BankRow

DAYS = 3
SECONDS = 20.0
MOST_BYTES = 10_000_000
OK = 200
KEYS = {"sepay": "api_token", "casso": "api_key"}


def ask_all(database: Database, now: datetime) -> None:
    """Leave a task for every open connection that can be asked; one a day for each."""
    day = vietnam_day(now).isoformat()
    with database.transaction() as session:
        for connection in connections.list_of_providers(session, sorted(KEYS)):
            tasks.enqueue(
                session,
                "bank.refetch",
                {"connection_id": connection.id},
                now=now,
                key=f"bank.refetch:{connection.id}:{day}",
            )


def refetch(work: Work) -> None:
    """Ask one service for its movements of the last days and take those we have not seen."""
    with work.database.reading() as session:
        connection = session.get(Connection, work.payload["connection_id"])
    if connection is None or connection.state is not ConnectionState.OPEN:
        return
    secrets = (work.settings.SECRET_KEY, *work.settings.SECRET_KEY_FALLBACKS)
    key = connections.credentials(connection, secrets).get(KEYS[connection.provider])
    base = {
        "sepay": work.settings.SEPAY_API_BASE,
        "casso": work.settings.CASSO_API_BASE,
    }[connection.provider]
    if not key:
        return
    until = vietnam_day(work.clock())
    since = until - timedelta(days=DAYS)
    ask = _ask_sepay if connection.provider == sepay.PROVIDER else _ask_casso
    rows = ask(base, key, since, until)
    bank_batches.take_all(work.database, rows, producer_id=connection.producer_id, now=work.clock())


def register(work: Work) -> None:
    """Tell payOS where to call, with the keys its customer gave for it; without them, do nothing.

    payOS tries the address at once and refuses one that does not answer.
    """
    with work.database.reading() as session:
        connection = session.get(Connection, work.payload["connection_id"])
    if connection is None or connection.state is not ConnectionState.OPEN:
        return
    secrets = (work.settings.SECRET_KEY, *work.settings.SECRET_KEY_FALLBACKS)
    keys = connections.credentials(connection, secrets)
    token = connections.token_of(connection, secrets)
    if not token or not keys.get("client_id") or not keys.get("api_key"):
        return
    answer = outgoing.request(
        "payos register", "POST", work.settings.PAYOS_API_BASE + payos.REGISTER_PATH,
        headers={"x-client-id": keys["client_id"], "x-api-key": keys["api_key"]},
        json={"webhookUrl": f"{work.settings.PUBLIC_URL}/webhooks/{payos.PROVIDER}/{token}"},
        seconds=SECONDS,
    )  # fmt: skip
    if answer.status != OK or payos.refusal(answer.json()) is not None:
        raise Hopeless(f"payOS does not take the address (status {answer.status})")


def _ask_sepay(base: str, key: str, since: date, until: date) -> list[BankRow]:
    headers = {"Authorization": f"Bearer {key}"}
    answer = _get("sepay", base + sepay.LIST_PATH, headers, sepay.list_query(since, until))
    return list(sepay.rows_listed(answer))


def _ask_casso(base: str, key: str, since: date, until: date) -> list[BankRow]:
    headers = {"Authorization": f"Apikey {key}"}
    rows: list[BankRow] = []
    page = pages = 1
    while page <= pages:
        query = casso.list_query(since, until, page=page)
        answer = _get("casso", base + casso.LIST_PATH, headers, query)
        rows += casso.rows_listed(answer)
        pages = casso.pages_of(answer)
        page += 1
    return rows


def _get(service: str, url: str, headers: dict[str, str], query: dict[str, str]) -> object:
    answer = outgoing.request(
        f"{service} list", "GET", url,
        headers=headers, params=query, seconds=SECONDS, most_bytes=MOST_BYTES,
    )  # fmt: skip
    if answer.status in {401, 403}:
        raise Hopeless(f"{service} does not accept the key of this connection")
    if answer.status != OK:
        raise outgoing.NoAnswer(service, f"answered {answer.status}")
    found: object = answer.json()
    return found
