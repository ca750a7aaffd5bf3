// Blocks that a program still reaches when it exits, in every way that a leak check must know. It may tell none of
// them.
// Sizes are KEPT_LEAST and above, so that a test knows them.
#ifndef TESTS_LEAKS_KEPT_H
#define TESTS_LEAKS_KEPT_H

#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEPT_LEAST = 5000, KEPT_BLOCKS = 9 };

static void* volatile kept_by_global;
static char* volatile kept_by_inside;  // points into the block
static __thread void* volatile kept_by_thread_local;
static void* volatile kept_list;
static sem_t kept_ready;

static void* kept_block(int number) {
    char* block = (char*)malloc((size_t)KEPT_LEAST + (size_t)number);
    if (block == NULL) abort();
    memset(block, 0, (size_t)KEPT_LEAST);
    return block;
}

// The stack and the thread-local variable of a thread that is alive when the program exits.
static void* keep_in_thread(void* nothing) {
    void* volatile on_stack = kept_block(6);
    kept_by_thread_local = kept_block(7);
    sem_post(&kept_ready);
    for (;;) pause();
    return on_stack != NULL ? nothing : NULL;
}

static void keep_blocks(void) {
    pthread_t thread;
    kept_by_global = kept_block(0);
    kept_by_inside = (char*)kept_block(1) + 77;
    kept_by_thread_local = kept_block(2);
    for (int i = 3; i < 6; i++) {  // each leads to the one before
        void** link = (void**)kept_block(i);
        *link = kept_list;
        kept_list = link;
    }
    void** shared = (void**)kept_block(8);
    *(void**)kept_by_global = shared;
    if (sem_init(&kept_ready, 0, 0) != 0 || pthread_create(&thread, NULL, keep_in_thread, NULL) != 0) abort();
    sem_wait(&kept_ready);
}

#endif
