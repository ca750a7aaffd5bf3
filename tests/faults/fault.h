// For the programs of the fault gallery. Each does one wrong thing. If nothing stops it, it says so and ends with
// status 0.
#ifndef FAULT_H
#define FAULT_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Hides from the compiler what becomes of a block; otherwise it would leave the fault out.
static inline void* opaque(void* p) {
    __asm__ volatile("" : "+r"(p) : : "memory");
    return p;
}

static inline int not_noticed(void) {
    puts("not noticed");
    return 0;
}

// Allocates and frees for a while, as a program does after its mistake.
static inline void go_on(size_t size) {
    enum { BLOCKS = 4096 };
    static void* block[BLOCKS];
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < BLOCKS; i++) {
            block[i] = opaque(malloc(size));
            memset(block[i], 'x', size);
        }
        for (int i = 0; i < BLOCKS; i++) free(opaque(block[i]));
    }
}

static inline void in_another_thread(void* (*work)(void*), void* argument) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, work, argument) != 0 || pthread_join(thread, NULL) != 0) abort();
}

#endif
