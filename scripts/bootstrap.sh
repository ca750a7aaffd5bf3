#!/bin/sh
# Installs what is missing to build and run the project; with --tests also what its tests need, with --soak also the
# programs that scripts/soak.sh runs with the library (Debian starts some, such as postgres and nginx, when it installs
# them). Does nothing if nothing is missing.
# On Debian and Ubuntu it uses apt-get, through sudo unless root. Elsewhere it says what to install and exits with 3.
set -eu
cd "$(dirname "$0")/.."

with_tests=no with_soak=no
for argument in "$@"; do
    case $argument in
    --tests) with_tests=yes ;;
    --soak) with_tests=yes with_soak=yes ;;
    *)
        echo "bootstrap.sh: unknown argument '$argument'; usage: scripts/bootstrap.sh [--tests | --soak]" >&2
        exit 2
        ;;
    esac
done

has_command() { command -v "$1" >/dev/null 2>&1; }
has_header() { echo "#include <$1>" | cc -E - >/dev/null 2>&1; }
has_module() { pkg-config --exists "$1" 2>/dev/null; }
has_clang_sanitizers() {
    has_command clang && ls "$(clang -print-resource-dir)"/lib/linux/libclang_rt.tsan*.a >/dev/null 2>&1
}
has_php_extension() { has_command php && php -m 2>/dev/null | grep -qix "$1"; }
python_version() { /usr/bin/python3 -c "import sys; print(\"%d.%d\" % sys.version_info[:2])"; }
has_python_tests() { /usr/bin/python3 -c 'import test.test_dict' >/dev/null 2>&1; }
has_postgres() { ls /usr/lib/postgresql/*/bin/pgbench >/dev/null 2>&1; }
has_nginx() { has_command nginx || [ -x /usr/sbin/nginx ]; }
has_yaml() { /usr/bin/python3 -c 'import yaml' >/dev/null 2>&1; }
has_selenium() { /usr/bin/python3 -c 'import selenium' >/dev/null 2>&1; }

# Debian packages of what is missing: PACKAGE, then the command that finds it.
missing=
need() {
    package=$1
    shift
    "$@" || missing="$missing $package"
}

# The same for what a test is skipped without (Ubuntu, for example, has no package chromium): TEST PACKAGE COMMAND...
wished_page='' wished_rust='' wished_recipes=''
wish() {
    whose=$1 package=$2
    shift 2
    "$@" || eval "wished_$whose=\"\$wished_$whose $package\""
}

# Programs for scripts/soak.sh, one by one: it skips each that is missing.
soaked=
soak() {
    package=$1
    shift
    "$@" || soaked="$soaked $package"
}

find_soaked() {
    soaked=''
    soak php-cli has_command php
    soak php-xml has_php_extension dom
    soak php-sqlite3 has_php_extension pdo_sqlite
    soak php-mbstring has_php_extension mbstring
    soak "libpython$(python_version)-testsuite" has_python_tests
    soak nodejs has_command node
    soak ruby has_command ruby
    soak default-jdk-headless has_command javac
    soak postgresql has_postgres
    soak nginx-light has_nginx
    soak apache2-utils has_command ab
    soak curl has_command curl
    soak gdb has_command gdb
    soak strace has_command strace
    soak valgrind has_command valgrind
    soak faketime has_command faketime
    soak fakeroot has_command fakeroot
    soak fakechroot has_command fakechroot
    soak eatmydata has_command eatmydata
    soak debhelper has_command dh
    soak lintian has_command lintian
    soak mmdebstrap has_command mmdebstrap
}

find_missing() {
    missing='' wished_page='' wished_rust='' wished_recipes=''
    need gcc has_command cc
    need libc6-dev has_header stdlib.h
    need linux-libc-dev has_header linux/futex.h
    need pkg-config has_command pkg-config
    need python3 has_command python3
    need meson has_command meson
    need ninja-build has_command ninja
    need libjansson-dev has_module jansson
    need libdw-dev has_module libdw
    need zlib1g-dev has_module zlib
    need libunwind-dev has_module libunwind-ptrace
    [ $with_tests = yes ] || return 0
    need g++ has_command c++
    need clang has_command clang
    need libclang-rt-dev has_clang_sanitizers
    need clang-format has_command clang-format
    need clang-tidy has_command clang-tidy
    need libcmocka-dev has_module cmocka
    need binutils has_command objdump
    need abigail-tools has_command abidiff
    need redis-server has_command redis-server
    need redis-tools has_command redis-benchmark
    need sqlite3 has_command sqlite3
    need cmake has_command cmake
    need mandoc has_command mandoc
    need zsh has_command zsh
    need fish has_command fish
    need gcc-aarch64-linux-gnu has_command aarch64-linux-gnu-gcc
    need g++-aarch64-linux-gnu has_command aarch64-linux-gnu-g++
    need qemu-user has_command qemu-aarch64
    need musl-tools has_command musl-gcc
    wish page chromium has_command chromium
    wish page chromium-driver has_command chromedriver
    wish page python3-selenium has_selenium
    wish rust rustc has_command rustc
    wish rust cargo has_command cargo
    wish recipes python3-yaml has_yaml
}

give_up() {
    echo "bootstrap.sh: $1" >&2
    echo "bootstrap.sh: please install these, under the names that your system gives them:$missing" >&2
    exit 3
}

as_root=
find_root() {
    [ "$(id -u)" != 0 ] || return 0
    has_command sudo || return 1
    as_root=sudo
}

install() {
    $as_root apt-get -q -o DPkg::Lock::Timeout=120 update &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 \
            install --no-install-recommends "$@"
}

# install_wished WHAT PACKAGE...: installs all of them or none, since each is useless without the others.
install_wished() {
    what=$1
    shift
    [ $# -gt 0 ] || return 0
    echo "bootstrap.sh: installing $*" >&2
    if ! { has_command apt-get && find_root && install "$@"; } </dev/null >/dev/null 2>&1; then
        echo "bootstrap.sh: not to be had here: $*; the test of $what will be skipped" >&2
    fi
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

install_soaked() {
    echo "bootstrap.sh: installing$soaked" >&2
    { has_command apt-get && find_root; } || { echo "bootstrap.sh: cannot install here:$soaked" >&2; return; }
    for package in $soaked; do
        install "$package" </dev/null >/dev/null 2>&1 ||
            echo "bootstrap.sh: not to be had here: $package; its test will be skipped" >&2
    done
}

find_missing
if [ -n "$missing" ]; then
    has_command apt-get || give_up "this is neither Debian nor Ubuntu"
    find_root || give_up "not root, and there is no sudo"
    echo "bootstrap.sh: installing$missing" >&2
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    # $missing is a list of words
    # shellcheck disable=SC2086
    if ! install $missing </dev/null >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        give_up "apt-get failed (its last lines are above)"
    fi
    find_missing
    [ -z "$missing" ] || give_up "installed, and still not found"
fi
# These are lists of words.
# shellcheck disable=SC2086
{
    install_wished "the page" $wished_page
    install_wished "the crates" $wished_rust
    install_wished "the examples for continuous integration" $wished_recipes
}
[ $with_soak = no ] || find_soaked
[ -z "$soaked" ] || install_soaked
check_meson
