/* The packed form depends on the layer's geometry, the method and the row that packs. */
#include "op/ext/block_pack.h"

#include "op/packs.h"

uncork_status uc_block_pack(uc_call *call, const uc_conv_row *row, const uc_conv *c,
                            const uc_tensor *w, const uc_tensor *bias, const float **packed)
{
    const uc_pack_key key = {
        .kernel = c->depthwise ? "conv-depthwise" : "conv-blocked",
        .version = 1,
        .isa = row->name,
        .sources = {w, bias},
        .source_count = 2,
        .params = {c->ic, c->oc, c->kh, c->kw, c->stride_h, c->stride_w, c->dilation_h,
                   c->dilation_w, c->block, c->plain, c->method},
        .param_count = 11,
    };
    size_t count = 0;
    void *room;
    const void *form;
    if (!row->packed_count(c, &count) || count > SIZE_MAX / sizeof(float)) {
        return uc_call_fail(call, UNCORK_LIMIT, "the packed weights are more than memory can hold");
    }
    UC_TRY(uc_call_pack(call, &key, count * sizeof(float), &room, &form));
    if (room) row->pack(c, w->data, bias ? bias->data : NULL, room);
    *packed = form;
    return UNCORK_OK;
}
