"""A logged-in connection: sends requests, retries what may be retried, sorts what went wrong.

simple-salesforce keeps the address and the headers of the session; requests go through it with
a session of ours. Nothing is sent before the first call, not even a login.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import msgspec
import requests
import stamina
import stamina.instrumentation
from crosswalk.errors import FatalError, RetryLaterError, UnknownOutcomeError

from salesforce_client.auth import Login, Token, log_in
from salesforce_client.budget import DailyBudget
from salesforce_client.errors import RequestRefusedError, vendor_errors
from salesforce_client.transport import MeteredSession, ServerTimes, server_times

if TYPE_CHECKING:
    from simple_salesforce.api import Salesforce

API_VERSION: Final = "62.0"
CLIENT_NAME: Final = "sweo"
READ_ATTEMPTS: Final = 6
# Neither has sent a byte of the request, so even a write may count as not done.
_NOT_SENT: Final = (requests.exceptions.ConnectTimeout, requests.exceptions.SSLError)

# Where structlog is installed stamina would print its notes to stdout, which carries the records.
stamina.instrumentation.set_on_retry_hooks([stamina.instrumentation.LoggingOnRetryHook])


class NotSentError(RetryLaterError):
    """The request never left: the host is unreachable."""


class _BrokenAnswerError(RetryLaterError):
    """A read whose answer was lost on the way; it may be asked again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in 2xx. ``body`` is decoded JSON, or None where the answer is empty or CSV."""

    status: int
    body: Any
    content: bytes
    headers: Mapping[str, str]
    times: ServerTimes


class Connection:
    """One org, one session.

    ``calls`` counts data API calls. ``limit_calls`` (of this run) and ``budget`` (of the day), None
    for no limit, end the run with ``RetryLaterError`` before a call that would exceed them.
    """

    def __init__(
        self,
        login: Login,
        *,
        api_version: str = API_VERSION,
        limit_calls: int | None = None,
        budget: DailyBudget | None = None,
        session: MeteredSession | None = None,
    ) -> None:
        self.api_version = api_version.removeprefix("v")
        self.session = session or MeteredSession()
        self.limit_calls = limit_calls
        self.budget = budget
        self._login = login
        self._token: Token | None = None
        self._salesforce: Salesforce | None = None

    @property
    def calls(self) -> int:
        """Data API calls so far, logins apart."""
        return self.session.calls

    @property
    def data_path(self) -> str:
        """``/services/data/v62.0``: what subrequests of a composite start with."""
        return f"/services/data/v{self.api_version}"

    @property
    def org_id(self) -> str:
        """The org's id of 18 characters; costs a call only where no token tells it."""
        token = self._token or self._open()
        if token.org_id is None:
            row = self.read("query", params={"q": "SELECT Id FROM Organization"}).body
            token = Token(token.access_token, token.instance_url, row["records"][0]["Id"])
            self._token = token
        assert token.org_id is not None  # noqa: S101 - set just above
        return token.org_id

    def server_now(self) -> datetime:
        """The server's time now; where nothing has been asked yet, it is asked for.

        Raises:
            FatalError: the login is refused.
            RetryLaterError: Salesforce does not answer.
        """
        token = self._token or self._open()
        if not self.session.knows_time:
            try:
                self.session.learn_time(token.instance_url)
            except requests.RequestException as error:
                raise RetryLaterError(
                    f"Salesforce is unreachable ({type(error).__name__}); check instance_url."
                ) from None
        return self.session.server_now()

    def read(
        self,
        path: str,
        *,
        method: str = "GET",
        params: Mapping[str, str] | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        inspect: Callable[[Answer], None] | None = None,
    ) -> Answer:
        """Send a request that changes nothing; transient trouble is retried with backoff.

        ``path`` is relative to the version's root, or starts with ``/services/``. ``inspect``
        may raise ``RequestRefusedError`` for an answer that is good only on its face.

        Raises:
            RequestRefusedError: an answer outside 2xx that waiting does not mend.
            RetryLaterError: the trouble outlasted the retries.
            FatalError: the login is refused.
        """
        send = partial(self._send, method, path, params=params, body=body, headers=headers)
        try:
            for attempt in stamina.retry_context(
                on=_is_transient, attempts=READ_ATTEMPTS, timeout=180, wait_max=20.0
            ):
                with attempt:
                    answer = send()
                    if inspect:
                        inspect(answer)
                    return answer
        except RequestRefusedError as refusal:
            if refusal.transient:
                raise refusal.sorted() from None
            raise
        except requests.exceptions.SSLError as error:
            raise FatalError(
                "The certificate of the Salesforce host is not trusted; check REQUESTS_CA_BUNDLE."
            ) from error
        except requests.RequestException as error:
            raise RetryLaterError(
                f"Salesforce is unreachable ({type(error).__name__}); check instance_url."
            ) from None
        raise AssertionError  # pragma: no cover - the loop returns or raises

    def write(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request that changes something, exactly once.

        Raises:
            RequestRefusedError: an answer outside 2xx; see its ``not_applied``.
            NotSentError: the host is unreachable, nothing was sent.
            UnknownOutcomeError: the answer was lost; the write may or may not have happened.
        """
        try:
            return self._send(method, path, body=body, content=content, headers=headers)
        except _NOT_SENT as error:
            raise NotSentError(
                f"Salesforce is unreachable ({type(error).__name__}); nothing was sent."
            ) from None
        except (requests.RequestException, _BrokenAnswerError) as error:
            if _never_connected(error):
                raise NotSentError("Salesforce is unreachable; nothing was sent.") from None
            raise UnknownOutcomeError(
                "The answer to a write was lost; whether it happened is looked up first."
            ) from None
        except RequestRefusedError as refusal:
            if refusal.not_applied:
                raise
            raise UnknownOutcomeError(
                f"A write was answered {refusal.status}; whether it happened is looked up first."
            ) from None

    def _send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        self._spend()
        response = self._request(method, path, params, body, content, headers)
        answer = _answer_of(response)
        if isinstance(answer, RequestRefusedError) and answer.code == "INVALID_SESSION_ID":
            # 401 means that nothing was done, so that even a write may be sent again.
            self._open(renew=True)
            answer = _answer_of(self._request(method, path, params, body, content, headers))
            if isinstance(answer, RequestRefusedError) and answer.code == "INVALID_SESSION_ID":
                raise FatalError(
                    "Salesforce ends every session at once; check the app's session policy."
                )
        if isinstance(answer, RequestRefusedError):
            raise answer
        return answer

    def _spend(self) -> None:
        if self.limit_calls is not None and self.session.calls >= self.limit_calls:
            raise RetryLaterError(
                f"This run has used its {self.limit_calls} Salesforce calls; the next goes on."
            )
        if self.budget is not None:
            self.budget.check(self.session.calls, self.session.usage)

    def _request(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None,
        body: object,
        content: bytes | None,
        headers: Mapping[str, str] | None,
    ) -> requests.Response:
        if self._salesforce is None:
            self._open()
        salesforce = self._salesforce
        assert salesforce is not None  # noqa: S101 - made by _open
        root = salesforce.base_url
        if path.startswith("/"):
            root = root[: root.index("/services/")]
        data = content if content is not None else body and msgspec.json.encode(body)
        return self.session.request(
            method,
            root + path,
            params=params,
            data=data or None,
            headers={**salesforce.headers, **(headers or {})},
        )

    def _open(self, *, renew: bool = False) -> Token:
        from simple_salesforce.api import Salesforce  # loads zeep: half a second, only when used

        if self._login.ready and not renew:
            token = self._login.ready.token()
        else:
            token = log_in(self.session, self._login)
        salesforce = Salesforce(
            session_id=token.access_token,
            instance_url=token.instance_url,
            version=self.api_version,
            session=self.session,
        )
        # simple-salesforce drops the scheme; an org on this machine may speak plain http.
        salesforce.base_url = f"{token.instance_url}{self.data_path}/"
        salesforce.headers["Sforce-Call-Options"] = f"client={CLIENT_NAME}"
        self._token, self._salesforce = token, salesforce
        return token


def _answer_of(response: requests.Response) -> Answer | RequestRefusedError:
    body: object = None
    if response.content and "json" in response.headers.get("Content-Type", "json"):
        try:
            body = msgspec.json.decode(response.content)
        except msgspec.DecodeError:
            if response.ok:
                raise _BrokenAnswerError("Salesforce's answer was cut short.") from None
    if 200 <= response.status_code < 300:
        return Answer(
            response.status_code, body, response.content, response.headers, server_times(response)
        )
    return RequestRefusedError(
        response.status_code, vendor_errors(body), response.headers.get("X-SFDC-Request-Id")
    )


def _is_transient(error: Exception) -> bool:
    if isinstance(error, RequestRefusedError):
        return error.transient
    if isinstance(error, requests.exceptions.SSLError):
        return False
    return isinstance(error, (requests.RequestException, _BrokenAnswerError))


def _never_connected(error: Exception) -> bool:
    """Whether urllib3 failed before it had a connection, so that no byte left."""
    from urllib3.exceptions import MaxRetryError, NameResolutionError, NewConnectionError

    reason: object = error.args[0] if error.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    return isinstance(reason, (NewConnectionError, NameResolutionError))
