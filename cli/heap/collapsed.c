#include "heap/collapsed.h"

#include <inttypes.h>

// ';' parts frames, so a name may not hold one.
static void put_name(const char* name, FILE* out) {
    for (; *name != '\0'; name++) fputc(*name == ';' || *name == '\n' ? ',' : *name, out);
}

static void put_stack(const struct heap_profile* profile, const struct heap_stack* stack, int64_t bytes, FILE* out) {
    const char* between = "";
    for (size_t i = stack->depth; i-- > 0;) {
        const struct heap_frame* frame = &profile->frames[stack->frames[i]];
        for (size_t n = frame->line_count; n-- > 0; between = ";") {
            fputs(between, out);
            put_name(frame->lines[n].function, out);
        }
    }
    fprintf(out, "%s %" PRId64 "\n", stack->depth == 0 ? "(no stack)" : "", bytes);
}

void heap_write_collapsed(const struct heap_profile* profile, enum heap_order order, FILE* out) {
    for (size_t i = 0; i < profile->stack_count; i++) {
        int64_t bytes = heap_ordered(&profile->stacks[i], order);
        if (bytes > 0) put_stack(profile, &profile->stacks[i], bytes, out);
    }
}
