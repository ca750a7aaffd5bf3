// What the compiler calls for every access of the allocator to memory: the interface of -fsanitize=thread, as gcc 12
// and clang 14 use it. Plain accesses are noted, and compared with those of other threads; atomic operations are
// moments, and where others can see them, points.
//
// Memory model: that of C11, with release sequences as in C++20. A load may read any store that neither coherence nor
// happens-before hides; a read-modify-write and a failed compare-and-swap read the newest one. Not covered: loads that
// read what is stored later, and an order of the stores of a word that differs from the order of execution.
#include "record/event.h"
#include "runtime/access.h"
#include "runtime/coverage.h"
#include "runtime/location.h"
#include "runtime/names.h"
#include "runtime/order.h"
#include "runtime/race.h"
#include "runtime/scheduler.h"
#include "runtime/steps.h"
#include "runtime/system.h"
#include "runtime/watch.h"

#include <string.h>

#define SITE __builtin_return_address(0)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

// The names that the compiler calls; it declares none of them itself.
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

// --- races

static __attribute__((cold, noinline)) void report_race(Race race, uint64_t word, unsigned flags) {
    char name[128];
    const char* both = memory_address(word + (unsigned)__builtin_ctz(race.mask));
    memory_name(both, name, sizeof name);
    run.fault_address = both;
    run.fault_bytes = (uint8_t)(32 - __builtin_clz(race.mask) - __builtin_ctz(race.mask));
    run.fault_other = race.thread;
    run.fault_earlier = race.earlier;
    run_fault("race", "%c %s%s what %c %s%s, and neither happens before the other: %s", 'A' + (int)current_thread,
              flags & ACCESS_WRITE ? "writes" : "reads", flags & ACCESS_ATOMIC ? " (atomic)" : "", 'A' + race.thread,
              race.earlier & ACCESS_WRITE ? "wrote" : "read", race.earlier & ACCESS_ATOMIC ? " (atomic)" : "", name);
}

static __attribute__((cold, noinline)) void record_access(uint64_t offset, unsigned bytes, unsigned flags,
                                                          const void* site) {
    record((Event){.kind = EVENT_ACCESS,
                   .thread = (uint8_t)current_thread,
                   .size = (uint8_t)bytes,
                   .step = threads[current_thread].step,
                   .moment = threads[current_thread].moment,
                   .address = (uint64_t)(uintptr_t)memory_address(offset),
                   .value = flags,
                   .site = site});
}

static inline void compare_word(uint64_t offset, unsigned bytes, unsigned flags, const void* site) {
    uint8_t mask = (uint8_t)(((1u << bytes) - 1u) << (offset & 7));
    if (UNLIKELY(watch_meets(offset, bytes))) record_access(offset, bytes, flags, site);
    Race race = race_access(offset & ~UINT64_C(7), mask, flags, current_thread, &threads[current_thread].clock);
    if (UNLIKELY(race.found)) report_race(race, offset & ~UINT64_C(7), flags);
}

static void compare_words(uint64_t offset, size_t bytes, unsigned flags, const void* site) {
    while (bytes) {
        size_t part = 8 - (offset & 7);
        if (part > bytes) part = bytes;
        compare_word(offset, (unsigned)part, flags, site);
        offset += part;
        bytes -= part;
    }
}

static inline bool is_exact(uint64_t line, bool writes) {
    bool becomes = false;
    bool exact = race_line_is_exact(line, writes, &threads[current_thread].clock, &becomes);
    if (UNLIKELY(becomes)) run.learned = true;
    return exact;
}

// Bytes within one line.
static inline void compare(uint64_t offset, unsigned bytes, unsigned flags, const void* site) {
    if (!run.limits.races || !is_exact(offset >> LINE_SHIFT, flags & ACCESS_WRITE)) return;
    if ((offset & 7) + bytes <= 8)
        compare_word(offset, bytes, flags, site);
    else
        compare_words(offset, bytes, flags, site);
}

static void compare_lines(uint64_t offset, size_t bytes, unsigned flags, const void* site) {
    while (bytes) {
        size_t part = LINE - (offset & (LINE - 1));
        if (part > bytes) part = bytes;
        compare(offset, (unsigned)part, flags, site);
        offset += part;
        bytes -= part;
    }
}

// --- plain accesses

// A copy of the process may be made between any two writes of another thread.
static __attribute__((cold, noinline)) void write_point(void) {
    Thread* me = &threads[current_thread];
    me->history = hash_add(me->history, ++me->moment);
    scheduler_point();
    me->history = hash_add(me->history, me->moment);  // from here on it is written, at the next point of any kind
}

// A write that a copy of the process may see or not. p: not a stack's.
static inline void plain_write(const volatile void* p, uint64_t offset) {
    if (UNLIKELY(run.writes_are_points) && run.active && (offset != NOT_TRACKED || threads_tls_has(p))) write_point();
}

static __attribute__((noinline)) void plain_slowly(const volatile void* p, unsigned bytes, unsigned flags,
                                                   const void* site) {
    uint64_t offset = memory_offset(p);
    if (flags & ACCESS_WRITE) plain_write(p, offset);
    if (offset == NOT_TRACKED) return;
    if (flags & ACCESS_WRITE) memory_note(offset, bytes);
    if (!run.active) return;
    compare_lines(offset, bytes, flags, site);
}

// Most accesses change nothing of what is known: those of a stack, and most others.
static inline bool is_usual(uint64_t offset, unsigned bytes, bool writes) {
    if (writes && UNLIKELY(run.writes_are_points)) return false;
    if (offset == NOT_TRACKED) return true;
    if (UNLIKELY((offset & (LINE - 1)) + bytes > LINE) || (writes && !memory_is_noted(offset))) return false;
    return !run.active || race_line_stays(offset >> LINE_SHIFT, writes);
}

static inline void plain(const volatile void* p, unsigned bytes, unsigned flags, const void* site) {
    if (!is_usual(memory_offset(p), bytes, flags & ACCESS_WRITE)) plain_slowly(p, bytes, flags, site);
}

#define ACCESS(kind, bytes, flags)                 \
    void __tsan_##kind##bytes(void* p) {           \
        plain(p, bytes, flags, SITE);              \
    }                                              \
    void __tsan_unaligned_##kind##bytes(void* p) { \
        plain(p, bytes, flags, SITE);              \
    }
#define PLAIN(bytes)                   \
    ACCESS(read, bytes, 0)             \
    ACCESS(write, bytes, ACCESS_WRITE) \
    ACCESS(read_write, bytes, ACCESS_WRITE)
PLAIN(1)
PLAIN(2)
PLAIN(4)
PLAIN(8)
PLAIN(16)

static void range(const volatile void* p, size_t bytes, unsigned flags, const void* site) {
    uint64_t offset = memory_offset(p);
    if (flags & ACCESS_WRITE) plain_write(p, offset);
    if (offset == NOT_TRACKED || bytes == 0) return;
    if (flags & ACCESS_WRITE) memory_note_range(p, bytes);
    if (run.active) compare_lines(offset, bytes, flags, site);
}

void __tsan_read_range(void* p, unsigned long bytes) {
    range(p, bytes, 0, SITE);
}

void __tsan_write_range(void* p, unsigned long bytes) {
    range(p, bytes, ACCESS_WRITE, SITE);
}

void access_write(void* p, uint64_t value) {
    range(p, sizeof value, ACCESS_WRITE, SITE_PROGRAM);
    *(uint64_t*)p = value;
}

// Lines that nobody has written hold zeros before and after.
void access_by_system(const void* p, size_t bytes) {
    enum { SYSTEM_WROTE = 7 };
    if (!run.active) return;
    Thread* me = &threads[current_thread];
    me->moment++;
    scheduler_point();
    me->history = hash_add(me->history, SYSTEM_WROTE);  // or the thread's next point would be the same state
    uint64_t line = memory_offset(p) >> LINE_SHIFT, end = line + (bytes >> LINE_SHIFT);
    for (; line < end; line++)
        if (memory_lines[line] & (LINE_IS_NOTED | LINE_HAD_BYTES))
            compare(line << LINE_SHIFT, LINE, ACCESS_WRITE, SITE_SYSTEM);
}

uint64_t access_read(const void* p) {
    range(p, sizeof(uint64_t), 0, SITE_PROGRAM);
    return *(const uint64_t*)p;
}

void __tsan_init(void) {
}

void __tsan_func_entry(void* caller) {
    (void)caller;
}

void __tsan_func_exit(void) {
}

// The C library's functions, under the names that the object file of the allocator has for them.
void* explored_memset(void* to, int byte, size_t bytes) {
    range(to, bytes, ACCESS_WRITE, SITE);
    return memset(to, byte, bytes);
}

void* explored_memcpy(void* restrict to, const void* restrict from, size_t bytes) {
    range(from, bytes, 0, SITE);
    range(to, bytes, ACCESS_WRITE, SITE);
    return memcpy(to, from, bytes);
}

void* explored_memmove(void* to, const void* from, size_t bytes) {
    range(from, bytes, 0, SITE);
    range(to, bytes, ACCESS_WRITE, SITE);
    return memmove(to, from, bytes);
}

// --- atomic operations

// The word of an operation that others may see; NULL: nobody else touches it, or nobody writes it, in any run so far.
static inline Location* begin(uint64_t offset, bool writes) {
    threads[current_thread].moment++;
    Location* location = location_of(offset);
    if (UNLIKELY(!location_knows(location, current_thread, writes)) && location_learn(location, current_thread, writes))
        run.learned = true;
    if (location->contended || run.limits.every_moment) scheduler_point();
    return location->contended || recording.on ? location : NULL;
}

// The operation after a named step.
static inline void cover(EventKind kind, const volatile void* p, uint64_t value) {
    Thread* me = &threads[current_thread];
    if (me->step < HAK_STEP_COUNT) coverage_operation(me->step, kind, p, value);
    me->step = HAK_STEP_COUNT;
}

static inline void check_atomic(uint64_t offset, unsigned bytes, bool writes, const void* site) {
    compare(offset, bytes, writes ? ACCESS_ATOMIC | ACCESS_WRITE : ACCESS_ATOMIC, site);
}

static inline int used_order(int order, const volatile void* p, unsigned bytes) {
    return order_of(order, threads[current_thread].step, p, bytes);
}

static inline void note(EventKind kind, const volatile void* p, unsigned bytes, int order, uint64_t before,
                        uint64_t value, unsigned from, unsigned stale, const void* site) {
    Thread* me = &threads[current_thread];
    record((Event){.kind = (uint8_t)kind,
                   .thread = (uint8_t)current_thread,
                   .order = (uint8_t)order,
                   .size = (uint8_t)bytes,
                   .other = (uint8_t)from,
                   .stale = (uint8_t)stale,
                   .step = me->step,
                   .moment = me->moment,
                   .address = (uint64_t)(uintptr_t)p,
                   .before = before,
                   .value = value,
                   .site = site});
    cover(kind, p, before);
}

static inline void acquire(Thread* me, Clock released, int order) {
    if (order_acquires(order))
        clock_join(&me->clock, released);
    else
        clock_join(&me->acquired_by_fence, released);
}

// What a store hands on to those who acquire it.
static inline void release(Location* location, Thread* me, int order, bool continues) {
    Clock released = order_releases(order) ? me->clock : me->released_by_fence;
    if (continues)
        clock_join(&location->released, released);
    else
        location->released = released;
    location->writer = (uint8_t)current_thread;
    location->stores++;
    location->own[current_thread]++;
}

static void add_store(Stores* stores, uint64_t value, Clock released, unsigned writer, uint16_t when) {
    uint32_t at = stores->count++ % STORES_KEPT;
    stores->at[at].value = value;
    stores->at[at].released = released;
    stores->at[at].writer = (uint16_t)writer;
    stores->at[at].known = (Clock){0} + UNKNOWN;
    stores->at[at].known[writer] = when;
}

static void keep_store(const Location* location, uint64_t before, uint64_t value) {
    Stores* stores = location_stores(location);
    if (stores->count == 0) add_store(stores, before, (Clock){0}, BEFORE_RUN, 0);
    add_store(stores, value, location->released, current_thread, threads[current_thread].clock[current_thread]);
}

// Whoever the load happens before reads this store or a newer one.
static inline void note_read(Stores* stores, uint32_t number, const Thread* me) {
    Clock* known = &stores->at[number % STORES_KEPT].known;
    if ((*known)[current_thread] == UNKNOWN) (*known)[current_thread] = me->clock[current_thread];
}

static inline void stored(Location* location, uint64_t before, uint64_t value, int order, bool continues) {
    Thread* me = &threads[current_thread];
    release(location, me, order, continues);
    if (run.limits.stale_most) keep_store(location, before, value);
    if (order_releases(order)) thread_tick();
    if (!location->contended) return;
    me->history = hash_join(
        hash_join(hash_add(me->history, (uint64_t)(location - locations) << 1 | 1), location->written), location->read);
    location->written = me->history;
    location->read = (Hash){0, 0};
}

static inline void loaded(Location* location, unsigned stale) {
    Thread* me = &threads[current_thread];
    thread_has_seen(me, location, (uint16_t)(stores_of_others(location, current_thread) - stale));
    if (!location->contended) return;
    me->history = hash_join(hash_add(me->history, (uint64_t)(location - locations) << 1), location->written);
    location->read.low += me->history.low;
    location->read.high += me->history.high;
}

// Whether the store, or a load that read it, happens before what the thread does now.
static inline bool is_known(const Stores* stores, uint32_t number, const Thread* me) {
    union {
        Clock clock;
        uint64_t word[2];
    } known = {.clock = (Clock)(stores->at[number % STORES_KEPT].known <= me->clock)};
    return (known.word[0] | known.word[1]) != 0;
}

// The oldest store that the thread may read from.
static uint32_t oldest_visible(const Stores* stores, const Thread* me) {
    uint32_t newest = stores->count - 1, oldest = newest < STORES_KEPT ? 0 : newest - STORES_KEPT + 1;
    for (uint32_t i = newest; i > oldest; i--)
        if (is_known(stores, i, me)) return i;
    return oldest;
}

// How many stores back the load reads: 0, or what the strategy wants. Then *value, *released and *from are of that
// store.
static unsigned read_back(Location* location, uint64_t* value, Clock* released, unsigned* from) {
    Stores* stores = location_stores(location);
    if (stores->count < 2) return 0;
    Thread* me = &threads[current_thread];
    uint32_t newest = stores->count - 1, visible = newest - oldest_visible(stores, me) + 1;
    unsigned back = 0;
    if (visible > 1 && run.stale_used < run.limits.stale_most) back = scheduler_choose(CHOOSE_STORE, visible);
    note_read(stores, newest - back, me);
    if (back == 0) return 0;
    run.stale_used++;
    *value = stores->at[(newest - back) % STORES_KEPT].value;
    *released = stores->at[(newest - back) % STORES_KEPT].released;
    *from = stores->at[(newest - back) % STORES_KEPT].writer;
    return back;
}

// Of a word that only this thread touches, or that nobody writes.
static inline bool is_private_load(uint64_t offset) {
    const Location* location = &locations[location_index[offset]];  // number 0 is nobody's
    return !location->contended && location_knows(location, current_thread, false) && !run.limits.every_moment &&
           !recording.on && race_line_stays(offset >> LINE_SHIFT, false);
}

static inline uint64_t load(const volatile void* p, uint64_t offset, unsigned bytes, int order,
                            uint64_t (*read)(const volatile void*), const void* site) {
    Location* location = begin(offset, false);
    check_atomic(offset, bytes, false, site);
    uint64_t value = read(p);
    if (location == NULL) {
        cover(EVENT_LOAD, p, value);
        return value;
    }
    Thread* me = &threads[current_thread];
    order = order_of(order, me->step, p, bytes);
    Clock released = location->released;
    unsigned from = location->writer, back = 0;
    if (run.limits.stale_most) back = read_back(location, &value, &released, &from);
    acquire(me, released, order);
    loaded(location, back);
    note(EVENT_LOAD, p, bytes, order, value, value, from, back, site);
    return value;
}

// A store, or the second half of a read-modify-write.
static inline void finish_store(Location* location, const volatile void* p, unsigned bytes, int order, uint64_t before,
                                uint64_t value, bool update, const void* site) {
    Thread* me = &threads[current_thread];
    unsigned from = location->writer;
    if (update) acquire(me, location->released, order);
    stored(location, before, value, order, update);
    note(update ? EVENT_UPDATE : EVENT_STORE, p, bytes, order, before, value, from, 0, site);
}

void (*word_became_zero)(const volatile void* word);

static inline void wrote(const volatile void* p, size_t bytes, uint64_t value) {
    if (bytes == sizeof value && value == 0) word_became_zero(p);
}

// Whether the operation is one of a run on memory that all threads may share; the rest is done without ado.
static inline bool is_watched(const volatile void* p, uint64_t* offset) {
    *offset = memory_offset(p);
    return run.active && *offset != NOT_TRACKED;
}

static inline void note_write(uint64_t offset) {
    if (offset != NOT_TRACKED) memory_note(offset, 1);
}

#define UPDATE(bits, type, name, expression)                                                                        \
    type __tsan_atomic##bits##_##name(volatile type* p, type operand, int order) {                                  \
        uint64_t offset;                                                                                            \
        bool watched = is_watched(p, &offset);                                                                      \
        Location* location = watched ? begin(offset, true) : NULL;                                                  \
        if (watched) check_atomic(offset, sizeof(type), true, SITE);                                                \
        note_write(offset);                                                                                         \
        type before = *p;                                                                                           \
        type value = (type)(expression);                                                                            \
        *p = value;                                                                                                 \
        if (location)                                                                                               \
            finish_store(location, p, sizeof(type), used_order(order, p, sizeof(type)), before, value, true, SITE); \
        else if (watched)                                                                                           \
            cover(EVENT_UPDATE, p, before);                                                                         \
        return before;                                                                                              \
    }

#define ATOMIC(bits, type)                                                                                           \
    static uint64_t read_##bits(const volatile void* p) {                                                            \
        return *(const volatile type*)p;                                                                             \
    }                                                                                                                \
    type __tsan_atomic##bits##_load(const volatile type* p, int order) {                                             \
        uint64_t offset;                                                                                             \
        if (!is_watched(p, &offset)) return *p;                                                                      \
        if (is_private_load(offset)) {                                                                               \
            threads[current_thread].moment++;                                                                        \
            type value = *p;                                                                                         \
            cover(EVENT_LOAD, p, value);                                                                             \
            return value;                                                                                            \
        }                                                                                                            \
        return (type)load(p, offset, sizeof(type), order, read_##bits, SITE);                                        \
    }                                                                                                                \
    void __tsan_atomic##bits##_store(volatile type* p, type value, int order) {                                      \
        uint64_t offset;                                                                                             \
        bool watched = is_watched(p, &offset);                                                                       \
        Location* location = watched ? begin(offset, true) : NULL;                                                   \
        if (watched) check_atomic(offset, sizeof(type), true, SITE);                                                 \
        note_write(offset);                                                                                          \
        type before = *p;                                                                                            \
        *p = value;                                                                                                  \
        if (location)                                                                                                \
            finish_store(location, p, sizeof(type), used_order(order, p, sizeof(type)), before, value, false, SITE); \
        else if (watched)                                                                                            \
            cover(EVENT_STORE, p, before);                                                                           \
        if (watched) wrote(p, sizeof(type), value);                                                                  \
    }                                                                                                                \
    UPDATE(bits, type, exchange, operand)                                                                            \
    UPDATE(bits, type, fetch_add, before + operand)                                                                  \
    UPDATE(bits, type, fetch_sub, before - operand)                                                                  \
    UPDATE(bits, type, fetch_and, before& operand)                                                                   \
    UPDATE(bits, type, fetch_or, before | operand)                                                                   \
    UPDATE(bits, type, fetch_xor, before ^ operand)                                                                  \
    static bool swap_##bits(volatile type* p, type* expected, type value, int order, const void* site) {             \
        uint64_t offset;                                                                                             \
        bool watched = is_watched(p, &offset);                                                                       \
        Location* location = watched ? begin(offset, true) : NULL;                                                   \
        type before = *p;                                                                                            \
        bool same = before == *expected;                                                                             \
        if (watched) {                                                                                               \
            order = used_order(order, p, sizeof(type));                                                              \
            check_atomic(offset, sizeof(type), same, site);                                                          \
        }                                                                                                            \
        if (same) {                                                                                                  \
            note_write(offset);                                                                                      \
            *p = value;                                                                                              \
            if (location)                                                                                            \
                finish_store(location, p, sizeof(type), order, before, value, true, site);                           \
            else if (watched)                                                                                        \
                cover(EVENT_UPDATE, p, before);                                                                      \
            if (watched) wrote(p, sizeof(type), value);                                                              \
        } else {                                                                                                     \
            *expected = before;                                                                                      \
            if (location)                                                                                            \
                refused(location, p, sizeof(type), before, site);                                                    \
            else if (watched)                                                                                        \
                cover(EVENT_REFUSED, p, before);                                                                     \
        }                                                                                                            \
        return same;                                                                                                 \
    }                                                                                                                \
    int __tsan_atomic##bits##_compare_exchange_strong(volatile type* p, type* expected, type value, int order,       \
                                                      int failure) {                                                 \
        (void)failure;                                                                                               \
        return swap_##bits(p, expected, value, order, SITE);                                                         \
    }                                                                                                                \
    int __tsan_atomic##bits##_compare_exchange_weak(volatile type* p, type* expected, type value, int order,         \
                                                    int failure) {                                                   \
        (void)failure;                                                                                               \
        return swap_##bits(p, expected, value, order, SITE);                                                         \
    }                                                                                                                \
    type __tsan_atomic##bits##_compare_exchange_val(volatile type* p, type expected, type value, int order,          \
                                                    int failure) {                                                   \
        (void)failure;                                                                                               \
        swap_##bits(p, &expected, value, order, SITE);                                                               \
        return expected;                                                                                             \
    }

// The allocator's compare-and-swaps are relaxed when they fail (lib/base/atomic.h).
static inline void refused(Location* location, const volatile void* p, unsigned bytes, uint64_t before,
                           const void* site) {
    unsigned from = location->writer;
    if (run.limits.stale_most) {
        Stores* stores = location_stores(location);
        if (stores->count) note_read(stores, stores->count - 1, &threads[current_thread]);
    }
    acquire(&threads[current_thread], location->released, __ATOMIC_RELAXED);
    loaded(location, 0);
    note(EVENT_REFUSED, p, bytes, __ATOMIC_RELAXED, before, before, from, 0, site);
}

ATOMIC(8, uint8_t)
ATOMIC(16, uint16_t)
ATOMIC(32, uint32_t)
ATOMIC(64, uint64_t)

void __tsan_atomic_thread_fence(int order) {
    if (!run.active) return;
    Thread* me = &threads[current_thread];
    me->moment++;
    order = order_of(order, me->step, NULL, 0);
    if (order_acquires(order)) clock_join(&me->clock, me->acquired_by_fence);
    if (order_releases(order)) {
        me->released_by_fence = me->clock;
        thread_tick();
    }
    note(EVENT_FENCE, NULL, 0, order, 0, 0, BEFORE_RUN, 0, SITE);
}

void __tsan_atomic_signal_fence(int order) {
    (void)order;
}
