#include "refill/stages.h"

#include "refill/candidate.h"

OwnedSlab refill_hot(HakTcb* me, unsigned size_class) {
    return refill_hint(me, CHANGE_hot, size_class, me->tiny[size_class].hot);
}
