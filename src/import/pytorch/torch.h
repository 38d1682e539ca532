/* The importer "pytorch": what its files share. A file is of one form (a row of torch_form_table.def):
 * opening reads its records, importing emits nodes through torch_build.h.
 *
 * Facts: torch 2.15, torch/serialization.py, torch/_utils.py, torch/storage.py. */
#ifndef UC_IMPORT_PYTORCH_TORCH_H
#define UC_IMPORT_PYTORCH_TORCH_H

#include "container/pickle.h"
#include "import/importer.h"
#include "import/pytorch/torch_build.h"
#include "import/pytorch/zoo/zoo.h"

typedef struct uc_t_file uc_t_file;

typedef struct uc_t_form {
    const char *name; /* "checkpoint" */
    /* By the first bytes of a lone file, or the names in a bundle. */
    bool (*is)(uc_bytes head, const uc_bundle *bundle);
    /* Reads; a reason not to run goes into f->flaw, not into the result. */
    uncork_status (*open)(uc_t_file *f, uncork_error *error);
    /* Declares inputs, emits, names outputs. Not called for a file with a flaw. NULL: emits what `open`
     * left in f->model (an architecture) or f->module. */
    void (*emit)(const uc_t_file *f, const char *entry, uc_t_build *b);
} uc_t_form;

/* ---- storages and tensors (torch_tensor.c) ----------------------------------------------------- */

/* Where the bytes of a pickle's tensors are. */
typedef struct uc_t_store {
    const uc_bundle *bundle; /* a zip: entries are views, not checked against their CRC */
    const char *folder;      /* in front of keys: "archive/data/" */
    uc_table *by_key;        /* key -> uc_bytes: those that aren't stored in a zip as they are */
    uc_table *tensors; /* id -> uc_tensor: of the oldest files, whose tensors have ids; or NULL */
    bool big_endian;
} uc_t_store;

/* Whether a value is a call that makes a tensor, or a parameter that wraps one. */
bool uc_t_is_tensor(const uc_pickle *value);
/* The class of an object: of old files too, which name it by a persistent id with its source. False when
 * it is no instance of a named class. */
bool uc_t_class_of(const uc_pickle *object, uc_str *module, uc_str *name);
/* The tensor of such a value: a view of the file's bytes, of any strides, where they can be used so; else
 * (other byte order, sparse, quantised) a copy in the arena. data is NULL for tensors without any
 * ("meta"). The store isn't changed. */
uncork_status uc_t_tensor_of(const uc_t_store *store, const uc_pickle *value, uc_arena *arena,
                             const uc_tensor **tensor, uncork_error *error);
/* A tensor of given strides (in elements) over a storage; refuses what reaches beyond it. */
uncork_status uc_t_strided(const uc_t_store *store, uc_bytes storage, uncork_dtype dtype, int rank,
                           const int64_t *size, const int64_t *stride, int64_t offset,
                           uc_arena *arena, const uc_tensor **tensor, uncork_error *error);
/* The type of torch.float32, FloatStorage, ... by the last part of its name; NONE when unknown. */
uncork_dtype uc_t_dtype_of(uc_str name);
uncork_dtype uc_t_storage_dtype(uc_str class_name);
/* torch.Size, tuples and lists of integers: how many; SIZE_MAX when it is none or more than `most`. */
size_t uc_t_ints(const uc_pickle *value, int64_t *out, size_t most);

/* A file of torch.save within memory, a zip or a legacy stream: its pickle and storages. */
typedef struct uc_t_saved {
    uc_t_store store;
    uc_pickle *root;
    uc_pickle_info info;
} uc_t_saved;
uncork_status uc_t_saved_open(uc_bytes bytes, uc_import *import, uc_t_saved *saved,
                              uncork_error *error);
bool uc_t_saved_is_legacy(uc_bytes head);
uncork_status uc_t_saved_legacy(uc_bytes bytes, uc_import *import, uc_t_saved *saved,
                                uncork_error *error);

/* ---- a file ------------------------------------------------------------------------------------ */

struct uc_t_file {
    const uc_t_form *form;
    uc_import *import;  /* while opening: arena, budget, bundle, facts, findings */
    const char *folder; /* of a zip's entries, with its '/': "archive/" */
    uc_t_store store;
    uc_pickle *root; /* data.pkl */
    uc_pickle_info info;
    const uc_t_state *state; /* tensors by name; NULL: there are none */
    const uc_pickle *module; /* a full module, or NULL */
    const uc_json *config;   /* config.json beside it, or NULL */
    uc_zoo_model model;      /* the architecture, when `recognised` */
    bool recognised;
    const void *own;                 /* the form's own */
    const struct uc_code_file *code; /* the network's source, as asked for; or NULL */
    bool unsafe;                     /* the flaw is what Python would do with the file */
    uncork_error flaw;               /* why it can't run; OK when it can */
};

#define FORM(symbol) extern const uc_t_form uc_t_form_##symbol;
#include "import/pytorch/torch_form_table.def"
#undef FORM

/* Records why the file can't run, unless a reason is there already. */
/* torch_foreign.c: says as the flaw what the tensors are when they are no network of their own (an adapter,
 * a language model, a lone shard); the same of a value that holds none (an optimizer's state). */
struct uc_t_state;
bool uc_t_foreign_weights(uc_t_file *f, const struct uc_t_state *s);
bool uc_t_foreign_value(uc_t_file *f, const uc_pickle *root);
void uc_t_flaw(uc_t_file *f, uncork_status status, const char *format, ...) UC_PRINTF(3, 4);

/* torch_ultralytics.c: of a recognised network of Ultralytics, what its exports say: task, size, names. */
void uc_t_ultralytics_facts(const uc_t_file *f, uc_facts *facts);

/* torch_trust.c: what a pickle's globals would do when Python loads it: a flaw for code. */
void uc_t_check_globals(uc_t_file *f, const uc_pickle_info *info);

/* What is saved as the file's: its globals looked at, its model looked for. */
uncork_status uc_t_take_saved(uc_t_file *f, const uc_t_saved *saved, uncork_error *error);

/* torch_find.c: the model in a pickle: f->module, or f->state with wrappers and prefixes undone and said,
 * and the architecture asked for. */
uncork_status uc_t_find_model(uc_t_file *f, uncork_error *error);
/* Asks the zoo for f->state, prefixes undone. */
uncork_status uc_t_recognise(uc_t_file *f, const uc_t_state *all, uncork_error *error);

#endif
