#include "workload/limit.h"

#include "workload/team.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define REGION (UINT64_C(1) << LIMIT_REGION_BITS)
#define CARVE (UINT64_C(64) << 10)  // fresh memory that a thread takes at a time
#define GROWING_BLOCK (UINT64_C(1) << 32)

_Thread_local struct limit_block** limit_lists;
char* limit_base;

// The lists of a thread outlive it: its successor uses them.
struct lists {
    struct limit_block* heads[LIMIT_GROWING + 1];
    struct {
        char *next, *end;
    } fresh[LIMIT_GROWING + 1];
    struct lists* next_idle;
};

static _Atomic uint64_t carved[LIMIT_GROWING + 1];  // bytes of each region
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct lists* idle;  // guarded by the mutex
static pthread_key_t leaving;

static size_t size_of(unsigned class) {
    if (class == LIMIT_GROWING) return GROWING_BLOCK;
    if (class < LIMIT_SMALL) return (size_t)16 * (class + 1);
    const unsigned shift = 10 + (class - LIMIT_SMALL) / LIMIT_STEPS, step = (class - LIMIT_SMALL) % LIMIT_STEPS;
    return ((size_t)(LIMIT_STEPS + 1) + step) << (shift - 3);
}

static _Noreturn void give_up(const char* text) {
    (void)!write(STDERR_FILENO, text, strlen(text));
    _exit(3);
}

static void leave(void* lists) {
    struct lists* mine = lists;
    limit_lists = NULL;
    pthread_mutex_lock(&mutex);
    mine->next_idle = idle;
    idle = mine;
    pthread_mutex_unlock(&mutex);
}

__attribute__((constructor)) static void reserve(void) {
    void* memory = mmap(NULL, REGION * (LIMIT_GROWING + 1), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) give_up("hakstress-worker-limit: no address space for the floor's blocks\n");
    if (pthread_key_create(&leaving, leave) != 0) give_up("hakstress-worker-limit: no key of thread-specific data\n");
    limit_base = memory;
    // for blocks above 1 KiB, which have more pages than the processor has TLB entries; without them it is a little
    // slower
    (void)madvise(limit_base + LIMIT_SMALL * REGION, REGION * (LIMIT_GROWING + 1 - LIMIT_SMALL), MADV_HUGEPAGE);
}

static struct lists* enter(void) {
    pthread_mutex_lock(&mutex);
    struct lists* mine = idle;
    if (mine != NULL) idle = mine->next_idle;
    pthread_mutex_unlock(&mutex);
    if (mine == NULL) mine = team_map(sizeof *mine);
    if (mine == NULL || pthread_setspecific(leaving, mine) != 0) give_up("hakstress-worker-limit: out of memory\n");
    limit_lists = mine->heads;
    return mine;
}

static struct lists* mine(void) {
    return limit_lists != NULL ? (struct lists*)(void*)limit_lists : enter();
}

// Each piece of fresh memory begins at another cache line of a page. Otherwise the first words of large blocks would
// compete for one place in the cache.
static bool carve(struct lists* lists, unsigned class, size_t size) {
    const uint64_t bytes = size > CARVE ? size : CARVE / size * size;
    const uint64_t page = 4096, line = 64, whole = (bytes + page - line + page - 1) / page * page;
    const uint64_t at = atomic_fetch_add_explicit(&carved[class], whole, memory_order_relaxed);
    if (at + whole > REGION) return false;
    const uint64_t colour = at / whole % (page / line) * line;
    lists->fresh[class].next = limit_base + class * REGION + at + colour;
    lists->fresh[class].end = lists->fresh[class].next + bytes;
    return true;
}

void* limit_malloc_fresh(unsigned class) {
    struct lists* lists = mine();
    struct limit_block* block = lists->heads[class];
    if (block != NULL) {  // the thread had no lists yet, and has just taken over some
        lists->heads[class] = block->next;
        return block;
    }
    const size_t size = size_of(class);
    if (lists->fresh[class].next == lists->fresh[class].end && !carve(lists, class, size)) return NULL;
    char* fresh = lists->fresh[class].next;
    lists->fresh[class].next += size;
    return fresh;
}

void limit_free_first(void* block) {
    (void)mine();
    limit_free(block);
}

void* limit_calloc(size_t count, size_t size) {
    void* block = limit_malloc(count * size);  // the workloads' own arguments, far from an overflow
    if (block != NULL) memset(block, 0, count * size);
    return block;
}

void* limit_realloc(void* block, size_t size) {
    const size_t room = size_of(limit_class_of(block));
    if (size <= room) return block;
    // Once: nothing is copied after that, as with an allocator that moves pages.
    const unsigned class = LIMIT_GROWING;
    struct limit_block* moved = mine()->heads[class];
    if (size > GROWING_BLOCK) return NULL;
    if (moved != NULL)
        limit_lists[class] = moved->next;
    else
        moved = limit_malloc_fresh(class);
    if (moved == NULL) return NULL;
    memcpy(moved, block, room);
    limit_free(block);
    return moved;
}
