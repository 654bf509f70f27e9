"""Worlds that go wrong on purpose.

A seed makes a small shop with its customers, staff, background work, mail, Stripe and thieves, and lets them do things
in an order that depends on the seed alone; some of what they do is killed half way, told twice or answered by nobody.
After each step seven things must hold (:mod:`tests.simulation.invariants`). A seed that fails is printed, and does the
same again each time it is asked for.

    python -m tests.simulation --seeds 1000          many worlds, over all cores
    python -m tests.simulation --seed 4711           one, step by step
"""
