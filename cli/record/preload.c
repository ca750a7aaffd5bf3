// libhakstress-record.so: records the malloc family and passes each call on to the next library that has it: the C
// library, or another allocator that is preloaded behind this one. A free is recorded before it is done, an allocation
// after it. So the events of one address never contradict each other. strdup and the like call malloc, and so do
// libstdc++'s operators new and delete.
#include "record/events.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PUBLIC __attribute__((visibility("default")))

// dlsym may allocate before it has found malloc. It gets this memory, which is never freed.
static _Alignas(64) char early[16 << 10];
static size_t early_used;

static struct {
    void* (*malloc)(size_t);
    void* (*calloc)(size_t, size_t);
    void* (*realloc)(void*, size_t);
    void (*free)(void*);
    int (*posix_memalign)(void**, size_t, size_t);
    void* (*aligned_alloc)(size_t, size_t);
    void* (*memalign)(size_t, size_t);
    void* (*valloc)(size_t);
    void* (*pvalloc)(size_t);
} next;
static enum { UNKNOWN, LOOKING, FOUND } state;  // settled by the first malloc, before there are threads

static bool find(const char* name, void* function) {
    void* found = dlsym(RTLD_NEXT, name);
    memcpy(function, &found, sizeof found);
    return found != NULL;
}

static void look(void) {
    state = LOOKING;
    bool all = find("malloc", &next.malloc) && find("calloc", &next.calloc) && find("realloc", &next.realloc) &&
               find("free", &next.free) && find("posix_memalign", &next.posix_memalign);
    if (!all) {
        static const char line[] = "hakstress record: no other malloc was found to pass calls on to\n";
        (void)!write(STDERR_FILENO, line, sizeof line - 1);  // a failure here cannot be handled
        _exit(3);
    }
    // Not every library has these; if none has one, nobody calls it.
    find("aligned_alloc", &next.aligned_alloc);
    find("memalign", &next.memalign);
    find("valloc", &next.valloc);
    find("pvalloc", &next.pvalloc);
    state = FOUND;
}

// False: dlsym itself is calling.
static bool is_found(void) {
    if (state == UNKNOWN) look();
    return state == FOUND;
}

static void* early_alloc(size_t size) {
    size_t rounded = (size + 15) / 16 * 16;
    if (size > sizeof early || rounded > sizeof early - early_used) return NULL;
    void* block = early + early_used;
    early_used += rounded;
    return block;
}

static bool is_early(const void* block) {
    return (const char*)block >= early && (const char*)block < early + sizeof early;
}

static void* allocated(enum record_kind kind, void* block, size_t size, size_t alignment) {
    if (block != NULL) events_add(kind, block, size, alignment);
    events_leave();
    return block;
}

PUBLIC void* malloc(size_t size) {
    if (!is_found()) return early_alloc(size);
    if (!events_enter()) return next.malloc(size);
    return allocated(RECORD_MALLOC, next.malloc(size), size, 0);
}

PUBLIC void* calloc(size_t count, size_t size) {
    if (!is_found()) return early_alloc(count * size);  // static memory, zero
    if (!events_enter()) return next.calloc(count, size);
    return allocated(RECORD_CALLOC, next.calloc(count, size), count * size, 0);
}

PUBLIC void free(void* block) {
    if (block == NULL || is_early(block) || !is_found()) return;
    const bool noted = events_enter();
    if (noted) events_add(RECORD_FREE, block, 0, 0);
    next.free(block);
    if (noted) events_leave();
}

static void* move_early(const void* block, size_t size) {
    size_t most = (size_t)(early + sizeof early - (const char*)block);
    void* moved = malloc(size);
    if (moved != NULL) memcpy(moved, block, size < most ? size : most);
    return moved;
}

PUBLIC void* realloc(void* block, size_t size) {
    if (block == NULL) return malloc(size);
    if (is_early(block)) return move_early(block, size);
    if (!events_enter()) return next.realloc(block, size);
    events_add(RECORD_REALLOC_FROM, block, 0, 0);
    void* moved = next.realloc(block, size);
    events_add(RECORD_REALLOC_TO, moved, size, 0);
    events_leave();
    return moved;
}

PUBLIC void* reallocarray(void* block, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(block, bytes);
}

PUBLIC int posix_memalign(void** out, size_t alignment, size_t size) {
    if (!is_found()) return ENOMEM;
    if (!events_enter()) return next.posix_memalign(out, alignment, size);
    int error = next.posix_memalign(out, alignment, size);
    if (error == 0) events_add(RECORD_ALIGNED, *out, size, alignment);
    events_leave();
    return error;
}

static void* aligned(void* (*function)(size_t, size_t), size_t alignment, size_t size) {
    if (function == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    if (!events_enter()) return function(alignment, size);
    return allocated(RECORD_ALIGNED, function(alignment, size), size, alignment);
}

PUBLIC void* aligned_alloc(size_t alignment, size_t size) {
    return aligned(is_found() ? next.aligned_alloc : NULL, alignment, size);
}

PUBLIC void* memalign(size_t alignment, size_t size) {
    return aligned(is_found() ? next.memalign : NULL, alignment, size);
}

static void* paged(void* (*function)(size_t), size_t size, size_t page) {
    if (function == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    if (!events_enter()) return function(size);
    return allocated(RECORD_ALIGNED, function(size), size, page);
}

PUBLIC void* valloc(size_t size) {
    return paged(is_found() ? next.valloc : NULL, size, (size_t)getpagesize());
}

PUBLIC void* pvalloc(size_t size) {
    return paged(is_found() ? next.pvalloc : NULL, size, (size_t)getpagesize());
}

// C23. The caller knows the size; it is not needed here.
PUBLIC void free_sized(void* block, size_t size);
PUBLIC void free_sized(void* block, size_t size) {
    (void)size;
    free(block);
}

PUBLIC void free_aligned_sized(void* block, size_t alignment, size_t size);
PUBLIC void free_aligned_sized(void* block, size_t alignment, size_t size) {
    (void)alignment;
    (void)size;
    free(block);
}
