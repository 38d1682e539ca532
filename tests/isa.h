/* A test program that runs itself once for each instruction set: what a machine has is found once a
 * process. */
#ifndef UC_TESTS_ISA_H
#define UC_TESTS_ISA_H

#include "check.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int isa_run_as(const char *program, const char *isa)
{
    const pid_t child = fork();
    if (child == 0) {
        const char *emulator =
            getenv("UNCORK_TEST_EMULATOR"); /* of another processor, see `make neon` */
        setenv("UNCORK_ISA", isa, 1);
        if (emulator) {
            execlp(emulator, emulator, program, isa, (char *)NULL);
        } else {
            execl(program, program, isa, (char *)NULL);
        }
        _exit(127);
    }
    int status = 0;
    const bool ended = child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status);
    return ended ? WEXITSTATUS(status) : 1;
}

/* How many instruction sets `program` fails with; each gets its name as the argument. */
static int isa_run_each(const char *program)
{
    static const char *const sets[] = {"scalar", "avx2", "avx512", "vnni", "all"};
    int failed = 0;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
        failed += isa_run_as(program, sets[i]) != 0;
    return failed;
}

#endif
