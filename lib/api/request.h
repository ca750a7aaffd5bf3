// What other processes ask of this one (census/request.h), and statistics that are due.
// Thread-safety: once, at load. Errors: none.
#ifndef HAK_API_REQUEST_H
#define HAK_API_REQUEST_H

// From now on threads do what is asked (front/wake.h).
void requests_begin(void);

#endif
