#include "sample/sample.h"

#include "base/text.h"
#include "config/zero.h"
#include "count/counters.h"
#include "os/os.h"
#include "sample/call.h"
#include "sample/door.h"
#include "sample/handler.h"
#include "sample/module.h"
#include "sample/words.h"

#include <string.h>

static HakLock begin_lock;

void sample_locks(void (*step)(HakLock* lock, unsigned fork), unsigned fork) {
    step(&begin_lock, fork);
    words_locks(step, fork);
}

// --- when

// A sample costs 4 to 30 microseconds, as the caches are. Of a program that does little but allocate, one block in N
// would cost per cents; so there are at most 200 a second in the long run, unless N is so small that the user asks for
// more.
static bool is_too_soon(void) {
    enum { SMALL_N = 1000, EACH_MS = 5, AT_ONCE = 16 };
    static _Atomic uint64_t paid_until;  // milliseconds; the samples so far take all time until then
    uint64_t now = os_clock_ms(), until = load_relaxed(&paid_until);
    if (hak_option(sample) < SMALL_N) return false;
    if (until > now + AT_ONCE * EACH_MS) {
        counter_add_shared(HAK_C_sample_too_soon, 1);
        return true;
    }
    store_relaxed(&paid_until, (until < now ? now : until) + EACH_MS);  // two threads at once may count as one
    return false;
}

// If the count runs out within a refill, the door opens for so many mallocs as blocks come before the sample. Bins may
// get a thousand blocks at once; a door that is open for so long would cost something.
void sample_run_out(HakTcb* me, uint32_t blocks) {
    enum { MOST = 64 };
    int64_t every = hak_option(sample), before = me->sample_left + blocks;
    if (every == 0) return;
    me->sample_left += sample_interval(os_random(), every);  // the blocks behind the sample count for the next one
    if (!me->sample_begun) {                                 // a new thread does not begin with a sample
        me->sample_begun = true;
        return;
    }
    if (!sample_is_dense() && !is_too_soon()) door_open(1 + (before > 0 ? (int32_t)(before % MOST) : 0));
}

static bool is_due(void) {
    HakTcb* me = hak_tls.tcb;
    if (door_is_open()) return door_pass();
    int64_t every = hak_option(sample);
    if (every == 0 || me->sample_left > 0) return false;
    me->sample_left = sample_interval(os_random(), every);
    return true;
}

// --- malloc

// A thread that finds another one here, or that it has interrupted itself, goes without a sample.
static bool begin(void) {
    if (!hak_trylock(&begin_lock)) return load_relaxed(&hak_slots.bytes) != 0;
    bool ready = load_relaxed(&hak_slots.bytes) != 0;
    if (!ready) {
        module_begin();
        ready = slots_map((uint32_t)hak_option(sample_slots), hak_option(sample_dump) != 0);
    }
    if (ready) handler_install();
    hak_unlock(&begin_lock);
    return ready;
}

void* sample_malloc(size_t alignment, size_t size) {
    if (alignment > PAGE_SIZE_BYTES || !is_due()) return NULL;
    if (!begin()) {
        counter_add_shared(HAK_C_sample_no_memory, 1);
        return NULL;
    }
    Slot* slot = slot_take();
    if (slot == NULL) {
        counter_add_shared(HAK_C_sample_no_slot, 1);
        return NULL;
    }
    call_note(&slot->allocated, CALL_HERE);
    slot->behind = NULL;
    if (!slot_open(slot, alignment, size, os_random() % 2 != 0)) {
        counter_add_shared(HAK_C_sample_no_memory, 1);
        return NULL;
    }
    counter_add_shared(HAK_C_sample_taken, 1);
    return slot->block;
}

void sample_stands_for(void* sampled, void* behind) {
    slot_at(sampled)->behind = behind;
}

// --- free

// Seizes the live block at p. false: there is none; that was told.
static bool seize(const char* function, const void* p, Slot** slot, const SampleCall* call) {
    *slot = slot_at(p);
    if (*slot && slot_seize(*slot)) {
        if ((*slot)->block == p) return true;
        slot_let_go(*slot);
    }
    words_of_call(function, p, *slot, call);
    return false;
}

static bool is_whole(const char* function, const Slot* slot, const SampleCall* call) {
    SlotDamage damage = slot_damage(slot);
    if (damage.count) words_of_damage(function, slot, damage, call);
    return damage.count == 0;
}

void* sample_free(const char* function, void* p) {
    SampleCall call;
    Slot* slot;
    call_note(&call, CALL_HERE);
    if (!seize(function, p, &slot, &call)) return NULL;
    is_whole(function, slot, &call);
    void* behind = slot->behind;
    if (zero_is(ZERO_FREE)) memset(p, 0, slot->size);
    slot->freed = call;
    slot_close(slot);
    counter_add_shared(HAK_C_sample_freed, 1);
    return behind;
}

// --- questions

bool sample_size(const char* function, const void* p, size_t* size) {
    Slot* slot = slot_at(p);
    if (slot && slot_is_live(slot) && slot->block == p) {
        *size = slot->size;
        return true;
    }
    SampleCall call;
    call_note(&call, CALL_HERE);
    words_of_call(function, p, slot, &call);
    return false;
}

bool sample_is_block(const void* p) {
    const Slot* slot = slots_contain(p) ? slot_at(p) : NULL;
    return slot && slot->used && slot->block == p;
}

size_t sample_describe(const void* p, char* buffer, size_t size) {
    const Slot* slot = slot_at(p);
    if (slot == NULL || (const char*)p < slot_start(slot))
        return text_format(buffer, size, "%p: guard page between sampled blocks", p);
    if (!slot->used) return text_format(buffer, size, "%p: slot for sampled blocks, not used yet", p);
    return text_format(
        buffer, size, "%p: sampled block of %zu bytes at %p %c %zu, %s", p, slot->size, slot->block,
        (const char*)p < slot->block ? '-' : '+',
        (size_t)((const char*)p < slot->block ? slot->block - (const char*)p : (const char*)p - slot->block),
        slot_is_live(slot) ? "live" : "free");
}

size_t sample_check(void) {
    SampleCall call;
    size_t wrong = 0;
    if (load_acquire(&hak_slots.bytes) == 0) return 0;  // pairs with slots_map
    call_note(&call, CALL_HERE);
    for (uint32_t i = 0; i < hak_slots.count; i++) {
        Slot* slot = &hak_slots.slot[i];
        if (!slot_check(slot)) continue;
        wrong += !is_whole("hak_check", slot, &call);
        slot_checked(slot);
    }
    return wrong;
}

SampleBytes sample_bytes(void) {
    SampleBytes bytes = {.mapped = load_acquire(&hak_slots.bytes)};  // pairs with slots_map
    if (bytes.mapped == 0) return bytes;
    bytes.tables = hak_slots.count * (sizeof *hak_slots.slot + sizeof *hak_slots.word);
    for (uint32_t i = 0; i < hak_slots.count; i++) {
        const Slot* slot = &hak_slots.slot[i];
        if (!slot_is_live(slot)) continue;
        bytes.allocated += slot->size;
        bytes.active += slot->open_bytes;
    }
    return bytes;
}
