"""What the platform serves, as an OpenAPI 3.1 document: for generating clients, and for tests of every call."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aiohttp import web
from pydantic import BaseModel, JsonValue
from pydantic.json_schema import models_json_schema

from fiksmelding._version import __version__
from fiksmelding.simulator.answers import (
    AccountAnswer,
    Answer,
    BydelAnswer,
    DocumentMetadata,
    EncryptionKeys,
    ErrorAnswer,
    KommuneAnswer,
    OAuthError,
    PublicKey,
    QueueStatus,
    SentAnswer,
    StatusAnswer,
    Submitted,
    TokenAnswer,
)
from fiksmelding.simulator.exchange import SendMetadata
from fiksmelding.simulator.http.oauth import ISSUER_PATH

__all__ = ["OPENAPI_PATH", "OpenApiRoutes", "openapi_document"]

OPENAPI_PATH = "/openapi.json"
REFERENCE = "#/components/schemas/{model}"
ONLY_IN_V2 = frozenset({"stottetVersjon", "gyldig"})
V1_MODELS = frozenset({"BydelAnswer", "EncryptionKey", "EncryptionKeys", "KommuneAnswer"})

Json = dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    path: str
    summary: str
    answer: type[Answer] | None
    many: bool = False
    status: int = 200
    open: bool = False
    query: tuple[tuple[str, str], ...] = ()
    multipart: tuple[tuple[str, type[BaseModel] | None, bool], ...] = ()
    refusals: tuple[int, ...] = (400, 404)


CATALOG = "/fiks-io/katalog/api/v1"
ACCOUNT = f"{CATALOG}/kontoer/{{kontoId}}"
DOCUMENT = "/dokumentlager/nedlasting/{dokumentId}"
LOOKUP = (
    ("identifikator", r"^[A-Z_]+\.[0-9]+$"),
    ("meldingProtokoll", "."),
    ("sikkerhetsniva", "^[1-4]$"),
)
FIKS_CALLS = (
    _Call("get", f"{CATALOG}/lookup", "Finn en konto", AccountAnswer, query=LOOKUP),
    _Call("get", ACCOUNT, "En konto", AccountAnswer),
    _Call("get", f"{ACCOUNT}/offentligNokkel", "Kontoens offentlige nøkkel", PublicKey, open=True),
    _Call("get", f"{ACCOUNT}/status", "Konsumenter og meldinger som venter", QueueStatus),
    _Call(
        "post",
        "/fiks-io/api/v1/send",
        "Send en melding",
        SentAnswer,
        multipart=(("metadata", SendMetadata, True), ("data", None, False)),
        refusals=(400, 403),
    ),
    _Call("get", DOCUMENT, "Last ned et dokument", None, refusals=(400, 403, 404)),
    _Call("get", f"{DOCUMENT}/metadata", "Metadata for et dokument", DocumentMetadata, refusals=(400, 403, 404)),
)


def _reporting_calls(version: str) -> Iterable[_Call]:
    base = f"/bekymringsmelding/api/{version}"
    kommune, receiving = f"{base}/kommuner/{{kommunenummer}}", f"{base}/mottak/fagsystem"
    copies = (("bekymringsmelding", None, True), ("asice", None, True))
    yield _Call("get", f"{base}/kommuner", "Alle kommuner", KommuneAnswer, many=True, refusals=())
    yield _Call("get", kommune, "En kommune", KommuneAnswer)
    yield _Call("get", f"{kommune}/bydeler", "Kommunens bydeler", BydelAnswer, many=True)
    yield _Call("get", f"{kommune}/bydeler/{{bydelsnummer}}", "En bydel", BydelAnswer)
    district = "{kommunenummer}/{bydelsnummer}"
    yield _Call("get", f"{receiving}/{district}/krypteringsnokler", "Nøkler å kryptere for", EncryptionKeys)
    for kind in ("privat", "offentlig"):
        yield _Call(
            "post",
            f"{receiving}/{{fraFiksOrgId}}/{district}/{kind}",
            f"Send inn en {kind} bekymringsmelding",
            Submitted,
            status=201,
            multipart=copies,
            refusals=(400, 403, 404, 413),
        )
    status = f"{receiving}/{{fraFiksOrgId}}/bekymringsmelding/{{id}}/status"
    yield _Call(
        "get", status, "Tilstandene til en bekymringsmelding", StatusAnswer, many=True, refusals=(400, 403, 404)
    )


def openapi_document(api_url: str) -> Json:
    """The document.

    Args:
        api_url: The platform's own URL.
    """
    calls = [*FIKS_CALLS, *_reporting_calls("v1"), *_reporting_calls("v2")]
    paths: dict[str, Json] = {f"{ISSUER_PATH}token": {"post": _token_call()}}
    for call in calls:
        paths.setdefault(call.path, {})[call.method] = _describe(call)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Fiks-plattformen, simulert", "version": __version__},
        "servers": [{"url": api_url}],
        "paths": {path: methods for path, methods in paths.items()},  # noqa: C416 - widens the values' type
        "components": {"schemas": _schemas(calls), "securitySchemes": _security()},
    }


def _describe(call: _Call) -> Json:
    refusals = {*call.refusals, *(() if call.open else (401,))}
    described: Json = {
        "summary": call.summary,
        "parameters": [*_path_parameters(call.path), *[_parameter(name, "query", shape) for name, shape in call.query]],
        "responses": {
            str(call.status): {"description": "I orden", "content": _content(call)},
            **{str(status): _refusal() for status in sorted(refusals)},
        },
        "security": [] if call.open else [{"token": [], "integrasjonId": [], "integrasjonPassord": []}],
    }
    if call.multipart:
        described["requestBody"] = {"required": True, "content": {"multipart/form-data": {"schema": _parts(call)}}}
    return described


def _token_call() -> Json:
    form: Json = {
        "type": "object",
        "required": ["grant_type", "assertion"],
        "properties": {"grant_type": {"type": "string"}, "assertion": {"type": "string"}},
    }
    return {
        "summary": "Hent et token (Maskinporten)",
        "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": form}}},
        "responses": {
            "200": {"description": "Et token", "content": _json({"$ref": _reference("TokenAnswer")})},
            "400": {"description": "Avvist", "content": _json({"$ref": _reference("OAuthError")})},
        },
        "security": [],
    }


def _content(call: _Call) -> Json:
    if call.answer is None:
        return {"application/octet-stream": {"schema": {}}}
    older = "/api/v1/" in call.path and call.answer.__name__ in V1_MODELS
    schema: Json = {"$ref": _reference(f"{call.answer.__name__}V1" if older else call.answer.__name__)}
    return _json({"type": "array", "items": schema} if call.many else schema)


def _parts(call: _Call) -> Json:
    return {
        "type": "object",
        "required": [name for name, _, required in call.multipart if required],
        "properties": {
            name: {"$ref": _reference(model.__name__)} if model else {"type": "string", "format": "binary"}
            for name, model, _ in call.multipart
        },
    }


def _path_parameters(path: str) -> list[JsonValue]:
    shapes = {"kommunenummer": r"^\d{4}$", "bydelsnummer": r"^\d{2}$"}
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [_parameter(name, "path", shapes.get(name)) for name in names]


def _parameter(name: str, place: str, shape: str | None) -> Json:
    schema: Json = {"type": "string", "pattern": shape} if shape else {"type": "string", "format": "uuid"}
    return {"name": name, "in": place, "required": True, "schema": schema}


def _refusal() -> Json:
    return {"description": "Avvist", "content": _json({"$ref": _reference("ErrorAnswer")})}


def _json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


def _reference(model: str) -> str:
    return REFERENCE.format(model=model)


def _schemas(calls: Iterable[_Call]) -> Json:
    answers: set[type[BaseModel]] = {ErrorAnswer, OAuthError, TokenAnswer}
    answers |= {call.answer for call in calls if call.answer}
    ordered = sorted(answers, key=lambda model: model.__name__)
    _, told = models_json_schema([(model, "serialization") for model in ordered], ref_template=REFERENCE)
    _, asked = models_json_schema([(SendMetadata, "validation")], ref_template=REFERENCE)
    schemas: Json = {**told["$defs"], **asked["$defs"]}
    return {**schemas, **{f"{name}V1": _older(schemas[name]) for name in V1_MODELS}}


def _older(value: JsonValue) -> JsonValue:
    """A schema as version 1 of the bekymringsmelding API has it."""
    if isinstance(value, Mapping):
        return {name: _older(inner) for name, inner in value.items() if name not in ONLY_IN_V2}
    if isinstance(value, list):
        return [_older(inner) for inner in value if inner not in ONLY_IN_V2]
    is_newer = isinstance(value, str) and value.rpartition("/")[2] in V1_MODELS and value.startswith("#")
    return f"{value}V1" if is_newer else value


def _security() -> Json:
    return {
        "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "integrasjonId": {"type": "apiKey", "in": "header", "name": "IntegrasjonId"},
        "integrasjonPassord": {"type": "apiKey", "in": "header", "name": "IntegrasjonPassord"},
    }


class OpenApiRoutes:
    """Serves the document.

    Args:
        api_url: The platform's own URL.
    """

    def __init__(self, api_url: str) -> None:
        self._document = openapi_document(api_url)

    def routes(self) -> Iterable[web.RouteDef]:
        """What is served."""
        yield web.get(OPENAPI_PATH, self._get)

    async def _get(self, _: web.Request) -> web.Response:
        return web.json_response(self._document)
