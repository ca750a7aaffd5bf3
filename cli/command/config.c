// hakstress config: checks a hakmem.conf, and shows which options a program gets from it and from the environment.
#include "args/args.h"
#include "base/error.h"
#include "command/commands.h"
#include "config/conf.h"
#include "results/results.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option_spec config_options[] = {
    {"program", "NAME", NULL, NULL, "show: the options of a program of this name; default: those of every program"},
    {.name = NULL},
};

struct reading {
    const struct args* args;
    const char* file;
    json_t* told;  // check: the wrong lines; show: the options
    char section[256];
    unsigned sections;
    unsigned settings;
};

static const char* file_of(const struct args* args) {
    return args->operand_count > 1 ? args->operands[1] : hak_option_named("HAKMEM_CONF", 11)->default_text;
}

// --- check

static void check_line(void* context, unsigned number, const ConfLine* line) {
    struct reading* reading = context;
    FILE* out = result_stream(reading->args);
    reading->sections += line->kind == CONF_SECTION;
    reading->settings += line->kind == CONF_SETTING;
    if (line->problem[0] != '\0') {
        fprintf(out, "%s:%u: %s\n", reading->file, number, line->problem);
        json_array_append_new(reading->told, json_pack("{s:i, s:s}", "line", (int)number, "problem", line->problem));
    } else if (line->kind == CONF_SETTING && line->option->checked_only) {
        fprintf(out, "%s:%u: note: only libhakmem-checked.so has %s\n", reading->file, number, line->option->name);
    }
}

static int check_result(const struct reading* reading, const ConfFile* file) {
    FILE* out = result_stream(reading->args);
    const size_t wrong = json_array_size(reading->told);
    if (!file->is_protected)
        fprintf(out, "%s: note: set-user-id programs ignore it: root must own it, and nobody else may write it\n",
                reading->file);
    if (wrong > 0)
        fprintf(out, "config: %zu wrong line%s in %s\n", wrong, wrong > 1 ? "s" : "", reading->file);
    else
        fprintf(out, "config: ok %s: %u options, %u sections\n", reading->file, reading->settings, reading->sections);
    return wrong > 0 ? STATUS_FAULT : STATUS_OK;
}

// --- show

// Options keep their values in this process: nothing else in it asks for them.
static void take_line(void* context, unsigned number, const ConfLine* line) {
    struct reading* reading = context;
    const char* program = args_text(reading->args, "program");
    if (line->kind == CONF_SECTION)
        snprintf(reading->section, sizeof reading->section, "%s", line->problem[0] != '\0' ? "[" : line->program);
    const bool applies = reading->section[0] == '\0' || (program != NULL && strcmp(program, reading->section) == 0);
    if (line->kind != CONF_SETTING || line->problem[0] != '\0' || !applies) return;
    char where[512];
    snprintf(where, sizeof where, "%s:%u", reading->file, number);
    json_object_set_new(reading->told, line->option->name,
                        json_pack("{s:s, s:s}", "value", line->value, "from", where));
}

static void take_environment(const struct reading* reading) {
    for (unsigned i = 0; hak_option_info(i) != NULL; i++) {
        const char* name = hak_option_info(i)->name;
        const char* value = getenv(name);
        if (value == NULL || !hak_option_accepts(hak_option_info(i), value) || *value == '\0') continue;
        json_object_set_new(reading->told, name, json_pack("{s:s, s:s}", "value", value, "from", "environment"));
    }
}

static int show_result(const struct reading* reading) {
    FILE* out = result_stream(reading->args);
    const char* program = args_text(reading->args, "program");
    for (unsigned i = 0; hak_option_info(i) != NULL; i++) {
        const json_t* told = json_object_get(reading->told, hak_option_info(i)->name);
        if (told == NULL) continue;
        fprintf(out, "%s=%s   (%s)\n", hak_option_info(i)->name, json_string_value(json_object_get(told, "value")),
                json_string_value(json_object_get(told, "from")));
    }
    fprintf(out, "config: %zu option%s for %s\n", json_object_size(reading->told),
            json_object_size(reading->told) == 1 ? "" : "s", program != NULL ? program : "every program");
    return STATUS_OK;
}

// --- the verb

static int config_run(const struct args* args) {
    if (args->operand_count == 0)
        return usage_error("check or show? usage: hakstress config %s", args->command->synopsis);
    if (!args_operands_at_most(args, 2)) return STATUS_USAGE;
    const bool checks = strcmp(args->operands[0], "check") == 0;
    if (!checks && strcmp(args->operands[0], "show") != 0)
        return usage_error("there is no config %s; usage: hakstress config %s", args->operands[0],
                           args->command->synopsis);
    struct reading reading = {.args = args, .file = file_of(args), .told = checks ? json_array() : json_object()};
    const ConfFile file = conf_each(reading.file, false, checks ? check_line : take_line, &reading);
    const bool is_wanted = checks || args->operand_count > 1;
    if (is_wanted && !file.is_regular) {
        json_decref(reading.told);
        return usage_error("cannot read %s: %s", reading.file,
                           file.error != 0 ? strerror(file.error) : "it is no file");
    }
    if (!checks) take_environment(&reading);
    int status = checks ? check_result(&reading, &file) : show_result(&reading);
    json_t* result = result_new(args, "config");
    json_object_set_new(result, "file", json_string(reading.file));
    json_object_set_new(result, checks ? "wrong" : "options", reading.told);
    const bool saved = result_save_copy(args, result);
    json_decref(result);
    return saved ? status : STATUS_MISSING;
}

const struct command command_config = {
    .name = "config",
    .synopsis = "check|show [FILE]",
    .summary = "check a file with options, hakmem.conf, or show which options programs get",
    .options = config_options,
    .notes =
        "check  names each wrong line, and what was expected there; the exit status is 1 if there is one, and 2 if\n"
        "       the file cannot be read\n"
        "show   the options that the file and this environment set, and where\n"
        "\n"
        "FILE is /etc/hakmem.conf unless another one is named. What stands in it: man hakmem.conf\n",
    .examples = "hakstress config check\n"
                "hakstress config check my.conf\n"
                "hakstress config show --program nginx\n",
    .run = config_run,
};
