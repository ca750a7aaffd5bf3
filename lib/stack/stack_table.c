#include "stack/stack_table.h"

#include "base/bits.h"
#include "base/lock.h"
#include "base/random.h"
#include "config/sources.h"
#include "count/counters.h"
#include "os/os.h"
#include "os/shared_file.h"
#include "stack/stack_memo.h"
#include "stack/unwind.h"

#include <string.h>

_Static_assert(sizeof(HakStackTable) == 4096, "readers in other processes rely on the layout");

enum {
    INDEX_BYTES = HAK_STACK_PLACES * 4,
    HEAD_BYTES = 4096 + INDEX_BYTES,
    CHUNK = 1 << 14,  // words for which the file system is asked for room at a time
    PROBES = 64,
};
#define TABLE_BYTES (HEAD_BYTES + (size_t)HAK_STACK_WORDS * sizeof(uint64_t))

_Atomic(HakStackTable*) hak_stack_table;

static HakLock start_lock;       // held while a table is mapped
static bool is_in_file;          // under start_lock
static _Atomic bool is_parents;  // the table belongs to the process that forked this one

static _Atomic uint32_t* index_of(HakStackTable* table) {
    return (_Atomic uint32_t*)(void*)(table + 1);
}

static uint64_t* words_of(HakStackTable* table) {
    return (uint64_t*)(void*)((char*)table + HEAD_BYTES);
}

// --- the table

static void* map_table(void) {
    void* memory = shared_file_map(hak_options.stack_file, TABLE_BYTES);
    is_in_file = memory && shared_file_reserve(memory, HEAD_BYTES);
    if (is_in_file) return memory;
    if (memory) os_unmap(memory, TABLE_BYTES);  // counted if it fails
    return os_map_sparse(TABLE_BYTES);
}

// The stacks of the parent's table, as far as they are complete. Threads of the parent may be adding to it.
static bool copy_stacks(HakStackTable* to, HakStackTable* from) {
    for (size_t i = 0; i < HAK_STACK_PLACES; i++) {
        // pairs with the release in put_stack: what lies behind the number is complete
        uint32_t number = load_acquire(&index_of(from)[i]);
        if (number) store_relaxed(&index_of(to)[i], number);
    }
    uint64_t used = load_relaxed(&from->used);
    if (used > HAK_STACK_WORDS) used = HAK_STACK_WORDS;
    if (is_in_file && !shared_file_reserve(words_of(to), used * sizeof(uint64_t))) return false;
    memcpy(words_of(to), words_of(from), used * sizeof(uint64_t));
    store_relaxed(&to->used, used);
    store_relaxed(&to->ready, used);
    store_relaxed(&to->stacks, load_relaxed(&from->stacks));
    return true;
}

static HakStackTable* make_table(void) {
    HakStackTable* table = map_table();
    if (table == NULL) return NULL;
    table->version = HAK_STACK_VERSION;
    table->pid = os_process_id();
    table->places = HAK_STACK_PLACES;
    table->words = HAK_STACK_WORDS;
    store_relaxed(&table->used, 1u);  // 0 is no number
    return table;
}

static void finish_table(HakStackTable* table) {
    store_release(&table->magic, HAK_STACK_MAGIC);  // last: a file without it is incomplete
}

// Puts the process's own table where its parent's is. Whoever reads there goes on reading the same stacks.
static HakStackTable* replace_parents(HakStackTable* parents) {
    HakStackTable* table = make_table();
    if (table == NULL) return NULL;
    bool copied = copy_stacks(table, parents);
    finish_table(table);
    if (copied && os_move(table, parents, TABLE_BYTES)) {
        store_relaxed(&is_parents, false);
        return parents;
    }
    os_unmap(table, TABLE_BYTES);  // counted if it fails
    return NULL;
}

static HakStackTable* first_table(void) {
    HakStackTable* table = make_table();
    if (table == NULL) return NULL;
    finish_table(table);
    store_release(&hak_stack_table, table);  // pairs with the acquires in own_table, stack_read
    return table;
}

// Where the system refuses memory, it is asked only a few times.
static HAK_COLD HakStackTable* start_table(void) {
    enum { REFUSALS_MOST = 8 };
    static _Atomic uint32_t refusals;
    hak_options_init();
    // A handler that interrupted this, or another thread: without a number it gets on.
    bool wanted = !os_calls_are_forbidden() && load_relaxed(&refusals) < REFUSALS_MOST;
    if (!wanted || !hak_trylock(&start_lock)) return NULL;
    HakStackTable* table = load_relaxed(&hak_stack_table);
    if (table == NULL)
        table = first_table();
    else if (load_relaxed(&is_parents))
        table = replace_parents(table);
    if (table == NULL) add_relaxed(&refusals, 1u);
    hak_unlock(&start_lock);
    return table;
}

static HakStackTable* own_table(void) {
    HakStackTable* table = load_acquire(&hak_stack_table);  // pairs with the release in start_table
    return HAK_LIKELY(table != NULL && !load_relaxed(&is_parents)) ? table : start_table();
}

void stack_table_after_fork(void) {
    hak_lock_in_child(&start_lock, 0);
    store_relaxed(&is_parents, load_relaxed(&hak_stack_table) != NULL && is_in_file);
}

// --- one stack

static uint64_t head_of(const uintptr_t* addresses, uint32_t count) {
    uint64_t hash = count;
    for (uint32_t i = 0; i < count; i++) hash = (hash ^ addresses[i]) * RANDOM_STEP, hash ^= hash >> 29;
    return (random_mix(hash) & ~UINT64_C(0xffffffff)) | count;
}

static bool is_stack(HakStackTable* table, uint32_t number, uint64_t head, const uintptr_t* addresses, uint32_t count) {
    const uint64_t* words = words_of(table) + number;
    return words[0] == head && memcmp(words + 1, addresses, count * sizeof *addresses) == 0;
}

// In a file that has no room, a write would be a SIGBUS.
static bool make_ready(HakStackTable* table, uint64_t end) {
    uint64_t ready = load_relaxed(&table->ready);
    while (is_in_file && ready < end) {
        uint64_t next = align_up(end, CHUNK);
        if (os_calls_are_forbidden() ||
            !shared_file_reserve(words_of(table) + ready, (next - ready) * sizeof(uint64_t)))
            return false;
        if (cas_relaxed(&table->ready, &ready, next)) break;
    }
    return true;
}

// Writes a stack behind the others, without its number in the index. 0: no room.
static uint32_t write_stack(HakStackTable* table, uint64_t head, const uintptr_t* addresses, uint32_t count) {
    uint64_t at = load_relaxed(&table->used);
    do {
        if (at + 1 + count > HAK_STACK_WORDS || !make_ready(table, at + 1 + count)) return 0;
    } while (!cas_relaxed(&table->used, &at, at + 1 + count));
    uint64_t* words = words_of(table) + at;
    words[0] = head;
    memcpy(words + 1, addresses, count * sizeof *addresses);
    return (uint32_t)at;
}

static StackNumber put_stack(HakStackTable* table, const uintptr_t* addresses, uint32_t count) {
    uint64_t head = head_of(addresses, count);
    uint32_t written = 0;
    for (uint32_t probe = 0; probe < PROBES; probe++) {
        _Atomic uint32_t* place = &index_of(table)[((head >> 32) + probe) % HAK_STACK_PLACES];
        uint32_t number = load_acquire(place);  // pairs with the release below
        if (number == 0) {
            if (written == 0) written = write_stack(table, head, addresses, count);
            if (written == 0) return 0;
            if (cas_release(place, &number, written)) {  // pairs with the acquires here and in copy_stacks
                add_relaxed(&table->stacks, 1u);
                return written;
            }
            number = load_acquire(place);  // another thread was faster; if it put the same stack there, ours is waste
        }
        if (is_stack(table, number, head, addresses, count)) return number;
    }
    return 0;
}

StackNumber stack_store(const uintptr_t* addresses, uint32_t count) {
    if (count == 0 || count > STACK_DEPTH_MAX) return 0;
    HakStackTable* table = own_table();
    StackNumber number = table ? put_stack(table, addresses, count) : 0;
    if (number) return number;
    if (table) add_relaxed(&table->lost, 1u);
    counter_add_shared(HAK_C_stack_lost, 1);
    return 0;
}

StackNumber stack_note(const void* frame, uintptr_t pc) {
    uintptr_t addresses[STACK_DEPTH_MAX];
    return stack_store(addresses, stack_here(frame, pc, addresses, (uint32_t)hak_option(stack_depth)));
}

StackNumber stack_note_again(const void* frame, uintptr_t pc) {
    uintptr_t addresses[STACK_DEPTH_MAX];
    uint32_t most = (uint32_t)hak_option(stack_depth);
    Registers start = registers_of_caller(frame, plain_address(pc));
    StackNumber number = stack_memo_find(start);
    if (HAK_LIKELY(number != 0)) return number;
    uint32_t count = stack_here(frame, pc, addresses, most);
    number = stack_store(addresses, count);
    stack_memo_learn(start, addresses, count, count == most, number);
    return number;
}

uint32_t stack_read(StackNumber number, uintptr_t* out, uint32_t most) {
    HakStackTable* table = load_acquire(&hak_stack_table);  // pairs with the release in start_table
    if (table == NULL || number == 0 || number >= load_relaxed(&table->used)) return 0;
    const uint64_t* words = words_of(table) + number;
    uint32_t count = (uint32_t)words[0];
    if (count > STACK_DEPTH_MAX || number + 1 + count > HAK_STACK_WORDS) return 0;  // not the number of a stack
    if (count > most) count = most;
    memcpy(out, words + 1, count * sizeof *out);
    return count;
}
