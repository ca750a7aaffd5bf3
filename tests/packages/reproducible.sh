#!/bin/sh
# Two builds of the last commit give equal packages and an equal tarball: in another folder, by another umask, time
# zone, language and number of processors.
# usage: reproducible.sh FOLDER     its subfolder `one` has the packages afterwards
set -eu
folder=${1:?usage: reproducible.sh FOLDER}
here=$(dirname "$0")/../..
command -v dpkg-buildpackage >/dev/null && command -v dh >/dev/null || { echo "debhelper is not installed"; exit 77; }

rm -rf "$folder/one" "$folder/two"
mkdir -p "$folder/one" "$folder/two" "$folder/a/much/longer/way"
"$here/scripts/package.sh" --output "$folder/one" --lint HEAD
(
    umask 077
    export TZ=Asia/Tokyo LC_ALL=C HOME=/nonexistent TMPDIR="$(realpath "$folder")/a/much/longer/way"
    # The test's limit of one processor: nproc says 1.
    taskset -c "$(taskset -cp $$ | sed 's/.*: \([0-9]*\).*/\1/')" "$here/scripts/package.sh" --output "$folder/two" HEAD
)
failed=0 count=0
for file in "$folder"/one/*.deb "$folder"/one/*.tar.xz; do
    name=${file##*/}
    count=$((count + 1))
    cmp "$file" "$folder/two/$name" || failed=1
done
echo "reproducible: $count files compared"
[ $count -ge 4 ] && exit $failed
