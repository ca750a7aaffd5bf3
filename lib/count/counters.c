#include "count/counters.h"

HakCounters hak_counters_shared;

static const struct {
    const char* name;
    const char* group;
    const char* help;
} table[HAK_COUNTER_COUNT] = {
#define COUNTER(name, group, help) {#name, #group, help},
#include "count/counters.def"
#undef COUNTER
};

const char* hak_counter_name(unsigned which) {
    return which < HAK_COUNTER_COUNT ? table[which].name : NULL;
}

const char* hak_counter_group(unsigned which) {
    return which < HAK_COUNTER_COUNT ? table[which].group : NULL;
}

const char* hak_counter_help(unsigned which) {
    return which < HAK_COUNTER_COUNT ? table[which].help : NULL;
}
