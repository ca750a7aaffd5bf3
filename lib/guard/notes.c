#include "guard/notes.h"

#include "front/life.h"
#include "observe/ring.h"
#include "os/os.h"

uint32_t guard_thread_number(void) {
    const HakTcb* me = thread_tcb();
    return me ? me->number : 0;
}

// The second site is read from the caller's frame, which is on the stack if the caller keeps frame pointers. It is read
// only where there is memory for certain: on the page of the calling frame.
static void note_sites(uint64_t sites[HAK_GUARD_SITES], const GuardCall* call) {
    const uintptr_t* frame = call->frame;
    uintptr_t at = (uintptr_t)frame, caller = frame[0];
    bool same_page = caller > at && (caller ^ at) < OS_PAGE && caller % OS_PAGE <= OS_PAGE - 16 && caller % 8 == 0;
    sites[0] = (uintptr_t)call->site;
    sites[1] = same_page ? ((const uintptr_t*)caller)[1] : 0;
}

void guard_note_alloc(const GuardCall* call, HakGuardRecord* record) {
    record->alloc_thread = guard_thread_number();
    record->alloc_clock = hak_ring_clock();
    note_sites(record->alloc_site, call);
}

void guard_note_free(const GuardCall* call, HakGuardRecord* record) {
    record->free_thread = guard_thread_number();
    record->free_clock = hak_ring_clock();
    note_sites(record->free_site, call);
}
