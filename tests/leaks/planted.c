// Programs that leak, each behind one to four functions that only pass the allocation on. The table at the end has the
// program, and planted.py the function that is to blame.
// usage: planted PROGRAM
#include "kept.h"

#include <stdint.h>
#include <stdio.h>

#ifndef HIDDEN
#define HIDDEN static __attribute__((noinline))  // a function of its own, even where the compiler optimises
#endif

static void* volatile used;

// What the program did with the block. Nothing leads to it afterwards.
static void use(void* block) {
    used = block;
    used = NULL;
}

// Wrappers

HIDDEN void* xmalloc(size_t bytes) {
    void* block = malloc(bytes);
    if (block == NULL) abort();
    return block;
}

HIDDEN char* xstrdup(const char* text) {
    char* copy = xmalloc(strlen(text) + 1);
    strcpy(copy, text);
    return copy;
}

// With names that say nothing.
HIDDEN void* fetch(size_t bytes) {
    void* block = malloc(bytes);
    if (block == NULL) abort();
    return block;
}

HIDDEN void* obtain(int kind, unsigned bytes) {
    void* block = fetch(bytes + 8);
    *(int*)block = kind;
    return block;
}

HIDDEN void* take(unsigned bytes) {
    void* block = obtain(1, bytes);
    used = block;
    return block;
}

HIDDEN void* give(long bytes, const char* what) {
    void* block = take((unsigned)bytes + (unsigned)strlen(what));
    used = block;
    return block;
}

HIDDEN void* table_of(size_t entries, size_t each) {
    void* table = calloc(entries, each);
    if (table == NULL) abort();
    return table;
}

HIDDEN void* grow(void* old, size_t bytes) {
    void* more = realloc(old, bytes);
    if (more == NULL) abort();
    return more;
}

HIDDEN void* aligned_block(size_t bytes) {
    void* block = NULL;
    if (posix_memalign(&block, 64, bytes) != 0) abort();
    return block;
}

HIDDEN char* format_name(int number) {
    char* text = NULL;
    if (asprintf(&text, "a name with the number %d and so on", number) < 0) abort();
    return text;
}

struct hooks {
    void* (*get)(struct hooks* hooks, size_t bytes);
};

HIDDEN void* default_get(struct hooks* hooks, size_t bytes) {
    return hooks != NULL ? fetch(bytes) : NULL;
}

static inline void* quick(size_t bytes) {
    return fetch(bytes < 16 ? 16 : bytes);
}

static inline void* quicker(unsigned bytes) {
    return quick(bytes + 1);
}

// The functions to blame

struct item {
    struct item* next;
    char text[40];
};

HIDDEN void read_config(void) {
    use(xmalloc(100));
}

HIDDEN void parse_line(void) {
    use(xstrdup("a line of the file"));
}

HIDDEN void open_session(void) {
    use(take(120));
}

HIDDEN void handle_request(void) {
    use(give(100, "request"));
}

HIDDEN void build_index(void) {
    use(table_of(16, 8));
}

HIDDEN void append_line(void) {
    char* lines = NULL;
    for (size_t bytes = 16; bytes <= 256; bytes *= 2) lines = grow(lines, bytes);
    use(lines);
}

HIDDEN void render_frame(void) {
    use(aligned_block(640));
}

HIDDEN void greet(void) {
    use(format_name(7));
}

HIDDEN void decode(struct hooks* hooks) {
    use(hooks->get(hooks, 90));
}

HIDDEN void decode_all(void) {
    static struct hooks hooks = {default_get};
    decode(&hooks);
}

HIDDEN void collect_items(void) {
    struct item* first = NULL;
    for (int i = 0; i < 5; i++) {
        struct item* item = xmalloc(sizeof *item);
        item->next = first;
        first = item;
    }
    use(first);
}

HIDDEN void make_circle(void) {
    struct item* first = xmalloc(sizeof *first);
    first->next = xmalloc(sizeof *first);
    first->next->next = first;
    use(first);
}

HIDDEN void serve_client(void) {
    use(quicker(150));
}

HIDDEN void* work(void* nothing) {
    for (int i = 0; i < 7; i++) use(xstrdup("a request that is never freed"));
    return nothing;
}

HIDDEN void start_workers(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, work, NULL) != 0 || pthread_join(thread, NULL) != 0) abort();
}

HIDDEN void read_name(void) {
    char* line = NULL;
    size_t room = 0;
    FILE* file = fopen("/proc/self/status", "re");
    if (file == NULL || getline(&line, &room, file) < 0) abort();
    fclose(file);
    use(line);
}

// Requests that are freed without their names, so that names get the memory of earlier requests.
HIDDEN void* serve_requests(void* nothing) {
    for (int i = 0; i < 1000; i++) {
        void** request = xmalloc(16);
        request[0] = xstrdup("a name of 15 B");
        use(request[0]);
        free(request);
    }
    return nothing;
}

static __thread void* volatile of_a_thread;

HIDDEN void* keep_and_leave(void* nothing) {
    of_a_thread = xmalloc(200);
    return nothing;
}

HIDDEN void leave_thread(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, keep_and_leave, NULL) != 0 || pthread_join(thread, NULL) != 0) abort();
}

// Loses a block, says so, and waits for its standard input to end.
HIDDEN void wait_for_end(void) {
    char byte;
    use(xmalloc(300));
    if (write(1, "ready\n", 6) != 6) abort();
    while (read(0, &byte, 1) > 0) continue;
    use(xmalloc(300));
}

HIDDEN void start_servers(void) {
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        if (pthread_create(&threads[i], NULL, serve_requests, NULL) != 0) abort();
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
}

static const struct program {
    const char* name;
    void (*run)(void);
} programs[] = {
    {"one", read_config},       {"text", parse_line},     {"three", open_session},   {"four", handle_request},
    {"table", build_index},     {"growing", append_line}, {"aligned", render_frame}, {"printed", greet},
    {"by-pointer", decode_all}, {"list", collect_items},  {"circle", make_circle},   {"inlined", serve_client},
    {"thread", start_workers},  {"line", read_name},      {"pool", start_servers},   {"left", leave_thread},
    {"waiting", wait_for_end},
};

// Runs the program further down on the stack than what follows reaches, and leaves nothing of it there.
static __attribute__((noinline)) void run_below(void (*run)(void)) {
    volatile char room[512];
    room[0] = 0;
    run();
    room[511] = 0;
}

static __attribute__((noinline)) void wipe(void) {
    volatile char bytes[8192];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = 0;
}

int main(int count, char** words) {
    keep_blocks();
    for (size_t i = 0; count == 2 && i < sizeof programs / sizeof programs[0]; i++) {
        if (strcmp(words[1], programs[i].name) != 0) continue;
        run_below(programs[i].run);
        wipe();
        return 0;
    }
    return 2;
}
