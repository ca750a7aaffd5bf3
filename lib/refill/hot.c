#include "refill/refill.h"

OwnedSlab refill_hot(HakTcb* me, unsigned size_class) {
    return refill_candidate(me, size_class, me->tiny[size_class].hot);
}
