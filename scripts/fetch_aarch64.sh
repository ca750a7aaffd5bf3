#!/bin/sh
# Fetches the libraries of Debian for aarch64 that hakstress and the tests need, into a folder: nothing is installed.
# Does nothing if they are there. Writes FOLDER/libraries.ini, a second cross file for meson, which leads to them.
# Exit status: 0; 2 wrong usage; 3 they cannot be had here.
set -eu

[ $# -eq 1 ] || {
    echo "fetch_aarch64.sh: usage: scripts/fetch_aarch64.sh FOLDER" >&2
    exit 2
}
mkdir -p "$1"
folder=$(cd "$1" && pwd)
packages="libjansson4 libjansson-dev libdw1 libdw-dev libelf1 libelf-dev libunwind8 libunwind-dev zlib1g zlib1g-dev
    libcmocka0 libcmocka-dev liblzma5 liblzma-dev libbz2-1.0"

# The lists of packages for another architecture, without telling the system of it.
apt() {
    apt-get -q -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User=root \
        -o Dir::State="$folder/apt" -o Dir::State::status="$folder/apt/status" -o Dir::Cache="$folder/apt/cache" "$@"
}

fetch() {
    mkdir -p "$folder/apt/lists/partial" "$folder/apt/cache/archives/partial" "$folder/debs" "$folder/root"
    touch "$folder/apt/status"
    # $packages is a list of words
    # shellcheck disable=SC2086
    apt update && (cd "$folder/debs" && apt download $packages) || return 1
    for package in "$folder"/debs/*.deb; do dpkg-deb -x "$package" "$folder/root" || return 1; done
    rm -rf "$folder/apt" "$folder/debs"
}

libraries="$folder/root/usr/lib/aarch64-linux-gnu"
run_path="LD_LIBRARY_PATH=$libraries:$folder/root/lib/aarch64-linux-gnu"
write_cross_file() {
    cat >"$folder/libraries.ini" <<END
[binaries]
exe_wrapper = ['qemu-aarch64', '-L', '/usr/aarch64-linux-gnu', '-E', '$run_path']

[properties]
sys_root = '$folder/root'
pkg_config_libdir = '$libraries/pkgconfig'
test_runner = 'qemu-aarch64 -L /usr/aarch64-linux-gnu -E $run_path'

# What these libraries need themselves is not looked for by the linker.
[built-in options]
c_link_args = ['-L$libraries', '-Wl,--allow-shlib-undefined']
cpp_link_args = ['-L$libraries', '-Wl,--allow-shlib-undefined']
END
}

[ ! -d "$folder/root" ] || {
    write_cross_file
    exit 0
}
command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null && fetch >"$folder/log" 2>&1 || {
    tail -n 5 "$folder/log" 2>/dev/null >&2
    echo "fetch_aarch64.sh: the libraries for aarch64 cannot be had here (only from Debian's packages)" >&2
    exit 3
}
write_cross_file
