#include "guard/quarantine.h"

#include "base/bits.h"
#include "config/options.h"
#include "os/os.h"

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
    if (q == NULL || q->count == QUARANTINE_PLACES) return false;
    q->place[quarantine_index(q->first, q->count)] = block;
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
    q->first = quarantine_index(q->first, 1);
    q->count--;
    q->bytes -= oldest.bytes;
    // This block has long left the processor's caches, and its poison is checked when it leaves.
    Quarantined soon = q->place[quarantine_index(q->first, SOON)];
    __builtin_prefetch(soon.block);
    __builtin_prefetch(soon.record);
    return oldest;
}
