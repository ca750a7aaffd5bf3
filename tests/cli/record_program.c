// A program whose allocations are known, for test_record.py. usage: record_program MODE
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BEGIN = 12345, END = 54321, HANDED_OVER = 5000 };

// The test looks at the process between these two.
static void mark(size_t size) {
    free(malloc(size));
}

static void known(void) {
    char* a = malloc(100);
    char* b = calloc(10, 20);
    free(a);
    char* c = malloc(0);
    free(b);
    a = malloc(101);
    free(c);
    char* d = strdup("eleven byte");
    free(d);
    free(a);
    (void)malloc(77);  // never freed
}

static void resize(void) {
    char* a = realloc(NULL, 10);
    a = realloc(a, 20);
    a = realloc(a, 100000);
    a = reallocarray(a, 10, 3);
    volatile size_t too_much = SIZE_MAX / 2;
    if (realloc(a, too_much) != NULL) abort();  // the block stays
    char* b = malloc(40);
    b = realloc(b, 0);
    free(a);
}

static void align(void) {
    void* a = NULL;
    if (posix_memalign(&a, 64, 200) != 0) abort();
    void* b = aligned_alloc(4096, 8192);
    void* c = memalign(32, 33);
    void* d = valloc(50);
    volatile size_t no_power_of_two = 48;
    void* refused = aligned_alloc(no_power_of_two, 96);  // some allocators accept it
    free(refused);
    free(a);
    free(b);
    free(c);
    free(d);
}

static void* handed[HANDED_OVER];

static void* produce(void* unused) {
    (void)unused;
    for (int i = 0; i < HANDED_OVER; i++) {
        void* block = malloc(1000 + (size_t)i % 7);
        __atomic_store_n(&handed[i], block, __ATOMIC_RELEASE);  // pairs with the acquire in cross()
    }
    return NULL;
}

// What one thread allocates, the other sometimes grows, and then frees.
static void cross(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, produce, NULL) != 0) abort();
    for (int i = 0; i < HANDED_OVER; i++) {
        void* block;
        while ((block = __atomic_load_n(&handed[i], __ATOMIC_ACQUIRE)) == NULL) usleep(1);
        if (i % 10 == 0) block = realloc(block, 3000);
        free(block);
    }
    pthread_join(thread, NULL);
}

static void* brief(void* unused) {
    (void)unused;
    for (int i = 0; i < 1024; i++) free(malloc(500));  // these fill the recorder's first piece, to the last event
    return NULL;
}

static void churn(void) {
    for (int i = 0; i < 100; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, brief, NULL) != 0) abort();
        pthread_join(thread, NULL);
    }
}

static void fork_child(void) {
    void* inherited = malloc(600);
    pid_t child = fork();
    if (child == 0) {
        free(inherited);
        mark(601);
        _exit(0);
    }
    mark(602);
    waitpid(child, NULL, 0);
    free(inherited);
}

static void many(void) {
    for (int i = 0; i < 200000; i++) free(malloc(64));
}

static void wait_for_signal(void) {
    if (write(STDOUT_FILENO, "ready\n", 6) == 6) pause();
}

static void crash(void) {
    (void)malloc(700);
    raise(SIGSEGV);
}

static void leave(void) {
    (void)malloc(701);
    _exit(7);
}

static void kill_self(void) {
    (void)malloc(702);
    kill(getpid(), SIGKILL);
}

static const struct {
    const char* name;
    void (*run)(void);
} modes[] = {
    {"known", known},          {"resize", resize},   {"align", align},    {"cross", cross},
    {"churn", churn},          {"fork", fork_child}, {"many", many},      {"crash", crash},
    {"wait", wait_for_signal}, {"leave", leave},     {"kill", kill_self},
};

int main(int argc, char** argv) {
    for (size_t i = 0; argc == 2 && i < sizeof modes / sizeof modes[0]; i++) {
        if (strcmp(argv[1], modes[i].name) != 0) continue;
        mark(BEGIN);
        modes[i].run();
        mark(END);
        return 0;
    }
    return 2;
}
