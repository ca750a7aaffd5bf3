#include "front/refuse.h"

#include "base/random.h"
#include "config/options.h"
#include "front/life.h"
#include "front/process.h"
#include "observe/ring.h"

#include <errno.h>
#include <unistd.h>

_Atomic uint32_t refuse_mode;

_Atomic uint64_t refuse_count;

static bool decide(void) {
    if (load_relaxed(&refuse_mode) != REFUSE_UNDECIDED) return true;
    process_read_options();
    if (environ == NULL) return false;  // too early in the process
    bool some = hak_option(fail_at) != 0 || hak_option(fail_one_in) != 0 || hak_option(fail_from) != 0;
    store_relaxed(&refuse_mode, some ? REFUSE_SOME : REFUSE_NONE);
    return true;
}

static void note(size_t size, const void* site, bool asked) {
    if (asked) (void)thread_tcb();  // the thread may have no ring yet: it never got a block
    HakRingFile* file = hak_ring_file();
    ring_record(HAK_EVENT_refused, site, asked, size);
    if (file && asked) add_relaxed(&file->refused, 1u);
}

bool refuse_asked(size_t size, const void* site) {
    if (!decide() || load_relaxed(&refuse_mode) == REFUSE_NONE) return false;
    uint64_t number = add_relaxed(&refuse_count, 1u) + 1;
    uint64_t at = (uint64_t)hak_option(fail_at), one_in = (uint64_t)hak_option(fail_one_in);
    uint64_t from = (uint64_t)hak_option(fail_from);
    uint64_t chance = random_mix((uint64_t)hak_option(seed) * RANDOM_STEP + number);
    bool fails = number == at || (one_in != 0 && chance % one_in == 0) || (from != 0 && size >= from);
    if (fails) note(size, site, true);
    return fails;
}

void refuse_note(size_t size, const void* site) {
    note(size, site, false);
}

void* refuse_null(void) {
    errno = ENOMEM;
    return NULL;
}
