#include "args/args.h"
#include "base/beside.h"
#include "base/error.h"
#include "base/wrap.h"
#include "child/child.h"
#include "command/commands.h"
#include "results/results.h"

#include <hakmem/hakmem.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// Where somebody begins who has a problem and knows no verb.
static void print_beginnings(FILE* out) {
    static const struct {
        const char *problem, *words;
    } beginnings[] = {
        {"crashes, or damages its memory", "run --guard -- COMMAND"},
        {"reads memory that it should not", "run --pages -- COMMAND"},
        {"crashed, and left a core dump", "report CORE"},
        {"loses memory (leaks)", "run --leaks -- COMMAND"},
        {"grows while it runs *", "top PID"},
        {"needs much memory: for what?", "profile -- COMMAND"},
        {"hangs", "run --hang-after 10 -- COMMAND"},
        {"may be faster with another malloc", "compare -- COMMAND"},
    };
    char library[PATH_MAX];
    fputs("Your program ...\n", out);
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++)
        fprintf(out, "  %-35shakstress %s\n", beginnings[i].problem, beginnings[i].words);
    bool found = library_find_beside(LIBHAKMEM, library, sizeof library);
    fprintf(out, "  * started with LD_PRELOAD=%s\n\n", found ? library : LIBHAKMEM);
}

static void print_overview(FILE* out) {
    fputs("usage: hakstress VERB [OPERANDS] [OPTIONS]\n\n", out);
    print_beginnings(out);
    fputs("All verbs:\n", out);
    const struct command* command;
    for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
        command_print_usage(command, "  hakstress", 4, out);
        fputs("      ", out);
        wrap_print(out, command->summary, 6, 6);
    }
    fputs("\nhakstress VERB --help, or hakstress help VERB, lists the options of a verb.\n"
          "Exit status: 0 no fault, 1 a fault was found, 2 wrong usage, 3 something is missing on this machine,\n"
          "4 the measurement is not trustworthy, 5 hang, 130 stopped. run, record and report: see their --help.\n",
          out);
}

static int unknown_verb(const char* verb) {
    struct nearest nearest = {.typed = verb};
    commands_offer(&nearest);
    if (nearest.best[0] == '\0') return usage_error("there is no verb '%s'; see: hakstress --help", verb);
    return usage_error("there is no verb '%s'; did you mean '%s'? See: hakstress --help", verb, nearest.best);
}

// A lost result is a failure.
static int finish(int status) {
    if ((fflush(stdout) != 0 || ferror(stdout)) && status == STATUS_OK)
        return missing_error("cannot write to stdout: %s", strerror(errno));
    return status;
}

static int run_command(const struct command* command, int argc, char** argv) {
    struct args args;
    int status = args_parse(&args, command, argc, argv);
    if (status < 0) status = command->run(&args);
    args_free(&args);
    return finish(status);
}

// "help VERB" is "VERB --help".
static int help(int argc, char** argv) {
    char option[] = "--help", *words[] = {option, NULL};
    if (argc == 0) {
        print_overview(stdout);
        return finish(STATUS_OK);
    }
    const struct command* command = command_find(argv[0]);
    return command != NULL ? run_command(command, 1, words) : unknown_verb(argv[0]);
}

// If a standard descriptor is closed, the next file that is opened would get its number, and output would go into it.
// So each closed one is opened on /dev/null. It is closed again by exec: a command that is run gets what the caller of
// hakstress gave.
static void fill_standard_files(void) {
    int file;
    do file = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (file >= 0 && file <= STDERR_FILENO);
    if (file >= 0) close(file);
}

int main(int argc, char** argv) {
    fill_standard_files();
    if (argc < 2) {
        print_overview(stderr);
        return STATUS_USAGE;
    }
    if (strcmp(argv[1], CHILD_VERB) == 0) return child_main(argc - 2, argv + 2);
    results_remember_command_line(argc, argv);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        return help(argc - 2, argv + 2);
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        printf("hakstress %s\n", hak_version());
        return finish(STATUS_OK);
    }
    const struct command* command = command_find(argv[1]);
    return command != NULL ? run_command(command, argc - 2, argv + 2) : unknown_verb(argv[1]);
}
