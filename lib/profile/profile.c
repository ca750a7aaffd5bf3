#include "profile/profile.h"

#include "base/text.h"
#include "config/zero.h"
#include "count/counters.h"
#include "os/os.h"
#include "profile/chance.h"
#include "profile/dump.h"
#include "profile/dump_signal.h"
#include "profile/sampled_blocks.h"
#include "sample/module.h"
#include "stack/stack_table.h"
#include "thread/link.h"

_Atomic bool profile_on, profile_slow;

static bool is_wanted(void) {
    return hak_option(profile) != 0 && !(HAK_CHECKED && hak_option(guard) != 0);
}

void profile_begin(void) {
    if (profile_is_on() || !is_wanted()) return;
    if (!sites_map() || !sampled_blocks_map()) {
        text_warn("hakmem: no memory for the tables of HAKMEM_PROFILE: there is no profile\n");
        store_relaxed(&hak_options.profile, 0);
        return;
    }
    module_begin();
    dump_begin();
    dump_signal_install((int)hak_option(profile_signal));
    store_relaxed(&profile_slow, zero_is(ZERO_ALLOC));
    link_stop_hits(true);
    store_relaxed(&profile_on, true);
}

// --- samples

// A new thread has not drawn its first gap yet.
bool profile_run_out(size_t size) {
    HakTls* tls = &hak_tls;
    int64_t rate = hak_option(profile_rate);
    if (!tls->profile_begun) {
        tls->profile_begun = 1;
        tls->profile_left = chance_gap(os_random(), rate) - (int64_t)size;
        if (tls->profile_left >= 0) return false;
    }
    tls->profile_left = chance_gap(os_random(), rate);
    return true;
}

static SiteShare share_of(size_t size) {
    double bytes = size ? (double)size : 1;  // 0: a handler came while the count had run out
    double blocks = 1 / chance_of(bytes / (double)hak_option(profile_rate));
    return (SiteShare){(int64_t)(blocks * SITE_UNITS), (int64_t)(blocks * bytes)};
}

void profile_sampled(const void* block, size_t size) {
    SiteShare share = share_of(size);
    Site* site = site_of(stack_note(__builtin_frame_address(0), (uintptr_t)__builtin_return_address(0)));
    site_allocated(site, share);
    if (sampled_blocks_add(block, site, share)) {
        counter_add_shared(HAK_C_profile_sampled, 1);
        site_holds(site, share);
    } else {
        counter_add_shared(HAK_C_profile_lost, 1);
    }
    dump_if_due();
}

ProfileSample profile_take(const void* block) {
    ProfileSample sample = {NULL, {0, 0}};
    sampled_blocks_take(block, &sample.site, &sample.share);
    return sample;
}

// Another sample may have taken the last place meanwhile.
void profile_put_back(const void* block, ProfileSample sample) {
    if (sample.site && !sampled_blocks_add(block, sample.site, sample.share)) profile_freed(sample);
}

void profile_freed(ProfileSample sample) {
    if (sample.site == NULL) return;
    counter_add_shared(HAK_C_profile_freed, 1);
    site_freed(sample.site, sample.share);
}

void profile_forget(const void* block) {
    profile_freed(profile_take(block));
}

void profile_after_fork(void) {
    sites_after_fork();
    dump_after_fork();
}
