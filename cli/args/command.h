// The description of a verb of hakstress.
#ifndef HAKSTRESS_COMMAND_H
#define HAKSTRESS_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct args;
struct option_spec;

struct setting {
    const char *name, *value;
};

struct command {
    const char* name;
    const char* synopsis;               // what follows the name: "[SECONDS [THREADS]]"; a line for each way to call it
    const char* summary;                // one line for the list of verbs
    const char* examples;               // for --help: one per line
    const struct option_spec* options;  // its own options besides the common ones, ended by a NULL name; NULL: none
    const char* profile;                // the profile in use unless --profile names another; NULL: none
    bool may_keep_nothing;              // --results none is allowed
    bool takes_variables;               // it reads HAKMEM_* variables: wrong ones are refused
    const struct setting* checks;       // variables that always have these values, ended by a NULL name; NULL: none
    const char* notes;                  // what --help says after the options; NULL: nothing
    int (*run)(const struct args* args);  // returns the exit status
    // Says what to write instead of `typed`, an option that the verb does not have; `next` is the next argument or
    // NULL. If the function is NULL or returns false, the usual message is printed.
    bool (*explain_option)(const struct args* args, const char* typed, const char* next);
};

// A line for each way to call it, each with `head` before it. A line that is too long goes on after `indent` blanks.
void command_print_usage(const struct command* command, const char* head, size_t indent, FILE* out);

#endif
