// The child process: it alone runs the workload. Started by the supervisor as `hakstress CHILD_VERB SHARED-FD NOTIFY-FD`, so that
// the environment holds from its first instruction.
#ifndef HAKSTRESS_CHILD_H
#define HAKSTRESS_CHILD_H

#define CHILD_VERB "--run-planned-workload"

int child_main(int argc, char** argv);

#endif
