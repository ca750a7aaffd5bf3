#include "guard/quarantine.h"

#include "base/bits.h"
#include "config/options.h"
#include "os/os.h"

// One more than stays: a handler, or the child of a fork, may come after a block was added and before one left for it.
enum { PLACES = QUARANTINE_BLOCKS + 1 };

typedef struct HakQuarantine {
    uint32_t first;  // index of the oldest
    uint32_t count;
    size_t bytes;
    Quarantined place[PLACES];
} Quarantine;

static uint32_t index_of(const Quarantine* q, uint32_t behind_first) {
    uint32_t i = q->first + behind_first;
    return i < PLACES ? i : i - PLACES;
}

static Quarantine* make(void) {
    size_t bytes = align_up(sizeof(Quarantine), OS_PAGE);
    Quarantine* q = os_map(bytes);
    if (q && !hak_option(guard_dump)) os_leave_out_of_dumps(q, bytes);
    return q;
}

bool quarantine_add(HakTcb* me, Quarantined block) {
    if (block.bytes > QUARANTINE_BYTES_EACH) return false;
    if (me->quarantine == NULL) me->quarantine = make();
    Quarantine* q = me->quarantine;
    if (q == NULL || q->count == PLACES) return false;
    q->place[index_of(q, q->count)] = block;
    q->count++;
    q->bytes += block.bytes;
    return true;
}

Quarantined quarantine_take(HakTcb* me, bool all) {
    enum { SOON = 3 };
    Quarantine* q = me->quarantine;
    bool some = q && q->count && (all || q->count > QUARANTINE_BLOCKS || q->bytes > QUARANTINE_BYTES);
    if (!some) return (Quarantined){0};
    Quarantined oldest = q->place[q->first];
    q->first = index_of(q, 1);
    q->count--;
    q->bytes -= oldest.bytes;
    // This block has long left the processor's caches, and its poison is checked when it leaves.
    Quarantined soon = q->place[index_of(q, SOON)];
    __builtin_prefetch(soon.block);
    __builtin_prefetch(soon.record);
    return oldest;
}
