// How hakstress ends: its exit statuses, and the message before one that is not STATUS_OK.
// Thread-safety: any thread.
#ifndef HAKSTRESS_ERROR_H
#define HAKSTRESS_ERROR_H

enum exit_status {
    STATUS_OK = 0,
    STATUS_FAULT = 1,      // a fault was found
    STATUS_USAGE = 2,      // the command line is wrong
    STATUS_MISSING = 3,    // something is missing on this machine
    STATUS_UNTRUSTED = 4,  // the measurement is not trustworthy
    STATUS_HANG = 5,       // no thread makes progress
    STATUS_STOPPED = 130,  // Ctrl-C, SIGTERM or SIGHUP
};

// Prints "hakstress: ..." on stderr and returns STATUS_USAGE or STATUS_MISSING.
int usage_error(const char* format, ...) __attribute__((format(printf, 1, 2)));
int missing_error(const char* format, ...) __attribute__((format(printf, 1, 2)));

#endif
