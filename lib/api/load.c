// What is done when the library is loaded, before the program runs.
#include "api/changed.h"
#include "api/end.h"
#include "api/request.h"
#include "api/stats.h"
#include "base/libc.h"
#include "base/output.h"
#include "front/life.h"
#include "front/others.h"
#include "front/process.h"
#include "front/sanitizer.h"
#include "observe/crash_note.h"
#include "observe/ring.h"
#include "superslab/heap.h"

#include <unistd.h>

// The core alone does not have it.
#pragma weak malloc_is_foreign

// The first constructor of all (linked with -z initfirst). Prepare handlers of a fork run in reverse order, so those of
// other libraries, which may allocate, run before ours takes the locks. (musl knows no initfirst, but what is preloaded
// comes first there, too.) glibc passes the environment, because `environ` is not set yet. Prepares what the first
// block needs and no option decides. If the program uses another malloc, it prepares nothing: the first call of one of
// our functions begins.
__attribute__((constructor(101))) static void at_load(int argc, char** argv, char** environment) {
    (void)argc, (void)argv, (void)environment;
    if (LIBC_IS_GLIBC && environ == NULL) environ = environment;
    output_start();
    hak_ring_keep_last_words();
    bool serves = !(malloc_is_foreign && malloc_is_foreign()) && !sanitizer_serves();
    if (serves) {
        process_read_options();
        if (!load_relaxed(&process_has_begun)) {
            heap_prepare();
            tcb_prepare();
        }
    }
    process_is_loaded(thread_end_round, serves);
    if (!serves) return;
    crash_note_begin();
    hak_stats_at_exit();
    changes_begin();
    requests_begin();
}
