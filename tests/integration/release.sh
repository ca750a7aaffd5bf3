#!/bin/sh
# scripts/release.sh --check refuses a tree that is not ready for a release, and says why.
# usage: release.sh ROOT       the checkout
set -eu
root=${1:?usage: release.sh ROOT}
git -C "$root" rev-parse HEAD >/dev/null 2>&1 || { echo "not a checkout of git"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
export GIT_AUTHOR_NAME=test GIT_AUTHOR_EMAIL=test@example.invalid
export GIT_COMMITTER_NAME=test GIT_COMMITTER_EMAIL=test@example.invalid

# A small checkout with what a release looks at.
for file in scripts/release.sh meson.build include/hakmem/hakmem.h debian/libhakmem0.symbols \
    languages/rust/hakmem/Cargo.toml; do
    mkdir -p "$work/tree/$(dirname $file)"
    cp "$root/$file" "$work/tree/$file"
done
version=$(sed -n "s/^  version: '\(.*\)',$/\1/p" "$root/meson.build")
cd "$work/tree"
cat >CHANGELOG.md <<END
# Changelog

## [$version] - 2026-01-31

- A line.

## [0.0.1] - 2025-01-31

- Another.
END
git init -q .
git add -A
git commit -qm "Begin"

# says STATUS WORDS WHAT, then the tree is as before
says() {
    status=0
    scripts/release.sh --check >"$work/out" 2>&1 || status=$?
    if [ $status -eq "$1" ] && grep -q -- "$2" "$work/out"; then
        echo "ok: $3"
    else
        echo "FAILED: $3"
        cat "$work/out"
        failed=1
    fi
    git reset -q --hard begin && git clean -qfd
}

# changed FILE EDIT
changed() {
    sed -i "$2" "$1"
    git commit -qam "Change it"
}

git tag begin
says 0 'are as they should be' "a tree that is ready"
touch new.c
says 1 'not clean' "a file that is not committed"
changed include/hakmem/hakmem.h 's/\(VERSION_MAJOR\) .*/\1 9/'
says 1 'the header says 9' "a header of another version"
changed languages/rust/hakmem/Cargo.toml 's/^version = .*/version = "9.9.9"/'
says 1 'Cargo.toml says 9.9.9' "a crate of another version"
changed meson.build "s/^  version: '.*'/  version: '9.9.9'/"
says 1 'newest section should be .## \[9.9.9\]' "a changelog of another version"
changed CHANGELOG.md 's/^## \[[^0]*0[^]]*\] - 2026.*/## [Unreleased]/'
says 1 'not .## \[Unreleased\]' "a changelog without the release"
changed CHANGELOG.md '/A line/d'
says 1 'newest section is empty' "a changelog that tells nothing"
changed debian/libhakmem0.symbols '$s/ [0-9.]*$/ 9.9.9/'
says 1 'a name is of version 9.9.9' "a symbol of a later version"
git tag "v$version"
changed CHANGELOG.md 's/A line/Another line/'
says 1 "tag v$version is there" "a tag on another commit"
says 0 'are as they should be' "a tag on this commit"
exit $failed
