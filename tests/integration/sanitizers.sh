#!/bin/bash
# Programs built for ThreadSanitizer and AddressSanitizer run with the library preloaded as they do without it: their
# own malloc stays in force. gcc's AddressSanitizer must be the first of all libraries.
# usage: sanitizers.sh LIBHAKMEM.so COMPILER...
set -eu
library=$(realpath "${1:?usage: sanitizers.sh LIBHAKMEM.so COMPILER...}")
shift
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/program.c" <<'C'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void* churn(void* argument) {
    unsigned random = (unsigned)(size_t)argument;
    char* blocks[100] = {0};
    for (int i = 0; i < 3000; i++) {
        random = random * 1103515245 + 12345;
        unsigned k = (random >> 8) % 100;
        size_t size = 1 + (random >> 9) % (i % 50 ? 3000 : 300000);
        blocks[k] = i % 3 ? realloc(blocks[k], size) : (free(blocks[k]), calloc(1, size));
        memset(blocks[k], 1, size < 50 ? size : 50);
    }
    for (int i = 0; i < 100; i++) free(blocks[i]);
    void* aligned = NULL;
    if (posix_memalign(&aligned, 256, 1000) == 0) free(aligned);
    free(aligned_alloc(64, 640));
    free(strdup("text"));
    return NULL;
}

int main(void) {
    pthread_t threads[3];
    for (size_t i = 0; i < 3; i++) pthread_create(&threads[i], NULL, churn, (void*)i);
    for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
    churn(NULL);
    puts("done");
    return 0;
}
C
failed=0
ran=0

# run NAME PRELOAD PROGRAM
run() {
    local said status=0
    said=$(timeout -s KILL 20 env LD_PRELOAD="$2" "$3" 2>&1) || status=$?
    if [ "$status" -eq 0 ] && [ "$said" = done ]; then
        echo "ok: $1"
    else
        echo "FAILED: $1: exit status $status, said: $(echo "$said" | head -5)"
        failed=$((failed + 1))
    fi
}

for compiler; do
    for sanitizer in thread address; do
        name="$(basename "$compiler"), $sanitizer"
        program=$folder/$(basename "$compiler")-$sanitizer
        if ! "$compiler" -g -O1 -fno-builtin -pthread -fsanitize=$sanitizer "$folder/program.c" -o "$program" \
            2>"$folder/said"; then
            echo "skipped: $name: $(head -1 "$folder/said")"
            continue
        fi
        # if the sanitizer cannot use the layout of memory here, it does not run without the library either
        if [ "$(timeout -s KILL 20 "$program" 2>"$folder/said")" != done ]; then
            echo "skipped: $name: without the library: $(head -1 "$folder/said")"
            continue
        fi
        ran=$((ran + 1))
        runtime=$(ldd "$program" | awk '/libasan/ { print $3 }')
        if [ -n "$runtime" ]; then
            run "$name, its runtime first" "$runtime:$library" "$program"
            ASAN_OPTIONS=verify_asan_link_order=0 run "$name, the library first" "$library" "$program"
        else
            run "$name" "$library" "$program"
        fi
    done
done
[ "$ran" -gt 0 ] || exit 77
[ "$failed" -eq 0 ]
