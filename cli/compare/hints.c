#include "compare/hints.h"

#include "base/error.h"
#include "workload/table.h"

#include <stdio.h>
#include <string.h>

static bool has_param(const struct workload* workload, const char* param) {
    return workload != NULL && workload_param_index(workload, param) >= 0;
}

// The workload that was named last, if it has the parameter, else the first that has it; NULL: none.
static const struct workload* owner_of(const struct args* args, const char* param) {
    const struct workload* named =
        args->operand_count > 0 ? workload_find(args->operands[args->operand_count - 1]) : NULL;
    if (has_param(named, param)) return named;
    for (const struct workload* const* w = workloads; *w != NULL; w++)
        if (has_param(*w, param)) return *w;
    return NULL;
}

// WORKLOAD or WORKLOAD:PARAMETERS.
static bool is_workload(const char* operand) {
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(operand, ":"), operand);
    return workload_find(operand) != NULL || workload_find(name) != NULL;
}

// --PARAMETER N or --PARAMETER=N.
static bool hint_for_param(const struct args* args, const char* typed, const char* next) {
    char param[64];
    if (typed[1] != '-') return false;
    const size_t length = strcspn(typed + 2, "=");
    snprintf(param, sizeof param, "%.*s", (int)length, typed + 2);
    const struct workload* workload = owner_of(args, param);
    if (workload == NULL) return false;
    const char* value = typed[2 + length] == '=' ? typed + 2 + length + 1 : next;
    if (value == NULL || *value == '-') value = "N";
    usage_error("there is no option --%s; put the parameters of a workload after its name: %s:%s=%s", param,
                workload->name, param, value);
    return true;
}

bool hint_for_option(const struct args* args, const char* typed, const char* next) {
    if (hint_for_param(args, typed, next)) return true;
    if (args->operand_count == 0 || is_workload(args->operands[0])) return false;
    usage_error("there is no option %s; put a command after --: hakstress compare [OPTIONS] -- %s ...", typed,
                args->operands[0]);
    return true;
}

int hint_for_workload(const char* name) {
    char near[64];
    workload_nearest(name, near, sizeof near);
    if (near[0] != '\0')
        return usage_error("there is no workload '%s'; did you mean '%s'? See: hakstress list workloads", name, near);
    return usage_error(
        "there is no workload '%s', see: hakstress list workloads; put a command after --: hakstress compare "
        "[OPTIONS] -- %s ...",
        name, name);
}
