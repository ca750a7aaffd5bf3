#!/bin/sh
# Builds the library and the workers with musl into build/musl, and runs tests/musl: scripts/test_musl.sh
# Exit status: 0; 1 a test failed; 77 musl-gcc is not installed (scripts/bootstrap.sh --tests).
set -eu
cd "$(dirname "$0")/.."

command -v musl-gcc >/dev/null || {
    echo "musl-gcc is not installed"
    exit 77
}
if [ -f build/musl/build.ninja ]; then
    scripts/build.sh build/musl
else
    scripts/build.sh build/musl --native-file cross/musl.ini -Dcli=false -Dworkers=true -Dtests=enabled
fi
meson test -C build/musl --no-rebuild --print-errorlogs || exit 1

# hakstress itself is a program of glibc. It compares workers of musl, on musl's own malloc and on ours.
[ -x build/cli/hakstress ] || exit 0
worker=build/musl/cli/hakstress-worker
build/cli/hakstress compare --rounds 2 --seconds 0.05 --noise 100000 --seed 1 --quiet \
    --results build/musl/results --csv - \
    --allocator musl=libc,WORKER=$worker --baseline musl \
    --allocator ours=build/musl/lib/libhakmem.so,WORKER=$worker --allocators musl,ours larson >build/musl/compare.log
cat build/musl/compare.log
grep -q '^.*ours' build/musl/compare.log
