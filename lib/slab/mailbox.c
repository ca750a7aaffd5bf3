#include "slab/mailbox.h"

#include "base/atomic.h"

enum { PLACES = 8 };

typedef struct {
    _Atomic uint32_t next;  // the place of the next announcement
    _Atomic SlabNumber place[PLACES];
} HAK_ALIGNED(HAK_CACHE_LINE) Mailbox;

static Mailbox mailbox[CLASS_COUNT];

void mailbox_announce(unsigned size_class, SlabNumber s) {
    Mailbox* box = &mailbox[size_class];
    uint32_t at = add_relaxed(&box->next, 1u);
    store_relaxed(&box->place[at % PLACES], s);  // a number without data behind it: the claim does the acquire
}

SlabNumber mailbox_fetch(unsigned size_class) {
    Mailbox* box = &mailbox[size_class];
    uint32_t newest = load_relaxed(&box->next) - 1;
    for (uint32_t i = 0; i < PLACES; i++) {
        _Atomic SlabNumber* place = &box->place[(newest - i) % PLACES];
        SlabNumber s = load_relaxed(place);
        if (s && cas_relaxed(place, &s, 0u)) return s;
    }
    return 0;
}
