#include "guard/guard_mode.h"

#include "config/sources.h"
#include "front/process.h"
#include "front/sanitizer.h"

#include <unistd.h>

_Atomic uint32_t hak_guard_mode;

_Atomic bool guard_has_gaps;

bool guard_decide(void) {
    if (load_relaxed(&hak_guard_mode) == GUARD_ON) return true;
    process_read_options();
    if (environ == NULL) {  // too early in the process: the options are not known yet
        store_relaxed(&guard_has_gaps, true);
        return false;
    }
    hak_options_freeze();
    bool on = hak_option(guard) != 0 && !sanitizer_serves();
    store_relaxed(&hak_guard_mode, on ? GUARD_ON : GUARD_OFF);
    return on;
}
