"""A record that somebody else deletes while a test uses it is no finding: the request is sent with another one."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from contracts.exchange import Exchange, Request, Response
from fixtures.corpus import EFFORTS, Corpus, corpus
from fixtures.target_api import Api
from fixtures.targets import Target
from suites.generic.http_conformance import check_accepted, findings_of

URL = "http://127.0.0.1:9"
SETTINGS = {"TOKEN": "x", "OTHER_TOKEN": "y", "ORGANIZATION_ID": "52"}


class Server:
    """Lists these workspaces in turn, the last ones from then on, and refuses to show any that is in `refused`."""

    def __init__(self, lists: list[list[int]], refused: set[int]) -> None:
        self._lists: Iterator[list[int]] = iter(lists)
        self._listed: list[int] = []
        self.refused = refused
        self.shown: list[int] = []

    def send(self, request: Request) -> Exchange:
        name = request.url.partition("?")[0].rpartition("/")[2]
        if name == "workspaces":
            self._listed = next(self._lists, self._listed)
            return reply(request, 200, {"workspaces": [{"id": number} for number in self._listed]})
        self.shown.append(int(name))
        return reply(request, 404 if int(name) in self.refused else 200, {})


def reply(request: Request, status: int, content: object) -> Exchange:
    return Exchange(request, Response(status, (), json.dumps(content).encode()))


def refusals(server: Server) -> int:
    """How many findings say that a documented request for a workspace was refused."""
    api = Api(Target("getflow", URL, SETTINGS, writes=True, embedded=True), server, run="1")
    cases: Corpus = corpus("getflow", EFFORTS["quick"], 0)
    operation = api.contract.find("getWorkspace", 0)
    findings = findings_of(api, operation, [cases.minimal(operation)], check_accepted)
    return sum(finding.expected == "a valid request is accepted" for finding, _ in findings)


@pytest.mark.parametrize(
    ("lists", "refused", "shown", "expected"),
    [
        ([[7], [8]], {7}, [7, 8], 0),
        ([[7], [7, 8]], {7}, [7], 1),
        ([[7], [8]], {7, 8}, [7, 8], 1),
        ([[7], []], {7}, [7], 1),
    ],
    ids=["deleted by somebody else", "listed and refused", "any is refused", "nothing is listed any more"],
)
def test_a_refusal_is_a_finding_unless_the_record_is_gone(
    lists: list[list[int]], refused: set[int], shown: list[int], expected: int
) -> None:
    server = Server(lists, refused)
    assert (refusals(server), server.shown) == (expected, shown)
