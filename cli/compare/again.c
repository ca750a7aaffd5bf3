#include "compare/again.h"

#include "args/command.h"
#include "results/results.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void append_option(const struct option_value* given, char* out, size_t size) {
    char name[64];
    char* words[] = {name, (char*)given->text};
    snprintf(name, sizeof name, "--%s", given->spec->name);
    result_quote(words, given->spec->value != NULL ? 2 : 1, out, size);
}

static void append_options(const struct args* args, char* out, size_t size) {
    for (size_t i = 0; i < args->given_count; i++)
        if (strcmp(args->given[i].spec->name, "seed") != 0) append_option(&args->given[i], out, size);
    for (size_t i = 0; i < args->value_count; i++) {
        const struct option_value* value = &args->values[i];
        if (value->spec->value == NULL && value->source == FROM_COMMAND_LINE) append_option(value, out, size);
    }
}

void again_describe(const struct args* args, uint64_t seed, char* out, size_t size) {
    char tail[AGAIN_BYTES], number[24];
    char *seed_words[] = {"--seed", number}, *end[] = {"--"};
    snprintf(tail, sizeof tail, "%s", args->command->name);
    snprintf(number, sizeof number, "%" PRIu64, seed);
    append_options(args, tail, sizeof tail);
    result_quote(seed_words, 2, tail, sizeof tail);
    result_quote(args->operands, args->operand_count, tail, sizeof tail);
    if (args->rest_count > 0) result_quote(end, 1, tail, sizeof tail);
    result_quote(args->rest, args->rest_count, tail, sizeof tail);
    result_again(args, tail, out, size);
}
