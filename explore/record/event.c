#include "record/event.h"

Recording recording;

void recording_start(void) {
    recording.on = true;
    recording.count = 0;
}

void recording_stop(void) {
    recording.on = false;
}
