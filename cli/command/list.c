// hakstress list: what there is to choose from.
#include "args/args.h"
#include "args/profile.h"
#include "base/error.h"
#include "base/machine.h"
#include "base/nearest.h"
#include "command/commands.h"
#include "explore/scenarios.h"
#include "config/options.h"
#include "count/counters.h"
#include "observe/ring.h"
#include "process/live_process.h"
#include "results/results.h"
#include "worker/allocators.h"
#include "workload/table.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void list_workloads(void) {
    for (size_t i = 0; workloads[i] != NULL; i++) {
        const struct workload* workload = workloads[i];
        printf("%s: %s\n  source: %s\n  stresses: %s\n", workload->name, workload->summary, workload->source,
               workload->stresses);
        if (workload->limit != NULL) printf("  limit: %s\n", workload->limit);
        for (const struct workload_param* param = workload->params; param->name != NULL; param++)
            printf("  --%-10s %s (default %" PRIu64 ", %" PRIu64 " to %" PRIu64 ")\n", param->name, param->help,
                   param->standard, param->min, param->max);
    }
    printf("trace:FILE: replay of what hakstress record recorded in FILE\n  source: your own program\n");
}

static json_t* workload_to_json(const struct workload* workload) {
    json_t* params = json_array();
    for (const struct workload_param* param = workload->params; param->name != NULL; param++)
        json_array_append_new(params, json_pack("{s:s, s:I, s:I, s:I, s:s}", "name", param->name, "default",
                                                (json_int_t)param->standard, "min", (json_int_t)param->min, "max",
                                                (json_int_t)param->max, "help", param->help));
    return json_pack("{s:s, s:s, s:s, s:s, s:s?, s:o}", "name", workload->name, "summary", workload->summary, "source",
                     workload->source, "stresses", workload->stresses, "limit", workload->limit, "params", params);
}

static json_t* workloads_to_json(void) {
    json_t* list = json_array();
    for (size_t i = 0; workloads[i] != NULL; i++) json_array_append_new(list, workload_to_json(workloads[i]));
    return list;
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
    printf("%d  %-16s lib/%s: %s\n   if it is missing: %s\n", number, #site, file, words, missing);
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
    puts("event         fields of its record: ptr, a and b; x | y << 32 holds two numbers");
    for (unsigned i = HAK_EVENT_NONE + 1; i < HAK_EVENT_COUNT; i++)
        printf("%-13s %s\n", hak_event_name(i), hak_event_meaning(i));
}

static void list_options(void) {
    for (unsigned i = 0; hak_option_info(i) != NULL; i++) {
        const HakOptionInfo* info = hak_option_info(i);
        char standard[HAK_OPTION_TEXT_MAX], allowed[128];
        hak_option_default(info, standard, sizeof standard);
        hak_option_allowed(info, allowed, sizeof allowed);
        printf("%s\n  %s\n  default %s; %s%s%s\n", info->name, info->help, standard[0] != '\0' ? standard : "empty",
               allowed, info->checked_only ? "; checked build only" : "",
               info->live ? "; 'hakstress set' changes it" : "");
    }
}

static json_t* options_to_json(void) {
    json_t* list = json_array();
    for (unsigned i = 0; hak_option_info(i) != NULL; i++) {
        const HakOptionInfo* info = hak_option_info(i);
        char standard[HAK_OPTION_TEXT_MAX], allowed[128];
        hak_option_default(info, standard, sizeof standard);
        hak_option_allowed(info, allowed, sizeof allowed);
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s, s:s, s:b}", "name", info->name, "help", info->help, "default",
                                        standard, "allowed", allowed, "checked_only", (int)info->checked_only));
    }
    return list;
}

static void list_verbs(void) {
    const struct command* command;
    for (size_t i = 0; (command = command_at(i)) != NULL; i++) printf("%-9s %s\n", command->name, command->summary);
}

static void add_specs(json_t* list, const struct option_spec* spec, bool common) {
    for (; spec != NULL && spec->name != NULL; spec++)
        json_array_append_new(list, json_pack("{s:s, s:s?, s:s?, s:s?, s:s, s:b}", "name", spec->name, "value",
                                              spec->value, "environment", spec->env, "default", spec->standard, "help",
                                              spec->help, "common", (int)common));
}

static json_t* verbs_to_json(void) {
    const struct command* command;
    json_t* list = json_array();
    for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
        json_t* options = json_array();
        add_specs(options, command->options, false);
        add_specs(options, args_common_options(), true);
        json_array_append_new(list,
                              json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s?, s:o}", "name", command->name, "synopsis",
                                        command->synopsis, "summary", command->summary, "examples", command->examples,
                                        "notes", command->notes, "profile", command->profile, "options", options));
    }
    return list;
}

static void list_scenarios(void) {
    static struct scenario_file all[EXPLORE_SCENARIOS_MOST];
    size_t count = scenarios_all(all);
    for (size_t i = 0; i < count; i++) {
        char about[128];
        scenario_about(&all[i], about, sizeof about);
        printf("%-12s %s\n", all[i].name, about);
    }
}

static void list_processes(void) {
    enum { MOST = 4096 };
    static pid_t found[MOST];
    struct live_process process;
    size_t count = live_processes(found, MOST);
    for (size_t i = 0; i < count; i++) {
        char path[64], command[64];
        if (live_process_open(&process, found[i]) != LIVE_OPEN) continue;
        snprintf(path, sizeof path, "/proc/%d/comm", (int)found[i]);
        machine_read_line(path, command, sizeof command);
        printf("%-8d %-8s %s\n", (int)found[i], process.live.checked != 0 ? "checked" : "release", command);
        live_process_close(&process);
    }
}

// As they are typed for `hakstress set`.
static void list_settings(void) {
    for (unsigned i = 0; hak_option_info(i) != NULL; i++) {
        const HakOptionInfo* info = hak_option_info(i);
        char name[64];
        if (!info->live) continue;
        snprintf(name, sizeof name, "%s=", info->name + strlen("HAKMEM_"));
        for (char* c = name; *c != '\0'; c++) *c = (char)tolower((unsigned char)*c);
        printf("%-18s %s\n", name, info->help);
    }
}

static const struct {
    const char* name;
    void (*print)(void);
    json_t* (*to_json)(void);  // NULL: text only
} lists[] = {
    {"allocators", list_allocators, NULL},      {"workloads", list_workloads, workloads_to_json},
    {"profiles", list_profiles, NULL},          {"changes", list_changes, NULL},
    {"counters", list_counters, NULL},          {"events", list_events, NULL},
    {"options", list_options, options_to_json}, {"processes", list_processes, NULL},
    {"scenarios", list_scenarios, NULL},        {"settings", list_settings, NULL},
    {"verbs", list_verbs, verbs_to_json},
};
enum { LISTS = sizeof lists / sizeof lists[0] };

static int save_json(const struct args* args, const char* name, json_t* list) {
    json_t* result = result_new(args, "list");
    json_object_set_new(result, name, list);
    const bool saved = result_save_copy(args, result);
    json_decref(result);
    return saved ? STATUS_OK : STATUS_MISSING;
}

static int show(const struct args* args, size_t i) {
    const bool wants_json = args_is_set(args, "json");
    if (wants_json && lists[i].to_json == NULL)
        return usage_error("list %s has no JSON form; leave out --json", lists[i].name);
    if (result_stream(args) == stdout) lists[i].print();
    return wants_json ? save_json(args, lists[i].name, lists[i].to_json()) : STATUS_OK;
}

static int list_run(const struct args* args) {
    if (args->operand_count == 0) return usage_error("name a list; usage: hakstress list %s", args->command->synopsis);
    if (!args_operands_at_most(args, 1)) return STATUS_USAGE;
    struct nearest nearest = {.typed = args->operands[0]};
    for (size_t i = 0; i < LISTS; i++) {
        nearest_offer(&nearest, lists[i].name);
        if (strcmp(args->operands[0], lists[i].name) != 0) continue;
        return show(args, i);
    }
    if (nearest.best[0] != '\0')
        return usage_error("there is no list '%s'; did you mean '%s'?", args->operands[0], nearest.best);
    return usage_error("there is no list '%s'; usage: hakstress list %s", args->operands[0], args->command->synopsis);
}

const struct command command_list = {
    .name = "list",
    .synopsis = "allocators|workloads|profiles|changes|counters|events|options|processes|scenarios|settings|verbs",
    .summary = "list allocators, workloads, profiles, changes, counters, events of the debug ring, HAKMEM_* options, "
               "processes that have libhakmem, scenarios, settings that can change, or verbs",
    .notes =
        "allocators  the allocators that compare finds on this machine, and where\n"
        "workloads   what bench and compare run, with their parameters\n"
        "profiles    settings for --profile\n"
        "changes     what --changes of repro and guard can leave out\n"
        "counters    what the allocator counts, as in every result\n"
        "events      what the debug ring records, as in every report\n"
        "options     the HAKMEM_* variables: meaning, default, values\n"
        "processes   those that stats, top, set, trim, check and --pid can look at\n"
        "scenarios   what explore runs\n"
        "settings    the options that set changes in a process that runs\n"
        "verbs       what hakstress can do; as JSON with all options, for programs that complete or document them\n",
    .examples = "hakstress list options\n"
                "hakstress list allocators   # what compare can compare on this machine\n"
                "hakstress list workloads --json -\n",
    .run = list_run,
};
