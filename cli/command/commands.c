#include "command/commands.h"

#include <string.h>

static const struct command* const commands[] = {
    &command_repro, &command_guard,  &command_testplan, &command_bench,  &command_run,     &command_report,
    &command_list,  &command_doctor, &command_compare,  &command_record, &command_explore, &command_profile,
    &command_stats, &command_top,    &command_set,      &command_trim,   &command_check,   &command_config,
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

const struct command* command_at(size_t index) {
    return index < COMMANDS ? commands[index] : NULL;
}

const struct command* command_find(const char* name) {
    for (size_t i = 0; i < COMMANDS; i++)
        if (strcmp(name, commands[i]->name) == 0) return commands[i];
    return NULL;
}

void commands_offer(struct nearest* nearest) {
    for (size_t i = 0; i < COMMANDS; i++) nearest_offer(nearest, commands[i]->name);
}
