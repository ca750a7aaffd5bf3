#include "base/nearest.h"

#include <string.h>

void nearest_offer(struct nearest* nearest, const char* name) {
    size_t typed_length = strlen(nearest->typed), name_length = strlen(name);
    if (typed_length > NEAREST_LONGEST || name_length > NEAREST_LONGEST) return;
    size_t distance = edit_distance(nearest->typed, typed_length, name, name_length);
    size_t longer = typed_length > name_length ? typed_length : name_length;
    if (distance * 2 > longer) return;  // more than half of it would have to change
    if (nearest->best[0] != '\0' && nearest->distance <= distance) return;
    memcpy(nearest->best, name, name_length + 1);
    nearest->distance = distance;
}
