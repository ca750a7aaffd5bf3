#include "worker/latency.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool parse_curve(const char* text, struct latency* out) {
    for (out->points = 0; out->points < LATENCY_CURVE_MAX; out->points++) {
        int length = 0;
        if (sscanf(text, "%lf:%" SCNu64 "%n", &out->curve[out->points].percent, &out->curve[out->points].nanoseconds,
                   &length) != 2)
            return false;
        text += length;
        if (*text++ == ',') continue;
        out->points++;
        return text[-1] == '\0';
    }
    return false;
}

bool latency_parse(const char* line, const char* name, struct latency* out) {
    static const char start[] = "latency ";
    const size_t length = strlen(name);
    int curve = 0;
    *out = (struct latency){0};
    if (strncmp(line, start, sizeof start - 1) != 0) return false;
    line += sizeof start - 1;
    if (strncmp(line, name, length) != 0) return false;
    int numbers = sscanf(line + length,
                         " p50=%" SCNu64 " p99=%" SCNu64 " p999=%" SCNu64 " max=%" SCNu64 " count=%" SCNu64 " curve=%n",
                         &out->p50, &out->p99, &out->p999, &out->max, &out->count, &curve);
    return numbers == 5 && curve > 0 && parse_curve(line + length + curve, out);
}

json_t* latency_to_json(const struct latency* latency) {
    if (latency->count == 0) return json_null();
    json_t* curve = json_array();
    for (size_t i = 0; i < latency->points; i++)
        json_array_append_new(
            curve, json_pack("[f, I]", latency->curve[i].percent, (json_int_t)latency->curve[i].nanoseconds));
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o}", "p50", (json_int_t)latency->p50, "p99", (json_int_t)latency->p99,
                     "p999", (json_int_t)latency->p999, "max", (json_int_t)latency->max, "count",
                     (json_int_t)latency->count, "curve", curve);
}
