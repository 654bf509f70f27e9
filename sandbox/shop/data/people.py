"""Who works at the salon, and the accounts that a visitor of the demonstration can use."""

from dataclasses import dataclass
from datetime import time

#: One password for all accounts of the demonstration.
PASSWORD = "petale-demo"


@dataclass(frozen=True)
class Person:
    email: str
    first_name: str
    last_name: str


@dataclass(frozen=True)
class Stylist:
    """``shelves`` are the categories of services offered; ``hours`` run by Django's weekday, Sunday being 0."""

    person: Person
    shelves: tuple[str, ...]
    hours: dict[int, tuple[time, time]]


OWNER = Person("owner@example.com", "Hélène", "Pétale")
EDITOR = Person("editor@example.com", "Sofia", "Renard")
GOLD = Person("gold@example.com", "Margaux", "Delacroix")
BRONZE = Person("bronze@example.com", "Lucas", "Bernard")
NEW = Person("new@example.com", "Nina", "Petit")

DAY, LATE = (time(9), time(18)), (time(10), time(20))

STYLISTS = [
    Stylist(
        Person("camille@example.com", "Camille", "Laurent"),
        ("cut-and-style", "colour", "treatments"),
        {2: DAY, 3: DAY, 4: LATE, 5: DAY, 6: DAY},
    ),
    Stylist(
        Person("theo@example.com", "Théo", "Garnier"),
        ("cut-and-style", "colour"),
        {1: DAY, 2: LATE, 4: DAY, 5: LATE, 6: DAY},
    ),
    Stylist(
        Person("ines@example.com", "Inès", "Moreau"),
        ("beauty", "treatments"),
        {1: DAY, 2: DAY, 3: DAY, 4: LATE, 6: DAY},
    ),
]
