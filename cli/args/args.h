// The command line of a verb: options, operands, and where a value comes from. A command-line option overrides the
// environment, which overrides the profile, which overrides the default.
// Thread-safety: none needed, this happens before any thread starts. Errors: one line on stderr that says what to do.
// The functions then return an exit status other than 0, or false, and the caller returns STATUS_USAGE.
#ifndef HAKSTRESS_ARGS_H
#define HAKSTRESS_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct command;

struct option_spec {
    const char* name;      // "chunks": given as --chunks VALUE, --chunks=VALUE, or `chunks=VALUE` in a profile
    const char* value;     // what --help calls the value; NULL: a switch, without value; "[=VALUE]": may be left out,
                           // and is "" then
    const char* env;       // environment variable with the same meaning; NULL: none
    const char* standard;  // the default; NULL: not set
    const char* help;
};

enum value_source { FROM_NOWHERE, FROM_DEFAULT, FROM_PROFILE, FROM_ENVIRONMENT, FROM_COMMAND_LINE };

#define ARGS_OPTIONS_MAX 48
#define ARGS_GIVEN_MAX 64

struct option_value {
    const struct option_spec* spec;
    const char* text;  // NULL: not set; "1" for a switch that was given
    enum value_source source;
};

struct args {
    const struct command* command;
    const char* profile;  // name of the profile in use; NULL: none
    struct option_value values[ARGS_OPTIONS_MAX];
    size_t value_count;
    struct option_value given[ARGS_GIVEN_MAX];  // those of the command line, for options that may be repeated
    size_t given_count;
    char** operands;  // arguments that are neither option nor value
    int operand_count;
    char** rest;  // everything after `--`
    int rest_count;
};

// Parses what follows the verb, reads the profile, and puts those of its HAKMEM_* variables into the environment that
// are not set yet. Handles --help and --version itself. Returns -1 to go on, else the exit status to end with.
int args_parse(struct args* args, const struct command* command, int argc, char** argv);
void args_free(struct args* args);
// The options that every verb has, ended by a NULL name.
const struct option_spec* args_common_options(void);

const char* args_text(const struct args* args, const char* option);  // NULL: not set
// The value of the option at its `index`th occurrence on the command line, from 0; NULL: it occurs fewer times.
const char* args_given(const struct args* args, const char* option, size_t index);
bool args_is_set(const struct args* args, const char* option);
enum value_source args_source(const struct args* args, const char* option);
// How to name the option in a message, depending on where its value came from: "--chaos", "HAKMEM_CHAOS", "chaos in
// profile repro".
const char* args_where(const struct args* args, const char* option, char* buffer, size_t size);

// The value as a whole number in [min, max]; false after a message.
bool args_number(const struct args* args, const char* option, uint64_t min, uint64_t max, uint64_t* out);
// The value as seconds, more than 0; it keeps its value if the option is not set. False after a message.
bool args_seconds(const struct args* args, const char* option, double* out);
// Operand `index`, called `what` in messages, or `standard` if there are fewer operands.
bool args_operand_number(const struct args* args, int index, const char* what, double min, double max, double standard,
                         double* out);
bool args_operand_whole(const struct args* args, int index, const char* what, uint64_t min, uint64_t max,
                        uint64_t standard, uint64_t* out);
// False after a message if there are more operands, or anything after `--`.
bool args_operands_at_most(const struct args* args, int most);

#endif
