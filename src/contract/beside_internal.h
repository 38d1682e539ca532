/* The readers behind beside.c: one a maker of config files. */
#ifndef UC_CONTRACT_BESIDE_INTERNAL_H
#define UC_CONTRACT_BESIDE_INTERNAL_H

#include "base/json.h"
#include "base/writer.h"
#include "contract/beside.h"

/* Hugging Face's preprocessor_config.json as steps into `spec`; `other` receives those of the second
 * backend, and stays empty where there is one alone. False when it is no picture processor. */
bool uc_beside_hf(const uc_json *json, uc_writer *spec, uc_writer *other);
/* The processor's preset for "model_type" of a config.json; NULL: none is known. */
const char *uc_beside_hf_preset(uc_str model_type);
/* timm's config.json ("pretrained_cfg"). */
bool uc_beside_timm(const uc_json *json, uc_writer *spec);
/* Teachable Machine's metadata.json. */
bool uc_beside_teachable(const uc_json *json, uc_writer *spec);
/* Ultralytics' pairs of ONNX metadata, which are facts "metadata.task" and so on. */
bool uc_beside_ultralytics(const uc_facts *facts, uc_writer *spec);
/* Presets whose name stands in the text, as a word of it: torchvision's, Keras' and timm's, the longest
 * name. `channels_last` prefers Keras'. False when there is none. */
bool uc_beside_architecture(uc_str text, bool channels_last, const char **preset,
                            const char **other, uc_arena *arena);

/* "0.485,0.456,0.406" of an array of 1 to 4 numbers, or of one number; each times `by` in float32 when
 * `by` isn't 0. False when it is none. */
bool uc_beside_numbers(const uc_json *json, double by, uc_writer *out);

#endif
