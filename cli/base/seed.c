#include "base/seed.h"

#include <sys/random.h>
#include <time.h>

uint32_t fresh_seed(void) {
    uint32_t random;
    return getrandom(&random, sizeof random, 0) == (ssize_t)sizeof random ? random : (uint32_t)time(NULL);
}
