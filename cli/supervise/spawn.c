#include "supervise/spawn.h"

#include "child/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static int keep_open(int fd) {
    return fcntl(fd, F_SETFD, 0);  // exec does not close it
}

// Runs in the new process, up to exec. Prints what went wrong on stderr.
static void become_child(pid_t parent, int shared_fd, int messages, int crashes) {
    char program[] = "hakstress", verb[] = CHILD_VERB, memory_text[16], crashes_text[16];
    snprintf(memory_text, sizeof memory_text, "%d", shared_fd);
    snprintf(crashes_text, sizeof crashes_text, "%d", crashes);
    char* arguments[] = {program, verb, memory_text, crashes_text, NULL};
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    bool ready = prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && setpgid(0, 0) == 0 && keep_open(shared_fd) == 0 &&
                 keep_open(crashes) == 0 && dup2(messages, STDERR_FILENO) >= 0;
    if (getppid() != parent) _exit(127);  // it died before the prctl
    if (ready) execv("/proc/self/exe", arguments);
    dprintf(STDERR_FILENO, "hakstress: cannot start the child: %s\n", strerror(errno));
    _exit(127);
}

int spawn_child(int shared_fd, struct child_process* child) {
    int messages[2], crashes[2];
    if (pipe2(messages, O_CLOEXEC) != 0) return -1;
    if (pipe2(crashes, O_CLOEXEC) != 0) {
        close(messages[0]);
        close(messages[1]);
        return -1;
    }
    pid_t parent = getpid();
    child->pid = fork();
    if (child->pid == 0) become_child(parent, shared_fd, messages[1], crashes[1]);
    int error = errno;
    close(messages[1]);
    close(crashes[1]);
    if (child->pid < 0 || fcntl(messages[0], F_SETFL, O_NONBLOCK) != 0) {
        if (child->pid >= 0) error = errno;
        close(messages[0]);
        close(crashes[0]);
        if (child->pid > 0) kill(child->pid, SIGKILL);
        errno = error;
        return -1;
    }
    child->messages = messages[0];
    child->crashes = crashes[0];
    return 0;
}
