// What hakmem.conf changes in a process, asked before anything else: the option named, and whether the process is
// privileged. With "exec" it becomes itself again, as a program of another name; with "fork" its child answers.
//
//   conf_program OPTION | exec PATH OPTION | fork OPTION
#include <hakmem/hakmem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <unistd.h>

static int tell(const char* option) {
    char value[256];
    free(malloc(1));
    if (hak_option_get(option, value, sizeof value) != 0) return 1;
    printf("%s%s\n", value, getauxval(AT_SECURE) != 0 ? " privileged" : "");
    return 0;
}

int main(int argc, char** argv) {
    if (argc == 2) return tell(argv[1]);
    if (argc == 4 && strcmp(argv[1], "exec") == 0) {
        execl(argv[2], "another-name", argv[3], (char*)NULL);
        return 1;
    }
    if (argc != 3) return 2;
    int status = 1;
    if (fork() == 0) {
        status = tell(argv[2]);
        fflush(stdout);
        _exit(status);
    }
    wait(&status);
    return status != 0;
}
