// Wrong acts on sampled blocks, with functions that a report must name: sampled WAY
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char* make_text(size_t size) {
    char* text = malloc(size);  // make
    memset(text, 't', size);
    return text;
}

static void drop_text(char* text) {
    free(text);  // drop
}

static char look_at(const char* text, int at) {
    return text[at];  // look
}

// Threads that look at freed texts at the same time.
static pthread_barrier_t all_there;

static void* look_with_others(void* text) {
    pthread_barrier_wait(&all_there);
    return (void*)(long)look_at(text, 3);
}

static void look_in_threads(void) {
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    pthread_barrier_init(&all_there, NULL, THREADS);
    for (int i = 0; i < THREADS; i++) {
        char* text = make_text(100);
        drop_text(text);
        pthread_create(&threads[i], NULL, look_with_others, text);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
}

// A look that the program survives, before it dies of something else.
static sigjmp_buf back;

static void jump_back(int number) {
    signal(number, SIG_DFL);
    siglongjmp(back, 1);
}

static void look_and_fail(char* text) {
    signal(SIGSEGV, jump_back);
    drop_text(make_text(10));  // the library's handler is in force again
    drop_text(text);
    if (sigsetjmp(back, 1) == 0) look_at(text, 3);
    look_at((char*)64, 3);
}

int main(int argc, char** argv) {
    const char* way = argc > 1 ? argv[1] : "";
    char* text = make_text(48);
    if (strcmp(way, "freed") == 0) {
        drop_text(text);
        return look_at(text, 3);
    }
    if (strcmp(way, "twice") == 0) {
        drop_text(text);
        drop_text(text);
    }
    if (strcmp(way, "threads") == 0) look_in_threads();
    if (strcmp(way, "survived") == 0) look_and_fail(text);
    if (strcmp(way, "far") == 0) return look_at(text, 4500);
    puts("nothing wrong");
    return 0;
}
