"""The rule of budgets: at most one request overshoots, whatever the workers do in whatever order."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tenbin.store.share import Share, give_back, has_room, lease, reserve, settle

COST = st.floats(0.0, 3.0, allow_subnormal=False)
STEP = st.tuples(st.integers(0, 3), st.sampled_from(["ask", "settle", "give back"]), COST)


class Workers:
    """Workers as they act on one budget, everything they know of one another being their grants."""

    def __init__(self, count, budget):
        self.budget = budget
        self.shares = [Share() for _ in range(count)]
        self.open = [[] for _ in range(count)]

    def used(self):
        return sum(share.used for share in self.shares)

    def ask(self, worker, usd):
        share = self.shares[worker]
        if not has_room(share, usd):
            others = sum(other.granted for i, other in enumerate(self.shares) if i != worker)
            leased = lease(share, self.budget, others, usd, len(self.shares))
            self.shares[worker] = give_back(share) if leased is None else leased
            if leased is None:
                return False
        self.shares[worker] = reserve(self.shares[worker], usd)
        self.open[worker].append(usd)
        return True


@settings(max_examples=300)
@given(count=st.integers(1, 4), budget=st.floats(0.1, 20.0), steps=st.lists(STEP, max_size=60))
def test_workers_together_go_beyond_the_budget_by_one_request_at_most(count, budget, steps):
    workers = Workers(count, budget)
    dearest = 0.0
    for which, what, usd in steps:
        worker = which % count
        if what == "ask":
            is_under = workers.used() < budget
            if workers.ask(worker, usd):
                dearest = max(dearest, usd)
                # With others about, one may still use a share that was leased before somebody else went beyond.
                assert is_under or count > 1
        elif what == "settle" and workers.open[worker]:
            reserved = workers.open[worker].pop()
            workers.shares[worker] = settle(workers.shares[worker], reserved, min(usd, reserved))
        elif what == "give back":
            workers.shares[worker] = give_back(workers.shares[worker])
        assert sum(share.granted for share in workers.shares) >= workers.used() - 1e-9
        assert workers.used() <= budget + dearest + 1e-9


@settings(max_examples=100)
@given(budget=st.floats(0.1, 20.0), costs=st.lists(COST, min_size=1, max_size=40))
def test_a_lone_worker_is_refused_only_when_the_budget_is_reached(budget, costs):
    workers = Workers(1, budget)
    for usd in costs:
        is_under = workers.used() < budget
        assert workers.ask(0, usd) == is_under


def test_a_truth_above_the_reserve_counts_for_others_once_shown():
    share = settle(reserve(Share(fence=1.0, granted=1.0), 1.0), 1.0, 4.0)
    assert give_back(share).granted == 4.0
    assert lease(Share(), 4.5, give_back(share).granted, 0.1, 2) is not None
    assert lease(Share(), 4.0, give_back(share).granted, 0.1, 2) is None


def test_a_reserve_is_replaced_by_the_truth_and_never_by_less_than_nothing():
    share = Share(0.5, 2.0, 3.0, 4.0)
    assert settle(share, 0.25, 1.0) == Share(1.25, 2.0, 3.0, 4.0)
    for reserved in (0.5, 0.5 + 1e-12):  # what rounding may have left
        assert settle(share, reserved, 0.0) == Share(0.0, 2.0, 3.0, 4.0)


def test_half_of_an_equal_part_is_leased_where_others_share():
    leased = lease(Share(), 8.0, 0.0, 0.5, 2)
    assert (leased.fence, leased.granted, leased.offline_fence) == (2.0, 2.0, 4.0)
    assert lease(Share(), 8.0, 0.0, 0.5, 1).fence == 2.0  # a new version may be about to take over from it
