/* Whether pictures are turned upright by their EXIF orientation. */
#include "contract/contract_internal.h"

bool uc_contract_turns(const uc_contract *contract)
{
    for (size_t i = 0; i < contract->count; i++) {
        const uc_step *s = &contract->steps[i];
        if (strcmp(s->row->name, "exif") == 0) return true;
        /* cv2.imread turns them, but for IMREAD_UNCHANGED and IMREAD_IGNORE_ORIENTATION */
        if (strcmp(s->row->name, "decode") == 0 && s->library == UC_LIB_OPENCV &&
            s->variant != UC_COLOURS_UNCHANGED && !(s->flags & UC_FLAG_IGNORE_ORIENTATION)) {
            return true;
        }
    }
    return false;
}
