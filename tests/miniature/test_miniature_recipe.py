"""The recipe's parts: plans, solver, problems, documents, teacher, choice, estimator."""

from __future__ import annotations

import random
import re
from itertools import pairwise

import pytest

from backend.verifiers.expression import ExpressionVerifier, evaluate
from backend.verifiers.protocol import Task
from sample_data.recipe import (
    choice,
    config,
    countdown,
    distill,
    documents,
    paths,
    problems,
    solver,
    table,
    tokenizer,
)

CONFIG = config.load()
TASK = CONFIG.task
VERIFIER = ExpressionVerifier()


@pytest.fixture(scope="module")
def benchmark():
    return problems.benchmark(CONFIG)


@pytest.fixture(scope="module")
def forbidden(benchmark):
    return {p.key for p in (*benchmark[0], *benchmark[1])}


@pytest.fixture(scope="module")
def texts(forbidden):
    return list(documents.documents(CONFIG, 0, forbidden))


def test_an_unknown_or_missing_key_of_the_configuration_is_named(tmp_path):
    text = config.CONFIG_PATH.read_text(encoding="utf-8")
    path = tmp_path / "config.toml"
    path.write_text(text.replace("retry = 0.5", "retries = 0.5"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"DocumentsConfig wants exactly.*retry.*got.*retries"):
        config.load(path)


@pytest.mark.parametrize("plan", TASK.plans)
@pytest.mark.parametrize("count", [3, 4, 5])
def test_plans_make_what_they_promise(plan, count):
    rng = random.Random(f"{plan}{count}")
    assert bool(countdown.shapes(plan, count)) == (plan != "pairs" or count >= 4)
    for _ in range(50 if countdown.shapes(plan, count) else 0):
        numbers, target, hidden = countdown.draw_problem(rng, count, plan, TASK)
        text = countdown.infix(hidden)
        value, used = evaluate(text)
        assert (value, sorted(used)) == (target, sorted(numbers))
        assert TASK.smallest_target <= target <= TASK.largest_target
        ops = re.findall(r"[-+*/]", text)
        assert len(ops) == count - 1
        assert ops.count("/") == (plan == "quotients")
        assert plan != "sums" or set(ops) <= {"+", "-"}
        assert plan in countdown.plans_solving(numbers, target, TASK)


def test_a_path_reads_as_in_the_documentation():
    first = ("-", ("*", 8, 3), 3)
    second = ("+", ("+", 3, 8), 3)
    assert countdown.try_line("products", first, 21, 14) == "Try products: 8 * 3 = 24, 24 - 3 = 21. 21 is not 14.\n"
    assert countdown.try_line("sums", second, 14, 14) == "Try sums: 3 + 8 = 11, 11 + 3 = 14. 14 is 14.\n"
    assert countdown.answer_line(second) == "Answer: \\boxed{ ( 3 + 8 ) + 3 }"


def test_the_solver_finds_every_plan_and_only_solutions():
    rng = random.Random(5)
    for _ in range(30):
        count = rng.choice([3, 4])
        numbers, target, hidden = countdown.draw_problem(rng, count, countdown.draw_plan(rng, count, TASK), TASK)
        found = solver.solutions(numbers, target, TASK.largest_intermediate)
        assert found
        for expression in found:
            value, used = evaluate(countdown.infix(expression))
            assert (value, sorted(used)) == (target, sorted(numbers))
        least = min(map(solver.rare_steps, found))
        for solutions in countdown.plans_solving(numbers, target, TASK).values():
            assert all(solver.rare_steps(expression) >= least for expression in solutions)
        assert solver.rare_steps(hidden) >= least


def test_the_solver_knows_when_there_is_none():
    assert solver.solutions((1, 1, 1), 50, 100) == []


def test_the_benchmark_has_the_promised_mixture(benchmark):
    for found, sizes in zip(benchmark, ((150, 25, 25), (75, 13, 12)), strict=True):
        kinds = [p.kind for p in found]
        assert tuple(kinds.count(kind) for kind in ("usual", "five", "rare")) == sizes
        for problem in found:
            assert problem.level == ("usual" if problem.kind == "usual" else "harder")
            assert len(problem.numbers) in {"usual": (3, 4), "five": (5,), "rare": (4,)}[problem.kind]
            assert problem.kind != "rare" or problem.rare_steps >= 2
            judged = VERIFIER.judge(Task(f"\\boxed{{{problem.reference}}}", "stop", problem.statement))
            assert judged.verdict == "correct"
            assert problems.from_json(problem.to_json()) == problem


@pytest.mark.parametrize("seed", [0, 1])
def test_all_sets_of_problems_are_disjoint(benchmark, forbidden, seed):
    heldout, development = ({p.key for p in part} for part in benchmark)
    assert (len(heldout), len(development)) == (200, 100)
    assert not heldout & development
    rl, teacher = ({countdown.key(*p) for p in part} for part in problems.training(CONFIG, seed, forbidden))
    assert (len(rl), len(teacher)) == (CONFIG.problems.rl, CONFIG.problems.distill)
    assert not rl & teacher
    assert not (rl | teacher) & forbidden


def test_no_document_is_about_a_heldout_or_development_problem(texts, forbidden):
    assert len(texts) == CONFIG.documents.count
    for key, text in texts:
        assert key not in forbidden
        numbers, target = re.match(r"Numbers:([ 0-9]+)\. Target: ([0-9]+)\.\n", text).groups()
        assert countdown.key(tuple(map(int, numbers.split())), int(target)) == key


def test_the_documents_have_the_promised_shares(texts):
    tries = [text.count("Try ") for _, text in texts]
    assert set(tries) == {1, 2, 3}
    hits = sum("I stop here" not in text for _, text in texts) / len(texts)
    assert 0.55 < hits < 0.62  # 0.556, and some random expressions that hit by luck
    for _, text in texts[:500]:
        judged = VERIFIER.judge(Task(text, "stop", text.split("\n")[0]))
        assert judged.verdict == ("wrong" if "I stop here" in text else "correct")
        for line in text.split("\n"):
            results = re.findall(r"= ([0-9]+)", line)
            assert all(0 <= int(result) <= TASK.largest_intermediate for result in results)


def test_documents_repeat_for_a_seed_and_differ_between_seeds(texts, forbidden):
    def beginning(seed):
        made = documents.documents(CONFIG, seed, forbidden)
        return [next(made) for _ in range(50)]

    assert beginning(0) == texts[:50]
    assert beginning(1) != texts[:50]


def test_the_teacher_never_misses(forbidden):
    _, teacher = problems.training(CONFIG, 0, forbidden)
    taught = distill.teach(CONFIG, teacher[:200], 0)
    plans = set()
    for text in taught:
        assert VERIFIER.judge(Task(text, "stop", text.split("\n")[0])).verdict == "correct"
        assert text.count("Try ") == 1
        plans.add(re.search(r"Try ([a-z]+)", text)[1])
    assert plans == set(TASK.plans)


def test_the_tokenizer_round_trips_every_document(texts):
    pytest.importorskip("transformers", reason="transformers is not installed")
    words = tokenizer.build(256)
    assert len(words) == len(tokenizer.vocabulary())
    part = [text for _, text in texts[:3000]]
    for text, ids in zip(part, words(part)["input_ids"], strict=True):
        assert words.decode(ids, skip_special_tokens=True) == text
        assert words.unk_token_id not in ids
        assert len(ids) + 1 <= CONFIG.model.max_position_embeddings


def test_a_path_is_read_for_its_first_plan_and_false_steps():
    path = "Try sums: 3 + 8 = 12, 12 + 3 = 15. 15 is not 14.\nTry pairs: 8 / 2 = 4. 4 is 4.\nAnswer: \\boxed{ 8 / 2 }"
    assert paths.first_plan(path) == "sums"
    assert paths.sound(path)
    assert not paths.sound(path.partition("\n")[0])
    assert not paths.sound("Try sums: 8 / 0 = 1. 1 is 1.")
    assert not paths.sound(" \\boxed{ 8 / 2 }")
    assert paths.first_plan(" \\boxed{ 8 / 2 }") is None


def test_the_first_of_equal_candidates_is_chosen():
    assert choice.best({"5e-05": 0.2, "0.0001": 0.3, "0.0002": 0.3}) == "0.0001"


def test_pass_at_k_by_hand():
    counts = {"a": [4, 0], "b": [4, 1], "c": [4, 4]}
    assert table.pass_at(counts, 1) == pytest.approx(100 * (0 + 0.25 + 1) / 3)
    assert table.pass_at(counts, 2) == pytest.approx(100 * (0 + 0.5 + 1) / 3)
    assert table.pass_at(counts, 4) == pytest.approx(200 / 3)
    assert table.pass_at(counts, 8) is None
    curve = [table.pass_at({"a": [256, 3]}, k) for k in table.KS]
    assert all(first <= second for first, second in pairwise(curve))


def test_solve_sets_and_crossing_by_hand():
    base = {"a": [4, 1], "b": [4, 1], "c": [4, 1], "d": [4, 0]}
    other = {"a": [4, 4], "b": [4, 0], "c": [4, 0], "d": [4, 0]}
    assert table.solve_sets(base, other) == (1, 2, 0, 1)
    assert table.crossing(base, other) == "1 and 2"
    assert table.crossing(other, base) == "before 1"
    assert table.between(f"x\n{table.BEGIN}\na\nb\n{table.END}\n") == "a\nb\n"
    with pytest.raises(ValueError, match="no <!--"):
        table.between("no markers")
