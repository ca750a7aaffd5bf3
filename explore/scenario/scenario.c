#include "scenario/scenario.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *word, *form;
} operations[OP_COUNT] = {
#define OPERATION(name, word, form, words) {word, form},
#include "scenario/operations.def"
#undef OPERATION
};

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

bool scenario_copies(const Scenario* scenario) {
    for (unsigned t = 0; t < scenario->thread_count; t++)
        for (uint32_t i = 0; i < scenario->op_count[t]; i++)
            if (scenario->op[t][i].kind == OP_COPY) return true;
    return false;
}

static const char* block_name(const Scenario* scenario, unsigned block) {
    return block < scenario->block_count ? scenario->block_name[block] : "";
}

size_t scenario_format_op(const Scenario* scenario, const Op* op, char* out, size_t size) {
    char made[NAME_MOST + 2] = "", count[16] = "", operands[2 * NAME_MOST] = "";
    const char* form = operations[op->kind].form;
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
    return (size_t)snprintf(out, size, "%s%s%s%s", made, count, operations[op->kind].word, operands);
}

typedef struct {
    char* out;
    size_t size, length;
} Text;

static void add(Text* text, const char* more) {
    size_t length = strlen(more);
    if (text->length < text->size) {
        size_t room = text->size - text->length - 1;
        memcpy(text->out + text->length, more, length < room ? length : room);
        text->out[text->length + (length < room ? length : room)] = '\0';
    }
    text->length += length;
}

static void add_op(Text* text, const Scenario* scenario, const Op* op) {
    char line[4 * NAME_MOST];
    scenario_format_op(scenario, op, line, sizeof line);
    add(text, line);
}

size_t scenario_format(const Scenario* scenario, char* out, size_t size) {
    Text text = {out, size, 0};
    char line[4 * NAME_MOST];
    for (unsigned i = 0; i < scenario->setting_count; i++) {
        snprintf(line, sizeof line, "set %s %s\n", scenario->setting[i][0], scenario->setting[i][1]);
        add(&text, line);
    }
    if (scenario->failures) snprintf(line, sizeof line, "failures %u\n", scenario->failures), add(&text, line);
    if (scenario->slabs_most)
        snprintf(line, sizeof line, "bound slabs %lu\n", (unsigned long)scenario->slabs_most), add(&text, line);
    for (uint32_t i = 0; i < scenario->setup_count; i++) {
        bool begins = i == 0 || scenario->setup[i].thread != scenario->setup[i - 1].thread;
        bool ends = i + 1 == scenario->setup_count || scenario->setup[i].thread != scenario->setup[i + 1].thread;
        snprintf(line, sizeof line, "setup %c: ", 'A' + scenario->setup[i].thread);
        if (begins) add(&text, line);
        add_op(&text, scenario, &scenario->setup[i]);
        add(&text, ends ? "\n" : ", ");
    }
    for (unsigned t = 0; t < scenario->thread_count; t++) {
        if (scenario->op_count[t] == 0) continue;
        snprintf(line, sizeof line, "thread %c: ", 'A' + (int)t);
        add(&text, line);
        for (uint32_t i = 0; i < scenario->op_count[t]; i++) {
            if (i) add(&text, ", ");
            add_op(&text, scenario, &scenario->op[t][i]);
        }
        add(&text, "\n");
    }
    return text.length;
}
