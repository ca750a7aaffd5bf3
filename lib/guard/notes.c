#include "guard/notes.h"

#include "front/life.h"
#include "observe/ring.h"
#include "stack/stack_table.h"

uint32_t guard_thread_number(void) {
    const HakTcb* me = thread_tcb();
    return me ? me->number : 0;
}

static uint64_t site_of(const GuardCall* call) {
    return (uintptr_t)call->site;
}

static StackNumber stack_of(const GuardCall* call) {
    return stack_note(call->frame, (uintptr_t)call->site);
}

void guard_note_alloc(const GuardCall* call, HakGuardRecord* record) {
    record->alloc_thread = guard_thread_number();
    record->alloc_clock = hak_ring_clock();
    record->alloc_stack = stack_of(call);
    record->alloc_site = site_of(call);
}

void guard_note_free(const GuardCall* call, HakGuardRecord* record) {
    record->free_thread = guard_thread_number();
    record->free_clock = hak_ring_clock();
    record->free_stack = stack_of(call);
    record->free_site = site_of(call);
}
