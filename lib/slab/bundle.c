#include "slab/bundle.h"

#include "slab/remote_free.h"
#include "superslab/size_class.h"
#include "thread/link.h"
#include "thread/operation.h"

enum { BUNDLE_BLOCKS = 32, BUNDLE_BYTES = 2048 };

static void flush(HakTcb* me, RemoteBundle* bundle) {
    RemoteBundle full = *bundle;
    if (full.count == 0) return;
    bundle->count = 0;
    me->bundled -= full.count;
    remote_free(me, full.slab, full.first, full.last, full.count);
}

void bundle_add(HakTcb* me, SlabNumber s, unsigned size_class, void* block) {
    operation_must_be_open(me, "bundle_add");
    RemoteBundle* bundle = &me->bundle[s % BUNDLES];
    if (bundle->slab != s) {
        flush(me, bundle);
        bundle->slab = s;
    }
    if (bundle->count == 0) bundle->last = block;
    link_write(block, bundle->count ? bundle->first : NULL);
    bundle->first = block;
    bundle->count++;
    me->bundled++;
    if (bundle->count >= BUNDLE_BLOCKS || bundle->count * size_of_class(size_class) >= BUNDLE_BYTES) flush(me, bundle);
}

bool bundle_has(const HakTcb* me, SlabNumber s, const void* block) {
    const RemoteBundle* bundle = &me->bundle[s % BUNDLES];
    return bundle->slab == s && link_list_has(bundle->first, bundle->count, block);
}

void bundles_flush(HakTcb* me) {
    operation_must_be_open(me, "bundles_flush");
    if (me->bundled == 0) return;
    for (int i = 0; i < BUNDLES; i++) flush(me, &me->bundle[i]);
}
