#include "profile/chance.h"

// A division takes as long as several multiplications.
static const double inverse[] = {0,       1,       1. / 2,  1. / 3,  1. / 4,  1. / 5,  1. / 6,  1. / 7,
                                 1. / 8,  1. / 9,  1. / 10, 1. / 11, 1. / 12, 1. / 13, 1. / 14, 1. / 15,
                                 1. / 16, 1. / 17, 1. / 18, 1. / 19, 1. / 20, 1. / 21, 1. / 22, 1. / 23};

// f(2x) = f(x) * (2 - f(x)) for f(x) = 1 - exp(-x); below a half a few terms of the series are exact.
double chance_of(double x) {
    enum { TERMS = 14 };
    if (x > 40) return 1;
    int doublings = 0;
    while (x > 0.5) {
        x /= 2;
        doublings++;
    }
    double term = x, sum = 0;
    for (int n = 2; n < TERMS && sum + term != sum; n++) {
        sum += term;
        term *= -x * inverse[n];
    }
    while (doublings-- > 0) sum *= 2 - sum;
    return sum;
}

// The natural logarithm of 1 <= x < 2, by the series of the area hyperbolic tangent.
static double log_of_mantissa(double x) {
    enum { LAST = 23 };
    double s = (x - 1) / (x + 1), power = s, sum = 0;
    for (int n = 1; n <= LAST; n += 2) {
        sum += power * inverse[n];
        power *= s * s;
    }
    return 2 * sum;
}

int64_t chance_gap(uint64_t random, int64_t rate) {
    const double log_2 = 0.693147180559945309417;
    uint64_t odd = random | 1;  // never 0
    int zeros = __builtin_clzll(odd);
    // odd / 2^64 = mantissa * 2^-(zeros + 1)
    double mantissa = (double)(odd << zeros) / 9223372036854775808.0;
    if (mantissa >= 2) return 0;  // rounded up to 1, whose logarithm is 0
    double minus_log = (zeros + 1) * log_2 - log_of_mantissa(mantissa);
    return (int64_t)(minus_log * (double)rate);
}
