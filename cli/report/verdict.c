#include "report/verdict.h"

#include "base/json.h"
#include "report/verdict_checks.h"
#include "report/verdict_pages.h"
#include "report/verdict_places.h"
#include "report/verdict_pointers.h"
#include "report/verdict_signals.h"

#include <string.h>

json_t* verdict_make(const struct verdict_facts* facts) {
    // The first rule that applies decides. The order is: what the process itself reported, then what was recorded, then
    // what addresses show.
    static const struct {
        const char* name;
        bool (*judge)(struct verdict* verdict, const struct verdict_facts* facts);
    } rules[] = {
        {"ownership_check", by_ownership_check},
        {"crossed_block", by_crossed_block},
        {"program_check", by_program_check},
        {"other_check", by_other_check},
        {"hang", by_hang},
        {"sender", by_sender},
        {"page", by_page},
        {"followed_link", by_followed_link},
        {"text_address", by_text_address},
        {"poison_address", by_poison_address},
        {"impossible_address", by_impossible_address},
        {"stack", by_stack},
        {"underflow", by_underflow},
        {"closed_memory", by_closed_memory},
        {"freed_memory", by_freed_memory},
        {"execution", by_execution},
        {"null", by_null},
        {"foreign_drain", by_foreign_drain},
        {"kernel_address", by_kernel_address},
        {"instruction", by_instruction},
        {"caller_of_abort", by_caller_of_abort},
        {"other_signal", by_other_signal},
        {"death", by_death},
    };
    struct verdict verdict = {.cause = "unknown", .confidence = "low", .culprit = "unknown", .evidence = json_array()};
    const char* rule = "none";
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (!rules[i].judge(&verdict, facts)) continue;
        rule = rules[i].name;
        break;
    }
    bool uncertain = has_foreign_drain(facts) && is_drain_uncertain(facts->story);
    if (uncertain && strcmp(verdict.confidence, "high") == 0) verdict.confidence = "medium";
    json_t* result = json_object();
    json_put_text(result, "cause", verdict.cause);
    json_object_set_new(result, "evidence", verdict.evidence);
    json_put_text(result, "confidence", verdict.confidence);
    json_put_text(result, "culprit", verdict.culprit);
    json_put_text(result, "rule", rule);
    return result;
}
