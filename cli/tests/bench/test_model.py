"""The arithmetic on what was measured."""

from __future__ import annotations

import pytest

from cli.tests.bench.support import load, report, result
from titanium.bench.model import LIMIT, Growth, Load, Report, Result, Round, median, percentile

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 1), (0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100)]
)
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(share: float, expected: int) -> None:
    assert percentile(list(range(100, 0, -1)), share) == expected


def test_the_median_of_an_even_number_was_really_measured() -> None:
    assert median([4.0, 1.0, 3.0, 2.0]) == 2.0


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_refused_requests_do_not_count_as_work_done() -> None:
    seen = Load(requests=100, seconds=2.0, p50=1, p95=2, p99=3, refused=40, broken=7)
    assert seen.rate == 30.0
    assert seen.errors == 47


def test_a_measurement_that_ended_at_once_has_no_rate() -> None:
    assert Load(10, 0.0, 1, 1, 1).rate == 0.0


def test_the_round_in_the_middle_speaks_for_a_step_and_the_errors_are_all_rounds() -> None:
    rounds = (Round(load(10)), Round(load(30, refused=2)), Round(load(20, broken=1)))
    step = Result("step", "", rounds)
    assert step.rate == 20.0
    assert step.errors == 3


def test_each_round_is_compared_with_the_limit_around_it() -> None:
    """A machine that halves its pace halves both, and the share stays."""
    rounds = [
        Round(load(rate), ceilings={LIMIT: limit})
        for rate, limit in [(500, 1000), (100, 250), (2000, 3000)]
    ]
    assert Result("step", "", tuple(rounds)).share(LIMIT) == 0.5


def test_a_step_without_its_ceiling_has_no_share() -> None:
    assert Result("step", "", (Round(load(10)),)).share(LIMIT) is None
    assert Result("step", "", (Round(load(10), ceilings={LIMIT: 0.0}),)).share(LIMIT) is None
    assert Report({}).share("step") is None


def test_the_busiest_moment_is_the_one_with_the_most_memory() -> None:
    assert Report({}).busiest is None
    found = report().busiest
    assert found is not None
    assert found.proportional == 800_000_000
    assert found.resident == 1_600_000_000


def test_growth_says_how_many_times_as_long() -> None:
    assert Growth(1, 10, few_ms=2.0, many_ms=3.0).ratio == 1.5


def test_the_limit_is_all_of_itself() -> None:
    assert result(LIMIT, 10_000).share(LIMIT) == 1.0
