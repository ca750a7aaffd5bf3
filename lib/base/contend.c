#include "base/contend.h"

#include <stddef.h>
#include <time.h>

enum { PROBES = 64 };

ContendLine contend_lines[CONTEND_ROOM];

static HAK_TLS char here;  // its address stands for the thread

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static ContendLine* line_of(const volatile void* at) {
    uintptr_t line = (uintptr_t)at >> CONTEND_SHIFT;
    for (uint64_t i = 0, hash = line * UINT64_C(0x9E3779B97F4A7C15) >> 40; i < PROBES; i++) {
        ContendLine* found = &contend_lines[(hash + i) % CONTEND_ROOM];
        uintptr_t there = atomic_load_explicit(&found->line, memory_order_relaxed);
        if (there == line) return found;
        if (there == 0 && atomic_compare_exchange_strong(&found->line, &there, line)) return found;
        if (there == line) return found;
    }
    return NULL;
}

static void add(_Atomic uint64_t* to, uint64_t n) {
    atomic_fetch_add_explicit(to, n, memory_order_relaxed);
}

void contend_write(const volatile void* at) {
    ContendLine* line = line_of(at);
    uintptr_t me = (uintptr_t)&here, nobody = 0;
    if (line == NULL) return;
    add(&line->writes, 1);
    if (atomic_compare_exchange_strong(&line->first, &nobody, me) || nobody == me) add(&line->by_first, 1);
}

void contend_taken(const void* lock) {
    ContendLine* line = line_of(lock);
    if (line == NULL) return;
    add(&line->taken, 1);
    atomic_store_explicit(&line->since, now_ns(), memory_order_relaxed);
}

void contend_released(const void* lock) {
    ContendLine* line = line_of(lock);
    uint64_t since = line ? atomic_load_explicit(&line->since, memory_order_relaxed) : 0;
    if (since == 0) return;  // hak_trylock took it
    atomic_store_explicit(&line->since, 0, memory_order_relaxed);
    add(&line->held_ns, now_ns() - since);
}
