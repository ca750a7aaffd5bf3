#include "scenario/scenario.h"

#include "record/text.h"

#include <stdio.h>
#include <string.h>

const OpForm op_forms[OP_COUNT] = {
#define OPERATION(name, word, form, words) {word, form},
#include "scenario/operations.def"
#undef OPERATION
};

const char* const placed_words[PLACED_COUNT] = {"at", "off", "in", "outside"};

bool scenario_drop(Scenario* scenario, const DroppedOp* dropped, uint32_t count) {
    bool gone[THREADS_MOST][OPS_MOST] = {{false}};
    for (uint32_t i = 0; i < count; i++) {
        if (dropped[i].thread >= scenario->thread_count || dropped[i].op == 0 ||
            dropped[i].op > scenario->op_count[dropped[i].thread])
            return false;
        gone[dropped[i].thread][dropped[i].op - 1] = true;
    }
    for (unsigned t = 0; t < scenario->thread_count; t++) {
        uint32_t kept = 0;
        for (uint32_t i = 0; i < scenario->op_count[t]; i++)
            if (!gone[t][i]) scenario->op[t][kept++] = scenario->op[t][i];
        scenario->op_count[t] = kept;
    }
    return true;
}

static bool has_operation(const Scenario* scenario, OpKind kind) {
    for (unsigned t = 0; t < scenario->thread_count; t++)
        for (uint32_t i = 0; i < scenario->op_count[t]; i++)
            if (scenario->op[t][i].kind == kind) return true;
    return false;
}

unsigned scenario_programs(const Scenario* scenario) {
    unsigned count = 0;
    for (unsigned t = 0; t < scenario->thread_count; t++) count += scenario->op_count[t] != 0;
    return count;
}

bool scenario_copies(const Scenario* scenario) {
    return has_operation(scenario, OP_COPY);
}

bool scenario_expects(const Scenario* scenario) {
    return scenario->placement_count || scenario->bound_count;
}

bool scenario_fails(const Scenario* scenario) {
    return scenario->failures != 0 || has_operation(scenario, OP_FAIL);
}

static const char* block_name(const Scenario* scenario, unsigned block) {
    return block < scenario->block_count ? scenario->block_name[block] : "";
}

size_t scenario_format_op(const Scenario* scenario, const Op* op, char* out, size_t size) {
    char made[NAME_MOST + 2] = "", count[16] = "", operands[2 * NAME_MOST] = "";
    const char* form = op_forms[op->kind].form;
    if (*form == '=' && op->block < scenario->block_count)
        snprintf(made, sizeof made, "%s=", block_name(scenario, op->block));
    if (op->count > 1) snprintf(count, sizeof count, "%u*", op->count);
    for (; *form; form++) {
        size_t length = strlen(operands);
        char* end = operands + length;
        size_t room = sizeof operands - length;
        unsigned block = op->kind == OP_REALLOC ? op->old : op->block;
        if (*form == 's' || *form == 'n') snprintf(end, room, " %lu", (unsigned long)op->size);
        if (*form == 'b') snprintf(end, room, " %s", block_name(scenario, block));
        if (*form == 't') snprintf(end, room, " %c", 'A' + op->thread);
    }
    return (size_t)snprintf(out, size, "%s%s%s%s", made, count, op_forms[op->kind].word, operands);
}

static void add_op(Text* text, const Scenario* scenario, const Op* op) {
    char line[4 * NAME_MOST];
    scenario_format_op(scenario, op, line, sizeof line);
    text_add(text, "%s", line);
}

static void add_setup(Text* text, const Scenario* scenario) {
    for (uint32_t i = 0; i < scenario->setup_count; i++) {
        const Op* op = &scenario->setup[i];
        const bool begins = i == 0 || op->thread != op[-1].thread;
        const bool ends = i + 1 == scenario->setup_count || op->thread != op[1].thread;
        if (begins) text_add(text, "setup %c: ", 'A' + op->thread);
        add_op(text, scenario, op);
        text_add(text, ends ? "\n" : ", ");
    }
}

static void add_program(Text* text, const Scenario* scenario, unsigned thread) {
    if (scenario->op_count[thread] == 0) return;
    text_add(text, "thread %c: ", 'A' + (int)thread);
    for (uint32_t i = 0; i < scenario->op_count[thread]; i++) {
        if (i) text_add(text, ", ");
        add_op(text, scenario, &scenario->op[thread][i]);
    }
    text_add(text, "\n");
}

static void add_expectations(Text* text, const Scenario* scenario) {
    for (unsigned i = 0; i < scenario->bound_count; i++) {
        const Bound* b = &scenario->bound[i];
        text_add(text, "%s %s %lu\n", b->least ? "reach" : "bound", b->what, (unsigned long)b->number);
    }
    for (unsigned i = 0; i < scenario->placement_count; i++) {
        const Placement* p = &scenario->placement[i];
        text_add(text, "expect %s %s %s\n", block_name(scenario, p->block), placed_words[p->how],
                 block_name(scenario, p->other));
    }
}

size_t scenario_format(const Scenario* scenario, char* out, size_t size) {
    Text text = {out, size, 0};
    if (size) out[0] = '\0';
    for (unsigned i = 0; i < scenario->setting_count; i++)
        text_add(&text, "set %s %s\n", scenario->setting[i][0], scenario->setting[i][1]);
    if (scenario->failures) text_add(&text, "failures %u\n", scenario->failures);
    add_expectations(&text, scenario);
    add_setup(&text, scenario);
    for (unsigned t = 0; t < scenario->thread_count; t++) add_program(&text, scenario, t);
    return text.length;
}

void scenario_hash(const Scenario* scenario, char digits[TEXT_HASH + 1]) {
    enum { TEXT_MOST = 32768 };
    static char text[TEXT_MOST];
    scenario_format(scenario, text, sizeof text);
    uint32_t hash = UINT32_C(0x811c9dc5);  // FNV-1a
    for (const char* c = text; *c; c++) hash = (hash ^ (uint8_t)*c) * UINT32_C(0x01000193);
    snprintf(digits, TEXT_HASH + 1, "%08x", hash);
}
