/* The list of importers, and which of them takes a file. */
#include "import/importer.h"

#include "import/recognise.h"

static const uc_importer *const importers[] = {
#define IMPORTER(symbol) &uc_importer_##symbol,
#include "import/importer_table.def"
#undef IMPORTER
    NULL, /* the end, and no empty array while there is none */
};

const uc_importer *uc_importer_at(size_t i)
{
    size_t count = sizeof importers / sizeof importers[0] - 1;
    return i < count ? importers[i] : NULL;
}

uncork_status uc_importer_choose(uc_bytes head, const uc_bundle *bundle, const uc_importer **found,
                                 uncork_error *error)
{
    int best = 0;
    *found = NULL;
    UC_TRY(uc_recognise_archive(bundle, error));
    for (size_t i = 0; importers[i]; i++) {
        int sure = importers[i]->probe(head, bundle);
        if (sure > best) {
            best = sure;
            *found = importers[i];
        }
    }
    return *found && best > 1 ? UNCORK_OK : uc_recognise_other(head, bundle, *found != NULL, error);
}

const uncork_fed *uc_import_fed(const uc_import_options *options, const char *name, size_t place)
{
    const size_t count = options && options->fed ? options->fed_count : 0;
    for (size_t i = 0; i < count; i++) {
        const char *own = options->fed[i].name;
        if (own && name && strcmp(own, name) == 0) return &options->fed[i];
    }
    if (count == 1 && place == 0) return &options->fed[0]; /* one input goes by any name */
    return place < count && !options->fed[place].name ? &options->fed[place] : NULL;
}
