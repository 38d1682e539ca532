/* joblib: a pickle whose arrays stand as raw bytes right after the BUILD of a wrapper object, or
 * (before 0.10) in side files. Source: joblib/numpy_pickle.py of 0.10, 1.2 and 1.5,
 * numpy_pickle_compat.py of 0.10. */

#include "container/codec.h"
#include "container/pickle_numpy.h"

/* joblib >= 1.2: one byte P, P bytes 0xFF, then data at a multiple of the alignment. */
static uncork_status skip_padding(uc_pickle_machine *m, const uc_pickle *wrapper)
{
    const uc_pickle *alignment = uc_pickle_attr(wrapper, "numpy_array_alignment_bytes");
    if (!alignment || alignment->kind == UC_PICKLE_NONE) {
        return UNCORK_OK;
    }
    const uint8_t *p;
    UC_TRY(uc_pickle_take(m, 1, &p));
    return uc_pickle_take(m, *p, &p);
}

/* matrix and the like; a memmap is an ndarray to us. */
static void name_subclass(uc_pickle *node, const uc_pickle *cls)
{
    if (node->kind != UC_PICKLE_OBJECT && cls && cls->kind == UC_PICKLE_SYMBOL &&
        !uc_str_is(cls->text, "ndarray") && !uc_str_is(cls->text, "memmap") && !node->text.size) {
        node->module = cls->module;
        node->text = cls->text;
    }
}

uncork_status uc_pickle_build_wrapper(uc_pickle_machine *m, uc_pickle *object)
{
    const uc_pickle *dtype = uc_pickle_attr(object, "dtype");
    const uc_pickle *subclass = uc_pickle_attr(object, "subclass");
    m->is_joblib = true;
    m->op_name = "array";
    if (!dtype || dtype->kind != UC_PICKLE_DTYPE) {
        return UC_PICKLE_FAIL(m, "a joblib array has a %s for its dtype",
                              uc_pickle_type_name(dtype, m->scratch));
    }
    if (dtype->dtype->has_objects) {
        return uc_pickle_run_here(m, object); /* a whole pickle in place of bytes */
    }
    int rank;
    int64_t shape[UNCORK_MAX_RANK];
    size_t bytes;
    const uint8_t *data;
    UC_TRY(uc_pickle_shape(m, uc_pickle_attr(object, "shape"), &rank, shape));
    UC_TRY(uc_pickle_array_bytes(m, dtype->dtype, rank, shape, &bytes));
    UC_TRY(skip_padding(m, object));
    UC_TRY(uc_pickle_take(m, bytes, &data));
    UC_TRY(uc_pickle_set_array(m, object, dtype->dtype, rank, shape, (uc_bytes){data, bytes},
                               uc_pickle_is_text(uc_pickle_attr(object, "order"), "F")));
    name_subclass(object, subclass);
    return UNCORK_OK;
}

/* ---- side files of joblib before 0.10 ------------------------------------------------------- */

/* The bytes of the file that a wrapper names: beside the pickle, by base name only. */
static uncork_status read_side(uc_pickle_machine *m, const uc_pickle *wrapper, uc_bytes *bytes)
{
    const uc_pickle *name = uc_pickle_attr(wrapper, "filename");
    m->is_joblib = true;
    if (!name || (name->kind != UC_PICKLE_TEXT && name->kind != UC_PICKLE_BYTES) ||
        !name->text.size || memchr(name->text.data, '/', name->text.size) ||
        memchr(name->text.data, '\\', name->text.size) ||
        memchr(name->text.data, '\0', name->text.size) || uc_str_is(name->text, "..") ||
        uc_str_is(name->text, ".")) {
        return UC_PICKLE_FAIL(m, "a joblib array's file isn't named by a plain file name");
    }
    const int size = (int)(name->text.size < 100 ? name->text.size : 100);
    if (!m->side) {
        uc_fail(m->error, UNCORK_IO, m->op_offset, "an array is in a file of its own, '%.*s'", size,
                name->text.data);
    } else if (m->side->read(m->side->context, name->text, bytes, m->error) == UNCORK_OK) {
        m->free_steps += bytes->size;
        return UNCORK_OK;
    }
    return uc_fix(m->error,
                  "joblib before 0.10 wrote every array to a file beside the pickle: "
                  "'%.*s' and its like have to be copied with it",
                  size, name->text.data);
}

/* NDArrayWrapper {filename, subclass}: a .npy file. */
uncork_status uc_pickle_build_side_wrapper(uc_pickle_machine *m, uc_pickle *object)
{
    uc_bytes file;
    const uc_pickle *subclass = uc_pickle_attr(object, "subclass");
    UC_TRY(read_side(m, object, &file));
    UC_TRY(uc_pickle_read_npy(m, file, object));
    name_subclass(object, subclass);
    return UNCORK_OK;
}

/* ZNDArrayWrapper {filename, init_args, state}: the state of an ndarray but for its data, which are
 * in the file, compressed. */
uncork_status uc_pickle_build_zipped_wrapper(uc_pickle_machine *m, uc_pickle *object)
{
    const uc_pickle *state = uc_pickle_attr(object, "state");
    const uc_pickle *dtype = uc_pickle_item(state, 2), *fortran = uc_pickle_item(state, 3);
    const uc_pickle *subclass = uc_pickle_item(uc_pickle_attr(object, "init_args"), 0);
    uc_bytes file, raw;
    if (!dtype || dtype->kind != UC_PICKLE_DTYPE || !fortran) {
        return UC_PICKLE_FAIL(m, "a joblib array's state is no (version, shape, dtype, order)");
    }
    UC_TRY(read_side(m, object, &file));
    UC_TRY(uc_codec_unpack(uc_codec_of(file), file, 0, m->arena, m->budget, &raw, NULL, m->error));
    m->free_steps += raw.size;
    int rank;
    int64_t shape[UNCORK_MAX_RANK];
    UC_TRY(uc_pickle_shape(m, uc_pickle_item(state, 1), &rank, shape));
    UC_TRY(uc_pickle_set_array(m, object, dtype->dtype, rank, shape, raw,
                               fortran->kind == UC_PICKLE_BOOL ? fortran->boolean
                                                               : fortran->integer != 0));
    name_subclass(object, subclass);
    return UNCORK_OK;
}
