#include "args/args.h"

#include "args/command.h"
#include "args/profile.h"
#include "args/variables.h"
#include "base/error.h"
#include "base/nearest.h"
#include "base/number.h"
#include "base/wrap.h"

#include <hakmem/hakmem.h>

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option_spec common_options[] = {
    {"profile", "NAME", NULL, NULL, "settings from profiles/NAME.profile"},
    {"seed", "N", "HAKMEM_SEED", NULL, "seed of all random choices; default: a new one, which is printed"},
    {"json", "FILE|-", NULL, NULL, "also write the result there; -: to stdout, and the text to stderr"},
    {"results", "DIR", NULL, "results",
     "where the results of the newest 50 runs are kept; none: nowhere, and crash reports go to stderr (run, repro, "
     "guard, bench)"},
    {"quiet", NULL, NULL, NULL, "no progress on stderr"},
    {"help", NULL, NULL, NULL, "print this text"},
    {"version", NULL, NULL, NULL, "print the version"},
    {.name = NULL},
};

const struct option_spec* args_common_options(void) {
    return common_options;
}

// The options of a verb

static void add_options(struct args* args, const struct option_spec* specs) {
    for (; specs != NULL && specs->name != NULL && args->value_count < ARGS_OPTIONS_MAX; specs++) {
        args->values[args->value_count++] = (struct option_value){
            .spec = specs,
            .text = specs->standard,
            .source = specs->standard != NULL ? FROM_DEFAULT : FROM_NOWHERE,
        };
    }
}

static struct option_value* find(const struct args* args, const char* name, size_t length) {
    for (size_t i = 0; i < args->value_count; i++) {
        const struct option_value* value = &args->values[i];
        if (strlen(value->spec->name) == length && memcmp(value->spec->name, name, length) == 0)
            return (struct option_value*)value;
    }
    return NULL;
}

static void assign(struct option_value* value, const char* text, enum value_source source) {
    if (source < value->source) return;
    value->text = text;
    value->source = source;
}

static int unknown_option(const struct args* args, const char* name, size_t length) {
    char typed[64];
    snprintf(typed, sizeof typed, "%.*s", (int)length, name);
    struct nearest nearest = {.typed = typed};
    for (size_t i = 0; i < args->value_count; i++) nearest_offer(&nearest, args->values[i].spec->name);
    if (nearest.best[0] == '\0')
        return usage_error("there is no option --%s; see: hakstress %s --help", typed, args->command->name);
    return usage_error("there is no option --%s; did you mean --%s? See: hakstress %s --help", typed, nearest.best,
                       args->command->name);
}

static bool take_value(struct args* args, struct option_value* value, const char* text) {
    assign(value, text, FROM_COMMAND_LINE);
    if (args->given_count < ARGS_GIVEN_MAX) {
        args->given[args->given_count++] = *value;
        return true;
    }
    usage_error("too many options: at most %d may have a value", ARGS_GIVEN_MAX);
    return false;
}

static bool is_explained(const struct args* args, const char* typed, const char* next) {
    return args->command->explain_option != NULL && args->command->explain_option(args, typed, next);
}

// --name, --name=value or --name value; `next` is the argument after it. Returns how many arguments it took, or -1.
static int take_option(struct args* args, const char* argument, const char* next) {
    const char* name = argument + 2;
    size_t length = strcspn(name, "=");
    struct option_value* value = find(args, name, length);
    if (value == NULL) {
        if (!is_explained(args, argument, next)) unknown_option(args, name, length);
        return -1;
    }
    bool has_text = name[length] == '=';
    if (value->spec->value == NULL) {
        if (has_text) {
            usage_error("--%s takes no value; leave out what follows the =", value->spec->name);
            return -1;
        }
        assign(value, "1", FROM_COMMAND_LINE);
        return 1;
    }
    if (has_text && name[length + 1] == '\0' && value->spec->value[0] == '[') {
        usage_error("--%s= lacks its value; without one, leave out the =", value->spec->name);
        return -1;
    }
    if (has_text) return take_value(args, value, name + length + 1) ? 1 : -1;
    if (value->spec->value[0] == '[') return take_value(args, value, "") ? 1 : -1;
    if (next == NULL) {
        usage_error("--%s needs a value: --%s %s", value->spec->name, value->spec->name, value->spec->value);
        return -1;
    }
    return take_value(args, value, next) ? 2 : -1;
}

static int take_arguments(struct args* args, int argc, char** argv) {
    args->operands = argv;  // operands move to the front of the same array
    for (int i = 0; i < argc;) {
        const char* next = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--") == 0) {
            args->rest = argv + i + 1;
            args->rest_count = argc - i - 1;
            return 0;
        }
        if (strcmp(argv[i], "-h") == 0) argv[i] = "--help";
        if (argv[i][0] == '-' && argv[i][1] == '-') {
            int taken = take_option(args, argv[i], next);
            if (taken < 0) return -1;
            i += taken;
        } else if (argv[i][0] == '-' && argv[i][1] != '\0') {
            if (!is_explained(args, argv[i], next))
                usage_error("there is no option %s; options begin with --; see: hakstress %s --help", argv[i],
                            args->command->name);
            return -1;
        } else {
            args->operands[args->operand_count++] = argv[i++];
        }
    }
    return 0;
}

// Environment and profile

static void take_environment(struct args* args) {
    for (size_t i = 0; i < args->value_count; i++) {
        const char* name = args->values[i].spec->env;
        const char* text = name != NULL ? getenv(name) : NULL;
        if (text != NULL && *text != '\0') assign(&args->values[i], text, FROM_ENVIRONMENT);
    }
}

static struct option_value* find_by_env(const struct args* args, const char* name) {
    for (size_t i = 0; i < args->value_count; i++) {
        const char* env = args->values[i].spec->env;
        if (env != NULL && strcmp(env, name) == 0) return (struct option_value*)&args->values[i];
    }
    return NULL;
}

static bool take_setting(void* context, const char* key, const char* text, const char* where) {
    struct args* args = context;
    bool is_variable = strncmp(key, "HAKMEM_", 7) == 0;
    struct option_value* value = is_variable ? find_by_env(args, key) : find(args, key, strlen(key));
    if (value == NULL && !is_variable) {
        usage_error("%s: hakstress %s has no option '%s'", where, args->command->name, key);
        return false;
    }
    if (value == NULL) {
        char place[PATH_MAX + 32];
        snprintf(place, sizeof place, "%s: ", where);
        if (!variable_check(place, key, text)) return false;
        if (setenv(key, text, 0) == 0) return true;
        usage_error("%s: cannot set %s: %s", where, key, strerror(errno));
        return false;
    }
    if (value->source >= FROM_PROFILE) return true;
    char* copy = strdup(text);
    if (copy == NULL) {
        usage_error("%s: out of memory", where);
        return false;
    }
    assign(value, copy, FROM_PROFILE);
    return true;
}

// The checks that a verb exists for cannot be switched off: a profile does not change them, and a variable that says
// otherwise is refused.
static bool set_checks(const struct command* command) {
    for (const struct setting* check = command->checks; check != NULL && check->name != NULL; check++) {
        const char* text = getenv(check->name);
        bool otherwise = text != NULL && *text != '\0' && strcmp(text, check->value) != 0;
        if (otherwise) {
            usage_error("%s=%s switches off what hakstress %s checks; unset it, or use: hakstress repro", check->name,
                        text, command->name);
            return false;
        }
        if (setenv(check->name, check->value, 1) == 0) continue;
        usage_error("cannot set %s: %s", check->name, strerror(errno));
        return false;
    }
    return true;
}

// An option that stands for a HAKMEM_* variable reaches the child as that variable.
static int export_options(const struct args* args) {
    for (size_t i = 0; i < args->value_count; i++) {
        const struct option_value* value = &args->values[i];
        if (value->spec->env == NULL || value->text == NULL || value->source == FROM_ENVIRONMENT) continue;
        if (setenv(value->spec->env, value->text, 1) != 0)
            return missing_error("cannot set %s: %s", value->spec->env, strerror(errno));
    }
    return -1;
}

// Help

enum { HELP_COLUMN = 25 };

static void print_options(const struct option_spec* specs) {
    for (; specs != NULL && specs->name != NULL; specs++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", specs->name, specs->value != NULL && specs->value[0] != '[' ? " " : "",
                 specs->value != NULL ? specs->value : "");
        char text[1024];
        const bool has_default = specs->standard != NULL;
        snprintf(text, sizeof text, "%s%s%s%s", specs->help, has_default ? " (default " : "",
                 has_default ? specs->standard : "", has_default ? ")" : "");
        const int used = printf("  %s", left);
        const bool is_long = used >= HELP_COLUMN;
        printf("%s%*s", is_long ? "\n" : "", is_long ? HELP_COLUMN : HELP_COLUMN - used, "");
        wrap_print(stdout, text, HELP_COLUMN, HELP_COLUMN);
    }
}

static int print_help(const struct args* args) {
    const struct command* command = args->command;
    command_print_usage(command, "usage: hakstress", 11, stdout);
    putchar('\n');
    wrap_print(stdout, command->summary, 0, 0);
    if (command->options != NULL) {
        printf("\nOptions:\n");
        print_options(command->options);
    }
    if (command->examples != NULL) {
        printf("\nExamples:\n");
        for (const char* line = command->examples; *line != '\0'; line += strcspn(line, "\n") + 1)
            printf("  %.*s\n", (int)strcspn(line, "\n"), line);
    }
    printf("\nCommon options:\n");
    print_options(common_options);
    printf("\nAn option on the command line overrides the environment, which overrides the profile");
    if (command->profile != NULL) printf(" (here: %s)", command->profile);
    printf(".\nHAKMEM_* variables: hakstress list options\n");
    if (command->notes != NULL) printf("\n%s", command->notes);
    return STATUS_OK;
}

static int print_version(void) {
    printf("hakstress %s\n", hak_version());
    return STATUS_OK;
}

static bool has_place_for_results(const struct args* args) {
    if (args_text(args, "results")[0] != '\0') return true;
    usage_error("--results needs the name of a directory");
    return false;
}

int args_parse(struct args* args, const struct command* command, int argc, char** argv) {
    *args = (struct args){.command = command};
    add_options(args, command->options);
    add_options(args, common_options);
    if (take_arguments(args, argc, argv) != 0) return STATUS_USAGE;
    if (args_is_set(args, "help")) return print_help(args);
    if (args_is_set(args, "version")) return print_version();
    if (!has_place_for_results(args)) return STATUS_USAGE;
    if (command->takes_variables && !variables_check()) return STATUS_USAGE;
    if (!set_checks(command)) return STATUS_USAGE;
    take_environment(args);
    args->profile = args_is_set(args, "profile") ? args_text(args, "profile") : command->profile;
    if (args->profile != NULL) {
        int status = profile_read(args->profile, take_setting, args);
        if (status != STATUS_OK) return status;
    }
    return export_options(args);
}

void args_free(struct args* args) {
    for (size_t i = 0; i < args->value_count; i++) {
        if (args->values[i].source == FROM_PROFILE) free((void*)(uintptr_t)args->values[i].text);
    }
    args->value_count = 0;
}

// Values

const char* args_text(const struct args* args, const char* option) {
    const struct option_value* value = find(args, option, strlen(option));
    return value != NULL ? value->text : NULL;
}

const char* args_given(const struct args* args, const char* option, size_t index) {
    for (size_t i = 0; i < args->given_count; i++)
        if (strcmp(args->given[i].spec->name, option) == 0 && index-- == 0) return args->given[i].text;
    return NULL;
}

bool args_is_set(const struct args* args, const char* option) {
    return args_text(args, option) != NULL;
}

enum value_source args_source(const struct args* args, const char* option) {
    const struct option_value* value = find(args, option, strlen(option));
    return value != NULL ? value->source : FROM_NOWHERE;
}

const char* args_where(const struct args* args, const char* option, char* buffer, size_t size) {
    const struct option_value* value = find(args, option, strlen(option));
    if (value != NULL && value->source == FROM_ENVIRONMENT)
        snprintf(buffer, size, "%s", value->spec->env);
    else if (value != NULL && value->source == FROM_PROFILE)
        snprintf(buffer, size, "%s in profile %s", option, args->profile);
    else
        snprintf(buffer, size, "--%s", option);
    return buffer;
}

bool args_number(const struct args* args, const char* option, uint64_t min, uint64_t max, uint64_t* out) {
    const struct option_value* value = find(args, option, strlen(option));
    if (value == NULL || value->text == NULL) return false;
    if (parse_number(value->text, min, max, out)) return true;
    char name[128];
    usage_error("%s must be a whole number from %" PRIu64 " to %" PRIu64 ", not '%s'",
                args_where(args, option, name, sizeof name), min, max, value->text);
    return false;
}

bool args_seconds(const struct args* args, const char* option, double* out) {
    static const double most = 1e9;
    const char* text = args_text(args, option);
    if (text == NULL) return true;
    char *end, name[128];
    double number = strtod(text, &end);
    // Not what strtod takes besides: blanks, hexadecimal digits, names.
    const bool is_decimal = text[strspn(text, "0123456789.e+-")] == '\0';
    if (is_decimal && end != text && *end == '\0' && number > 0 && number <= most) {
        *out = number;
        return true;
    }
    usage_error("%s must be a number of seconds above 0, not '%s'", args_where(args, option, name, sizeof name), text);
    return false;
}

bool args_operand_number(const struct args* args, int index, const char* what, double min, double max, double standard,
                         double* out) {
    *out = standard;
    if (index >= args->operand_count) return true;
    const char* text = args->operands[index];
    char* end;
    double number = strtod(text, &end);
    if (end != text && *end == '\0' && isfinite(number) && number >= min && number <= max) {
        *out = number;
        return true;
    }
    usage_error("%s must be a number from %g to %g, not '%s'; usage: hakstress %s %s", what, min, max, text,
                args->command->name, args->command->synopsis);
    return false;
}

bool args_operand_whole(const struct args* args, int index, const char* what, uint64_t min, uint64_t max,
                        uint64_t standard, uint64_t* out) {
    *out = standard;
    if (index >= args->operand_count || parse_number(args->operands[index], min, max, out)) return true;
    usage_error("%s must be a whole number from %" PRIu64 " to %" PRIu64 ", not '%s'; usage: hakstress %s %s", what,
                min, max, args->operands[index], args->command->name, args->command->synopsis);
    return false;
}

bool args_operands_at_most(const struct args* args, int most) {
    if (args->operand_count <= most && args->rest_count == 0) return true;
    const char* excess = args->operand_count > most ? args->operands[most] : args->rest[0];
    usage_error("unexpected operand '%s'; usage: hakstress %s %s", excess, args->command->name,
                args->command->synopsis);
    return false;
}
