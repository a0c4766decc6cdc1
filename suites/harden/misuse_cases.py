"""Misuses of settings and options: what is set, and how the line begins that refuses the run with exit code 2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

LOOPBACK, VENDOR = "http://127.0.0.1:9", "https://flow.example"
A_FILE = __file__  # that holds no certificate
SECRET = "hush"  # a part of every secret
URL_HINT = "expected a URL such as"


@dataclass(frozen=True)
class MisuseCase:
    """`environ` and `options` are those of a run on `api`; the line that refuses it contains `line`.

    runs: in which kinds of run it is refused, contract and load. needs_process: only a real run shows it.
    """

    api: str
    line: str
    environ: Mapping[str, str] = field(default_factory=dict)
    options: Sequence[str] = ()
    runs: frozenset[str] = field(default=frozenset({"contract", "load"}))
    needs_process: bool = False

    def __str__(self) -> str:
        given = [*(f"{name}={value!r}" for name, value in self.environ.items()), *self.options]
        return f"{self.api}: {' '.join(given)}"


def variable(name: str, value: str, line: str) -> MisuseCase:
    """A variable with a value that it cannot have, or with a name that there is not."""
    return MisuseCase(name.partition("_")[0].lower(), f"{name}: {line}", {name: value})


def at_target(url: str, line: str, **environ: str) -> MisuseCase:
    """Settings that are missing, or that cannot be used, at a target with that URL."""
    api = next(iter(environ)).partition("_")[0].lower()
    return MisuseCase(api, line, {f"{api.upper()}_URL": url, **environ})


MISSPELT = [
    variable("GETFLOW_UR", LOOPBACK, "expected a setting of getflow, got an unknown name; the nearest is GETFLOW_URL"),
    variable("getflow_url", LOOPBACK, "expected a setting of getflow, got an unknown name; the nearest is GETFLOW_URL"),
    variable("GETFLOW_TOKN", "x", "expected a setting of getflow, got an unknown name; the nearest is GETFLOW_TOKEN"),
    variable(
        "GETFLOW_READING_99", "x", "expected a setting of getflow, got an unknown name; the nearest is GETFLOW_READ"
    ),
    variable("GETFLOW_SMTP", "127.0.0.1:25", "expected a setting of getflow, got an unknown name"),
    variable("GETFLOW_", "x", "expected a setting of getflow, got an unknown name"),
    variable("BITVIS_HOME", "/opt", "expected a setting of bitvis, got an unknown name"),
    variable(
        "BITVIS_DEEPSTREEM", "x", "expected a setting of bitvis, got an unknown name; the nearest is BITVIS_DEEPST"
    ),
    variable(
        "FLOWAPP_SURVEYID", "1", "expected a setting of flowapp, got an unknown name; the nearest is FLOWAPP_SURVEY"
    ),
    variable(
        "FLOWBACK_USER", "x", "expected a setting of flowback, got an unknown name; the nearest is FLOWBACK_USER_ID"
    ),
]
URLS = [
    variable("GETFLOW_URL", "", f"{URL_HINT} http://127.0.0.1:8000/getflow, got an empty text; unset the variable"),
    variable("BITVIS_URL", " \n", f"{URL_HINT} http://127.0.0.1:8000/bitvis, got an empty text"),
    *(
        variable(f"{api}_URL", url, URL_HINT)
        for api, url in (
            ("GETFLOW", f"{LOOPBACK}?x=1"),
            ("GETFLOW", f"{LOOPBACK}/?"),
            ("GETFLOW", f"{LOOPBACK}/#top"),
            ("FLOWAPP", "http://127.0.0.1:99999"),
            ("FLOWAPP", "http://127.0.0.1:0"),
            ("FLOWAPP", "http://127.0.0.1:"),
            ("FLOWAPP", "http://127.0.0.1:web"),
            ("BITVIS", "http://[::1"),
            ("BITVIS", "http://[127.0.0.1]"),
            ("BITVIS", "http://1.2.3.4.5"),
            ("FLOWBACK", "flow.example"),
            ("FLOWBACK", "ftp://flow.example"),
            ("FLOWBACK", "http:flow.example"),
            ("FLOWBACK", "http:///flow"),
            ("FLOWBACK", "http://flow example"),
            ("FLOWBACK", "http://flöw.example"),
            ("FLOWBACK", "http://flow..example"),
            ("FLOWBACK", "http://flow\n.example"),
        )
    ),
    variable(
        "GETFLOW_URL", "https://jo:hush@flow.example", f"{URL_HINT} http://127.0.0.1:8000/getflow, got 'https://***@"
    ),
    variable(
        "GETFLOW_PROXY", "http://jo:hush@flow.example:3128", f"{URL_HINT} http://127.0.0.1:3128, got 'http://***@"
    ),
    variable("BITVIS_DEEPSTREAM_PROTOCOL", "binary", "expected text or json, got 'binary'"),
    variable("BITVIS_DEEPSTREAM", "http://127.0.0.1:6020", f"{URL_HINT} ws://127.0.0.1:6020/deepstream"),
    variable(
        "BITVIS_DEEPSTREAM", "ws://jo:hush@127.0.0.1:6020", f"{URL_HINT} ws://127.0.0.1:6020/deepstream, got 'ws://*"
    ),
]
VALUES = [
    variable("GETFLOW_ORGANIZATION_ID", "abc", "expected an integer, got 'abc'"),
    variable("GETFLOW_ORGANIZATION_ID", "5\n2", "expected an integer, got '5\\n2' with the character U+000A"),
    variable("GETFLOW_ORGANIZATION_ID", "0", "expected a value as getflow's contract has it (type integer, minimum 1"),
    variable("GETFLOW_LIST_ID", "²", "expected an integer, got '²'"),
    variable("FLOWAPP_PAST_SESSION_TOKEN", "x" * 65, "expected a value as flowapp's contract has it (type string, "),
    variable(
        "GETFLOW_TOKEN", "hush\nhush", "expected visible ASCII characters, as an HTTP header carries them, got the c"
    ),
    variable(
        "FLOWAPP_OTHER_TOKEN", "hüsh-hush", "expected visible ASCII characters, as an HTTP header carries them, got t"
    ),
    variable("BITVIS_PASSWORD", "hush\x1bhush", "expected a text on one line, got the character U+001B"),
    variable("BITVIS_LOGIN", "auth/login", "expected a path below the URL such as /api/auth/auth/login/, got"),
    variable(
        "BITVIS_LOGIN", "https://flow.example/login", "expected a path below the URL such as /api/auth/auth/login/"
    ),
    variable("BITVIS_USERNAME", "jo:doe", "expected a user-id without a colon (RFC 7617, 2), got 'jo:doe'"),
    variable("GETFLOW_READING_15", "clampt", "expected one of clamped, refused, any, got 'clampt'"),
    variable("GETFLOW_READING_15", "", "expected one of clamped, refused, any, got ''"),
    variable("GETFLOW_WRITES", "yes", "expected 0 or 1, got 'yes'"),
    variable("FLOWAPP_RATE", "fast", "expected requests a second, 0 for no limit, got 'fast'"),
    variable("FLOWAPP_RATE", "-1", "expected requests a second, 0 for no limit, got '-1'"),
    variable("FLOWAPP_BUDGET", "0", "expected a number of requests, got '0'"),
    variable(
        "FLOWBACK_CA", "/nowhere.pem", "expected a file of certificates (PEM), got '/nowhere.pem', which cannot be"
    ),
    variable("FLOWBACK_CA", A_FILE, "expected a file of certificates (PEM), got "),
    variable("FLOWBACK_CLIENT_CERT", A_FILE, "expected a file with a certificate and its key (PEM), got "),
    variable("FLOWBACK_SMTP", "localhost", "expected HOST:PORT such as 127.0.0.1:2525, got 'localhost'"),
    variable("FLOWBACK_SMTP", "127.0.0.1:99999", "expected HOST:PORT such as 127.0.0.1:2525, got '127.0.0.1:99999'"),
]
MISSING = [
    at_target(VENDOR, "GETFLOW_TOKEN: expected to be set for https://flow", GETFLOW_ORGANIZATION_ID="1"),
    at_target(
        VENDOR, "GETFLOW_TOKEN: expected to be set for https://flow", GETFLOW_ORGANIZATION_ID="1", GETFLOW_TOKEN=""
    ),
    at_target(VENDOR, "GETFLOW_ORGANIZATION_ID: expected to be set for https://flow", GETFLOW_TOKEN="x"),
    at_target(VENDOR, "BITVIS_TOKEN: expected to be set for https://flow", BITVIS_USERNAME="jo"),
    at_target(VENDOR, "FLOWAPP_TOKEN: expected to be set for https://flow", FLOWAPP_OTHER_TOKEN="x"),
    at_target(VENDOR, "FLOWBACK_TOKEN: expected to be set for https://flow", FLOWBACK_WRITES="0"),
]
OPTIONS = [
    MisuseCase("getflow", line, environ, options, frozenset(runs), needs_process=True)
    for line, environ, options, runs in (
        ("--require-target: expected GETFLOW_URL, got nothing", {}, ["--require-target"], {"contract", "load"}),
        ("--fault: expected API.NAME of a fault; got 'getflow.nope'", {}, ["--fault", "getflow.nope"], {"contract"}),
        (
            "--variant: expected API.NAME of a variant; got 'getflow.nope'",
            {},
            ["--variant", "getflow.nope"],
            {"contract"},
        ),
        ("--fault: expected API.NAME with one of bitvis, ", {}, ["--fault", "getflw.x"], {"contract"}),
        ("unset GETFLOW_URL", {"GETFLOW_URL": LOOPBACK}, ["--fault", "getflow.x"], {"contract"}),
        ("--effort: expected one of quick, default, deep, got 'depe'", {}, ["--effort", "depe"], {"contract"}),
        ("--seed: expected an integer, got 'x'", {}, ["--seed", "x"], {"contract"}),
        ("HYPOTHESIS_PROFILE: ", {"HYPOTHESIS_PROFILE": "nope"}, [], {"contract"}),
        ("LOAD_PERMITED_BY: expected a setting of load runs", {"LOAD_PERMITED_BY": "Jo, 2026-11-22"}, [], {"load"}),
        ("LOAD_PERMITTED_BY: expected a date at most 30", {"LOAD_PERMITTED_BY": "Jo, 2020-02-29"}, [], {"load"}),
    )
]
CASES: Sequence[MisuseCase] = (*MISSPELT, *URLS, *VALUES, *MISSING, *OPTIONS)
HARMLESS: Sequence[Mapping[str, str]] = (
    {"GETFLOW_URL": f" {LOOPBACK}/getflow/\n", "GETFLOW_TOKEN": "x\n", "GETFLOW_ORGANIZATION_ID": "52\n"},
    {"FLOWBACK_URL": "http://[::1]:8000/flowback", "FLOWBACK_SMTP": "[::1]:2526", "FLOWBACK_OTHER_TOKEN": ""},
    {
        "BITVIS_URL": "HTTPS://Flow.Example.",
        "BITVIS_TOKEN": "a b",
        "BITVIS_DEEPSTREAM": "wss://flow.example/deepstream",
    },
    {"GETFLOW_READING_15": " clamped ", "GETFLOW_WRITES": " 0\n"},
    {"HOME": "/", "FLOW_URL": "x", "GETFLOWS_URL": "x", "LOAD_BALANCER": "x"},
)
"""Environments that no run is refused for."""
