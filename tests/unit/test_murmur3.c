/* MurmurHash3 as sklearn.utils.murmurhash3_32 (scikit-learn 1.9.1) gives it. */
#include "check.h"
#include "kernel/murmur3.h"

#include <string.h>

static void hashes_are_those_of_scikit_learn(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int32_t seed0, seed42;
    } cases[] = {
        {"", 0, 142593372},
        {"a", 1009084850, -1293573533},
        {"ab", -1681926305, -684913081},
        {"abc", -1277324294, 1313807976},
        {"abcd", 1139631978, -396302900},
        {"the quick brown fox", 519850996, -1980964478},
        {"caf\xc3\xa9", 605818632, 1312538061},
        {"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e", -1515949417, -976822600},
        {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", -1005983109, 428444926},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CHECK_INT(uc_murmur3_s32(cases[i].text, strlen(cases[i].text), 0), cases[i].seed0);
        CHECK_INT(uc_murmur3_s32(cases[i].text, strlen(cases[i].text), 42), cases[i].seed42);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(hashes_are_those_of_scikit_learn)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
