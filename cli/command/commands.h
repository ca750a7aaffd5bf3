// The verbs of hakstress, each in a file here. To add one: write a file that defines a `const struct command`, and add
// a declaration here and a line to the table in commands.c.
// Thread-safety: any thread. Errors: none.
#ifndef HAKSTRESS_COMMANDS_H
#define HAKSTRESS_COMMANDS_H

#include "args/command.h"
#include "base/nearest.h"

#include <stddef.h>

extern const struct command command_repro;
extern const struct command command_guard;
extern const struct command command_testplan;
extern const struct command command_bench;
extern const struct command command_compare;
extern const struct command command_run;
extern const struct command command_explore;
extern const struct command command_record;
extern const struct command command_report;
extern const struct command command_profile;
extern const struct command command_stats;
extern const struct command command_top;
extern const struct command command_set;
extern const struct command command_trim;
extern const struct command command_check;
extern const struct command command_config;
extern const struct command command_list;
extern const struct command command_doctor;

const struct command* command_at(size_t index);        // in the order of --help; NULL: there are no more
const struct command* command_find(const char* name);  // NULL: there is none
void commands_offer(struct nearest* nearest);          // all names

#endif
