// The child process. Only it runs the workload. The supervisor starts it as `hakstress CHILD_VERB SHARED-FD NOTIFY-FD`,
// so that its environment is in force from its first instruction.
#ifndef HAKSTRESS_CHILD_H
#define HAKSTRESS_CHILD_H

#define CHILD_VERB "--run-planned-workload"

int child_main(int argc, char** argv);

#endif
