#!/usr/bin/env python3
"""Prints the completion of hakstress for a shell, from the tables that make --help.

usage: gen_completion.py bash|zsh|fish HAKSTRESS

What a value or an operand is, its word in --help says: FILE, DIR, NAME of a profile, WORKLOAD, SCENARIO, a choice of
words in small letters. What changes with the machine is asked of `hakstress list` when the user types.
"""

import json
import re
import subprocess
import sys

# What `hakstress list` prints begins with the name.
LISTS = {"profile": "profiles", "workload": "workloads", "scenario": "scenarios", "allocator": "allocators",
         "pid": "processes", "setting": "settings"}
FOLDERS = ("DIR", "FOLDER")
FILES = ("FILE", "FILE|-", "FILE|none", "NAME|FILE.json", "NAME=FILE")
CHOICE = re.compile(r"[a-z]+(?:\|[a-z]+)+")


def kind_of_value(option):
    """What completes the value: "files", "folders", "pid", "profile", "allocator", a list of words, or None."""
    value = option["value"]
    if value in FOLDERS:
        return "folders"
    if value in FILES:
        return "files"
    if CHOICE.fullmatch(value):
        return value.split("|")
    return {"PID": "pid", "A,B,C": "allocator"}.get(value, "profile" if option["name"] == "profile" else None)


def kinds_of_operands(verb):
    plain = re.sub(r"[\[\]\n]", " ", verb["synopsis"])
    words = re.sub(r"--\S+(?: [A-Z]\S*)?|-- .*", "", plain)
    kinds = []
    for word in words.split():
        if CHOICE.fullmatch(word):
            kinds.append(word.split("|"))
        elif word.startswith("WORKLOAD"):
            kinds.append("workload")
        elif word.startswith("SCENARIO"):
            kinds.append("scenario")
        elif word.startswith("PID"):
            kinds.append("pid")
        elif word.startswith("OPTION=VALUE"):
            kinds.append("setting")
        elif word.startswith(("FILE", "CORE")) and "files" not in kinds:
            kinds.append("files")
    return kinds


def takes_command(verb):
    return re.search(r"(^|[ \n\[])-- COMMAND", verb["synopsis"]) is not None


def forms(option):
    """The option as it is typed: --leaks, --leaks=all."""
    value = option["value"] or ""
    optional = re.fullmatch(r"\[=([a-z]+)\]", value)
    return [f"--{option['name']}"] + ([f"--{option['name']}={optional[1]}"] if optional else [])


def short(words):
    """A line of a menu: what stands before the details."""
    return re.split(r"[;:]| \(", words)[0]


def has_value(option):
    return option["value"] is not None and not option["value"].startswith("[")


def from_list(name, program="hakstress"):
    return f"{program} list {LISTS[name]} 2>/dev/null | sed -n 's/^\\([A-Za-z0-9][^: ]*\\).*/\\1/p'"


# bash

BASH_HEAD = """\
# bash completion for hakstress

_hakstress_command() {
    # What follows -- is a command line of its own.
    local i=$1
    if declare -F _command_offset >/dev/null; then
        _command_offset "$i"
    elif ((COMP_CWORD == i)); then
        mapfile -t COMPREPLY < <(compgen -c -- "${COMP_WORDS[COMP_CWORD]}")
    else
        compopt -o default
    fi
}

_hakstress() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} verb=${COMP_WORDS[1]} i
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "@VERBS@ help --help --version" -- "$word")
        return
    fi
    for ((i = 2; i < COMP_CWORD; i++)); do
        if [[ ${COMP_WORDS[i]} == -- ]]; then
            _hakstress_command $((i + 1))
            return
        fi
    done
    # bash splits --name=value at the =.
    if [[ $word == "=" ]]; then word=""; elif [[ $before == "=" ]]; then before=${COMP_WORDS[COMP_CWORD - 2]}; fi
    case $verb in
"""

BASH_TAIL = """\
    help) mapfile -t COMPREPLY < <(compgen -W "@VERBS@" -- "$word") ;;
    esac
}

complete -F _hakstress hakstress
"""


def bash_kind(kind):
    if kind == "folders":
        return 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$word")'
    if kind == "files":
        return 'compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$word")'
    if isinstance(kind, list):
        words = " ".join(kind)
    else:
        words = "$(" + from_list(kind, '"${COMP_WORDS[0]}"') + ")"
    before = "compopt -o nospace; " if kind == "setting" else ""  # a value follows
    return before + f'mapfile -t COMPREPLY < <(compgen -W "{words}" -- "$word")'


def bash(verbs):
    out = BASH_HEAD
    for verb in verbs:
        out += f"    {verb['name']})\n        case $before in\n"
        for option in verb["options"]:
            if has_value(option):
                kind = kind_of_value(option)
                out += f"        --{option['name']}) {bash_kind(kind) + '; ' if kind else ''}return ;;\n"
        words = " ".join(form for option in verb["options"] for form in forms(option))
        out += "        esac\n        if [[ $word == -* ]]; then\n"
        out += f'            mapfile -t COMPREPLY < <(compgen -W "{words}'
        out += ' --" -- "$word")\n' if takes_command(verb) else '" -- "$word")\n'
        kinds = kinds_of_operands(verb)
        if len(kinds) > 1:
            out += f"        elif ((COMP_CWORD > 2)); then\n            {bash_kind(kinds[1])}\n"
        if kinds:
            out += f"        else\n            {bash_kind(kinds[0])}\n"
        out += "        fi\n        ;;\n"
    return (out + BASH_TAIL).replace("@VERBS@", " ".join(verb["name"] for verb in verbs))


# zsh


def zsh_text(words):
    return re.sub(r"([\[\]:\\])", r"\\\1", words).replace("'", "'\\''")


def zsh_kind(kind):
    if kind is None:
        return " "
    if isinstance(kind, list):
        return "(" + " ".join(kind) + ")"
    fixed = {"folders": "_directories", "files": "_files"}
    return fixed.get(kind) or f"_hakstress_{kind}"


def zsh_option(option):
    about = zsh_text(short(option["help"]))
    if has_value(option):
        return [f"'*--{option['name']}=[{about}]:{zsh_text(option['value'])}:{zsh_kind(kind_of_value(option))}'"]
    return [f"'{form}[{about}]'" for form in forms(option)]


def zsh(verbs):
    out = "#compdef hakstress\n\n"
    for kind in LISTS:
        out += f"_hakstress_{kind}() {{\n    local -a names=(${{(f)\"$({from_list(kind)})\"}})\n"
        glued = "-S '' " if kind == "setting" else ""  # a value follows
        out += f"    compadd {glued}-a names\n}}\n\n"
    for verb in verbs:
        specs = [spec for option in verb["options"] for spec in zsh_option(option)]
        kinds = kinds_of_operands(verb)[:2]
        specs += [f"'1: :{zsh_kind(kind)}'" for kind in kinds[:-1]] + [f"'*: :{zsh_kind(kind)}'" for kind in kinds[-1:]]
        lines = " \\\n        ".join(specs)
        out += f"_hakstress-{verb['name']}() {{\n"
        if takes_command(verb):
            # The words after -- are another command line.
            out += ("    local at=${words[(i)--]}\n    if ((at < CURRENT)); then\n        shift $at words\n"
                    "        ((CURRENT -= at))\n        _normal\n        return\n    fi\n")
        out += f"    _arguments \\\n        {lines}\n}}\n\n"
    out += "_hakstress() {\n    local line state\n    _arguments -C '1: :->verb' '*:: :->rest'\n"
    out += "    case $state in\n    verb)\n"
    out += "        local -a verbs=(\n"
    for verb in verbs:
        out += f"            '{verb['name']}:{zsh_text(short(verb['summary']))}'\n"
    out += ("        )\n        _describe verb verbs\n        ;;\n    rest)\n"
            "        (( $+functions[_hakstress-$line[1]] )) && _hakstress-$line[1]\n        ;;\n    esac\n}\n\n"
            'if [[ $funcstack[1] == _hakstress ]]; then\n    _hakstress "$@"\nelse\n'
            "    compdef _hakstress hakstress\nfi\n")
    return out


# fish


def fish_text(words):
    return "'" + words.replace("\\", "\\\\").replace("'", "\\'") + "'"


def fish_kind(kind):
    if kind == "files":
        return "-r -F"
    if kind == "folders":
        return "-x -a '(__fish_complete_directories)'"
    if kind is None:
        return "-x"
    if isinstance(kind, list):
        return f"-x -a {fish_text(' '.join(kind))}"
    return f"-x -a '(__hakstress_{kind})'"


def fish(verbs):
    out = "# fish completion for hakstress\n\n"
    for kind in LISTS:
        out += f"function __hakstress_{kind}\n    {from_list(kind)}\nend\n\n"
    out += ("function __hakstress_verb\n    set -l words (commandline -opc)\n    test (count $words) -gt 1"
            '; and not contains -- -- $words; and test "$words[2]" = "$argv[1]"\nend\n\n'
            "function __hakstress_after_dashes\n    contains -- -- (commandline -opc)\nend\n\n"
            "complete -c hakstress -f\n"
            "complete -c hakstress -n __hakstress_after_dashes -x -a '(__hakstress_rest)'\n\n"
            "function __hakstress_rest\n    set -l words (commandline -opc) (commandline -ct)\n"
            "    set -l at (contains -i -- -- $words)\n"
            "    complete -C (string join ' ' -- $words[(math $at + 1)..-1])\nend\n\n")
    for verb in verbs:
        about = fish_text(short(verb["summary"]))
        out += f"complete -c hakstress -n __fish_use_subcommand -a {verb['name']} -d {about}\n"
    for verb in verbs:
        when = f"-n '__hakstress_verb {verb['name']}'"
        out += "\n"
        kinds = kinds_of_operands(verb)[:2]
        for place, kind in enumerate(kinds):
            operands = "-F" if kind == "files" else fish_kind(kind).replace("-x ", "")
            # Words before: hakstress, the verb, and with two kinds the operand of the first.
            only = f"; and test (count (commandline -opc)) {'-gt' if place else '-eq'} 2" if len(kinds) > 1 else ""
            out += f"complete -c hakstress {when[:-1]}{only}' {operands}\n"
        for option in verb["options"]:
            value = fish_kind(kind_of_value(option)) if has_value(option) else ""
            for form in forms(option):
                words = ["complete -c hakstress", when, "-l", form[2:], value, "-d", fish_text(short(option["help"]))]
                out += " ".join(word for word in words if word) + "\n"
    return out


if __name__ == "__main__":
    shells = {"bash": bash, "zsh": zsh, "fish": fish}
    if len(sys.argv) != 3 or sys.argv[1] not in shells:
        sys.exit(__doc__)
    listed = subprocess.run([sys.argv[2], "list", "verbs", "--json", "-"], check=True, capture_output=True, text=True)
    print(shells[sys.argv[1]](json.loads(listed.stdout)["verbs"]), end="")
