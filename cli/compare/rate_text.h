// The median speed or time of a row, as the tables write it. Thread-safety: reentrant. Errors: none; "-": no median.
#ifndef HAKSTRESS_COMPARE_RATE_TEXT_H
#define HAKSTRESS_COMPARE_RATE_TEXT_H

#include <jansson.h>

enum { RATE_TEXT_BYTES = 40 };

void rate_text_per_second(double rate, char out[RATE_TEXT_BYTES]);
void rate_text_median(const json_t* row, const json_t* median, char out[RATE_TEXT_BYTES]);

#endif
