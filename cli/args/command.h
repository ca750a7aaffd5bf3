// What a verb of hakstress is.
#ifndef HAKSTRESS_COMMAND_H
#define HAKSTRESS_COMMAND_H

#include <stdbool.h>

struct args;
struct option_spec;

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

#endif
