#!/usr/bin/env python3
"""Writes the manual pages in mdoc: of hakstress and its verbs from its tables, of the library from its header, and of
the options from their table.

usage: gen_manual.py tool VERSION FOLDER HAKSTRESS VERB... | library VERSION FOLDER
The date is that of SOURCE_DATE_EPOCH, if it is set.
"""

import json
import os
import re
import subprocess
import sys
import textwrap
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SPECIAL = re.compile(r"^(?=[.'])")


def text(words):
    """Words as they are: no character has a meaning for roff."""
    return SPECIAL.sub(r"\\&", words.replace("\\", "\\e"))


def argument(words):
    """One argument of a macro."""
    plain = words.replace("\\", "\\e").replace('"', '\\(dq')
    return f'"{plain}"' if " " in plain or plain == "" else SPECIAL.sub(r"\\&", plain)


def sentences(words):
    """Each sentence begins a line, as mdoc wants it."""
    split = [one for one in re.split(r"(?<=[.?!]) +(?=[A-Z`])", words) if one]
    lines = [textwrap.wrap(one, 76, break_long_words=False, break_on_hyphens=False) for one in split]
    return [text(line) for sentence in lines for line in sentence]


def page(name, section, about, body, names=()):
    when = time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", time.time())))
    head = [f".Dd {time.strftime('%B', when)} {when.tm_mday}, {when.tm_year}", f".Dt {name.upper()} {section}",
            f".Os libhakmem {VERSION}", ".Sh NAME"]
    every = [name, *names]
    head += [f".Nm {one} ," for one in every[:-1]] + [f".Nm {every[-1]}", f".Nd {text(about)}"]
    return "\n".join([*head, *body]) + "\n"


def see_also(*others):
    body = [".Sh SEE ALSO"]
    ordered = sorted(others, key=lambda other: other[::-1])
    for i, (name, section) in enumerate(ordered):
        body.append(f".Xr {name} {section}" + (" ," if i + 1 < len(ordered) else ""))
    return body


# hakstress


def word_of_synopsis(word):
    """The macros of a word or of a group in brackets."""
    option = re.fullmatch(r"--([\w-]+)(?:[ =](\S+))?", word)
    if word.startswith("[") and word.endswith("]"):
        inner = re.fullmatch(r"\[--([\w-]+)(?: (\S+))?\]", word)
        if inner:
            return f".Op Fl -{inner[1]}" + (f" Ar {argument(inner[2])}" if inner[2] else "")
        choice = re.fullmatch(r"\[--([\w-]+)(\[=\w+\])\]", word)
        if choice:
            return f".Op Fl -{choice[1]} Ns {choice[2]}"
        return f".Op Ar {argument(word[1:-1])}" if "-" not in word and " " not in word else text(word)
    if word == "--":
        return ".Fl -"
    return f".Fl -{option[1]}" if option else f".Ar {argument(word)}"


def ways(verb):
    """The ways to call a verb, each with its words and its groups in brackets."""
    body = []
    for way in verb["synopsis"].split("\n"):
        body.append(f".Nm hakstress {verb['name']}")
        words, depth = [""], 0
        for letter in way:
            depth += (letter == "[") - (letter == "]")
            if letter == " " and depth == 0:
                words.append("")
            else:
                words[-1] += letter
        body += [word_of_synopsis(word) for word in words if word]
    return body


def option_list(options):
    body = [".Bl -tag -width Ds"]
    for option in options:
        value = option["value"]
        named = f".It Fl -{option['name']}"
        if value and value.startswith("["):
            named += f" Ns {argument(value)}"
        elif value:
            named += f" Ar {argument(value)}"
        body += [named, *sentences(capital(option["help"]) + ".")]
        if option["default"] is not None:
            body += sentences(f"The default is {option['default']}.")
        if option["environment"]:
            body += [f"Environment: {text(option['environment'])}."]
    return body + [".El"]


def capital(words):
    return words[:1].upper() + words[1:] if re.match(r"[a-z]+[ ,]", words) else words


def notes(words):
    """Paragraphs are filled; lines of columns and lists stay as they are."""
    body = []
    for paragraph in (words or "").strip("\n").split("\n\n"):
        lines = paragraph.split("\n")
        if not paragraph:
            continue
        if any(re.search(r"\S  +\S", line) or line.startswith(" ") for line in lines):
            body += [".Bd -literal", *[text(line) for line in lines], ".Ed"]
        else:
            body += [".Pp", *sentences(" ".join(lines))]
    return body


def examples(words):
    lines = (words or "").strip("\n").split("\n")
    return [".Sh EXAMPLES", ".Bd -literal", *[text(line) for line in lines], ".Ed"] if words else []


def verb_page(verb):
    own = [option for option in verb["options"] if not option["common"]]
    body = [".Sh SYNOPSIS", *ways(verb), ".Sh DESCRIPTION", *sentences(capital(verb["summary"]) + ".")]
    body += notes(verb["notes"])
    if own:
        body += [".Sh OPTIONS", *option_list(own)]
    body += [".Sh COMMON OPTIONS", "An option on the command line overrides the environment,",
             "which overrides the profile."]
    body += option_list([option for option in verb["options"] if option["common"]])
    body += examples(verb["examples"])
    body += see_also(("hakstress", 1), ("libhakmem", 3), ("hakmem", 7))
    return page(f"hakstress-{verb['name']}", 1, verb["summary"], body)


OVERVIEW = (
    "stresses the allocator libhakmem, reproduces its concurrency faults on demand, explains crashes and leaks of any "
    "program, and compares allocators."
)


def overview(verbs):
    body = [".Sh SYNOPSIS", ".Nm", ".Ar verb", ".Op Ar operands", ".Op Ar options", ".Sh DESCRIPTION", ".Nm",
            *sentences(OVERVIEW), ".Pp", "The verbs are:", ".Bl -tag -width Ds"]
    for verb in verbs:
        body += [f".It Cm {verb['name']}", *sentences(capital(verb["summary"]) + "."),
                 "See", f".Xr hakstress-{verb['name']} 1 ."]
    body += [".El", ".Sh EXIT STATUS", ".Bl -tag -width Ds", ".It 0", "No fault.", ".It 1", "A fault was found.",
             ".It 2", "Wrong usage.", ".It 3", "Something is missing on this machine.", ".It 4",
             "The measurement is not trustworthy.", ".It 5", "Hang.", ".It 130", "Stopped.", ".El", ".Pp",
             "The pages of", ".Cm run , record", "and", ".Cm report", "say what differs there."]
    body += see_also(*[(f"hakstress-{verb['name']}", 1) for verb in verbs], ("libhakmem", 3), ("hakmem", 7))
    return page("hakstress", 1, "stress, explain and compare memory allocators", body)


def tool(program, expected):
    listed = subprocess.run([program, "list", "verbs", "--json", "-"], check=True, capture_output=True, text=True)
    verbs = json.loads(listed.stdout)["verbs"]
    if sorted(verb["name"] for verb in verbs) != sorted(expected):
        sys.exit("share/meson.build: `verbs` is not what `hakstress list verbs` says")
    pages = {f"hakstress-{verb['name']}.1": verb_page(verb) for verb in verbs}
    return {"hakstress.1": overview(verbs), **pages}


# The library

DECLARATION = re.compile(r"^(?:HAK_API_\w+(?:\(\d(?:, \d)?\))? )*((?:const )?\w+[ *]+)(hak_\w+)\((.*)\);$")


def declarations():
    """The comments of the header, each with the functions that stand below it."""
    header = (ROOT / "include/hakmem/hakmem.h").read_text(encoding="utf-8").split("#pragma GCC visibility push")[1]
    found, comment = [], None
    for part in re.split(r"(/\*.*?\*/)", header, flags=re.S):
        if part.startswith("/*"):
            comment = re.sub(r"\s*\n \* ?", " ", part[2:-2]).strip()
            continue
        functions = [DECLARATION.match(line) for line in part.split("\n")]
        functions = [match.groups() for match in functions if match]
        if functions:
            found.append((comment, functions))
    return found


def function(result, name, parameters):
    return [f".Ft {argument(result.strip())}",
            " ".join([f".Fn {name}", *[argument(one) for one in parameters.split(", ")]])]


# Name of the interface, where it is, what is said of it. The header of C++ and the crates document themselves.
OTHER_LANGUAGES = (
    ("C++17", ".In hakmem/hakmem.hpp",
     "hakmem::memory_resource for the containers of std::pmr, and hakmem::allocator<T> for those of std. "
     "Both throw std::bad_alloc."),
    ("Rust", ".Pa share/hakmem/rust",
     "The crates hakmem, whose type Hakmem is a global allocator, and hakmem-sys, which declares the functions of this "
     "page."),
    ("Python", ".Pa share/hakmem/python",
     "The module hakmem: statistics and options of the process that it is in."),
)


def other_languages():
    body = [".Sh OTHER LANGUAGES", "Folders are below that of the installation,", ".Pa /usr/local", "or", ".Pa /usr .",
            ".Bl -tag -width Ds"]
    for language, place, about in OTHER_LANGUAGES:
        body += [f".It {language}", place, ".Pp", *sentences(about)]
    return body + [".El"]


def library_page():
    groups = declarations()
    names = [name for _, functions in groups for _, name, _ in functions]
    body = [".Sh LIBRARY", "libhakmem (libhakmem, \\-lhakmem)", ".Sh SYNOPSIS", ".In hakmem/hakmem.h"]
    for _, functions in groups:
        for one in functions:
            body += function(*one)
    body += [".Sh DESCRIPTION", ".Nm libhakmem", "is a general-purpose memory allocator.",
             "Preloaded or linked, it serves malloc, free and the rest of the family",
             "under the names of the C library;",
             "what is said here of", ".Fn hak_malloc", "holds for", ".Xr malloc 3 .",
             "Every block is aligned to 16 bytes.", "Every function may be called by any thread.",
             "None may be called by a signal handler."]
    for comment, functions in groups:
        body += [".Ss " + ", ".join(name for _, name, _ in functions), *sentences(comment)]
    body += other_languages()
    body += [".Sh ENVIRONMENT", "See", ".Xr hakmem 7 ."]
    body += see_also(("hakstress", 1), ("malloc", 3), ("hakmem", 7))
    return page("libhakmem", 3, "a general-purpose memory allocator", body, names)


def option_items(gen_docs):
    """Each option of the table, with what it means."""
    body = [".Bl -tag -width Ds"]
    for kind, arguments in gen_docs.rows("lib/config/options.def", "OPTION_"):
        default, allowed, flags, meaning = gen_docs.values(kind, arguments)
        marks = "".join(f"; {word.strip().lower()}" for word in flags.split("|") if word.strip() != "0")
        body += [f".It Ev HAKMEM_{arguments[1]}", *sentences(capital(meaning) + "."),
                 *sentences(f"Default {default}; {allowed}{marks}.")]
    return body + [".El"]


def options_page():
    import gen_docs

    body = [".Sh DESCRIPTION", "The options of", ".Xr libhakmem 3", "are environment variables.",
            "They are read once, before the first block is handed out.",
            "Numbers are decimal and may end in K, M or G, for powers of 1024.",
            "A name or a value that does not exist changes nothing;",
            "a warning on standard error says so.",
            "Programs that run with raised privileges ignore the environment.", ".Pp",
            "For programs whose environment nobody sets there is a file:", ".Xr hakmem.conf 5 .",
            "The environment overrides it.", ".Pp",
            "Options marked checked do something only in the library that",
            ".Xr hakstress-run 1", "loads.", ".Sh ENVIRONMENT", *option_items(gen_docs)]
    body += see_also(("hakstress", 1), ("hakstress-config", 1), ("libhakmem", 3), ("hakmem.conf", 5))
    return page("hakmem", 7, "options of the memory allocator libhakmem", body)


CONF_EXAMPLE = """\
# for all programs
HAKMEM_RESERVE = 64M

[nginx]
HAKMEM_PURGE_MS = 1000
"""


def conf_page():
    import gen_docs

    writing = [f"HAKMEM_{arguments[1]}" for kind, arguments in gen_docs.rows("lib/config/options.def", "OPTION_")
               if "WRITES" in arguments[-2]]
    body = [".Sh DESCRIPTION", "The file", ".Pa /etc/hakmem.conf", "sets options of", ".Xr libhakmem 3",
            "for programs whose environment nobody sets.",
            "It is read once in each process, before the first block is handed out.",
            "Where it is missing, or may not be read, nothing is said.", ".Pp",
            "A line is empty, a comment, which begins with #,",
            "an option with its value, or a section:",
            ".Bd -literal", *[text(line) for line in CONF_EXAMPLE.splitlines()], ".Ed", ".Pp",
            "Options before the first section are for all programs.",
            "A section is for the programs of that name:",
            "of the file that was started, without its folder;",
            "of a script, the name of the script.",
            "If several lines set an option for a program, the last one counts.",
            "The environment overrides the file.", ".Pp",
            "A wrong line is ignored.",
            "Each process that it concerns says so once on standard error,",
            "with the first such line.",
            ".Xr hakstress-config 1", "names all of them.", ".Pp",
            "A program with raised privileges (set-user-id and the like) ignores the file,",
            "unless root owns it and nobody else may write it.",
            "It never takes options that have it write files:",
            *[f".Ev {name}" + (" ," if name != writing[-1] else " .") for name in writing],
            ".Sh OPTIONS", *option_items(gen_docs),
            ".Sh ENVIRONMENT", ".Bl -tag -width Ds", ".It Ev HAKMEM_CONF", "Another file to read.",
            "If it cannot be read, the process says so.",
            ".Pa /dev/null", "stands for no file.", ".El", ".Sh FILES", ".Bl -tag -width Ds",
            ".It Pa /etc/hakmem.conf", "The file that is read.", ".El"]
    body += see_also(("hakstress-config", 1), ("libhakmem", 3), ("hakmem", 7))
    return page("hakmem.conf", 5, "options of libhakmem for programs by name", body)


def library():
    return {"libhakmem.3": library_page(), "hakmem.conf.5": conf_page(), "hakmem.7": options_page()}


if __name__ == "__main__":
    if len(sys.argv) < 4 or sys.argv[1] not in ("tool", "library"):
        sys.exit(__doc__)
    VERSION, FOLDER = sys.argv[2], Path(sys.argv[3])
    for file, written in (tool(sys.argv[4], sys.argv[5:]) if sys.argv[1] == "tool" else library()).items():
        (FOLDER / file).write_text(written, encoding="utf-8")
