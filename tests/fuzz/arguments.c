// The command line of a verb, a word a line. Words that name files are left out: a fuzzer shall not read any file of
// the machine.
#include "args/args.h"
#include "command/commands.h"

#include "fuzz/fuzz.h"

#include <string.h>
#include <unistd.h>

enum { WORDS_MOST = 64 };

static int split(char* text, char** words) {
    int count = 0;
    for (char* word = strtok(text, "\n"); word != NULL && count < WORDS_MOST; word = strtok(NULL, "\n"))
        words[count++] = word;
    words[count] = NULL;
    return count;
}

static char* no_variables[] = {NULL};

static void parse(const struct command* command, char* text) {
    char* words[WORDS_MOST + 1];
    struct args args;
    uint64_t number;
    double real;
    int count = split(text, words);
    if (args_parse(&args, command, count, words) < 0) {
        EXPECT(args.operand_count >= 0 && args.operand_count + args.rest_count <= count);
        args_number(&args, "seed", 0, UINT64_MAX, &number);
        args_operand_number(&args, 0, "SECONDS", 0, 1e6, 1, &real);
        args_operand_whole(&args, 1, "THREADS", 1, 1000, 1, &number);
    }
    args_free(&args);
    environ = no_variables;  // what options have set
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const struct command* const commands[] = {&command_repro, &command_bench, &command_compare, &command_record,
                                                     &command_report};
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        char* text = fuzz_text(data, size);
        if (strstr(text, "profile") == NULL && strstr(text, "trace:") == NULL) parse(commands[i], text);
        free(text);
    }
    return 0;
}
