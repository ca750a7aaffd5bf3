// What a record keeps of the calls that made and freed its block: thread, time, and where in the program.
// Thread-safety: the holder of the record.
// Errors: none.
#ifndef HAK_GUARD_NOTES_H
#define HAK_GUARD_NOTES_H

#include "guard/guard_call.h"

// Number of the calling thread, which may never have allocated. 0: it is past its end, or there is no memory for a TCB.
uint32_t guard_thread_number(void);
void guard_note_alloc(const GuardCall* call, HakGuardRecord* record);
void guard_note_free(const GuardCall* call, HakGuardRecord* record);

#endif
