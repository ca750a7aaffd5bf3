// Wrong frees and reallocs that release notices. With HAKMEM_ON_ERROR=abort each ends the process with one line. With
// report the line is all: the call is left undone, errno is kept, the heap is whole, and no block is handed out twice.
// What cannot be decided is set aside without a word.
//
//   wrong_free abort | report
#include "support/family.h"
#include "support/test.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void* opaque(void* p) {
    __asm__ volatile("" : "+r"(p) : : "memory");
    return p;
}

static char* block(size_t size) {
    char* p = opaque(t_malloc(size));
    CHECK(p != NULL, "%zu bytes", size);
    memset(p, 'x', size);
    return p;
}

// The call that is wrong. Nothing may change errno.
static void wrong(void* p) {
    errno = EDOM;
    t_free(opaque(p));
    CHECK(errno == EDOM, "errno is %d", errno);
}

// --- another thread

typedef struct {
    void (*work)(void* p);
    void* p;
    pthread_barrier_t done, end;
} Other;

static void* body(void* argument) {
    Other* other = argument;
    other->work(other->p);
    pthread_barrier_wait(&other->done);
    pthread_barrier_wait(&other->end);
    return NULL;
}

static pthread_t start(Other* other, void (*work)(void* p), void* p) {
    other->work = work;
    other->p = p;
    pthread_barrier_init(&other->done, NULL, 2);
    pthread_barrier_init(&other->end, NULL, 2);
    pthread_t thread = test_thread(body, other);
    pthread_barrier_wait(&other->done);
    return thread;
}

static void end(Other* other, pthread_t thread) {
    pthread_barrier_wait(&other->end);
    CHECK(pthread_join(thread, NULL) == 0, "join");
}

// Does the work in another thread, which ends before this returns.
static void elsewhere(void (*work)(void* p), void* p) {
    Other other;
    end(&other, start(&other, work, p));
}

// Does the work in another thread, which lives for ever.
static void beside(void (*work)(void* p), void* p) {
    static Other other;
    start(&other, work, p);
}

static void give_one(void* p) {
    *(char**)p = block(100);
}

static void give_run(void* p) {
    *(char**)p = block(100000);
}

static void free_rightly(void* p) {
    t_free(p);
}

// Allocates first, so that the thread has a TCB.
static void free_wrongly(void* p) {
    t_free(block(48));
    wrong(p);
}

// Only frees, so that it needs no TCB.
static void free_twice(void* p) {
    t_free(p);
    wrong(p);
}

// --- in the caller's own lists

static void in_a_row(size_t size) {
    char* p = block(size);
    t_free(p);
    wrong(p);
}

static void interleaved(size_t size) {
    char *p = block(size), *q = block(size);
    t_free(p);
    t_free(q);
    wrong(p);
}

static void delayed(size_t size) {
    char* p = block(size);
    t_free(p);
    for (int i = 0; i < 1000; i++) t_free(block(size));
    wrong(p);
}

// More than the bin holds.
static void on_free_list(size_t size) {
    enum { BLOCKS = 200 };
    char* p[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) p[i] = block(size);
    for (int i = 0; i < BLOCKS - 1; i++) t_free(p[i]);
    wrong(p[BLOCKS - 10]);
}

static void in_bundle(size_t size) {
    (void)size;
    char* p;
    beside(give_one, &p);
    t_free(p);
    wrong(p);
}

static void on_remote_stack(size_t size) {
    char* p = block(size);
    elsewhere(free_rightly, p);
    wrong(p);
}

static void twice_by_one_that_only_frees(size_t size) {
    elsewhere(free_twice, block(size));
}

static void run_from_cache(size_t size) {
    in_a_row(size);
}

static void run_not_cached(size_t size) {
    char *p = block(size), *kept = block(size);
    t_free(p);
    t_trim(0);
    wrong(p);
    t_free(kept);
}

// All blocks of its slab are free, so that the slab has gone back.
static void slab_gone(size_t size) {
    enum { BLOCKS = 4096 };
    static char* p[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) p[i] = block(size);
    for (int i = 0; i < BLOCKS; i++) t_free(p[i]);
    t_trim(0);
    wrong(p[BLOCKS / 2]);
}

// --- what cannot be decided

static void in_another_bin(size_t size) {
    char* p = block(size);
    t_free(p);
    elsewhere(free_wrongly, p);
}

static void run_freed_by_two(size_t size) {
    char* p = block(size);
    elsewhere(free_rightly, p);
    elsewhere(free_wrongly, p);
}

// Another one lies above it on the remote stack.
static void run_below_freed_by_two(size_t size) {
    char *p = block(size), *above = block(size);
    elsewhere(free_rightly, p);
    elsewhere(free_rightly, above);
    elsewhere(free_wrongly, p);
}

// More than are set aside. The owner finds the others on the remote stack twice.
static void many_runs_freed_by_two(size_t size) {
    enum { RUNS = 20 };
    char* p[RUNS];
    for (int i = 0; i < RUNS; i++) p[i] = block(size);
    for (int i = 0; i < RUNS; i++) elsewhere(free_rightly, p[i]);
    for (int i = 0; i < RUNS; i++) elsewhere(free_wrongly, p[i]);
    for (int i = 0; i < RUNS; i++) block(size);
}

// With HAKMEM_CLOSE=1.
static void many_closed_runs_freed_by_two(size_t size) {
    many_runs_freed_by_two(size);
}

static volatile sig_atomic_t handled;
static char* for_handler;
static void handler(int signal) {
    (void)signal;
    wrong(for_handler);
    handled = 1;
}

static void in_a_handler(size_t size) {
    for_handler = block(size);
    t_free(for_handler);
    signal(SIGUSR1, handler);
    raise(SIGUSR1);
    CHECK(handled, "the handler ran");
}

// --- pointers that no block has

static void plus_1(size_t size) {
    wrong(block(size) + 1);
}

static void plus_8(size_t size) {
    wrong(block(size) + 8);
}

static void plus_16_of_others(size_t size) {
    (void)size;
    char* p;
    beside(give_one, &p);
    wrong(p + 16);
}

static void plus_a_page(size_t size) {
    wrong(block(size) + 4096);
}

static void plus_a_page_of_others(size_t size) {
    (void)size;
    char* p;
    beside(give_run, &p);
    wrong(p + 4096);
}

// The thread has no place for it in a bin.
static void plus_16_over_a_full_bin(size_t size) {
    enum { BLOCKS = 64 };
    char* p[BLOCKS];
    for (int i = 0; i < BLOCKS; i++) p[i] = block(size);
    for (int i = 0; i < BLOCKS / 2; i++) t_free(p[i]);
    wrong(p[BLOCKS - 1] + 16);
}

static void of_the_stack(size_t size) {
    (void)size;
    _Alignas(16) char local[64];
    wrong(local);
}

// --- pointers with a tag in their uppermost byte, which aarch64 ignores in accesses

static void* tagged(void* p) {
    return (void*)((uintptr_t)p | UINT64_C(0xa5) << 56);
}

static void with_a_tag(size_t size) {
    wrong(tagged(block(size)));
}

// Where the system gives programs 52 bits of addresses.
static void beyond_48_bits(size_t size) {
    wrong((void*)((uintptr_t)block(size) | UINT64_C(1) << 51));
}

static void sized_with_a_tag(size_t size) {
    void (*free_with_size)(void*, size_t);
    *(void**)&free_with_size = test_symbol("free_sized");
    errno = EDOM;
    free_with_size(tagged(block(size)), size);
    CHECK(errno == EDOM, "errno is %d", errno);
}

static void usable_size_with_a_tag(size_t size) {
    CHECK(t_usable_size(opaque(tagged(block(size)))) == 0, "it has no size");
}

// --- realloc

static void resize_wrongly(void* p) {
    CHECK(opaque(t_realloc(opaque(p), 5000)) == NULL && errno == EINVAL, "errno is %d", errno);
}

static void realloc_of_dead(size_t size) {
    char* p = block(size);
    t_free(p);
    resize_wrongly(p);
}

static void realloc_of_interior(size_t size) {
    resize_wrongly(block(size) + 16);
}

static void realloc_with_a_tag(size_t size) {
    resize_wrongly(tagged(block(size)));
}

typedef struct {
    const char* name;
    void (*act)(size_t size);
    size_t size;
    const char* words;  // "": set aside
} Case;

#define DOUBLE "check=double_free site=free block "
#define DEAD "is not a block in use"
#define TAGGED "without its uppermost byte it is one"
static const Case cases[] = {
    {"in a row", in_a_row, 1, DOUBLE},
    {"in a row", in_a_row, 100, DOUBLE},
    {"in a row", in_a_row, 4096, DOUBLE},
    {"in a row", in_a_row, 16384, DOUBLE},
    {"interleaved", interleaved, 24, "of 32 bytes was freed before"},
    {"delayed", delayed, 200, DOUBLE},
    {"on the free list", on_free_list, 112, "on the free list of its slab"},
    {"on the free list", on_free_list, 300, "on the free list of its slab"},
    {"in a bundle", in_bundle, 0, "this thread freed it, and it waits in a bundle"},
    {"on the remote stack", on_remote_stack, 100, "on the remote stack of its slab"},
    {"run on the remote stack", on_remote_stack, 100000, "on the remote stack of its slab"},
    {"by one that only frees", twice_by_one_that_only_frees, 100, "on the remote stack of its slab"},
    {"by one that only frees", twice_by_one_that_only_frees, 16384, "on the remote stack of its slab"},
    {"by one that only frees", twice_by_one_that_only_frees, 300000, "on the remote stack of its slab"},
    {"run freed by two others", run_freed_by_two, 100000, "on the remote stack of its slab"},
    {"run from the cache", run_from_cache, 40000, "in a thread's run cache"},
    {"run from the cache", run_from_cache, 300000, "in a thread's run cache"},
    {"run, not cached", run_not_cached, 100000, DEAD},
    {"huge", in_a_row, 3000000, DEAD},
    {"slab gone", slab_gone, 1000, DEAD},
    {"in another thread's bin", in_another_bin, 100, ""},
    {"run below freed by two others", run_below_freed_by_two, 100000, ""},
    {"many runs", many_runs_freed_by_two, 20000, "check=invalid_free site=run "},
    {"many closed runs", many_closed_runs_freed_by_two, 20000, "check=invalid_free site=run "},
    {"in a handler", in_a_handler, 100, DOUBLE},
    {"plus 1", plus_1, 8, "check=interior_free site=free "},
    {"plus 1", plus_1, 100, "points 1 byte into the block "},
    {"plus 8", plus_8, 100, "points 8 bytes into the block "},
    {"plus 8", plus_8, 4096, "points 8 bytes into the block "},
    {"plus 8", plus_8, 100000, "points 8 bytes into the block "},
    {"plus 8", plus_8, 3000000, "points 8 bytes into the block "},
    {"plus 16 of others", plus_16_of_others, 0, "points 16 bytes into the block "},
    {"plus 16, bin full", plus_16_over_a_full_bin, 100, "points 16 bytes into the block "},
    {"plus a page", plus_a_page, 100000, "points 4096 bytes into the block "},
    {"plus a page", plus_a_page, 3000000, "points 4096 bytes into the block "},
    {"plus a page of others", plus_a_page_of_others, 0, "points 4096 bytes into the block "},
    {"of the stack", of_the_stack, 0, "is no block of this allocator"},
    {"realloc of dead", realloc_of_dead, 100, "check=use_after_free site=realloc "},
    {"realloc of dead", realloc_of_dead, 40000, "check=use_after_free site=realloc "},
    {"realloc of interior", realloc_of_interior, 100, "check=interior_free site=realloc "},
    {"with a tag", with_a_tag, 100, TAGGED},
    {"with a tag", with_a_tag, 20000, TAGGED},
    {"with a tag", with_a_tag, 3000000, TAGGED},
    {"beyond 48 bits", beyond_48_bits, 100, "is no block of this allocator"},
    {"sized, with a tag", sized_with_a_tag, 100, TAGGED},
    {"usable size with a tag", usable_size_with_a_tag, 100, TAGGED},
    {"realloc with a tag", realloc_with_a_tag, 100, TAGGED},
    {"realloc with a tag", realloc_with_a_tag, 20000, TAGGED},
};

// --- one case

// After a wrong call that was left undone, the blocks of a class are handed out once each.
static void go_on(size_t size) {
    enum { BLOCKS = 600 };
    static char* p[BLOCKS];
    if (size > 16384) size = 16384;
    for (int i = 0; i < BLOCKS; i++) {
        p[i] = block(size);
        if (size >= sizeof i) memcpy(p[i], &i, sizeof i);
    }
    for (int i = 0; size >= sizeof i && i < BLOCKS; i++)
        CHECK(memcmp(p[i], &i, sizeof i) == 0, "block %d was handed out twice", i);
    for (int i = 0; i < BLOCKS; i++) t_free(p[i]);
    test_check_heap();
}

static void act(const Case* one, bool reports) {
    bool aside = *one->words == '\0';
    uint64_t before = test_counter("free_set_aside"), refused = test_counter("free_refused");
    one->act(one->size);
    CHECK(aside || reports, "%s, %zu bytes: it went on", one->name, one->size);
    CHECK(test_counter("free_set_aside") - before == (aside ? 1 : 0), "set aside");
    CHECK(test_counter("free_refused") - refused == (aside ? 0 : 1), "refused");
    go_on(one->size ? one->size : 100);
}

typedef struct {
    int status;
    char text[1 << 16];
    size_t length;
} Said;

// In a process of its own: the library writes to where descriptor 2 led at its load.
static const Said* run_alone(char* mode, char* which) {
    static Said said;
    int ends[2];
    said.length = 0;
    CHECK(pipe(ends) == 0, "pipe");
    pid_t pid = fork();
    CHECK(pid >= 0, "fork");
    if (pid == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        test_run_anew((char*[]){"wrong_free", mode, which, NULL});
    }
    close(ends[1]);
    for (ssize_t n; (n = read(ends[0], said.text + said.length, sizeof said.text - 1 - said.length)) > 0;)
        said.length += (size_t)n;
    close(ends[0]);
    said.text[said.length] = '\0';
    test_drop_runner_words(said.text);
    said.length = strlen(said.text);
    CHECK(waitpid(pid, &said.status, 0) == pid, "wait");
    return &said;
}

static void run(size_t i, char* mode) {
    const Case* one = &cases[i];
    if (one->act == many_closed_runs_freed_by_two) setenv("HAKMEM_CLOSE", "1", 1);
    char number[16];
    snprintf(number, sizeof number, "%zu", i);
    const Said* said = run_alone(mode, number);
    unsetenv("HAKMEM_CLOSE");
    bool aside = *one->words == '\0', reports = strcmp(mode, "report") == 0;
    bool ends_well = WIFEXITED(said->status) && WEXITSTATUS(said->status) == 0;
    bool aborts = WIFSIGNALED(said->status) && WTERMSIG(said->status) == SIGABRT;
    bool damages = one->act == many_runs_freed_by_two || one->act == many_closed_runs_freed_by_two;
    CHECK(aside || (reports && !damages) ? ends_well : aborts, "%s, %zu bytes: status %x: %s", one->name, one->size,
          said->status, said->text);
    CHECK(aside ? said->length == 0 : strstr(said->text, one->words) != NULL, "%s, %zu bytes: it said: %s", one->name,
          one->size, said->text);
    CHECK(aside || strchr(said->text, '\n') == said->text + said->length - 1, "%s: more than a line: %s", one->name,
          said->text);
}

// A loop of wrong frees must not fill the disk. All are counted.
enum { MANY = 1000, LINES_MOST = 101 };
static void free_many_times(void) {
    char* p = block(40);
    t_free(p);
    for (int i = 0; i < MANY; i++) wrong(p);
    CHECK(test_counter("free_refused") == MANY, "all are counted");
}

static void lines_have_a_bound(void) {
    const Said* said = run_alone("report", "many");
    int lines = 0;
    for (size_t i = 0; i < said->length; i++) lines += said->text[i] == '\n';
    CHECK(said->status == 0, "status %x: %s", said->status, said->text);
    CHECK(lines == LINES_MOST, "%d lines for %d wrong frees", lines, MANY);
    CHECK(strstr(said->text, "only counted, as free_refused") != NULL, "the last line: %s", said->text);
}

int main(int argc, char** argv) {
    enum { CASES = sizeof cases / sizeof *cases };
    bool reports = argc >= 2 && strcmp(argv[1], "report") == 0;
    if (!reports && !(argc >= 2 && strcmp(argv[1], "abort") == 0)) {
        fprintf(stderr, "usage: wrong_free abort|report [CASE|many]\n");
        return 2;
    }
    int (*set)(const char*, const char*);
    *(void**)&set = test_symbol("hak_option_set");
    CHECK(set != NULL && set("HAKMEM_ON_ERROR", argv[1]) == 0, "HAKMEM_ON_ERROR=%s", argv[1]);
    if (argc > 2 && strcmp(argv[2], "many") == 0) {
        free_many_times();
        return 0;
    }
    if (argc > 2) {
        act(&cases[test_argument(argc, argv, 2, 0) % CASES], reports);
        return 0;
    }
    test_start("wrong_free", 0);
    for (size_t i = 0; i < CASES; i++) run(i, argv[1]);
    if (reports) lines_have_a_bound();
    return 0;
}
