#include "refill/stages.h"

#include "refill/candidate.h"

OwnedSlab refill_bench(HakTcb* me, unsigned size_class) {
    return refill_hint(me, CHANGE_bench, size_class, me->tiny[size_class].bench);
}
