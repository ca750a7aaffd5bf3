#!/usr/bin/env python3
"""The named steps of the ownership protocol are the same in the code, in docs/OWNERSHIP.md and in tests/model.

Code:      STEP(NAME) in lib, each once; lib/observe/steps.def lists them.
Document:  the list under "## The steps" in docs/OWNERSHIP.md, `- **NAME** `function`: ...`; the function is the one in
           which STEP(NAME) stands.
Model:     a function NAME in tests/model/protocol.py. MODEL_ONLY there names those that are no step of the code, with
           the reason.

usage: check_steps.py [ROOT]     ROOT: the folder that holds lib, docs and tests, default this script's folder's parent
Exit status: 0 fine, 1 they differ, 2 wrong usage."""

import ast
import collections
import pathlib
import re
import sys

import findings

STEP = re.compile(r"\bSTEP\((\w+)\)")
DEFINED = re.compile(r"^PROTOCOL_STEP\((\w+),", re.M)
FUNCTION = re.compile(r"^(?!#|typedef|struct|union|enum)[A-Za-z_][^;{}=#]*?\b(\w+)\(([^;{}]*)\)\s*\{", re.M)
LISTED = re.compile(r"^- \*\*(\w+)\*\* `(\w+)`: \S", re.M)


def steps_of_code(lib):
    """Step -> the functions in which it stands, as file:function."""
    places = collections.defaultdict(list)
    for path in sorted(lib.rglob("*.[ch]")):
        text = path.read_text()
        functions = [(m.start(), text.find("\n}", m.end()), m.group(1)) for m in FUNCTION.finditer(text)]
        for match in STEP.finditer(text):
            if "#define" in text[text.rfind("\n", 0, match.start()) : match.start()]:
                continue
            name = next((f for start, end, f in functions if start <= match.start() < end), "-")
            places[match.group(1)].append(name)
    return places


def steps_of_document(path):
    text = path.read_text()
    if "## The steps\n" not in text:
        return []
    return LISTED.findall(text.split("## The steps\n", 1)[1].split("\n## ", 1)[0])


def steps_of_model(path):
    """The functions that are steps, and those of them that are the model's own."""
    tree = ast.parse(path.read_text())
    names = {n.name for n in tree.body if isinstance(n, ast.FunctionDef) and re.fullmatch(r"[A-Z][A-Z0-9]*u?", n.name)}
    own = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "MODEL_ONLY":
            own = ast.literal_eval(node.value)
    return names, own


def differences(root):
    places = steps_of_code(root / "lib")
    defined = DEFINED.findall((root / "lib/observe/steps.def").read_text())
    listed = steps_of_document(root / "docs/OWNERSHIP.md")
    model, own = steps_of_model(root / "tests/model/protocol.py")
    for name, functions in sorted(places.items()):
        if len(functions) > 1:
            yield f"STEP({name}) stands in several places: {' '.join(functions)}"
    for what, names in (
        ("lib/observe/steps.def", defined),
        ("docs/OWNERSHIP.md", [name for name, _ in listed]),
        ("tests/model/protocol.py", (model - set(own)) | {name for name, why in own.items() if why == "in the code"}),
    ):
        for name, count in sorted(collections.Counter(names).items()):
            if count > 1:
                yield f"{what}: {name} is there {count} times"
        for name in sorted(set(places) - set(names)):
            yield f"{what}: {name} is missing, a step of {places[name][0]}"
        for name in sorted(set(names) - set(places)):
            yield f"{what}: {name} is no step of the code"
    for name, function in listed:
        if name in places and function not in places[name]:
            yield f"docs/OWNERSHIP.md: {name} stands in {places[name][0]}, not in {function}"
    for name in sorted(set(own) - model):
        if own[name] != "in the code":
            yield f"tests/model/protocol.py: MODEL_ONLY names {name}, which is no function there"


if __name__ == "__main__":
    steps = lambda root: f"{len(steps_of_code(root / 'lib'))} steps, "
    sys.exit(findings.run(__doc__, "check_steps", differences, steps))
