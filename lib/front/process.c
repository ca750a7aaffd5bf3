#include "front/process.h"

#include "config/changes.h"
#include "config/sources.h"
#include "front/lock_table.h"
#include "front/zero.h"
#include "observe/chaos.h"
#include "observe/ring.h"
#include "os/os.h"
#include "profile/profile.h"
#include "stack/stack_table.h"
#include "superslab/guard_record.h"
#include "superslab/heap.h"
#include "thread/link.h"
#include "thread/tcb.h"

HakLock init_lock;
_Atomic bool process_has_begun;

void process_read_options(void) {
    hak_options_init();
    if (HAK_CHECKED && hak_option(pages)) store_relaxed(&hak_options.guard, 1);
    if (some_change_is_missing()) tcb_stop_parking();
    zero_begin();
    profile_follow_option();
}

bool process_begin_slow(void) {
    os_start();
    hak_ring_keep_last_words();
    hak_lock(&init_lock);
    bool ok = load_relaxed(&process_has_begun);
    if (!ok) {
        process_read_options();
        ok = heap_init();
        if (ok) {
            link_init(hak_option(links) != 0);
#if HAK_CHECKED
            store_relaxed(&hak_chaos_odds, hak_option(chaos));
            if (!HAK_EXPLORED) lock_table_fill();
            hak_ring_tell((HakRingTold){.heap = &hak_heap,
                                        .link_key = &hak_link_key,
                                        .guard = hak_option(guard) ? &hak_guard_root : NULL,
                                        .stacks = &hak_stack_table,
                                        .locks = &hak_lock_table});
#endif
            hak_options_freeze();
            store_release(&process_has_begun, true);  // pairs with the acquire in process_begin
        }
    }
    hak_unlock(&init_lock);
    return ok;
}
