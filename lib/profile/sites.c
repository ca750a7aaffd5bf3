#include "profile/sites.h"

#include "base/random.h"
#include "os/os.h"

static Site* sites;
static _Atomic uint16_t used[SITES];  // numbers of sites, in the order in which they came
static _Atomic uint32_t used_count = 1;
static _Atomic int64_t live, peak;  // bytes, of all sites
static HakLock peak_lock;

bool sites_map(void) {
    if (sites == NULL) sites = os_map_sparse(SITES * sizeof *sites);
    return sites != NULL;
}

Site* site_of(uint32_t stack) {
    enum { PROBES = 64 };
    for (uint32_t probe = 0; stack && probe < PROBES; probe++) {
        Site* site = &sites[1 + (random_mix(stack) + probe) % (SITES - 1)];
        uint32_t there = load_relaxed(&site->stack);
        if (there == 0 && cas_relaxed(&site->stack, &there, stack)) {
            store_relaxed(&used[add_relaxed(&used_count, 1u)], (uint16_t)(site - sites));
            return site;
        }
        if (there == stack) return site;
    }
    return sites;
}

Site* site_at(uint32_t number) {
    return &sites[number];
}

uint32_t sites_used(void) {
    return load_relaxed(&used_count);
}

Site* site_used(uint32_t i) {
    uint16_t number = load_relaxed(&used[i]);
    return number != 0 || i == 0 ? &sites[number] : NULL;
}

uint32_t site_number(const Site* site) {
    return (uint32_t)(site - sites);
}

SiteShare site_live(const Site* site) {
    return (SiteShare){load_relaxed(&site->all_blocks) - load_relaxed(&site->freed_blocks),
                       load_relaxed(&site->all_bytes) - load_relaxed(&site->freed_bytes)};
}

// Others go on meanwhile, so the parts may be some samples apart.
static void take_peak(int64_t now) {
    store_relaxed(&peak, now);
    for (uint32_t i = 0; i < sites_used(); i++) {
        Site* site = site_used(i);
        if (site == NULL) continue;
        SiteShare share = site_live(site);
        store_relaxed(&site->peak_blocks, share.blocks);
        store_relaxed(&site->peak_bytes, share.bytes);
    }
}

static void count_freed(Site* site, SiteShare share) {
    add_relaxed(&site->freed_blocks, share.blocks);
    add_relaxed(&site->freed_bytes, share.bytes);
}

void site_allocated(Site* site, SiteShare share, bool held) {
    add_relaxed(&site->all_blocks, share.blocks);
    add_relaxed(&site->all_bytes, share.bytes);
    if (!held) {
        count_freed(site, share);
        return;
    }
    int64_t now = add_relaxed(&live, share.bytes) + share.bytes, before = load_relaxed(&peak);
    if (now - before <= before / 20 || !hak_trylock(&peak_lock)) return;
    take_peak(now);
    hak_unlock(&peak_lock);
}

void site_freed(Site* site, SiteShare share) {
    count_freed(site, share);
    add_relaxed(&live, -share.bytes);
}

// The threads that the child does not have may have been adding to the list.
static void list_again(void) {
    uint32_t count = 1;
    for (uint32_t i = 1; i < SITES; i++)
        if (load_relaxed(&sites[i].stack) != 0) store_relaxed(&used[count++], (uint16_t)i);
    store_relaxed(&used_count, count);
}

void sites_after_fork(void) {
    hak_lock_in_child(&peak_lock, LOCK_NO_FORK);
    for (uint32_t i = 1; i < sites_used(); i++) {
        if (load_relaxed(&used[i]) != 0) continue;
        list_again();
        return;
    }
}
