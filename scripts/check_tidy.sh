#!/bin/bash
# clang-tidy over lib/ (the release and the checked core), cli/ and code/, with the checks of .clang-tidy. Says what it
# found.
# usage: check_tidy.sh [BUILD [PATTERN]]      BUILD: default build; PATTERN: regular expression of the files to look at
# Exit status: 0 nothing, 1 something was found, 77 clang-tidy is not installed.
set -eu
cd "$(dirname "$0")/.."
build=${1:-build} pattern=${2:-.}

command -v clang-tidy >/dev/null || {
    echo "clang-tidy is not installed"
    exit 77
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# clang-tidy takes one command a file from a database, so each variant has its own. `checked` has everything; of
# `release` there is what the checked core compiles in another way.
python3 - "$build/compile_commands.json" "$pattern" "$work" <<'END'
import json, pathlib, re, sys

database, pattern, work = sys.argv[1:]
root = pathlib.Path.cwd()
chosen = {"checked": {}, "release": {}}
for entry in json.loads(pathlib.Path(database).read_text()):
    path = (pathlib.Path(entry["directory"]) / entry["file"]).resolve()
    part = path.relative_to(root).parts[0] if path.is_relative_to(root) else ""
    if not re.match(r"(lib|cli)/", entry["output"]) or part not in ("lib", "cli", "code"):
        continue
    if not re.search(pattern, str(path)):
        continue
    is_checked = "-DHAK_CHECKED=1" in entry["command"]
    entries = chosen["checked" if part != "lib" or is_checked else "release"]
    # A workload is compiled for hakstress and for its workers: the former, with the names of its allocator.
    if is_checked or str(path) not in entries:
        entries[str(path)] = {**entry, "file": str(path)}
for variant, entries in chosen.items():
    folder = pathlib.Path(work) / variant
    folder.mkdir()
    (folder / "compile_commands.json").write_text(json.dumps(list(entries.values())))
    (folder / "files").write_text("".join(f"{path}\n" for path in entries))
END

# The analyzer follows so many steps in a file: without a bound it spends half a minute on one, and finds no more.
bound='--extra-arg=-Xclang --extra-arg=-analyzer-config --extra-arg=-Xclang --extra-arg=max-nodes=20000'
look() {
    local variant=$1 status=0
    shift
    # $bound is a list of words
    # shellcheck disable=SC2086
    xargs -r -P "$(nproc)" -n 3 clang-tidy --quiet $bound -p "$work/$variant" "$@" <"$work/$variant/files" \
        >"$work/found" 2>"$work/errors" || status=1
    grep -vE '^$|^[0-9]+ warnings? treated as error' "$work/found" || true
    [ $status -eq 0 ] || [ -s "$work/found" ] || cat "$work/errors"
    return $status
}
failed=0
look checked || failed=1
look release '--checks=-clang-analyzer-*' || failed=1
exit $failed
