#!/bin/sh
# Installs what is missing to build and run the project; with --tests also what its tests need. Does nothing when all is there.
# Debian and Ubuntu: with apt-get, through sudo where not root. Elsewhere: says what to install and exits 3.
set -eu
cd "$(dirname "$0")/.."

with_tests=no
for argument in "$@"; do
    case $argument in
    --tests) with_tests=yes ;;
    *)
        echo "bootstrap.sh: unknown argument '$argument'; usage: scripts/bootstrap.sh [--tests]" >&2
        exit 2
        ;;
    esac
done

has_command() { command -v "$1" >/dev/null 2>&1; }
has_header() { echo "#include <$1>" | cc -E - >/dev/null 2>&1; }
has_module() { pkg-config --exists "$1" 2>/dev/null; }
has_clang_sanitizers() { has_command clang && ls "$(clang -print-resource-dir)"/lib/linux/libclang_rt.tsan*.a >/dev/null 2>&1; }

# Debian packages of what is missing: PACKAGE, then the command that finds it.
missing=
need() {
    package=$1
    shift
    "$@" || missing="$missing $package"
}

find_missing() {
    missing=
    need gcc has_command cc
    need libc6-dev has_header stdlib.h
    need linux-libc-dev has_header linux/futex.h
    need pkg-config has_command pkg-config
    need python3 has_command python3
    need meson has_command meson
    need ninja-build has_command ninja
    need libjansson-dev has_module jansson
    need libunwind-dev has_module libunwind-ptrace
    [ $with_tests = yes ] || return 0
    need g++ has_command c++
    need clang has_command clang
    need libclang-rt-dev has_clang_sanitizers
    need clang-format has_command clang-format
    need libcmocka-dev has_module cmocka
    need binutils has_command objdump
    need redis-server has_command redis-server
    need redis-tools has_command redis-benchmark
    need sqlite3 has_command sqlite3
}

give_up() {
    echo "bootstrap.sh: $1" >&2
    echo "bootstrap.sh: please install these, under the names that your system gives them:$missing" >&2
    exit 3
}

check_meson() {
    version=$(meson --version)
    case $version in
    0.*)
        echo "bootstrap.sh: meson $version is too old: please install version 1.0 or newer" >&2
        exit 3
        ;;
    esac
}

find_missing
if [ -n "$missing" ]; then
    has_command apt-get || give_up "this is neither Debian nor Ubuntu"
    as_root=
    if [ "$(id -u)" != 0 ]; then
        has_command sudo || give_up "not root, and there is no sudo"
        as_root=sudo
    fi
    echo "bootstrap.sh: installing$missing" >&2
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    # $missing is a list of words
    # shellcheck disable=SC2086
    if ! { $as_root apt-get -q -o DPkg::Lock::Timeout=120 update &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 \
            install --no-install-recommends $missing; } </dev/null >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        give_up "apt-get failed (its last lines are above)"
    fi
    find_missing
    [ -z "$missing" ] || give_up "installed, and still not found"
fi
check_meson
