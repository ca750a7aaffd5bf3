#include "api/changed.h"

#include "api/stats.h"
#include "config/sources.h"
#include "config/options.h"
#include "profile/profile.h"

static void changed(void) {
    hak_stats_follow_options();
    profile_follow_option();
}

void changes_begin(void) {
    store_relaxed(&hak_option_changed, changed);
}
