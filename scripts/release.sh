#!/bin/sh
# Makes a release of the commit in use: the source tarball and the Debian packages, and the tag vVERSION. Nothing is
# sent anywhere: pushing the tag and publishing the files is left to you.
#
# usage: scripts/release.sh [--dry-run | --check] [--output FOLDER]
#   --dry-run   everything but the tag
#   --check     only what must hold before: the tree is clean; meson.build, header, crates, changelog and tag agree
# Exit status: 0 done, 1 something does not hold or failed, 2 wrong usage, 3 a tool is missing.
set -eu
cd "$(dirname "$0")/.."

what=release output=build/release
while [ $# -gt 0 ]; do
    case $1 in
    --dry-run) what=dry-run ;;
    --check) what=check ;;
    --output)
        [ $# -ge 2 ] || { echo "release.sh: --output needs a folder" >&2; exit 2; }
        output=$2
        shift
        ;;
    *)
        echo "release.sh: unknown argument '$1'; usage: scripts/release.sh [--dry-run | --check] [--output FOLDER]" >&2
        exit 2
        ;;
    esac
    shift
done

failed=0
wrong() {
    echo "release.sh: $1" >&2
    failed=1
}

version=$(sed -n "s/^  version: '\(.*\)',$/\1/p" meson.build)
echo "$version" | grep -qx '[0-9]\+\.[0-9]\+\.[0-9]\+' || wrong "meson.build: '$version' is no version"
tag=v$version

check_tree() {
    changed=$(git status --porcelain) || exit 1
    [ -z "$changed" ] || wrong "the tree is not clean: commit these, or remove them: $(echo "$changed" | head -n 3)"
}

check_header() {
    in_header=$(sed -n 's/^#define HAKMEM_VERSION_\(MAJOR\|MINOR\|PATCH\) //p' include/hakmem/hakmem.h | paste -sd .)
    [ "$in_header" = "$version" ] || wrong "the header says $in_header, meson.build $version"
}

check_crates() {
    for crate in languages/rust/*/Cargo.toml; do
        in_crate=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$crate")
        [ "$in_crate" = "$version" ] || wrong "$crate says $in_crate, meson.build $version"
    done
}

# The newest section has the version and a day, and tells something.
check_changelog() {
    heading=$(grep -m 1 '^## ' CHANGELOG.md || true)
    case $heading in
    "## [$version] - "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]) ;;
    *) wrong "CHANGELOG.md: the newest section should be '## [$version] - YEAR-MONTH-DAY', not '$heading'" ;;
    esac
    awk '/^## / { sections++ } sections == 1 && /^- / { found = 1 } END { exit !found }' CHANGELOG.md ||
        wrong "CHANGELOG.md: the newest section is empty"
}

# dpkg takes what a program needs from here: no name is newer than the release.
check_symbols() {
    newest=$(sed -n 's/^ .*@[A-Za-z_0-9]* //p' debian/libhakmem0.symbols | sort -V | tail -n 1)
    [ "$(printf '%s\n%s\n' "$newest" "$version" | sort -V | tail -n 1)" = "$version" ] ||
        wrong "debian/libhakmem0.symbols: a name is of version $newest"
}

check_tag() {
    there=$(git rev-parse --verify --quiet "refs/tags/$tag^{commit}") || return 0
    [ "$there" = "$(git rev-parse HEAD)" ] || wrong "the tag $tag is there, and is another commit"
}

check_tree
check_header
check_crates
check_changelog
check_symbols
check_tag
[ $failed -eq 0 ] || exit 1
echo "release.sh: $version: tree, header, crates, changelog, symbols and tag are as they should be"
[ $what != check ] || exit 0

scripts/package.sh --output "$output" --lint HEAD
if [ $what = dry-run ]; then
    echo "release.sh: dry run: the tag $tag was not made"
else
    git rev-parse --verify --quiet "refs/tags/$tag" >/dev/null || git tag -a -m "libhakmem $version" "$tag"
    echo "release.sh: the tag is $tag; to publish it: git push origin $tag"
fi
