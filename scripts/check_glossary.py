#!/usr/bin/env python3
"""Every identifier in backticks in the documents of the source exists: function, type, field, file, option, counter.

A code span is split into words. A word is right if the sources have it as an identifier (comments do not count), if it
is HAKMEM_ and an option of the table, a test, a scenario, or one of the symbols below. A word with a slash or a
file's ending is a path, from the root or from lib/; `name.{h,c}` means both. `Type.field` is a member of that struct. A
word that begins with a dash is an option of a program, and stands somewhere in the sources. Fenced blocks do not count.

usage: check_glossary.py [ROOT]       ROOT: the folder that holds docs and lib, default above this script's folder
Exit status: 0 fine, 1 something does not exist, 2 wrong usage."""

import pathlib
import re
import sys

import findings

DOCUMENTS = ["docs/GLOSSARY.md", "docs/OWNERSHIP.md", "docs/ARCHITECTURE.md", "docs/READING.md", "lib/README.md"]
SOURCES = ["lib", "cli", "include", "tests"]
# What documents write that no source has as an identifier, with the reason.
SYMBOLS = {
    "T": "OWNERSHIP.md: the owner part of some thread",
    "U": "OWNERSHIP.md: REMOTE_UNOWNED",
    "NAME": "stands for something",
    "FUNCTION": "stands for something",
    "python3": "a program",
}
SYMBOLS.update((f"{letter}{n}", "OWNERSHIP.md: a step") for letter in "ACDFGHKLR" for n in range(10))

PATH = re.compile(r"^[\w./{},-]+\.(c|h|cpp|def|py|sh|md|txt|json|golden)$|^[\w.-]+/[\w./{},-]*$")
WORD = re.compile(r"[A-Za-z_]\w*\.[A-Za-z_]\w*|\w+_\*|-{0,2}[A-Za-z_][\w-]*")
COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|/\*.*?\*/|//[^\n]*', re.S)


def code_of(path):
    """Text of a source without its comments; strings stay, since checks and sites are named in them."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix in (".c", ".h", ".cpp", ".def"):
        return COMMENT.sub(lambda match: match.group(0) if match.group(0)[0] == '"' else " ", text)
    return re.sub(r"(?m)(^|\s)#.*", " ", text)


class Sources:
    def __init__(self, root):
        self.root = root
        endings = {".c", ".h", ".cpp", ".def", ".py", ".sh", ".build"}
        paths = [path for folder in SOURCES for path in sorted((root / folder).rglob("*")) if path.suffix in endings]
        self.text = "\n".join(code_of(path) for path in paths)
        self.words = set(re.findall(r"[A-Za-z_]\w*", self.text))
        self.words |= {path.stem for path in (root / "tests" / "explore").glob("*.scenario")}
        self.hyphened = set(re.findall(r"[A-Za-z_][\w]*(?:-\w+)+", self.text))
        self.words |= {"HAKMEM_" + name for name in re.findall(r"(?m)^OPTION_[A-Z]+\(\w+,\s*([A-Z_]+),", self.text)}

    def has_path(self, name):
        several = re.fullmatch(r"(.*)\{([\w,]+)\}(.*)", name)
        if several:
            before, middle, after = several.groups()
            return all(self.has_path(before + part + after) for part in middle.split(","))
        places = [self.root / name, self.root / "lib" / name]
        return any(place.exists() for place in places) or ("/" not in name and any((self.root / "lib").rglob(name)))

    def has_field(self, type_name, field):
        """None: there is no such struct."""
        end = re.search(rf"\n\}}[^;{{}}\n]*\b{type_name};", self.text)
        if end is None:
            return None
        start = self.text.rfind("\ntypedef ", 0, end.start())
        return re.search(rf"\b{field}\b", self.text[start : end.start()]) is not None

    def has_word(self, word):
        return word in self.words or word in self.hyphened or word in SYMBOLS

    def has(self, word):
        if word.startswith("-"):
            return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", self.text) is not None
        if word.endswith("*"):  # a group: early_*
            return any(known.startswith(word[:-1]) for known in self.words)
        if PATH.match(word):
            return self.has_path(word)
        if re.fullmatch(r"\w+\.\w+", word):
            found = self.has_field(*word.split("."))
            return found if found is not None else all(self.has_word(part) for part in word.split("."))
        return self.has_word(word)


def spans(text):
    """(line number, code span) of a document without its fenced blocks. A span may continue in the next line."""
    text = re.sub(r"(?ms)^```.*?^```", lambda match: "\n" * match.group(0).count("\n"), text)
    for match in re.finditer(r"`([^`]+)`", text):
        yield text.count("\n", 0, match.start()) + 1, re.sub(r"\s+", " ", match.group(1)).replace("\\|", "|")


def words(span):
    for piece in span.split():
        yield from [piece] if PATH.match(piece) else WORD.findall(piece)


def names_not_there(root):
    missing = [name for name in DOCUMENTS if not (root / name).is_file()]
    if missing:
        print(f"check_glossary: no {missing[0]} in {root}: give the folder that holds docs and lib", file=sys.stderr)
        sys.exit(2)
    sources = Sources(root)
    for name in DOCUMENTS:
        for line, span in spans((root / name).read_text(encoding="utf-8")):
            for word in words(span):
                if not sources.has(word):
                    yield f"{name}:{line}: {word} does not exist in {', '.join(SOURCES)}: `{span}`"


if __name__ == "__main__":
    sys.exit(findings.run(__doc__, "check_glossary", names_not_there, lambda root: f"{len(DOCUMENTS)} documents, "))
