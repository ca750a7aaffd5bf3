// What is told of a wrong act on a sampled block: a line as guard mode's, and a line for each frame of the stacks.
//
//   hakmem: check=NAME site=SITE your program ...
//   hakmem: stack=WHAT thread=N frame=N pc=0x... offset=0x... build_id=HEX module=PATH
//
// WHAT: access (its frame 0 is the instruction; all others are return addresses), call, allocated, freed. thread: as in
// the first line; system:N if it has no number. offset: in the module, as symbols count. `hakstress report` reads these
// lines, and so may other programs.
// Thread-safety: any thread, and signal handlers. One thread tells at a time; others wait for it a moment, since one of
// them may end the process.
// Errors: none. After the words the process ends by abort, unless HAKMEM_ON_ERROR=report; after a signal this is left
// to the caller.
#ifndef HAK_SAMPLE_WORDS_H
#define HAK_SAMPLE_WORDS_H

#include "base/lock.h"
#include "sample/slots.h"

typedef enum { ACCESS_UNKNOWN, ACCESS_READ, ACCESS_WRITE, ACCESS_EXECUTE } AccessKind;

// double_free, use_after_free, interior_free, invalid_free: a call with p, which is no live block. slot: NULL: none.
HAK_COLD void words_of_call(const char* function, const void* p, const Slot* slot, const SampleCall* call);
// overflow, underflow: the bytes around a seized block were written.
HAK_COLD void words_of_damage(const char* function, const Slot* slot, SlotDamage damage, const SampleCall* call);

typedef enum {
    ACCESS_FOREIGN,    // no block was near, or the page is not closed by this library; nothing is told
    ACCESS_AGAIN,      // the page is open by now; nothing is told
    ACCESS_TOLD,       // or another thread is telling for too long
    ACCESS_TOLD_OPEN,  // told, though the page was open each time (sample/retry.h)
} AccessEnd;

// overflow, underflow, use_after_free: an access that the pages did not allow. "Or a block that stood here before":
// another thread may have put the block there after the access. is_end: the process ends by the access, unless
// HAKMEM_ON_ERROR=report: then no other thread tells anything after this, so the words are of the thread that ends it.
HAK_COLD AccessEnd words_of_access(const void* address, AccessKind kind, const SampleCall* access, bool is_end);

// The lock of who tells, around a fork.
void words_locks(void (*step)(HakLock* lock, unsigned fork), unsigned fork);

#endif
