#include "record/start.h"

#include "base/beside.h"
#include "base/error.h"
#include "record/raw.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIBRARY "libhakstress-record.so"

// The directory

bool raw_dir_make(struct raw_dir* dir) {
    const char* place = getenv("TMPDIR");
    if (place == NULL || *place == '\0') place = "/tmp";
    const int length = snprintf(dir->path, sizeof dir->path, "%s/hakstress-record-XXXXXX", place);
    if (length < (int)sizeof dir->path && mkdtemp(dir->path) != NULL) return true;
    missing_error("cannot make a directory in %s: %s", place, strerror(errno));
    return false;
}

void raw_dir_remove(const struct raw_dir* dir) {
    DIR* stream = opendir(dir->path);
    if (stream == NULL) return;
    for (struct dirent* entry; (entry = readdir(stream)) != NULL;) unlinkat(dirfd(stream), entry->d_name, 0);
    closedir(stream);
    rmdir(dir->path);
}

// The environment

static bool find_library(char* out) {
    if (!library_beside(LIBRARY, out, PATH_MAX)) return false;
    if (strpbrk(out, " :") == NULL) return true;
    missing_error("LD_PRELOAD cannot name %s: its path contains a space or a colon", out);
    return false;
}

// The environment of this process, which starts nothing but the command.
static bool set_environment(const struct raw_dir* dir) {
    char library[PATH_MAX];
    char* preload = NULL;
    const char* others = getenv("LD_PRELOAD");
    const bool more = others != NULL && *others != '\0';
    if (!find_library(library)) return false;
    bool done = asprintf(&preload, "%s%s%s", library, more ? ":" : "", more ? others : "") >= 0;
    if (done) {
        done = setenv("LD_PRELOAD", preload, 1) == 0 && setenv(RECORD_DIRECTORY, dir->path, 1) == 0;
        free(preload);
    }
    if (!done) missing_error("out of memory");
    return done;
}

// The command

static volatile pid_t child;

static void pass_on(int number) {
    if (child > 0) kill(child, number);
}

static bool note_signals(struct sigaction old[NSIG]) {
    static const struct {
        int number;
        void (*handler)(int);
    } ours[] = {{SIGINT, SIG_IGN}, {SIGQUIT, SIG_IGN}, {SIGTERM, pass_on}, {SIGHUP, pass_on}};
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        const struct sigaction action = {.sa_handler = ours[i].handler, .sa_flags = SA_RESTART};
        if (sigaction(ours[i].number, NULL, &old[ours[i].number]) != 0) return false;
        if (old[ours[i].number].sa_handler == SIG_IGN) continue;  // ignored, as nohup wants it
        if (sigaction(ours[i].number, &action, NULL) != 0) return false;
    }
    return true;
}

static void restore_signals(const struct sigaction old[NSIG]) {
    static const int numbers[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) sigaction(numbers[i], &old[numbers[i]], NULL);
}

// The command is killed with hakstress: nobody would collect what it still records.
static void become_command(const struct sigaction old[NSIG], int failure, char** command, pid_t parent) {
    restore_signals(old);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) _exit(127);
    execvp(command[0], command);
    const int error = errno;
    (void)!write(failure, &error, sizeof error);  // a failure here cannot be handled
    _exit(127);
}

static bool start(int failure[2], char** command) {
    static struct sigaction old[NSIG];
    if (!note_signals(old) || pipe2(failure, O_CLOEXEC) != 0) return false;
    const pid_t parent = getpid(), pid = fork();
    if (pid == 0) become_command(old, failure[1], command, parent);
    const int error = errno;
    close(failure[1]);
    child = pid;
    if (pid > 0) return true;
    close(failure[0]);
    errno = error;
    return false;
}

bool record_command(const struct raw_dir* dir, char** command, struct recorded* recorded) {
    int failure[2];
    if (!set_environment(dir)) return false;
    if (!start(failure, command)) {
        missing_error("cannot start a process: %s", strerror(errno));
        return false;
    }
    *recorded = (struct recorded){.pid = child};
    if (read(failure[0], &recorded->exec_error, sizeof recorded->exec_error) != (ssize_t)sizeof recorded->exec_error)
        recorded->exec_error = 0;  // exec closed the pipe
    close(failure[0]);
    while (waitpid(recorded->pid, &recorded->status, 0) < 0 && errno == EINTR) {}
    child = 0;
    return true;
}
