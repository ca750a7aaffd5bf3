#include "heap/table.h"

#include "heap/symbols.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char* const words[] = {"live", "peak", "allocated", "growth"};

bool heap_order_of(const char* word, enum heap_order* order) {
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i]) != 0) continue;
        *order = (enum heap_order)i;
        return true;
    }
    return false;
}

int64_t heap_ordered(const struct heap_stack* stack, enum heap_order order) {
    const int64_t* values = stack->values;
    switch (order) {
    case HEAP_BY_PEAK: return values[HEAP_PEAK_BYTES];
    case HEAP_BY_ALLOCATED: return values[HEAP_ALL_BYTES];
    case HEAP_BY_GROWTH: return values[HEAP_LIVE_BYTES] - values[HEAP_FIRST_BYTES];
    case HEAP_BY_LIVE: break;
    }
    return values[HEAP_LIVE_BYTES];
}

static enum heap_order sorts_by;

static int compare(const void* a, const void* b) {
    int64_t x = heap_ordered(a, sorts_by), y = heap_ordered(b, sorts_by);
    if (x != y) return x < y ? 1 : -1;
    x = ((const struct heap_stack*)a)->values[HEAP_ALL_BYTES],
    y = ((const struct heap_stack*)b)->values[HEAP_ALL_BYTES];
    return (x < y) - (x > y);
}

void heap_sort(struct heap_profile* profile, enum heap_order order) {
    sorts_by = order;
    if (profile->stack_count > 0) qsort(profile->stacks, profile->stack_count, sizeof *profile->stacks, compare);
}

const char* heap_bytes_text(int64_t bytes, char out[32]) {
    static const char* const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double amount = (double)bytes;
    size_t unit = 0;
    while ((amount >= 1024 || amount <= -1024) && unit + 1 < sizeof units / sizeof units[0]) amount /= 1024, unit++;
    snprintf(out, 32, "%.*f %s", unit == 0 || amount >= 100 ? 0 : 1, amount, units[unit]);
    return out;
}

static void print_line(const struct heap_line* line, const struct heap_module* module, FILE* out) {
    fprintf(out, "        %s", line->function);
    if (line->line != 0)
        fprintf(out, "  %s:%" PRIu64, line->file, line->line);
    else if (strchr(line->function, '+') == NULL)
        fprintf(out, "  (%s)", module->path);
    fputc('\n', out);
}

static void print_frames(const struct heap_profile* profile, const struct heap_stack* stack, FILE* out) {
    enum { SHOWN = 8 };
    size_t shown = 0;
    for (size_t i = heap_first_own(profile, stack); i < stack->depth && shown < SHOWN; i++) {
        const struct heap_frame* frame = &profile->frames[stack->frames[i]];
        for (size_t n = 0; n < frame->line_count && shown < SHOWN; n++, shown++) {
            if (shown == 0 && frame->lines[n].passes_on && n + 1 < frame->line_count) {
                shown--;
                continue;
            }
            print_line(&frame->lines[n], &profile->modules[frame->module], out);
        }
    }
    if (stack->depth == 0) fputs("        (no stack)\n", out);
}

static void print_stack(const struct heap_profile* profile, const struct heap_stack* stack, FILE* out) {
    char live[32], all[32], peak[32], grown[32];
    int64_t growth = heap_ordered(stack, HEAP_BY_GROWTH);
    fprintf(out, "%11s live in %" PRId64 "%s; %s allocated in %" PRId64 "; at the peak %s",
            heap_bytes_text(stack->values[HEAP_LIVE_BYTES], live), stack->values[HEAP_LIVE_BLOCKS],
            stack->values[HEAP_LIVE_BLOCKS] == 1 ? " block" : " blocks",
            heap_bytes_text(stack->values[HEAP_ALL_BYTES], all), stack->values[HEAP_ALL_BLOCKS],
            heap_bytes_text(stack->values[HEAP_PEAK_BYTES], peak));
    if (profile->moments > 1)
        fprintf(out, "; %s%s since the first moment", growth > 0 ? "+" : "", heap_bytes_text(growth, grown));
    fputc('\n', out);
    print_frames(profile, stack, out);
}

void heap_print(const struct heap_profile* profile, enum heap_order order, size_t most, FILE* out) {
    char live[32], all[32], peak[32];
    fprintf(out,
            "profile: %s live, %s at the peak, %s allocated; %zu stacks of %zu process%s; one sample in %" PRIu64
            " bytes\n",
            heap_bytes_text(heap_sum(profile, HEAP_LIVE_BYTES), live),
            heap_bytes_text(heap_sum(profile, HEAP_PEAK_BYTES), peak),
            heap_bytes_text(heap_sum(profile, HEAP_ALL_BYTES), all), profile->stack_count, profile->processes,
            profile->processes == 1 ? "" : "es", profile->rate);
    if (profile->lost > 0)
        fprintf(out, "profile: %" PRIu64 " samples found no room, and count as freed: use a larger --rate\n",
                profile->lost);
    for (size_t i = 0; i < profile->stack_count && i < most; i++) {
        const struct heap_stack* stack = &profile->stacks[i];
        if (heap_ordered(stack, order) == 0) break;
        print_stack(profile, stack, out);
    }
    if (profile->stack_count > most) fprintf(out, "profile: and %zu more stacks\n", profile->stack_count - most);
}
