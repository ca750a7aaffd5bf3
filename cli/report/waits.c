#include "report/waits.h"

#include "base/json.h"
#include "report/code_place.h"
#include "front/lock_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct search {
    const struct threads_seen* threads;
    const struct process_memory* memory;
    HakLockTable table;
};

// The allocator's locks

static const HakNamedLock* lock_at(const struct search* search, uint64_t address) {
    for (uint32_t i = 0; i < search->table.count; i++)
        if (search->table.lock[i].address == address) return &search->table.lock[i];
    return NULL;
}

static pid_t holder_of(const struct search* search, const HakNamedLock* lock) {
    uint64_t word = 0;
    static const uint64_t named = UINT64_MAX >> LOCK_HOLDER_SHIFT;
    if (!process_memory_read(search->memory, lock->address, &word, sizeof word) || word == 0) return 0;
    for (size_t i = 0; i < search->threads->count; i++) {
        const struct thread_seen* thread = &search->threads->list[i];
        uint64_t holder = thread->pointer + (uint64_t)search->table.holder_offset;
        if (thread->pointer != 0 && (holder & named) == word >> LOCK_HOLDER_SHIFT) return thread->os_tid;
    }
    return -1;  // a thread that does not exist any more, or was not seen
}

static json_t* waiters_of(const struct search* search, uint64_t address) {
    json_t* waiters = json_array();
    for (size_t i = 0; i < search->threads->count; i++)
        if (search->threads->list[i].futex == address)
            json_array_append_new(waiters, json_integer(search->threads->list[i].os_tid));
    return waiters;
}

static json_t* held_json(const struct search* search) {
    json_t* held = json_array();
    for (uint32_t i = 0; i < search->table.count; i++) {
        const HakNamedLock* lock = &search->table.lock[i];
        pid_t holder = holder_of(search, lock);
        if (holder == 0) continue;
        json_t* object = json_object();
        json_put_text(object, "name", lock->name);
        json_put_whole(object, "rank", lock->rank);
        json_put_hex(object, "address", lock->address);
        if (holder > 0) json_put_whole(object, "holder", holder);
        json_object_set_new(object, "waiters", waiters_of(search, lock->address));
        json_array_append_new(held, object);
    }
    return held;
}

static void read_table(struct search* search, uint64_t address) {
    if (address == 0 || !process_memory_read(search->memory, address, &search->table, sizeof search->table) ||
        search->table.count > LOCK_TABLE_ROOM)
        search->table.count = 0;
    for (uint32_t i = 0; i < search->table.count; i++)
        search->table.lock[i].name[sizeof search->table.lock[i].name - 1] = '\0';
}

// Mutexes

// A contended mutex of the C library: its word is 2, and the owner's number is the third word. 0: it is none.
static pid_t owner_of_mutex(const struct search* search, uint64_t address) {
    int words[3];
    if (!process_memory_read(search->memory, address, words, sizeof words) || words[0] != 2) return 0;
    return words[2] > 0 && threads_find(search->threads, words[2]) != NULL ? words[2] : 0;
}

static void note_wait(const struct search* search, const struct thread_seen* thread) {
    if (thread->futex == 0) return;
    const HakNamedLock* lock = lock_at(search, thread->futex);
    pid_t owner = lock != NULL ? holder_of(search, lock) : owner_of_mutex(search, thread->futex);
    json_t* wait = json_object();
    json_put_text(wait, "what", lock != NULL ? "lock" : owner != 0 ? "mutex" : "word");
    if (lock != NULL) json_put_text(wait, "name", lock->name);
    json_put_hex(wait, "address", thread->futex);
    if (owner > 0) json_put_whole(wait, "holder", owner);
    json_object_set_new(thread->json, "waits_for", wait);
}

// Circles

static const struct thread_seen* next_of(const struct search* search, const struct thread_seen* thread) {
    pid_t holder = (pid_t)json_get_whole(json_object_get(thread->json, "waits_for"), "holder");
    return holder > 0 ? threads_find(search->threads, holder) : NULL;
}

// A thread of a circle that the chain from `first` leads to; NULL: it ends.
static const struct thread_seen* circle_from(const struct search* search, const struct thread_seen* first) {
    const struct thread_seen* thread = first;
    for (size_t steps = 0; thread != NULL && steps < search->threads->count; steps++) thread = next_of(search, thread);
    return thread;
}

static void name_thread(const struct thread_seen* thread, char* out, size_t size) {
    if (thread->number != 0)
        snprintf(out, size, "thread %" PRIu64 " (os thread %d)", thread->number, (int)thread->os_tid);
    else
        snprintf(out, size, "os thread %d", (int)thread->os_tid);
}

static json_t* sentence(const struct thread_seen* waiter, const struct thread_seen* holder) {
    char from[64], to[64], what[96], where[1024];
    const json_t* wait = json_object_get(waiter->json, "waits_for");
    const char *name = json_get_text(wait, "name"), *address = json_get_text_or(wait, "address", "?");
    name_thread(waiter, from, sizeof from);
    name_thread(holder, to, sizeof to);
    if (name != NULL)
        snprintf(what, sizeof what, "the allocator's lock \"%s\"", name);
    else
        snprintf(what, sizeof what, "the mutex %s", address);
    code_place_own_text(json_object_get(waiter->json, "backtrace"), where, sizeof where);
    const char* in = where[0] != '\0' ? " in " : "";
    if (waiter == holder) return json_format("%s waits%s%s for %s, which it holds itself", from, in, where, what);
    return json_format("%s waits%s%s for %s, which %s holds", from, in, where, what, to);
}

static json_t* deadlock_json(const struct search* search) {
    json_t* circle = json_array();
    for (size_t i = 0; i < search->threads->count; i++) {
        const struct thread_seen* first = circle_from(search, &search->threads->list[i]);
        if (first == NULL) continue;
        const struct thread_seen* thread = first;
        do {
            json_array_append_new(circle, sentence(thread, next_of(search, thread)));
            thread = next_of(search, thread);
        } while (thread != first);
        break;  // one circle is enough
    }
    return circle;
}

json_t* waits_find(const struct threads_seen* threads, const struct process_memory* memory, uint64_t lock_table) {
    struct search search = {.threads = threads, .memory = memory};
    read_table(&search, lock_table);
    for (size_t i = 0; i < threads->count; i++) note_wait(&search, &threads->list[i]);
    json_t* found = json_object();
    json_put_count(found, "locks", search.table.count);
    json_object_set_new(found, "held", held_json(&search));
    json_object_set_new(found, "deadlock", deadlock_json(&search));
    return found;
}
