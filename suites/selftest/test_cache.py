"""Cases kept on disk: they save time and change nothing, whatever becomes of the file."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest

import contracts
from contracts.document import contract
from contracts.operation import Operation
from fixtures.cases import Case, likeness
from fixtures.corpus import EFFORTS, Corpus
from fixtures.corpus import store as on_disk
from fixtures.corpus.mutations import mutated
from fixtures.corpus.store import KEPT, Store, key_of
from suites.selftest.shop import shop

ROOT = Path(__file__).parents[2]
QUICK = EFFORTS["quick"]
KEY = "0" * 64
Kept = tuple[str, Path, list[list[Case]]]

WITHOUT_GENERATORS = """
import sys
from pathlib import Path
from contracts.document import contract
from fixtures.corpus import EFFORTS, Corpus
from fixtures.corpus.mutations import mutated
from fixtures.corpus.store import Store, key_of
quick = EFFORTS["quick"]
ours = Corpus(contract("flowback"), quick, 0, Store(Path(sys.argv[1]), "flowback", key_of("flowback", quick, 0)))
print(sum(len(kind(one)) for one in ours.contract.operations.values() for kind in (ours.valid, ours.boundaries)))
print(sum(len(mutated(ours, one)) for one in ours.contract.operations.values()))
print({"schemathesis", "hypothesis"} & set(sys.modules) or "no generator")
"""


def everything(corpus: Corpus) -> list[list[Case]]:
    """All cases, by operation and kind."""
    kinds: Sequence[Callable[[Operation], list[Case]]] = (corpus.examples, corpus.boundaries, corpus.valid)
    operations = corpus.contract.operations.values()
    return [[*kind(one)] for one in operations for kind in (*kinds, lambda one: mutated(corpus, one))]


def kept(folder: Path, key: str = KEY) -> Corpus:
    return Corpus(shop(), QUICK, 0, Store(folder, "shop", key))


def file_of(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


@pytest.fixture(scope="module")
def plain() -> list[list[Case]]:
    """The shop's cases as they are made without a store."""
    return everything(Corpus(shop(), QUICK, 0))


@pytest.fixture(scope="module", params=contracts.apis())
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """An API, where its cases are kept, and the cases as they were made."""
    where = tmp_path_factory.mktemp("kept")
    return request.param, where, everything(Corpus(contract(request.param), QUICK, 0, Store(where, request.param, KEY)))


def test_cases_from_disk_are_those_that_were_made_in_the_same_order(folder: Kept) -> None:
    api, where, made = folder
    assert everything(Corpus(contract(api), QUICK, 0, Store(where, api, KEY))) == made


def test_no_valid_request_of_an_operation_is_made_twice(folder: Kept) -> None:
    api, where, _ = folder
    ours = Corpus(contract(api), QUICK, 0, Store(where, api, KEY))
    for operation in ours.contract.operations.values():
        valid = [*ours.examples(operation), *ours.boundaries(operation), *ours.valid(operation)]
        texts = [likeness(operation, case) for case in valid]
        assert sorted(texts) == sorted(set(texts)), operation


def test_cases_are_the_same_without_a_store(tmp_path: Path, plain: list[list[Case]]) -> None:
    assert everything(kept(tmp_path)) == plain


def test_cases_do_not_depend_on_what_else_is_imported(tmp_path: Path) -> None:
    script = "import sys; sys.argv[2:] and __import__('fixtures.reference.flowback'); exec(sys.argv[1])"
    program = """
from contracts.document import contract
from fixtures.corpus import EFFORTS, Corpus
ours = Corpus(contract("flowback"), EFFORTS["default"], 0)
print([case for one in ours.contract.operations.values() for case in ours.valid(one)])
"""
    said = [run("-c", script, program, *more, cwd=tmp_path) for more in ([], ["reference"])]
    assert said[0] == said[1]


def run(*arguments: str, cwd: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_second_start_imports_no_generator(tmp_path: Path) -> None:
    first, second = (run("-c", WITHOUT_GENERATORS, str(tmp_path / "kept"), cwd=tmp_path).splitlines() for _ in range(2))
    assert first[:2] == second[:2]
    assert first[2] != "no generator"
    assert second[2] == "no generator"


def test_second_time_nothing_is_written(tmp_path: Path) -> None:
    everything(kept(tmp_path))
    before = file_of(tmp_path).read_bytes()
    everything(kept(tmp_path))
    assert file_of(tmp_path).read_bytes() == before


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:0],
        lambda data: data[: len(data) // 2],
        lambda data: data[len(data) // 2 :],
        lambda data: data.replace(b"limit", b"timil"),
        lambda data: data.replace(b"\t", b"\xff"),
        lambda data: bytes(len(data)),
        lambda data: data[:1] + b"1\tvalid\tGET /goods\t[]",
    ],
    ids=["empty", "first half", "second half", "changed", "other bytes", "zeros", "foreign"],
)
def test_spoilt_file_is_made_anew(spoil: Callable[[bytes], bytes], tmp_path: Path, plain: list[list[Case]]) -> None:
    everything(kept(tmp_path))
    path = file_of(tmp_path)
    path.write_bytes(spoil(path.read_bytes()))
    assert everything(kept(tmp_path)) == plain
    healed = path.read_bytes()
    assert everything(kept(tmp_path)) == plain
    assert path.read_bytes() == healed, "what was made anew is kept"


def test_lines_of_another_key_do_not_count(tmp_path: Path) -> None:
    operation = shop().operations["GET /goods"]
    mine, other = Store(tmp_path, "shop", KEY), Store(tmp_path, "shop", KEY[:-1] + "1")
    other.write("valid", operation.label, [])
    assert mine.path == other.path
    assert mine.read("valid", operation.label) is None
    assert other.read("valid", operation.label) == []


def test_folder_that_cannot_be_written_is_no_error(tmp_path: Path, plain: list[list[Case]]) -> None:
    (tmp_path / "file").write_text("in the way")
    assert everything(kept(tmp_path / "file")) == plain


def test_many_may_write_at_once(tmp_path: Path, plain: list[list[Case]]) -> None:
    together, kinds = Barrier(4), ("one", "two", "three", "four", "five")

    def write(writer: int) -> None:
        store = Store(tmp_path, "shop", KEY)
        together.wait(30)
        for kind in kinds:
            for number, cases in enumerate(plain):
                store.write(f"{kind} by {writer}", str(number), cases)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    store = Store(tmp_path, "shop", KEY)
    written = [[replace(case, operation=str(number)) for case in cases] for number, cases in enumerate(plain)]
    for name in (f"{kind} by {writer}" for kind in kinds for writer in range(4)):
        assert [store.read(name, str(number)) for number in range(len(plain))] == written


def test_old_files_of_the_same_api_go_first(tmp_path: Path) -> None:
    for number in range(KEPT + 5):
        path = tmp_path / f"shop-{number:016}.tsv"
        path.touch()
        os.utime(path, (number, number))
    (tmp_path / "shoe-0.tsv").touch()
    Store(tmp_path, "shop", KEY[::-1].replace("0", "f")).write("valid", "GET /goods", [])
    left = sorted(path.name for path in tmp_path.glob("shop-*"))
    assert len(left) == KEPT
    assert left[0] == f"shop-{6:016}.tsv"
    assert (tmp_path / "shoe-0.tsv").exists()


def test_key_depends_on_effort_and_seed() -> None:
    keys = {key_of("flowback", effort, seed) for effort in EFFORTS.values() for seed in (0, 1)}
    assert len(keys) == 2 * len(EFFORTS)


@pytest.mark.parametrize("name", on_disk.MAKERS)
def test_key_depends_on_the_versions_of_the_generators(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = key_of("flowback", QUICK, 0)
    real = on_disk.version
    monkeypatch.setattr(on_disk, "version", lambda one: "0" if one == name else real(one))
    assert key_of("flowback", QUICK, 0) != before


def test_key_depends_on_the_documents_and_on_our_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    documents = [f"contracts/flowback/{name}.yaml" for name in ("openapi", "asyncapi", "schemas")]
    deciding = [*documents, "fixtures/corpus/make.py", "fixtures/cases.py"]
    for path in deciding:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(path)
    monkeypatch.setattr(on_disk, "ROOT", tmp_path)
    monkeypatch.setattr(contracts, "HERE", tmp_path / "contracts")
    keys = [key_of("flowback", QUICK, 0)]
    for path in deciding:
        (tmp_path / path).write_text("changed")
        keys.append(key_of("flowback", QUICK, 0))
    assert len(set(keys)) == len(keys)


def test_same_broken_request_is_made_twice_only_for_two_promises() -> None:
    ours = Corpus(shop(), QUICK, 0)
    for operation in ours.contract.operations.values():
        cases = mutated(ours, operation)
        broken = [
            (likeness(operation, case), case.mutation and (case.mutation.kind, case.mutation.name)) for case in cases
        ]
        assert len(broken) == len(set(broken))
