#!/bin/sh
# The packages of FOLDER/one (reproducible.sh makes them) in a fresh Debian: an older version is installed, upgraded,
# tried, removed and purged, and nothing is left. The older version is the same commit with another number.
# usage: installed.sh FOLDER
set -eu
folder=$(realpath "${1:?usage: installed.sh FOLDER}")
here=$(realpath "$(dirname "$0")")
command -v mmdebstrap >/dev/null || { echo "mmdebstrap is not installed"; exit 77; }
[ "$(id -u)" = 0 ] || { echo "not root"; exit 77; }
OLDER=0.1.9

make_older() {
    rm -rf "$folder/older" "$folder/clone"
    git clone -q "$here/../.." "$folder/clone"
    (
        cd "$folder/clone"
        sed -i "s/^  version: '.*'/  version: '$OLDER'/" meson.build
        sed -i -e 's/\(VERSION_MINOR\) .*/\1 1/' -e 's/\(VERSION_PATCH\) .*/\1 9/' include/hakmem/hakmem.h
        sed -i "s/ [0-9.]*$/ $OLDER/" debian/libhakmem0.symbols
        sed -i "1s/.*/libhakmem.so.0 libhakmem0 #MINVER#/" debian/libhakmem0.symbols
        git -c user.name=test -c user.email=test@example.invalid commit -qam "An older version"
        scripts/package.sh --output "$folder/older" HEAD
    )
    rm -rf "$folder/clone"
}

# What the packages need, and what the test uses; no network is needed afterwards.
make_root() {
    rm -rf "$folder/root"
    . /etc/os-release
    mmdebstrap --quiet --variant=apt \
        --include=libjansson4,libdw1,libunwind8,man-db,bash-completion,zsh,fish,gcc,libc6-dev,cmake,make,pkg-config \
        "$VERSION_CODENAME" "$folder/root"
}

ls "$folder"/one/*.deb >/dev/null
make_older
make_root
trap 'rm -rf "$folder/root"' EXIT
mkdir "$folder/root/packages"
cp -r "$folder/older" "$folder/one" "$folder/root/packages/"
cp "$here/in_root.sh" "$folder/root/packages/"
unshare --mount sh -ec '
    mount -t proc proc "$1/proc"
    mount --rbind /dev "$1/dev"
    exec chroot "$1" sh /packages/in_root.sh "$2"
' sh "$folder/root" "$OLDER"
