#include "leaks/leak_plan.h"

#include "base/error.h"
#include "base/json.h"
#include "leaks/baseline.h"
#include "leaks/leak_places.h"
#include "leaks/wrappers.h"
#include "results/results.h"

#include <stdio.h>
#include <string.h>

static const char* const with_value[] = {"leaks-exit", "leaks-suppressions", "leaks-baseline", "leaks-save",
                                         "leaks-wrappers"};
enum { WITH_VALUE = sizeof with_value / sizeof with_value[0] };

static bool is_wanted(const struct args* args) {
    bool wanted = args_is_set(args, "leaks");
    for (size_t i = 0; i < WITH_VALUE; i++) wanted = wanted || args_source(args, with_value[i]) == FROM_COMMAND_LINE;
    return wanted;
}

static bool check_kind(const struct args* args) {
    const char* kind = args_text(args, "leaks");
    if (kind == NULL || kind[0] == '\0' || strcmp(kind, "all") == 0) {
        if (kind == NULL || args->operand_count == 0 || strcmp(args->operands[0], "all") != 0) return true;
        usage_error("write --leaks=all, with =");
    } else {
        usage_error("--leaks takes all, not '%s'", kind);
    }
    return false;
}

static bool read_files(struct leak_plan* plan, const struct args* args) {
    const char *suppressions = args_text(args, "leaks-suppressions"), *baseline = args_text(args, "leaks-baseline");
    plan->suppresses = suppressions != NULL;
    if (suppressions != NULL && !suppressions_read(&plan->suppressions, suppressions)) return false;
    if (baseline == NULL) return true;
    plan->known = baseline_read(baseline);
    return plan->known != NULL;
}

bool leak_plan_read(struct leak_plan* plan, const struct args* args) {
    if (!check_kind(args)) return false;
    *plan = (struct leak_plan){.wanted = is_wanted(args)};
    if (!plan->wanted) return true;
    const char* kind = args_text(args, "leaks");
    plan->with_reachable = kind != NULL && strcmp(kind, "all") == 0;
    plan->wrappers = args_text(args, "leaks-wrappers");
    plan->save = args_text(args, "leaks-save");
    plan->has_exit = args_is_set(args, "leaks-exit");
    if (plan->has_exit && !args_number(args, "leaks-exit", 0, 255, &plan->exit)) return false;
    if (plan->save != NULL && !result_can_write(plan->save)) {
        usage_error("cannot write %s", plan->save);
        return false;
    }
    return read_files(plan, args);
}

void leak_plan_free(struct leak_plan* plan) {
    suppressions_free(&plan->suppressions);
    json_decref(plan->known);
}

void leak_plan_again(const struct args* args, char* out, size_t size) {
    const char* kind = args_text(args, "leaks");
    size_t length = 0;
    out[0] = '\0';
    if (kind != NULL) length = (size_t)snprintf(out, size, "--leaks%s%s ", kind[0] != '\0' ? "=" : "", kind);
    for (size_t i = 0; i < WITH_VALUE && length < size; i++) {
        char value[1024] = "", *text = (char*)args_text(args, with_value[i]);
        if (args_source(args, with_value[i]) != FROM_COMMAND_LINE) continue;
        result_quote(&text, 1, value, sizeof value);
        length += (size_t)snprintf(out + length, size - length, "--%s %s ", with_value[i], value);
    }
}

static json_t* suppressions_json(const struct suppressions* suppressions) {
    json_t* list = json_array();
    for (size_t i = 0; i < suppressions->count; i++) {
        json_t* one = json_object();
        json_put_text(one, "pattern", suppressions->list[i].pattern);
        json_put_text(one, "file", suppressions->path);
        json_put_count(one, "line", suppressions->list[i].line);
        json_put_whole(one, "blocks", suppressions->list[i].blocks);
        json_put_whole(one, "bytes", suppressions->list[i].bytes);
        json_array_append_new(list, one);
    }
    return list;
}

json_t* leak_plan_judge(struct leak_plan* plan, const struct leaks* leaks) {
    json_t* document = leaks_json(leaks);
    leak_places_find(document, NULL, false);
    wrappers_find(document, plan->wrappers);
    if (plan->suppresses) {
        suppressions_apply(&plan->suppressions, document);
        json_object_set_new(document, "suppressions", suppressions_json(&plan->suppressions));
    }
    if (plan->known != NULL) baseline_apply(plan->known, document);
    return document;
}

json_t* leak_plan_apply(struct leak_plan* plan, const struct leaks* leaks, bool* saved) {
    json_t* document = leak_plan_judge(plan, leaks);
    *saved = plan->save == NULL || baseline_save(plan->save, document);
    return document;
}
