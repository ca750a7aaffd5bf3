#include "supervise/launch.h"

#include "base/error.h"
#include "supervise/tracing.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

struct pipes {
    int go[2];       // to the child: 't' if it is traced, else 'u'
    int failure[2];  // from the child: errno of exec
};

static void close_both(int ends[2]) {
    close(ends[0]);
    close(ends[1]);
}

static bool open_pipes(struct pipes* pipes) {
    if (pipe2(pipes->go, O_CLOEXEC) != 0) return false;
    if (pipe2(pipes->failure, O_CLOEXEC) == 0) return true;
    close_both(pipes->go);
    return false;
}

// Runs in the new process, up to exec.
static void become_command(const struct pipes* pipes, char** command) {
    char mode = 0;
    close(pipes->go[1]);
    // A tracer can have the process killed at its own end; without a tracer this is the next best way.
    if (read(pipes->go[0], &mode, 1) != 1 || (mode == 'u' && prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)) _exit(127);
    // Nobody is told of its crash then, so it notes that itself.
    if (mode == 'u' && setenv("HAKMEM_CRASH_RECORD", "1", false) != 0) _exit(127);
    execvp(command[0], command);
    int error = errno;
    ssize_t written = write(pipes->failure[1], &error, sizeof error);
    _exit(written == (ssize_t)sizeof error && error != ENOENT ? 126 : 127);
}

static bool start_child(struct launch* launch, const struct pipes* pipes, char** command) {
    launch->pid = fork();
    if (launch->pid == 0) become_command(pipes, command);
    if (launch->pid < 0) return false;
    launch->traced = tracing_seize(launch->pid) == 0;
    launch->trace_error = launch->traced ? 0 : errno;
    char mode = launch->traced ? 't' : 'u';
    return write(pipes->go[1], &mode, 1) == 1;  // if this fails, the child ends by itself
}

bool launch(struct launch* launch, char** command) {
    struct pipes pipes;
    if (!open_pipes(&pipes)) {
        missing_error("cannot start a process: %s", strerror(errno));
        return false;
    }
    bool started = start_child(launch, &pipes, command);
    int error = errno;
    close_both(pipes.go);
    close(pipes.failure[1]);
    launch->failure = pipes.failure[0];
    if (started) return true;
    close(pipes.failure[0]);
    missing_error("cannot start a process: %s", strerror(error));
    return false;
}

int launch_error(struct launch* launch) {
    int error = 0;
    if (read(launch->failure, &error, sizeof error) != (ssize_t)sizeof error) error = 0;
    close(launch->failure);
    return error;
}
