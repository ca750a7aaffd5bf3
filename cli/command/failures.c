#include "command/failures.h"

#include "base/error.h"
#include "base/json.h"
#include "base/seed.h"
#include "config/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool is_accepted(const char* variable, const char* value) {
    const HakOptionInfo* info = hak_option_named(variable, strlen(variable));
    return info != NULL && hak_option_accepts(info, value);
}

bool failures_read(const char* text, struct failures* failures) {
    *failures = (struct failures){.text = text};
    if (text == NULL) return true;
    size_t length = strlen(text);
    bool by_size = length > 1 && text[length - 1] == '+', any = false;
    failures->random = strncmp(text, "1/", 2) == 0;
    const char* start = failures->random ? text + 2 : text;
    snprintf(failures->value, sizeof failures->value, "%.*s", (int)(strlen(start) - by_size), start);
    failures->variable = failures->random ? "HAKMEM_FAIL_ONE_IN" : by_size ? "HAKMEM_FAIL_FROM" : "HAKMEM_FAIL_AT";
    for (const char* c = failures->value; *c != '\0'; c++) any = any || (*c >= '1' && *c <= '9');
    if (any && !(failures->random && by_size) && length < sizeof failures->value && *failures->value != '-' &&
        is_accepted(failures->variable, failures->value))
        return true;
    usage_error("--fail-malloc takes the number of an allocation, 1/N, or a size with +, as 64K+, not '%s'", text);
    return false;
}

static bool set(const char* name, const char* value) {
    if (setenv(name, value, 1) == 0) return true;
    missing_error("cannot set %s: %s", name, strerror(errno));
    return false;
}

bool failures_choose_seed(const struct failures* failures) {
    char text[24];
    if (!failures->random || getenv("HAKMEM_SEED") != NULL) return true;
    snprintf(text, sizeof text, "%u", fresh_seed());
    return set("HAKMEM_SEED", text);
}

bool failures_set(const struct failures* failures) {
    return failures->text == NULL || set(failures->variable, failures->value);
}

void failures_print(const struct failures* failures, FILE* out) {
    if (failures->text == NULL) return;
    fprintf(out, "run: --fail-malloc %s: %zu allocation%s failed in %zu process%s", failures->text, failures->refused,
            failures->refused == 1 ? "" : "s", failures->processes, failures->processes == 1 ? "" : "es");
    if (failures->random) fprintf(out, "; seed %s", getenv("HAKMEM_SEED"));
    fputc('\n', out);
}

json_t* failures_json(const struct failures* failures) {
    if (failures->text == NULL) return json_null();
    json_t* object = json_object();
    json_put_text(object, "asked", failures->text);
    json_put_count(object, "refused", failures->refused);
    json_put_count(object, "processes", failures->processes);
    if (failures->random) json_put_text(object, "seed", getenv("HAKMEM_SEED"));
    return object;
}
