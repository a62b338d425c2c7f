"""The SOAP call ``login``, which many clients still open their session with.

Nothing else of SOAP is here. From version 65.0 on the vendor offers it no more.
"""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from .web import Request, Response

if TYPE_CHECKING:
    from .org import Org

PATH = re.compile(r"^(?:/\.salesforce\.com)?/services/soap/([uc])/(\d{1,3}\.\d)(?:/\w+)?/?$", re.I)
_LAST_VERSION = 64.0
_XML = "text/xml;charset=UTF-8"
_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"


def login(org: Org, request: Request) -> Response:
    """``POST /services/Soap/u/59.0`` with a ``login`` element: a session, or a fault with 500."""
    found = PATH.match(request.path)
    kind, version = (found[1].lower(), found[2]) if found else ("u", "62.0")
    namespace = "urn:partner.soap.sforce.com" if kind == "u" else "urn:enterprise.soap.sforce.com"
    if float(version) > _LAST_VERSION:
        return _fault(
            "UNSUPPORTED_API_VERSION",
            "SOAP API login() is not supported in this API version. Use an OAuth flow.",
        )
    if b"<!DOCTYPE" in request.body or b"<!ENTITY" in request.body:
        return _fault("INVALID_SOAP_HEADER", "A document type declaration is not allowed")
    try:
        envelope = ElementTree.fromstring(request.body)  # noqa: S314 - no declarations get here
    except (ElementTree.ParseError, ValueError):
        return _fault("INVALID_SOAP_HEADER", "The envelope is not well-formed XML")
    call = envelope.find(f"{{{_SOAP}}}Body/{{{namespace}}}login")
    if call is None:
        return _fault("INVALID_OPERATION", "Only login is answered here")
    username = call.findtext(f"{{{namespace}}}username", "")
    password = call.findtext(f"{{{namespace}}}password", "")
    user_id = org.user_named(username)
    if user_id is None or not _opens(org, username, password):
        return _fault(
            "INVALID_LOGIN",
            "Invalid username, password, security token; or user locked out.",
        )
    server = f"{org.settings.instance_url or request.base_url}/services/Soap"
    organization_id = org.organization_id
    values = {
        "metadataServerUrl": f"{server}/m/{version}/{organization_id}",
        "passwordExpired": "false",
        "sandbox": "true",
        "serverUrl": f"{server}/{kind}/{version}/{organization_id[:15]}",
        "sessionId": org.sessions.open(user_id),
        "userId": user_id,
    }
    info = {
        "organizationId": organization_id,
        "organizationName": org.settings.organization_name,
        "sessionSecondsValid": str(org.settings.session_seconds),
        "userId": user_id,
        "userName": username,
        "userEmail": username,
        "userType": "Standard",
    }
    result = _elements(values) + f"<userInfo>{_elements(info)}</userInfo>"
    return _answer(
        f'<loginResponse xmlns="{namespace}"><result>{result}</result></loginResponse>', 200
    )


def _opens(org: Org, username: str, password: str) -> bool:
    settings = org.settings
    if username.lower() != settings.username.lower():
        return False
    # An address in a trusted range needs no security token; loopback is as good.
    right = (settings.password, settings.password + settings.security_token)
    return any(hmac.compare_digest(password.encode(), each.encode()) for each in right)


def _elements(values: dict[str, str]) -> str:
    return "".join(f"<{name}>{escape(text)}</{name}>" for name, text in values.items())


def _fault(code: str, message: str) -> Response:
    text = escape(message)
    return _answer(
        f"<soapenv:Fault><faultcode>sf:{code}</faultcode>"
        f"<faultstring>{code}: {text}</faultstring>"
        '<detail><sf:LoginFault xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        'xsi:type="sf:LoginFault">'
        f"<sf:exceptionCode>{code}</sf:exceptionCode>"
        f"<sf:exceptionMessage>{text}</sf:exceptionMessage>"
        "</sf:LoginFault></detail></soapenv:Fault>",
        500,
    )


def _answer(body: str, status: int) -> Response:
    envelope = (
        f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{_SOAP}" '
        'xmlns:sf="urn:fault.partner.soap.sforce.com">'
        f"<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    )
    return Response(envelope.encode(), status, content_type=_XML)
