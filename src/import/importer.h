/* An importer: recognises a file (probe), opens it for inspection (open), and turns one entry into a
 * graph (import). One row a format in importer_table.def. */
#ifndef UC_IMPORT_IMPORTER_H
#define UC_IMPORT_IMPORTER_H

#include "base/json.h"
#include "container/bundle.h"
#include "graph/facts.h"
#include "graph/graph.h"

typedef struct uc_importer uc_importer;

/* An opened file. Everything in it lives in `arena` and doesn't change after open. */
typedef struct uc_import {
    const uc_importer *importer;
    const char *path;  /* for messages */
    const char *arch;  /* the network that a state dict belongs to, as the caller says; or NULL */
    uc_bytes bytes;    /* of a single file; empty for a folder */
    const char *code;  /* FILE.py:CLASS of the network that a state dict belongs to; or NULL */
    uc_bundle *bundle; /* the folder, archive or the file's own folder (side files) */
    uc_arena *arena;
    uc_budget *budget;
    uc_findings findings;
    uc_facts facts;
    void *state;          /* the importer's own */
    const char **entries; /* names that can be prepared, in order; the first is the default */
    size_t entry_count;
} uc_import;

typedef struct uc_import_options {
    uncork_dtype input_dtype; /* NONE: the format's own */
    bool raw;                 /* leave out a scaler found beside the model */
    const uncork_fed *fed;    /* what will be fed, where the caller knows it; or NULL */
    size_t fed_count;
    uncork_kernels kernels; /* of integer TensorFlow Lite models */
} uc_import_options;

/* What will be fed to the input of that name or, unnamed, place; NULL: not known. */
const uncork_fed *uc_import_fed(const uc_import_options *options, const char *name, size_t place);

struct uc_importer {
    const char *name; /* "sklearn" */
    /* 0: no; 1: could be; 2: surely. Cheap: looks at the first bytes and the names. */
    int (*probe)(uc_bytes head, const uc_bundle *bundle);
    /* Parses, fills facts, findings, entries. Succeeds for files that can't run. */
    uncork_status (*open)(uc_import *file, uncork_error *error);
    /* Builds one entry (NULL: the default outputs) into `graph`, findings of this entry into
     * `findings`. `file` is not changed: any number of threads may import. */
    uncork_status (*import)(const uc_import *file, const char *entry,
                            const uc_import_options *options, uc_graph *graph,
                            uc_findings *findings, uncork_error *error);
    /* Adds the format's own members to the object inspect prints. May be NULL. */
    void (*inspect)(const uc_import *file, uc_json_writer *json);
};

/* The i-th importer, NULL beyond the last. */
const uc_importer *uc_importer_at(size_t i);
/* The importer that takes a file by its first bytes (a folder or archive: by its names). A format
 * that is known but not read fails UNSUPPORTED or MALFORMED with its name and advice. */
uncork_status uc_importer_choose(uc_bytes head, const uc_bundle *bundle, const uc_importer **found,
                                 uncork_error *error);

#define IMPORTER(symbol) extern const uc_importer uc_importer_##symbol;
#include "import/importer_table.def"
#undef IMPORTER

#endif
