"""uncovered.txt: the named steps, branches of steps, and pairs of steps that no scenario reaches, and why."""

import collections
import pathlib
import re

EXPLAINED = pathlib.Path(__file__).with_name("uncovered.txt")
Explanation = collections.namedtuple("Explanation", "line pattern reason")


def explanations(text):
    """Each line of the list: KIND WORDS: reason. A word is alternatives with |, or *."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        item, colon, reason = line.partition(": ")
        if not colon or not reason.strip():
            raise ValueError(f"{EXPLAINED.name}:{number}: expected KIND WORDS: REASON")
        words = [r"\S+" if word == "*" else f"(?:{word})" for word in item.split()]
        yield Explanation(number, re.compile(" ".join(words) + "$"), reason)


def findings(uncovered):
    """What is uncovered without a reason, and what the list explains although it is covered."""
    listed = list(explanations(EXPLAINED.read_text()))
    for item in uncovered:
        if not any(e.pattern.match(item) for e in listed):
            yield f"uncovered, and not explained in {EXPLAINED.name}: {item}"
    for e in listed:
        if not any(e.pattern.match(item) for item in uncovered):
            yield f"{EXPLAINED.name}:{e.line}: all of this is covered by now"
