/* joblib: a pickle whose arrays stand as raw bytes right after the BUILD of a wrapper object, or
 * (before 0.10) in side files. Source: joblib/numpy_pickle.py of 0.10, 1.2 and 1.5,
 * numpy_pickle_compat.py of 0.10. */
#include <inttypes.h>

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

/* The array of object dtype: a whole pickle in place of bytes. */
static uncork_status read_nested(uc_pickle_machine *m, uc_pickle *wrapper)
{
    uc_pickle *array = NULL;
    const uint64_t offset = wrapper->offset;
    UC_TRY(uc_pickle_run(m, &array));
    *wrapper = *array;
    wrapper->offset = offset;
    return UNCORK_OK;
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
        return read_nested(m, object);
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
    if (object->kind != UC_PICKLE_OBJECT && subclass && subclass->kind == UC_PICKLE_SYMBOL &&
        !uc_str_is(subclass->text, "ndarray") && !uc_str_is(subclass->text, "memmap") &&
        !object->text.size) {
        object->module = subclass->module;
        object->text = subclass->text;
    }
    return UNCORK_OK;
}

/* ---- side files of joblib before 0.10 ------------------------------------------------------- */

uncork_status uc_pickle_build_side_wrapper(uc_pickle_machine *m, uc_pickle *object)
{
    (void)object;
    m->is_joblib = true;
    return UNCORK_OK;
}

uncork_status uc_pickle_build_zipped_wrapper(uc_pickle_machine *m, uc_pickle *object)
{
    (void)object;
    m->is_joblib = true;
    return UNCORK_OK;
}
