/* Errors: status, what, where, fix. The first failure wins; later ones on the same record are kept
 * out, so a chain of calls may be checked once at its end. */
#ifndef UC_BASE_ERROR_H
#define UC_BASE_ERROR_H

#include "uncork.h"

#define UC_NO_OFFSET UINT64_MAX

#define UC_TRY(call)                              \
    do {                                          \
        uncork_status uc_try_ = (call);           \
        if (uc_try_ != UNCORK_OK) return uc_try_; \
    } while (0)

#define UC_PRINTF(a, b) __attribute__((format(printf, a, b)))

/* Makes the record empty: status OK, no offset, no text. */
void uc_error_init(uncork_error *error);

/* Records a failure unless one is there already. Control bytes in the message are escaped, a long
 * message is cut at a character's end. `error` may be NULL.
 * Returns the status recorded (the first one's), never OK. */
uncork_status uc_fail(uncork_error *error, uncork_status status, uint64_t offset,
                      const char *format, ...) UC_PRINTF(4, 5);

/* Adds where or what helps to a recorded failure, unless it is said already. Returns the status. */
uncork_status uc_where(uncork_error *error, const char *format, ...) UC_PRINTF(2, 3);
uncork_status uc_fix(uncork_error *error, const char *format, ...) UC_PRINTF(2, 3);

/* Memory is out: a fixed message, no allocation. */
uncork_status uc_fail_memory(uncork_error *error);

#endif
