// Does to its own descriptors, folder, root and user what its arguments say, one after the other, and then exits.
// descriptors.py checks what the library wrote, and where.
//
//   descriptors STEP[=ARGUMENT]...     "early" comes before the constructors of libraries
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NUMBERS = 256, SETUP_FAILED = 99 };

static void need(int fine, const char* what) {
    if (fine) return;
    dprintf(STDOUT_FILENO, "descriptors: cannot %s: %s\n", what, strerror(errno));
    _exit(SETUP_FAILED);
}

// Hides from the compiler what is done wrong here.
static char* volatile block;

static void free_twice(const char* argument) {
    (void)argument;
    struct rlimit none = {0, 0};
    if (getenv("TEST_CORE") == NULL) need(setrlimit(RLIMIT_CORE, &none) == 0, "do without core");
    block = malloc(64 << 20);
    free(block);
    free(block);
}

static int opened(const char* path, int flags) {
    int fd = open(path, O_WRONLY | O_CREAT | flags, 0644);
    need(fd >= 0, path);
    return fd;
}

// Opens a file as a daemon opens its data: the number was free, so the file gets it.
static void data(const char* path) {
    close(STDERR_FILENO);
    need(opened(path, 0) == STDERR_FILENO, "open as 2");
}

static void become_stderr(int fd) {
    need(dup2(fd, STDERR_FILENO) == STDERR_FILENO, "replace 2");
    if (fd != STDERR_FILENO) close(fd);
}

static void append(const char* path) {
    become_stderr(opened(path, O_APPEND));
}

static void number_as_stderr(const char* number) {
    become_stderr(atoi(number));
}

static void close_number(const char* number) {
    close(atoi(number));
}

static void close_all_from(const char* number) {
    for (int fd = atoi(number); fd < NUMBERS; fd++) close(fd);
}

static void fill_numbers(const char* path) {
    int fd = opened(path, 0);
    while (fd < NUMBERS) need((fd = dup(fd)) > 0, "dup");
}

// Lists the open descriptors above 2.
static void list(const char* argument) {
    (void)argument;
    for (int fd = STDERR_FILENO + 1; fd < 4096; fd++)
        if (fcntl(fd, F_GETFD) >= 0) dprintf(STDOUT_FILENO, "%d\n", fd);
}

static void into_root(const char* path) {
    need(chroot(path) == 0 && chdir("/") == 0, "change the root");
}

static void into_folder(const char* path) {
    need(chdir(path) == 0, "change the folder");
}

static void become_user(const char* number) {
    need(setgid((gid_t)atoi(number)) == 0 && setuid((uid_t)atoi(number)) == 0, "change the user");
}

static void delete_file(const char* path) {
    need(unlink(path) == 0, path);
}

static void rename_file(const char* names) {
    char from[256];
    const char* to = strchr(names, ':');
    need(to != NULL, names);
    snprintf(from, sizeof from, "%.*s", (int)(to - names), names);
    need(rename(from, to + 1) == 0, names);
}

static void limit_files(const char* number) {
    struct rlimit limit = {(rlim_t)atoi(number), (rlim_t)atoi(number)};
    need(setrlimit(RLIMIT_FSIZE, &limit) == 0, "limit files");
}

// The child goes on with the remaining steps.
static void in_child(const char* argument) {
    (void)argument;
    pid_t pid = fork();
    need(pid >= 0, "fork");
    if (pid == 0) return;
    int status;
    need(waitpid(pid, &status, 0) == pid, "wait");
    if (status != 0) _exit(SETUP_FAILED);
    dprintf(STDOUT_FILENO, "child %d\n", (int)pid);
    exit(0);
}

static void set_option(const char* text) {
    int (*set)(const char*, const char*);
    char name[64];
    *(void**)&set = dlsym(RTLD_DEFAULT, "hak_option_set");
    const char* value = strchr(text, ':');
    need(set != NULL && value != NULL, "set an option");
    snprintf(name, sizeof name, "%.*s", (int)(value - text), text);
    need(set(name, value + 1) == 0, "set an option");
}

static void tell_statistics(const char* argument) {
    (void)argument;
    malloc_stats();
}

static void list_after_exec(const char* program) {
    char* const arguments[] = {(char*)program, (char*)"list", NULL};
    char* const nothing[] = {NULL};
    execve(program, arguments, nothing);
    need(0, "exec");
}

static void end_by_underscore_exit(const char* argument) {
    (void)argument;
    _exit(0);
}

static void say_ready(const char* argument) {
    (void)argument;
    dprintf(STDOUT_FILENO, "ready\n");
    pause();
}

static const struct {
    const char* name;
    void (*run)(const char* argument);
} steps[] = {
    {"free-twice", free_twice},
    {"data", data},
    {"append", append},
    {"stderr", number_as_stderr},
    {"close", close_number},
    {"close-from", close_all_from},
    {"fill", fill_numbers},
    {"list", list},
    {"root", into_root},
    {"folder", into_folder},
    {"user", become_user},
    {"delete", delete_file},
    {"rename", rename_file},
    {"limit-files", limit_files},
    {"fork", in_child},
    {"set", set_option},
    {"malloc-stats", tell_statistics},
    {"exec", list_after_exec},
    {"_exit", end_by_underscore_exit},
    {"pause", say_ready},
};

static void run_step(const char* step) {
    size_t length = strcspn(step, "=");
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (strlen(steps[i].name) != length || strncmp(steps[i].name, step, length) != 0) continue;
        steps[i].run(step[length] == '=' ? step + length + 1 : "");
        return;
    }
    need(0, step);
}

static void before_constructors(int argc, char** argv, char** environment) {
    (void)environment;
    if (argc > 1 && strcmp(argv[1], "early") == 0) free_twice("");
}
__attribute__((section(".preinit_array"), used)) static void (*preinit)(int, char**, char**) = before_constructors;

int main(int argc, char** argv) {
    block = malloc(100);
    for (int i = 1; i < argc; i++) run_step(argv[i]);
    return 0;
}
