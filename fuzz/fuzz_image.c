/* Any bytes as a picture: no crash, no leak, no read past the end, no unbounded memory; and what
 * decodes is converted and resized. */
#include "image/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uncork_limits limits = {.size = sizeof limits, .max_memory_bytes = (uint64_t)64 << 20};
    uc_budget budget;
    uncork_error error = {.size = sizeof error};
    uc_error_init(&error);
    uc_budget_init(&budget, &limits, size);
    uc_arena *arena = uc_arena_new(&budget);
    uc_image image, grey, small, upright;
    if (arena && uc_image_decode((uc_bytes){data, size}, arena, &image, &error) == UNCORK_OK &&
        (int64_t)image.width * image.height < 1000000 &&
        uc_image_upright(&image, arena, &upright, &error) == UNCORK_OK &&
        uc_image_convert(&upright, UC_IMAGE_L, arena, &grey, &error) == UNCORK_OK) {
        (void)uc_resize_pillow(&grey, 8, 8, UC_PILLOW_BICUBIC, NULL, 0, 13, arena, &small, &error);
    }
    uc_arena_free(arena);
    return 0;
}
