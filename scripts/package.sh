#!/bin/sh
# Makes a source tarball and Debian packages of a tag or commit: libhakmem0, libhakmem-dev, hakstress. Equal commits
# give equal bytes, wherever and whenever they are built with the same compiler and tools.
#
# usage: scripts/package.sh [--output FOLDER] [--source-only] [--lint] [TAG]
#   FOLDER   default build/packages
#   TAG      default the commit in use
#   --lint   lintian looks at the packages, and must find neither errors nor warnings
# Exit status: 0 done, 1 a build failed (its log is in the folder) or lintian found something, 2 wrong usage, 3 a tool
# is missing.
set -eu
cd "$(dirname "$0")/.."

usage() {
    echo "package.sh: $1; usage: scripts/package.sh [--output FOLDER] [--source-only] [--lint] [TAG]" >&2
    exit 2
}

output=build/packages source_only=no lint=no tag=HEAD
while [ $# -gt 0 ]; do
    case $1 in
    --output)
        [ $# -ge 2 ] || usage "--output needs a folder"
        output=$2
        shift
        ;;
    --source-only) source_only=yes ;;
    --lint) lint=yes ;;
    -*) usage "unknown option '$1'" ;;
    *) tag=$1 ;;
    esac
    shift
done
commit=$(git rev-parse --verify --quiet "$tag^{commit}") || usage "there is no tag or commit '$tag'"
need() {
    command -v "$1" >/dev/null || { echo "package.sh: please install $2" >&2; exit 3; }
}
need xz xz-utils
[ $source_only = yes ] || { need dpkg-buildpackage dpkg-dev && need dh debhelper; }
[ $lint = no ] || need lintian lintian

version=$(git show "$commit:meson.build" | sed -n "s/^  version: '\(.*\)',$/\1/p")
[ -n "$version" ] || { echo "package.sh: meson.build of $tag has no version" >&2; exit 1; }
name=libhakmem-$version
# The day of the commit, not that of the build.
SOURCE_DATE_EPOCH=$(git show -s --format=%ct "$commit")
export SOURCE_DATE_EPOCH LC_ALL=C.UTF-8 TZ=UTC
umask 022

mkdir -p "$output"
output=$(realpath "$output")
git -c tar.umask=022 archive --format=tar --prefix="$name/" "$commit" | xz -6 -T1 >"$output/$name.tar.xz"
echo "$output/$name.tar.xz"
[ $source_only = no ] || exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar -xJf "$output/$name.tar.xz" -C "$work"
cd "$work/$name"
maintainer=$(sed -n 's/^Maintainer: //p' debian/control)
day=$(date --utc --date="@$SOURCE_DATE_EPOCH" '+%a, %d %b %Y %H:%M:%S +0000')
cat >debian/changelog <<END
libhakmem ($version-1) unstable; urgency=medium

  * Version $version: see changelog.gz.

 -- $maintainer  $day
END
log=$output/build.log
DEB_BUILD_OPTIONS="nocheck parallel=$(nproc)" dpkg-buildpackage --build=binary --no-sign >"$log" 2>&1 </dev/null || {
    tail -n 30 "$log" >&2
    echo "package.sh: the build failed; all of it: $log" >&2
    exit 1
}
for package in ../*.deb; do
    cp "$package" "$output/"
    echo "$output/${package#../}"
done
cp ../*.changes ../*.buildinfo "$output/"

# The packages close no bug of Debian's: they are no upload to it.
[ $lint = no ] ||
    lintian --fail-on error,warning --allow-root --suppress-tags initial-upload-closes-no-bugs ../*.changes
