/* uncork formats (and --version): what this build reads, with its codecs and instruction sets. */
#include "cli/cli.h"

#include "base/cpu.h"
#include "base/json.h"
#include "image/font.h"
#include "image/image.h"

static void put_pictures(uc_json_writer *json, const char *key, bool wanted)
{
    bool there;
    uc_json_key(json, key);
    uc_json_begin_array(json);
    for (size_t i = 0; uc_image_format_at(i, &there); i++) {
        if (there == wanted) uc_json_put_text(json, uc_image_format_at(i, &there));
    }
    uc_json_end_array(json);
}

/* "pictures: JPEG PNG ...", and a line of those that the build was configured without. */
static void list_pictures(uc_writer *out)
{
    bool there, first = true;
    uc_writer_text(out, "pictures:");
    for (size_t i = 0; uc_image_format_at(i, &there); i++) {
        if (there) uc_writer_printf(out, " %s", uc_image_format_at(i, &there));
    }
    for (size_t i = 0; uc_image_format_at(i, &there); i++) {
        if (there) continue;
        uc_writer_printf(out, "%s %s", first ? "\npictures left out of this build:" : "",
                         uc_image_format_at(i, &there));
        first = false;
    }
    uc_writer_text(out, "\n");
}

static void put_json(uc_writer *out)
{
    static const char *const codecs[] = {"zlib", "gzip", "bz2", "xz", "lzma", "lz4"};
    uc_json_writer json = {.out = out};
    uc_json_begin_object(&json);
    uc_json_key(&json, "version");
    uc_json_put_text(&json, uncork_version());
    uc_json_key(&json, "models");
    uc_json_begin_array(&json);
    for (size_t i = 0; uc_importer_at(i); i++) {
        uc_json_put_text(&json, uc_importer_at(i)->name);
    }
    uc_json_end_array(&json);
    put_pictures(&json, "pictures", true);
    put_pictures(&json, "pictures_left_out", false);
    uc_json_key(&json, "codecs");
    uc_json_begin_array(&json);
    for (size_t i = 0; i < sizeof codecs / sizeof codecs[0]; i++) {
        uc_json_put_text(&json, codecs[i]);
    }
    uc_json_end_array(&json);
    uc_json_key(&json, "captions");
    if (uc_font_library()) {
        uc_json_put_text(&json, uc_font_library());
    } else {
        uc_json_put_null(&json);
    }
    uc_json_key(&json, "cpu");
    uc_json_put_text(&json, uc_cpu_text());
    uc_json_end_object(&json);
    uc_writer_text(out, "\n");
}

int cmd_formats(const cli_options *options, uc_arena *arena)
{
    (void)arena;
    uc_writer out;
    uc_writer_init(&out, 1u << 16);
    if (options->json) {
        put_json(&out);
    } else {
        uc_writer_printf(&out, "uncork %s\nmodels:", uncork_version());
        for (size_t i = 0; uc_importer_at(i); i++) {
            uc_writer_printf(&out, " %s", uc_importer_at(i)->name);
        }
        uc_writer_text(&out, "\nmodel codecs: zlib gzip bz2 xz lzma lz4; archives: zip, tar\n"
                             "arrays: .npy .npz .csv .json\n");
        list_pictures(&out);
        uc_writer_printf(&out, "captions on drawn pictures: %s\n",
                         uc_font_library() ? uc_font_library() : "left out of this build");
        uc_writer_printf(&out, "instruction sets: %s\n", uc_cpu_text());
    }
    int status = cli_flush(&out) ? EXIT_OK : EXIT_INPUT;
    uc_writer_done(&out);
    return status;
}
