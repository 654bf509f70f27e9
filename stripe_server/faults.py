"""What goes wrong on the way to a payment provider, when a test asks for it.

====================  ==================================================================================================
``500_before``        nothing is done, nothing is kept under the key: a retry does it
``500_stored``        nothing is done, and the 500 is kept under the key and given again
``500_after``         it is done, but the 500 is what is kept and given again
``502_after``         it is done; the answer is lost in front of the API: a retry gets the good answer
``timeout_before``    no answer for ``seconds`` (30), then the connection closes; nothing is done
``timeout_after``     the same, but it is done
``cut_before``        the connection closes; nothing is done
``cut_after``         the connection closes; it is done
``429``               too many requests; nothing is done
``lock_timeout``      429 with that code: the object is being worked on; nothing is done
``401``               the key is refused, as if it had been rolled
``402``               the bank declines, whatever the card; nothing is done, the answer is kept
``slow``              it takes ``seconds`` (1) longer; meanwhile its key is in use
====================  ==================================================================================================
"""

import fnmatch
import threading

KINDS = (
    *(
        "500_before",
        "500_stored",
        "500_after",
        "502_after",
        "timeout_before",
        "timeout_after",
        "cut_before",
        "cut_after",
    ),
    *("429", "lock_timeout", "401", "402", "slow"),
)


class Fault:
    def __init__(self, match, kind, times=1, seconds=None):
        if kind not in KINDS:
            raise ValueError(f"No such fault: {kind!r}; there are {', '.join(KINDS)}.")
        self.match, self.kind, self.left = match, kind, times
        self.seconds = seconds if seconds is not None else (1 if kind == "slow" else 30)

    def shown(self):
        return {"match": self.match, "kind": self.kind, "times": self.left, "seconds": self.seconds}


class Faults:
    def __init__(self):
        self.lock = threading.Lock()
        self.waiting = []

    def add(self, match, kind, times=1, seconds=None):
        """``match`` is a pattern for "POST /v1/payment_intents/pi_…/capture", with ``*`` as wildcard."""
        with self.lock:
            self.waiting.append(Fault(match, kind, times, seconds))

    def clear(self):
        with self.lock:
            self.waiting = []

    def take(self, method, path):
        """The fault this request meets, or None; one is used up."""
        with self.lock:
            for fault in self.waiting:
                if fnmatch.fnmatchcase(f"{method} {path}", fault.match):
                    fault.left -= 1
                    self.waiting = [one for one in self.waiting if one.left > 0]
                    return fault
        return None

    def shown(self):
        with self.lock:
            return [fault.shown() for fault in self.waiting]
