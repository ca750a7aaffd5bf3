// What the fuzz targets share. Each target is one file that defines LLVMFuzzerTestOneInput(); run_files.c calls it
// for the files of the corpus, libFuzzer for what it makes of them (scripts/fuzz.sh).
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

// Ends the process, so that the input is kept.
#define EXPECT(condition)                                                             \
    do {                                                                              \
        if (!(condition)) {                                                           \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                  \
        }                                                                             \
    } while (0)

// A file of these bytes, in memory alone: its path. It is the same file each time.
const char* fuzz_file(const void* data, size_t size);
// The bytes as a string, to be freed: up to the first zero byte.
char* fuzz_text(const uint8_t* data, size_t size);

#endif
