// hakstress list: what there is to choose from.
#include "allocators.h"
#include "command.h"
#include "config/options.h"
#include "nearest.h"
#include "observe/counters.h"
#include "observe/ring.h"
#include "profile.h"
#include "workload/table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void list_workloads(void) {
    for (size_t i = 0; workloads[i] != NULL; i++) {
        const struct workload* workload = workloads[i];
        printf("%s: %s\n  source: %s\n", workload->name, workload->summary, workload->source);
        for (const struct workload_param* param = workload->params; param->name != NULL; param++)
            printf("  --%-10s %s (default %" PRIu64 ", %" PRIu64 " to %" PRIu64 ")\n", param->name, param->help,
                   param->standard, param->min, param->max);
    }
}

static void print_profile(void* context, const char* name, const char* summary) {
    (void)context;
    printf("%-8s %s\n", name, summary);
}

static void list_profiles(void) {
    profile_each(print_profile, NULL);
}

static void list_changes(void) {
#define CHANGE(number, site, file, missing, words) \
    printf("%d  %-16s lib/%s: %s\n   when it is missing: %s\n", number, #site, file, words, missing);
#include "config/changes.def"
#undef CHANGE
}

static void list_allocators(void) {
    struct allocator found[ALLOCATORS_MOST];
    size_t count = allocators_find(found);
    for (size_t i = 0; i < count; i++)
        printf("%-9s %s\n", found[i].name, found[i].path[0] != '\0' ? found[i].path : "(the C library's own)");
}

static void list_counters(void) {
    for (unsigned i = 0; i < HAK_COUNTER_COUNT; i++)
        printf("%-12s %-20s %s\n", hak_counter_group(i), hak_counter_name(i), hak_counter_help(i));
}

static void list_events(void) {
    for (unsigned i = HAK_EVENT_NONE + 1; i < HAK_EVENT_COUNT; i++)
        printf("%-13s %s\n", hak_event_name(i), hak_event_meaning(i));
}

static void list_options(void) {
    for (unsigned i = 0; hak_option_info(i) != NULL; i++) {
        const HakOptionInfo* info = hak_option_info(i);
        char standard[HAK_OPTION_TEXT_MAX], allowed[128];
        hak_option_default(info, standard, sizeof standard);
        hak_option_allowed(info, allowed, sizeof allowed);
        printf("%s\n  %s\n  default %s; %s%s\n", info->name, info->help, standard[0] != '\0' ? standard : "empty",
               allowed, info->checked_only ? "; checked build only" : "");
    }
}

static const struct {
    const char* name;
    void (*print)(void);
} lists[] = {
    {"allocators", list_allocators}, {"workloads", list_workloads}, {"profiles", list_profiles},
    {"changes", list_changes},       {"counters", list_counters},   {"events", list_events},
    {"options", list_options},
};
enum { LISTS = sizeof lists / sizeof lists[0] };

static int list_run(const struct args* args) {
    if (args->operand_count == 0) return usage_error("list what? usage: hakstress list %s", args->command->synopsis);
    if (!args_operands_at_most(args, 1)) return STATUS_USAGE;
    struct nearest nearest = {.typed = args->operands[0]};
    for (size_t i = 0; i < LISTS; i++) {
        nearest_offer(&nearest, lists[i].name);
        if (strcmp(args->operands[0], lists[i].name) != 0) continue;
        lists[i].print();
        return STATUS_OK;
    }
    if (nearest.best[0] != '\0')
        return usage_error("no list of '%s'; did you mean '%s'?", args->operands[0], nearest.best);
    return usage_error("no list of '%s'; usage: hakstress list %s", args->operands[0], args->command->synopsis);
}

const struct command command_list = {
    .name = "list",
    .synopsis = "allocators|workloads|profiles|changes|counters|events|options",
    .summary = "what there is to choose from",
    .examples = "hakstress list options\n"
                "hakstress list allocators   # what compare can compare on this machine\n",
    .run = list_run,
};
