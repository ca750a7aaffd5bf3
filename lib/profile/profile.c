#include "profile/profile.h"

#include "base/text.h"
#include "count/counters.h"
#include "os/os.h"
#include "profile/chance.h"
#include "profile/dump.h"
#include "profile/dump_signal.h"
#include "profile/sampled_blocks.h"
#include "sample/module.h"
#include "stack/stack_table.h"

_Atomic bool profile_on, profile_kept;
static HakLock switch_lock;

static bool is_wanted(void) {
    return hak_option(profile) != 0 && !(HAK_CHECKED && hak_option(guard) != 0);
}

static bool begin(void) {
    if (profile_has_samples()) return true;
    if (!sites_map() || !sampled_blocks_map()) {
        text_warn("hakmem: no memory for the tables of HAKMEM_PROFILE: there is no profile\n");
        store_relaxed(&hak_options.profile, 0);
        return false;
    }
    module_begin();
    dump_begin();
    dump_signal_install((int)hak_option(profile_signal));
    store_release(&profile_kept, true);  // pairs with the acquire in profile_has_samples
    return true;
}

static void lead_mallocs(void) {
    if (profile_is_on())
        tags_count_mallocs(COUNTED_OFFSET);
    else
        tags_count_no_more();
}

// Threads see the parts of a switch in any order. A malloc that looks into a counted bin while the profile is off, or
// into the bin of the class while it is on, finds what is there, or goes the slow path, which serves both.
void profile_follow_option(void) {
    // A store of the option or of profile_on comes before the other is read: of two threads that switch at once, one
    // sees what the other wants. Whoever does not get the lock leaves it to the holder, who looks again.
    atomic_thread_fence(memory_order_seq_cst);
    while (is_wanted() != profile_is_on() && hak_trylock(&switch_lock)) {
        store_relaxed(&profile_on, is_wanted() && begin());
        lead_mallocs();
        hak_unlock(&switch_lock);
        atomic_thread_fence(memory_order_seq_cst);
    }
}

// --- counts

void profile_draw(uint32_t* left, unsigned size_class) {
    uint64_t blocks = 1 + (uint64_t)chance_gap(os_random(), hak_option(profile_rate)) / size_of_class(size_class);
    *left = blocks < INT32_MAX ? (uint32_t)blocks : INT32_MAX;
}

static bool tiny_is_due(unsigned size_class) {
    HakTcb* me = hak_tls.tcb;
    if (me == NULL || bin_first(counted_bin(size_class)) != NULL) return false;
    uint32_t* left = profile_mallocs_left(me, size_class);
    bool due = *left == 1;
    if (due) *left = 0;
    return due;
}

bool profile_class_is_due(unsigned size_class, size_t size) {
    return size_class <= CLASS_LAST_TINY ? tiny_is_due(size_class) : profile_is_due(size);
}

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

// --- samples

static void count_one(HakCounter which) {
    if (HAK_LIKELY(hak_tls.tcb != NULL))
        tcb_count(hak_tls.tcb, which);
    else
        counter_add_shared(which, 1);
}

static SiteShare share_of(size_t size, size_t counted_bytes) {
    double blocks = 1 / chance_of((double)counted_bytes / (double)hak_option(profile_rate));
    return (SiteShare){(int64_t)(blocks * SITE_UNITS), (int64_t)(blocks * (double)size)};
}

void profile_sampled(const void* block, size_t size, size_t counted_bytes) {
    SiteShare share = share_of(size, counted_bytes);
    Site* site = site_of(stack_note_again(__builtin_frame_address(0), (uintptr_t)__builtin_return_address(0)));
    const uint32_t usual_bytes = size <= SMALL_MAX ? size_of_class(class_of_size(size)) : 0;
    bool held = sampled_blocks_add(block, (ProfileSample){site, share, usual_bytes});
    site_allocated(site, share, held);
    count_one(held ? HAK_C_profile_sampled : HAK_C_profile_lost);
    dump_if_due();
}

ProfileSample profile_take(const void* block) {
    return sampled_blocks_take(block);
}

// Another sample may have taken the last place meanwhile.
void profile_put_back(const void* block, ProfileSample sample) {
    if (sample.site && !sampled_blocks_add(block, sample)) profile_freed(sample);
}

void profile_freed(ProfileSample sample) {
    if (sample.site == NULL) return;
    count_one(HAK_C_profile_freed);
    site_freed(sample.site, sample.share);
}

void profile_forget(const void* block) {
    profile_freed(profile_take(block));
}

void profile_after_fork(void) {
    bool cut_off = hak_lock_is_others(&switch_lock);
    hak_lock_in_child(&switch_lock, LOCK_NO_FORK);
    if (cut_off) lead_mallocs();
    sites_after_fork();
    dump_after_fork();
}
