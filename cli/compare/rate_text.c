#include "compare/rate_text.h"

#include "base/json.h"

#include <stdio.h>
#include <string.h>

void rate_text_per_second(double rate, char out[RATE_TEXT_BYTES]) {
    if (rate >= 1e6)
        snprintf(out, RATE_TEXT_BYTES, "%.4g M/s", rate / 1e6);
    else if (rate >= 1e3)
        snprintf(out, RATE_TEXT_BYTES, "%.4g k/s", rate / 1e3);
    else
        snprintf(out, RATE_TEXT_BYTES, "%.4g /s", rate);
}

void rate_text_median(const json_t* row, const json_t* median, char out[RATE_TEXT_BYTES]) {
    bool has = json_object_size(median) > 0;
    if (!has)
        snprintf(out, RATE_TEXT_BYTES, "-");
    else if (strcmp(json_get_text_or(row, "metric", ""), "seconds") == 0)
        snprintf(out, RATE_TEXT_BYTES, "%.4g s", json_get_number(median, "seconds"));
    else
        rate_text_per_second(json_get_number(median, "ops_per_sec"), out);
}
