// Notes who calls, and from where. The one place where stacks come from.
// Thread-safety: any thread, and signal handlers.
// Errors: a stack may be shorter than it is.
#ifndef HAK_SAMPLE_CALL_H
#define HAK_SAMPLE_CALL_H

#include "os/os.h"
#include "sample/slots.h"
#include "stack/unwind.h"
#include "thread/tls.h"

HAK_INLINE void call_note_thread(SampleCall* call) {
    call->thread = hak_tls.tcb ? hak_tls.tcb->number : 0;
    call->system_thread = call->thread ? 0 : os_thread_id();
}

// For the body of a function that is not inlined: its frame, and its return address.
#define CALL_HERE __builtin_frame_address(0), (uintptr_t)__builtin_return_address(0)

HAK_INLINE void call_note(SampleCall* call, const void* frame, uintptr_t pc) {
    call_note_thread(call);
    call->depth = stack_here(frame, pc, call->pc, SAMPLE_FRAMES);
}

// Of a signal's context: the first address is the instruction, no return address.
HAK_INLINE void call_note_context(SampleCall* call, const void* context) {
    call_note_thread(call);
    call->depth = stack_of_context(context, call->pc, SAMPLE_FRAMES);
}

#endif
