#include "runtime/thread.h"

#include "runtime/machine.h"
#include "runtime/race.h"

#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { STACK_BYTES = 1 << 18, GUARD_BYTES = 1 << 16, TLS_MOST = 8192 };

Thread threads[THREADS_AND_SETUP];
unsigned thread_count, current_thread = SETUP;

static void* explorer_stack_pointer;
static uintptr_t explorer_thread_pointer;
static int left_with;

// --- the program's part of a thread's TLS

static struct {
    ptrdiff_t from_pointer;  // its place, from the thread pointer
    size_t bytes;
} tls;

static int find_tls(struct dl_phdr_info* info, size_t size, void* ignored) {
    (void)size, (void)ignored;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr)* header = &info->dlpi_phdr[i];
        if (header->p_type == PT_TLS) {
            tls.bytes = header->p_memsz;
            tls.from_pointer = (char*)info->dlpi_tls_data - (char*)machine_thread_pointer();
        }
    }
    return 1;  // the program comes first
}

static char* tls_of(unsigned thread) {
    return (char*)threads[thread].thread_pointer + tls.from_pointer;
}

static char tls_at_start[THREADS_AND_SETUP][TLS_MOST], tls_at_snapshot[THREADS_AND_SETUP][TLS_MOST];

static void copy_out(char to[][TLS_MOST]) {
    for (unsigned t = 0; t < THREADS_AND_SETUP; t++) memcpy(to[t], tls_of(t), tls.bytes);
}

static void copy_in(char from[][TLS_MOST], unsigned count) {
    for (unsigned t = 0; t < count; t++) memcpy(tls_of(t), from[t], tls.bytes);
    memcpy(tls_of(SETUP), from[SETUP], tls.bytes);
}

void threads_tls_snapshot(void) {
    copy_out(tls_at_snapshot);
}

void threads_tls_reset(void) {
    copy_in(tls_at_snapshot, thread_count);
}

void threads_tls_forget_all(void) {
    copy_in(tls_at_start, SETUP);
}

// Of those that a thread has written: a thread's words, in the order of the threads.
Hash threads_tls_hash(void) {
    Hash hash = {0, 0};
    for (unsigned t = 0; t < thread_count; t++) {
        const uint64_t *now = (const void*)tls_of(t), *then = (const void*)tls_at_snapshot[t];
        for (size_t i = 0; i < tls.bytes / sizeof *now; i++)
            if (now[i] != then[i]) hash = hash_add(hash_add(hash, t << 16 | i), now[i]);
    }
    return hash;
}

bool threads_tls_has(const volatile void* p) {
    return (size_t)((const volatile char*)p - tls_of(current_thread)) < tls.bytes;
}

void thread_tls_renew(unsigned thread) {
    memcpy(tls_of(thread), tls_at_snapshot[thread], tls.bytes);
}

// --- fibers

static pthread_barrier_t all_there;

static void* lend_pointer(void* thread) {
    ((Thread*)thread)->thread_pointer = machine_thread_pointer();
    pthread_barrier_wait(&all_there);
    for (;;) pause();
    return NULL;
}

static void missing(const char* what) {
    fprintf(stderr, "hakstress-explore: no %s for the threads of a run\n", what);
    exit(3);
}

// Below the stack is memory that nobody may touch: who needs more crashes there.
static char* make_stack(void) {
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    char* memory = mmap(NULL, GUARD_BYTES + STACK_BYTES, PROT_NONE, flags, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory + GUARD_BYTES, STACK_BYTES, PROT_READ | PROT_WRITE) != 0)
        missing("memory");
    return memory + GUARD_BYTES;
}

void threads_start(void) {
    machine_start();
    explorer_thread_pointer = machine_thread_pointer();
    dl_iterate_phdr(find_tls, NULL);
    if (tls.bytes > TLS_MOST) missing("room");
    pthread_barrier_init(&all_there, NULL, THREADS_AND_SETUP + 1);
    for (unsigned t = 0; t < THREADS_AND_SETUP; t++) {
        pthread_t lender;
        threads[t].stack = make_stack();
        if (pthread_create(&lender, NULL, lend_pointer, &threads[t]) != 0) missing("threads");
    }
    pthread_barrier_wait(&all_there);
    copy_out(tls_at_start);
}

void thread_prepare(unsigned thread, void (*body)(void)) {
    threads[thread].stack_pointer = machine_prepare(threads[thread].stack, STACK_BYTES, body);
}

void thread_tick(void) {
    race_set_user(current_thread, ++threads[current_thread].clock[current_thread]);
}

HAK_NOINLINE HakTls* thread_tls(void) {
    return &hak_tls;
}

void thread_become(unsigned thread) {
    current_thread = thread;
    race_set_user(thread, threads[thread].clock[thread]);
    machine_set_thread_pointer(threads[thread].thread_pointer);
}

void thread_switch(unsigned to) {
    Thread* from = &threads[current_thread];
    thread_become(to);
    machine_switch(&from->stack_pointer, threads[to].stack_pointer);
}

static volatile bool inside;

bool thread_is_inside(void) {
    return inside;
}

int thread_enter(unsigned to) {
    inside = true;
    thread_become(to);
    machine_switch(&explorer_stack_pointer, threads[to].stack_pointer);
    return left_with;
}

void thread_leave(int value) {
    void* unused;
    inside = false;
    left_with = value;
    current_thread = SETUP;
    machine_set_thread_pointer(explorer_thread_pointer);
    machine_switch(&unused, explorer_stack_pointer);
    __builtin_unreachable();
}
