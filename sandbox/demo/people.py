"""The customers of the demo: who they are, how often they come and what for. Data only, the same for the same seed."""

from dataclasses import dataclass
from random import Random
from unicodedata import normalize

from sandbox.shop.data import people as known

FIRST_NAMES = [
    "Camille", "Léa", "Manon", "Chloé", "Inès", "Jade", "Louise", "Emma", "Alice", "Lina", "Rose", "Anna", "Mila",
    "Zoé", "Juliette", "Agathe", "Jeanne", "Clara", "Sarah", "Eva", "Nour", "Yasmine", "Aïcha", "Fatou", "Mei",
    "Sophie", "Nathalie", "Isabelle", "Catherine", "Sylvie", "Monique", "Brigitte", "Véronique", "Claire", "Hélène",
    "Élodie", "Aurélie", "Marion", "Pauline", "Charlotte", "Lucie", "Mathilde", "Amandine", "Céline", "Sandrine",
]  # fmt: skip
MEN = [
    "Hugo", "Louis", "Gabriel", "Jules", "Arthur", "Adam", "Raphaël", "Paul", "Nathan", "Tom", "Karim", "Mehdi",
    "Antoine", "Nicolas", "Julien", "Thomas", "Pierre", "François", "Olivier", "Mamadou",
]  # fmt: skip
LAST_NAMES = [
    "Martin", "Bernard", "Dubois", "Thomas", "Robert", "Richard", "Petit", "Durand", "Leroy", "Moreau", "Simon",
    "Laurent", "Lefebvre", "Michel", "Garcia", "David", "Bertrand", "Roux", "Vincent", "Fournier", "Morel", "Girard",
    "André", "Lefèvre", "Mercier", "Dupont", "Lambert", "Bonnet", "François", "Martinez", "Legrand", "Garnier",
    "Faure", "Rousseau", "Blanc", "Guérin", "Muller", "Henry", "Roussel", "Nicolas", "Perrin", "Morin", "Mathieu",
    "Clément", "Gauthier", "Dumont", "Lopez", "Fontaine", "Chevalier", "Robin", "Masson", "Sanchez", "Gérard",
    "Nguyen", "Boyer", "Denis", "Lemaire", "Duval", "Joly", "Gautier", "Roger", "Roche", "Roy", "Noël", "Meyer",
    "Lucas", "Meunier", "Jean", "Perez", "Marchand", "Dufour", "Blanchard", "Marie", "Barbier", "Brun", "Dumas",
    "Brunet", "Schmitt", "Leroux", "Colas", "Diallo", "Benali", "Haddad", "Traoré", "Kowalski", "Da Silva",
]  # fmt: skip


@dataclass(frozen=True)
class Habit:
    """``share`` of the customers come every ``weeks`` weeks, and shop at the chance ``shops`` after a visit.

    ``web`` is how many orders a year they place besides; ``stays`` for how many visits they stay at most.
    """

    name: str
    share: float
    weeks: float
    shops: float
    web: float
    stays: int = 99


HABITS = [
    Habit("loyal", 0.20, 4.5, 0.45, 4.0),
    Habit("regular", 0.34, 8.0, 0.30, 2.0),
    Habit("occasional", 0.26, 16.0, 0.20, 1.0),
    Habit("passing", 0.12, 6.0, 0.10, 0.3, stays=2),
    Habit("web", 0.08, 0.0, 0.0, 5.0),
]

#: What women and men book, with how often; the first of a person's draw becomes the usual.
WOMEN_BOOK = {
    "MP-S01": 26, "MP-S04": 12, "MP-S06": 18, "MP-S07": 10, "MP-S08": 9, "MP-S09": 5, "MP-S10": 8, "MP-S11": 8,
    "MP-S12": 10, "MP-S03": 5, "MP-S05": 1,
}  # fmt: skip
MEN_BOOK = {"MP-S02": 80, "MP-S03": 10, "MP-S09": 6, "MP-S10": 4}


@dataclass(frozen=True)
class Person:
    """A customer. ``joined`` is the share of the whole time that had passed when they joined."""

    number: int
    email: str
    first_name: str
    last_name: str
    habit: Habit
    usual: str
    man: bool
    language: str
    joined: float
    account: bool = True
    demo: str = ""

    @property
    def services(self) -> dict[str, int]:
        return MEN_BOOK if self.man else WOMEN_BOOK


def people(*, count: int, seed: int) -> list[Person]:
    """Return ``count`` customers, the two of the demo's own accounts first."""
    rng = Random(f"people {seed}")
    gold, bronze = known.GOLD, known.BRONZE
    found = [
        Person(1, gold.email, gold.first_name, gold.last_name, HABITS[0], "MP-S07", False, "fr", 0.0, demo="gold"),
        Person(
            2, bronze.email, bronze.first_name, bronze.last_name, HABITS[1], "MP-S02", True, "fr", 0.01, demo="bronze"
        ),
    ]
    taken = {plain(person.email) for person in found}
    for number in range(3, count + 1):
        habit = rng.choices(HABITS, [habit.share for habit in HABITS])[0]
        man = rng.random() < 0.22
        first, last = rng.choice(MEN if man else FIRST_NAMES), rng.choice(LAST_NAMES)
        email = f"{plain(first)}.{plain(last)}@example.com"
        if email in taken:
            email = f"{plain(first)}.{plain(last)}{number}@example.com"
        taken.add(email)
        # A third are there when the programme opens, the others come one by one.
        joined = rng.random() * 0.06 if rng.random() < 0.34 else rng.random() ** 0.9 * 0.99
        services = MEN_BOOK if man else WOMEN_BOOK
        found.append(
            Person(
                number=number,
                email=email,
                first_name=first,
                last_name=last,
                habit=habit,
                usual=rng.choices(list(services), list(services.values()))[0],
                man=man,
                language="fr" if rng.random() < 0.86 else "en",
                joined=joined,
                # Some join at the desk, by e-mail alone.
                account=habit.name == "web" or rng.random() > 0.1,
            )
        )
    return found


def plain(text: str) -> str:
    """Return ``text`` in plain lower-case letters: "Hélène Da Silva" is "helenedasilva"."""
    letters = normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "".join(letter for letter in letters if letter.isalnum())
