#include "run/monitor.h"

#include "record/build.h"
#include "runtime/scheduler.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STRING_MOST = 65536 };

static Replay* shared;  // scenario and schedule of the run under way

void monitor_begin(const Scenario* scenario, const char* changes, const char* weaken, bool follow) {
    memset(shared, 0, sizeof *shared);
    snprintf(shared->scenario, sizeof shared->scenario, "%s", scenario->name);
    snprintf(shared->build, sizeof shared->build, "%s", explored_build);
    scenario_hash(scenario, shared->text);
    if (strcmp(changes, "all") != 0) snprintf(shared->changes, sizeof shared->changes, "%s", changes);
    snprintf(shared->weaken, sizeof shared->weaken, "%s", weaken);
    shared->follow = follow;
}

static int report_death(int signal) {
    static char string[STRING_MOST];
    replay_format(shared, string, sizeof string);
    printf("fault scenario=%s check=died schedules=0 switches=%u replayed=0/0 replay=%s\n"
           "text the explorer itself was destroyed: %s\n",
           shared->scenario, schedule_switches(&shared->schedule), string, strsignal(signal));
    return 1;
}

static pid_t child;

static void end_child(int number) {
    (void)number;
    kill(child, SIGKILL);
}

// A run that hangs does not notice.
static void pass_on(int number) {
    enum { GRACE = 5 };
    kill(child, number);
    signal(SIGALRM, end_child);
    alarm(GRACE);
}

// The system kills when memory is short, and whoever stops the search. No run is to blame.
static bool came_from_outside(int signal) {
    return signal == SIGKILL || signal == SIGTERM || signal == SIGINT || signal == SIGHUP;
}

static int report_end(int status) {
    if (!WIFSIGNALED(status)) return WEXITSTATUS(status);
    if (!came_from_outside(WTERMSIG(status))) return report_death(WTERMSIG(status));
    fputs("hakstress-explore: the process that explores was killed\n", stderr);
    return 3;
}

static int explore(int (*work)(int argc, char** argv), int argc, char** argv, pid_t monitor) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != monitor) return 3;
    run_schedule = &shared->schedule;
    return work(argc, argv);
}

int monitor_run(int (*work)(int argc, char** argv), int argc, char** argv) {
    int status;
    const pid_t monitor = getpid();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) return 3;
    child = fork();
    if (child == 0) return explore(work, argc, argv, monitor);
    if (child < 0) return 3;
    signal(SIGTERM, pass_on);
    signal(SIGINT, SIG_IGN);
    while (waitpid(child, &status, 0) < 0) {}
    return report_end(status);
}
