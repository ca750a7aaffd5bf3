#include "supervise/memory_use.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// "NAME: N kB"
static void take_line(const char* line, const char* name, uint64_t* kib) {
    size_t length = strlen(name);
    if (strncmp(line, name, length) == 0 && line[length] == ':') *kib = strtoull(line + length + 1, NULL, 10);
}

uint64_t memory_own_kib(pid_t pid, const char* total) {
    char path[64], line[256];
    uint64_t whole = 0, shared = 0;
    snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE* file = fopen(path, "re");
    if (file == NULL) return 0;
    while (fgets(line, sizeof line, file) != NULL) {
        take_line(line, total, &whole);
        take_line(line, "RssShmem", &shared);
    }
    fclose(file);
    return whole > shared ? whole - shared : whole;
}
