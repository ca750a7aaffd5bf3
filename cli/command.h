// What a verb of hakstress is. To add one: a file in command/ that defines a `const struct command`, a declaration here, a
// line in the table in main.c.
#ifndef HAKSTRESS_COMMAND_H
#define HAKSTRESS_COMMAND_H

#include "args.h"

enum exit_status {
    STATUS_OK = 0,
    STATUS_FAULT = 1,      // a fault was found
    STATUS_USAGE = 2,      // the command line is wrong
    STATUS_MISSING = 3,    // this machine lacks something
    STATUS_UNTRUSTED = 4,  // measured, but not to be trusted
    STATUS_HANG = 5,       // no thread made progress
    STATUS_STOPPED = 130,  // Ctrl-C, SIGTERM or SIGHUP
};

struct setting {
    const char *name, *value;
};

struct command {
    const char* name;
    const char* synopsis;                 // what follows the name: "[SECONDS [THREADS]]"
    const char* summary;                  // one line for the list of verbs
    const char* examples;                 // for --help: one a line
    const struct option_spec* options;    // its own options beside the common ones, ended by a NULL name; NULL: none
    const char* profile;                  // the profile in force unless --profile names another; NULL: none
    bool takes_variables;                 // HAKMEM_* variables matter to it: wrong ones are refused
    const struct setting* checks;         // variables that always have these values, ended by a NULL name; NULL: none
    const char* notes;                    // what --help says after the options; NULL: nothing
    int (*run)(const struct args* args);  // gives the exit status
    // Says what to write instead of an option that the verb has not, as it was typed; `next` is what follows it, or NULL. NULL, or false:
    // nothing in particular.
    bool (*explain_option)(const struct args* args, const char* typed, const char* next);
};

extern const struct command command_repro;
extern const struct command command_guard;
extern const struct command command_testplan;
extern const struct command command_bench;
extern const struct command command_compare;
extern const struct command command_run;
extern const struct command command_record;
extern const struct command command_report;
extern const struct command command_list;
extern const struct command command_doctor;

#endif
