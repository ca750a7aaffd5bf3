#include "profile/sampled_blocks.h"

#include "base/random.h"
#include "os/os.h"

enum { NEAR = 1 << 6, FAR = 1 << 13, BUCKETS = NEAR + FAR, PLACES = 16, BEING_FILLED = 1 };

typedef struct {
    uint32_t site, usual_bytes;
    SiteShare share;
} Sampled;

typedef struct {
    _Atomic uintptr_t address[PLACES];
    Sampled sampled[PLACES];
} Bucket;

static Bucket* buckets;
static _Atomic uint8_t far_used[FAR];
static _Atomic uint64_t lost;

bool sampled_blocks_map(void) {
    if (buckets == NULL) buckets = os_map_sparse(BUCKETS * sizeof *buckets);
    return buckets != NULL;
}

typedef struct {
    uint32_t near, far;
} BucketNumbers;

static BucketNumbers buckets_of(const void* block) {
    uint64_t hash = random_mix((uintptr_t)block);
    return (BucketNumbers){(uint32_t)(hash % NEAR), (uint32_t)(NEAR + hash / NEAR % FAR)};
}

static bool add_to(uint32_t b, const void* block, ProfileSample sample) {
    for (int i = 0; i < PLACES; i++) {
        uintptr_t none = 0;
        _Atomic uintptr_t* address = &buckets[b].address[i];
        if (load_relaxed(address) != 0 || !cas_acquire(address, &none, (uintptr_t)BEING_FILLED)) continue;
        buckets[b].sampled[i] = (Sampled){site_number(sample.site), sample.usual_bytes, sample.share};
        if (b >= NEAR) add_relaxed(&far_used[b - NEAR], (uint8_t)1);
        store_release(address, (uintptr_t)block);  // pairs with the acquire in sampled_blocks_take
        return true;
    }
    return false;
}

bool sampled_blocks_add(const void* block, ProfileSample sample) {
    BucketNumbers of = buckets_of(block);
    if (add_to(of.near, block, sample) || add_to(of.far, block, sample)) return true;
    add_relaxed(&lost, 1u);
    return false;
}

uint64_t sampled_blocks_lost(void) {
    return load_relaxed(&lost);
}

static bool take_from(uint32_t b, const void* block, ProfileSample* sample) {
    if (b >= NEAR && load_relaxed(&far_used[b - NEAR]) == 0) return false;
    for (int i = 0; i < PLACES; i++) {
        _Atomic uintptr_t* address = &buckets[b].address[i];
        if (load_acquire(address) != (uintptr_t)block) continue;  // pairs with the release in sampled_blocks_add
        Sampled sampled = buckets[b].sampled[i];
        uintptr_t expected = (uintptr_t)block;
        // of two threads that free it at once, one takes it; pairs with the acquire in sampled_blocks_add
        if (!cas_release(address, &expected, (uintptr_t)0)) return false;
        if (b >= NEAR) add_relaxed(&far_used[b - NEAR], (uint8_t)-1);
        *sample = (ProfileSample){site_at(sampled.site), sampled.share, sampled.usual_bytes};
        return true;
    }
    return false;
}

ProfileSample sampled_blocks_take(const void* block) {
    BucketNumbers of = buckets_of(block);
    ProfileSample sample = {.site = NULL};
    if (!take_from(of.near, block, &sample)) take_from(of.far, block, &sample);
    return sample;
}
