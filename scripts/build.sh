#!/bin/sh
# Builds into build/, or into the folder given; prints nothing if that succeeds.
# Further arguments are meson options: scripts/build.sh /tmp/b -Dtests=disabled
set -eu
cd "$(dirname "$0")/.."

build=${1:-build}
[ $# -eq 0 ] || shift
mkdir -p "$build"

# One build at a time in a folder: ninja does not lock it.
exec 9>"$build/.lock"
flock 9

if [ ! -f "$build/build.ninja" ]; then
    echo "build.sh: building into $build/" >&2
    if ! meson setup "$build" "$@" >"$build/setup.log" 2>&1; then
        cat "$build/setup.log" >&2
        echo "build.sh: meson setup failed; scripts/bootstrap.sh installs what is missing" >&2
        exit 1
    fi
elif [ $# -gt 0 ]; then
    meson configure "$build" "$@"
fi
ninja -C "$build" >"$build/build.log" 2>&1 || {
    cat "$build/build.log" >&2
    exit 1
}
