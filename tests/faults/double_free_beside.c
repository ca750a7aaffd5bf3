#include "fault.h"

// The thread goes on, so what it freed stays in its lists.
static pthread_barrier_t freed;
static void* free_it(void* p) {
    free(opaque(malloc(100)));
    free(opaque(p));
    pthread_barrier_wait(&freed);
    for (;;) pause();
    return NULL;
}

int main(void) {
    void* p = opaque(malloc(100));
    free(p);
    pthread_t thread;
    pthread_barrier_init(&freed, NULL, 2);
    if (pthread_create(&thread, NULL, free_it, p) != 0) abort();
    pthread_barrier_wait(&freed);
    go_on(100);
    return not_noticed();
}
