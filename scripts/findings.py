"""What the checks of the sources have in common: they print what they find, one line each, and say how much it is."""

import pathlib
import sys


def run(doc, name, find, what=lambda root: ""):
    """The exit status of a check: 0 fine, 1 something was found, 2 wrong usage, after printing `doc`.

    The command line is [ROOT], by default the folder above scripts/. find(root) yields lines; what(root) names what was
    looked at, as "52 steps, ".
    """
    if len(sys.argv) > 2:
        print(doc, file=sys.stderr)
        return 2
    root = pathlib.Path(sys.argv[1] if len(sys.argv) == 2 else pathlib.Path(__file__).resolve().parent.parent)
    found = list(find(root))
    for line in found:
        print(line)
    print(f"{name}: {what(root)}{len(found)} findings")
    return 1 if found else 0
