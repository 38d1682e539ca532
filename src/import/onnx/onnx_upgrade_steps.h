/* The steps of onnx_upgrade_table.def, each declared once. */
#ifndef UC_IMPORT_ONNX_UPGRADE_STEPS_H
#define UC_IMPORT_ONNX_UPGRADE_STEPS_H

#include "import/onnx/onnx_upgrade.h"

/* ---- onnx_upgrade_broadcast.c ---- */
void uc_onnx_upgrade_broadcast(uc_onnx_draft *d);
void uc_onnx_upgrade_prelu(uc_onnx_draft *d);

/* ---- onnx_upgrade_input.c ---- */
void uc_onnx_upgrade_axes(uc_onnx_draft *d);
void uc_onnx_upgrade_reshape(uc_onnx_draft *d);
void uc_onnx_upgrade_slice(uc_onnx_draft *d);
void uc_onnx_upgrade_split(uc_onnx_draft *d);
void uc_onnx_upgrade_split_count(uc_onnx_draft *d);
void uc_onnx_upgrade_top_k(uc_onnx_draft *d);
void uc_onnx_upgrade_pad_name(uc_onnx_draft *d);
void uc_onnx_upgrade_pad(uc_onnx_draft *d);
void uc_onnx_upgrade_clip_bounds(uc_onnx_draft *d);
void uc_onnx_upgrade_clip(uc_onnx_draft *d);
void uc_onnx_upgrade_tile(uc_onnx_draft *d);
void uc_onnx_upgrade_dft(uc_onnx_draft *d);
void uc_onnx_upgrade_dropout(uc_onnx_draft *d);

/* ---- onnx_upgrade_ml.c ---- */
void uc_onnx_upgrade_label_encoder(uc_onnx_draft *d);

/* ---- onnx_upgrade_name.c ---- */
void uc_onnx_upgrade_cast(uc_onnx_draft *d);
void uc_onnx_upgrade_concat(uc_onnx_draft *d);
void uc_onnx_upgrade_selu(uc_onnx_draft *d);
void uc_onnx_upgrade_scatter(uc_onnx_draft *d);
void uc_onnx_upgrade_lp_pool(uc_onnx_draft *d);
void uc_onnx_upgrade_recurrent(uc_onnx_draft *d);

/* ---- onnx_upgrade_norm.c ---- */
void uc_onnx_upgrade_batch_norm_test(uc_onnx_draft *d);
void uc_onnx_upgrade_batch_norm_spatial(uc_onnx_draft *d);
void uc_onnx_upgrade_batch_norm_training(uc_onnx_draft *d);
void uc_onnx_upgrade_group_norm(uc_onnx_draft *d);

/* ---- onnx_upgrade_removed.c ---- */
void uc_onnx_upgrade_affine(uc_onnx_draft *d);
void uc_onnx_upgrade_scale(uc_onnx_draft *d);
void uc_onnx_upgrade_image_scaler(uc_onnx_draft *d);
void uc_onnx_upgrade_parametric_softplus(uc_onnx_draft *d);
void uc_onnx_upgrade_scaled_tanh(uc_onnx_draft *d);
void uc_onnx_upgrade_crop(uc_onnx_draft *d);
void uc_onnx_upgrade_mean_variance(uc_onnx_draft *d);
void uc_onnx_upgrade_dynamic_slice(uc_onnx_draft *d);

/* ---- onnx_upgrade_resize.c ---- */
void uc_onnx_upgrade_upsample_scales(uc_onnx_draft *d);
void uc_onnx_upgrade_upsample_input(uc_onnx_draft *d);
void uc_onnx_upgrade_upsample(uc_onnx_draft *d);
void uc_onnx_upgrade_resize(uc_onnx_draft *d);
void uc_onnx_upgrade_resize_half_pixel(uc_onnx_draft *d);
void uc_onnx_upgrade_roi_align(uc_onnx_draft *d);
void uc_onnx_upgrade_grid_sample(uc_onnx_draft *d);

/* ---- onnx_upgrade_scan.c ---- */
void uc_onnx_upgrade_scan(uc_onnx_draft *d);

/* ---- onnx_upgrade_softmax.c ---- */
void uc_onnx_upgrade_softmax(uc_onnx_draft *d);

#endif
