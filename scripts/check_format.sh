#!/bin/sh
# Are all C and C++ sources laid out as .clang-format says? Names those that are not. --fix lays them out.
set -eu
cd "$(dirname "$0")/.."

command -v clang-format >/dev/null || {
    echo "clang-format is not installed"
    exit 77
}
case ${1:-} in
--fix) mode=-i ;;
'') mode='--dry-run --Werror' ;;
*)
    echo "check_format.sh: unknown argument '$1'; usage: scripts/check_format.sh [--fix]" >&2
    exit 2
    ;;
esac
# shellcheck disable=SC2086
find include lib cli explore page code tests \( -name '*.[ch]' -o -name '*.[ch]pp' \) -print0 |
    xargs -0 -P "$(nproc)" -n 50 clang-format $mode
