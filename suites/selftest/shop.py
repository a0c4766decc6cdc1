"""The contract of a small API of our own, for tests of the code that reads contracts and judges by them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from contracts.exchange import Exchange, Request, Response
from contracts.openapi import Contract, from_document

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Shop", "version": "1"},
    "servers": [{"url": "/", "x-headers": {"Accept": "application/json"}}, {"url": "/v2"}],
    "security": [{"key": []}],
    "paths": {
        "/goods": {
            "get": {
                "operationId": "listGoods",
                "tags": ["goods"],
                "x-clauses": ["GETFLOW-PAGE-1"],
                "parameters": [
                    {
                        "in": "query",
                        "name": "shop_id",
                        "required": True,
                        "schema": {"$ref": "#/components/schemas/ShopId"},
                    },
                    {
                        "in": "query",
                        "name": "limit",
                        "schema": {"type": "integer", "minimum": 1, "maximum": 100},
                        "example": 30,
                    },
                ],
                "responses": {
                    "200": {
                        "description": "goods",
                        "headers": {
                            "Link": {"required": True, "schema": {"type": "string"}, "x-clause": "GETFLOW-PAGE-6"}
                        },
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Goods"}}},
                    },
                    "4XX": {"$ref": "#/components/responses/Refused"},
                },
            },
            "post": {
                "operationId": "createGood",
                "tags": ["goods"],
                "x-clauses": ["GETFLOW-CT-2"],
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {"$ref": "#/components/schemas/NewGood"},
                            "example": {"good": {"name": "Åsa", "shop_id": 1}},
                        }
                    },
                },
                "responses": {
                    "2XX": {
                        "description": "created",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Goods"}}},
                    },
                    "4XX": {"$ref": "#/components/responses/Refused"},
                },
            },
        }
    },
    "components": {
        "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        "responses": {
            "Refused": {
                "description": "refused",
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}},
            }
        },
        "schemas": {
            "ShopId": {
                "type": "integer",
                "minimum": 1,
                "maximum": 1000,
                "example": 52,
                "x-known": {"setting": "shop_id"},
            },
            "Goods": {
                "type": "object",
                "required": ["goods"],
                "properties": {
                    "goods": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["id"],
                            "properties": {"id": {"type": "integer", "x-clause": "GETFLOW-NAME-3"}},
                        },
                    }
                },
            },
            "NewGood": {
                "type": "object",
                "required": ["good"],
                "properties": {
                    "good": {
                        "type": "object",
                        "required": ["name", "shop_id"],
                        "properties": {
                            "name": {"type": "string", "minLength": 1, "maxLength": 20},
                            "shop_id": {"$ref": "#/components/schemas/ShopId"},
                            "sold_on": {"type": "string", "format": "date"},
                        },
                    }
                },
            },
            "Refusal": {
                "type": "object",
                "required": ["errors"],
                "properties": {
                    "errors": {"type": "array", "minItems": 1, "items": {"type": "object"}, "x-clause": "GETFLOW-ERR-5"}
                },
            },
        },
    },
    "x-flowproof": {
        "error": {"refused": {"status": "4XX"}, "code": "/errors/*/code", "attribute": "/errors/*/attribute"},
        "refusals": {
            "missing": {"status": ["400"], "code": ["missing_param"], "attribute": "name", "clause": "GETFLOW-ERR-10"},
            "empty": {"status": ["4XX"], "code": ["missing_param"], "attribute": "name", "clause": "GETFLOW-ERR-18"},
            "wrong_type": {
                "status": ["4XX"],
                "code": ["invalid_attribute"],
                "attribute": "name",
                "clause": "GETFLOW-ERR-11",
            },
            "unknown": {"status": ["4XX"], "clause": "GETFLOW-ERR-9", "accepted": {"GETFLOW-AMB-6": "ignored"}},
            "out_of_range": {"unstated": "GETFLOW-AMB-15"},
            "too_large": {"not_applicable": "the shop accepts bodies of any size"},
            **{
                kind: {"status": ["4XX"], "clause": "GETFLOW-ERR-2"}
                for kind in (
                    *("not_in_enum", "bad_format", "unknown_record", "malformed_body", "not_utf8", "not_an_object"),
                    *("wrong_media_type", "no_media_type", "no_body", "no_credentials", "wrong_credentials"),
                    *("empty_credentials", "unknown_method", "unknown_path", "wrong_accept"),
                )
            },
        },
    },
}


def shop(change: Callable[[dict[str, Any]], None] | None = None) -> Contract:
    """The shop's contract, with `change` made to a copy of its document."""
    document = copy.deepcopy(DOCUMENT)
    if change:
        change(document)
    return from_document("getflow", document)


def exchange(
    status: int = 200, body: Any = None, headers: dict[str, str] | None = None, method: str = "GET"
) -> Exchange:
    """An exchange with this response; `body` becomes JSON unless it is bytes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = Request(method, "http://127.0.0.1/goods?shop_id=1", (("Authorization", "Bearer s3cret"),))
    response_headers = {"content-type": "application/json", **(headers or {})}
    return Exchange(request, Response(status, tuple(response_headers.items()), content))


def query(request: Request) -> dict[str, list[str]]:
    """The names and values of a request's query."""
    return parse_qs(urlsplit(request.url).query, keep_blank_values=True)
