#include "census/live.h"

#include "front/wake.h"

HakRequest hak_request;

// Writable, so that no page of constants has to be relocated for it alone.
__attribute__((used)) HakLive hak_live = {
    .magic = HAK_LIVE_MAGIC,
    .layout = HAK_LIVE_LAYOUT,
    .checked = HAK_CHECKED,
    .version = HAKMEM_VERSION,
    .heap = &hak_heap,
    .newest = &tcb_newest,
    .shared = &hak_counters_shared,
    .request = &hak_request,
    .wake = &hak_wake,
};

// The note's text is the distance from itself to hak_live. A linker keeps notes, and strip does.
__asm__(".pushsection .note.hakmem, \"a\", %note\n"
        ".balign 4\n"
        ".long 7, 8, 1\n"
        ".asciz \"" HAK_LIVE_NOTE "\"\n"
        ".balign 4\n"
        "1: .quad hak_live - 1b\n"
        ".popsection\n");
