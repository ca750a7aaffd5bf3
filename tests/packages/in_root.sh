#!/bin/sh
# Inside a fresh root, with packages in /packages/older and /packages/one: what a user does with them.
# usage: in_root.sh OLDER_VERSION
set -u
older=$1
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive
failed=0
mkdir -p /root/work && cd /root/work || exit 1

# shows WORDS WHAT COMMAND...: the output has the words (a regular expression), and the command succeeds
shows() {
    words=$1 what=$2 status=0
    shift 2
    "$@" </dev/null >said 2>&1 || status=$?
    if [ $status -eq 0 ] && grep -Eq -- "$words" said; then
        echo "ok: $what"
    else
        echo "FAILED: $what (exit status $status): $*"
        head -n 20 said
        failed=1
    fi
}

# The files of the system, without what it writes while it runs.
files() {
    find / -xdev -path /proc -prune -o -path /packages -prune -o -path /root -prune -o -path /var -prune -o -print |
        grep -Ev '^/(dev|sys|run|tmp|etc/ld.so.cache)' | sort
}
install_from() {
    apt-get install --yes "$1"/libhakmem0_*.deb "$1"/libhakmem-dev_*.deb "$1"/hakstress_*.deb
}

files >before
shows 'Setting up hakstress' "the older version is installed" install_from /packages/older
shows "^hakstress $older\$" "it is the older version" hakstress --version
shows 'Setting up hakstress' "it is upgraded" install_from /packages/one
version=$(dpkg-query -W -f '${Version}' hakstress | sed 's/-.*//')
shows "^hakstress $version\$" "it is the newer version" hakstress --version
shows "$version" "nothing of the older version is left" \
    sh -c "ls /usr/lib/*/libhakmem.so.* && ! ls /usr/lib/*/libhakmem.so.$older"

shows 'hakstress-compare\(1\)' "man hakstress" man -P cat hakstress
shows 'hakstress run .*COMMAND' "man hakstress-run" env MANWIDTH=300 man -P cat hakstress-run
shows 'hak_malloc_usable_size' "man libhakmem" man -P cat libhakmem
shows 'nginx' "man hakmem.conf" man -P cat hakmem.conf
shows 'HAKMEM_RESERVE' "man hakmem" man -P cat 7 hakmem

shows 'hakmem: version '"$version"', release' "preloaded by its soname" \
    env HAKMEM_VERBOSE=1 LD_PRELOAD=libhakmem.so.0 true
printf 'HAKMEM_VERBOSE=1\n[true]\nHAKMEM_PURGE_MS=7\n' >/etc/hakmem.conf
shows 'HAKMEM_PURGE_MS=7' "hakmem.conf" env LD_PRELOAD=libhakmem.so.0 true
shows 'config: ok' "hakstress config" hakstress config check
rm /etc/hakmem.conf

shows 'hakmem +/usr/lib/.*/libhakmem\.so\.0' "hakstress finds the library" hakstress list allocators
shows 'repro: ok' "hakstress repro" hakstress repro 0.1 2
shows 'explore: ok' "hakstress explore" hakstress explore S1 --schedules 5
shows 'seconds=0.02' "hakstress bench" hakstress bench pair --seconds 0.02 --runs 1
shows 'fault signal=SIGSEGV' "hakstress run" sh -c 'hakstress run -- sh -c "kill -SEGV \$\$"; [ $? -eq 139 ]'
shows 'true.trace' "hakstress record" hakstress record --output true.trace -- sh -c true

shows '_hakstress' "completion in bash" \
    bash -c '. /usr/share/bash-completion/bash_completion; _completion_loader hakstress; complete -p hakstress'
shows '^_hakstress$' "completion in zsh" zsh -fc 'autoload -Uz compinit; compinit -u; echo $_comps[hakstress]'
shows '^repro' "completion in fish" fish -c 'complete -C "hakstress re"'

cat >user.c <<'END'
#include <hakmem/hakmem.h>
#include <stdio.h>
#include <stdlib.h>
int main(void) {
    char text[256];
    void* block = malloc(100);
    hak_describe(block, text, sizeof text);
    printf("%s %s\n", hak_version(), text);
    free(block);
}
END
cat >CMakeLists.txt <<END
cmake_minimum_required(VERSION 3.18)
project(user C)
find_package(hakmem $version REQUIRED)
add_executable(shared user.c)
target_link_libraries(shared hakmem::hakmem)
add_executable(archive user.c)
target_link_libraries(archive hakmem::static)
END
shows "^$version .*slab" "pkg-config" sh -c 'cc user.c $(pkg-config --cflags --libs hakmem) -o a && ./a'
shows "^$version .*slab" "pkg-config --static" \
    sh -c 'cc -static user.c $(pkg-config --cflags --libs --static hakmem) -o b && ./b'
shows "archive" "find_package" sh -c 'cmake -S . -B build && cmake --build build'
shows "^$version .*slab" "CMake's shared library" build/shared
shows "^$version .*slab" "CMake's archive" build/archive

shows '^libhakmem0 ' "dpkg knows them" dpkg-query -W -f '${Package} ${Status}\n' libhakmem0
shows 'Removing libhakmem0' "they are removed" apt-get remove --yes libhakmem0 libhakmem-dev hakstress
shows '.' "they are purged" dpkg --purge libhakmem0 libhakmem-dev hakstress
shows '^none$' "dpkg knows none of them" \
    sh -c "! dpkg-query -W -f '\${Package} \${Status}\n' | grep -E 'hakmem|hakstress' && echo none"
files >after
shows '^the same$' "nothing is left" sh -c 'diff before after && echo the same'
exit $failed
