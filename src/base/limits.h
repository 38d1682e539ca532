/* Every hard limit, with its reason. A file can't raise one. */
#ifndef UC_BASE_LIMITS_H
#define UC_BASE_LIMITS_H

/* Findings kept of one file: a hostile file could make one a node. */
#define UC_LIMIT_FINDINGS        1000
/* JSON and UBJSON nesting: xgboost needs 8. */
#define UC_LIMIT_JSON_DEPTH      200
/* Pickles inside a pickle: joblib's object arrays are one level. */
#define UC_LIMIT_PICKLE_NESTING  4
/* Bytes of a global's module or name: real ones stay below 100. */
#define UC_LIMIT_PICKLE_NAME     1000
/* Digits of an integer written as text: CPython's own limit. */
#define UC_LIMIT_PICKLE_DIGITS   4300
/* Fields of a NumPy record: a tree's node has 8. */
#define UC_LIMIT_PICKLE_FIELDS   4096
/* Elements of a tensor made from lists: shared lists make a small file look like an endless one. */
#define UC_LIMIT_PICKLE_LIST     ((size_t)1 << 28)
/* Codecs around a pickle (a joblib file compressed again by hand). */
#define UC_LIMIT_NESTING         3
/* Estimators inside estimators: real ones stay below 10. */
#define UC_LIMIT_ESTIMATOR_DEPTH 100
/* Decompressed bytes allowed whatever the ratio; above it, at most this many times the input. */
#define UC_LIMIT_INFLATE_FLOOR   (64u << 20)
#define UC_LIMIT_INFLATE_RATIO   100u
/* Width times height of an image: Pillow's own bomb limit, 2 * 89478485. Whoever asks for memory by name
 * (max_memory_bytes, --max-memory) gets a pixel for every 4 bytes of it where that is more. */
#define UC_LIMIT_IMAGE_PIXELS    178956970u
/* Frames of a GIF that are read where all are wanted: real ones have hundreds. Raised to one for every
 * 64 KB of memory asked for. */
#define UC_LIMIT_GIF_FRAMES      4096u
/* Bytes of one inflated text of a PNG (Pillow's MAX_TEXT_CHUNK), and of all (MAX_TEXT_MEMORY). Raised to
 * an eighth of the memory asked for. */
#define UC_LIMIT_PNG_TEXT        (1u << 20)
#define UC_LIMIT_PNG_TEXTS       (64u << 20)
/* Entries of a zip, tar or folder. */
#define UC_LIMIT_BUNDLE_ENTRIES  100000
/* ONNX graphs inside graphs (If, Loop, Scan): real ones stay below 5. */
#define UC_LIMIT_ONNX_BODIES     32
/* ONNX functions calling functions: PyTorch's exporter writes 3 levels. */
#define UC_LIMIT_ONNX_CALLS      64
/* Nodes that a model's functions may expand to: large exported models stay below 30,000. */
#define UC_LIMIT_ONNX_EXPANDED   ((size_t)1 << 18)
/* Threads of a pool. */
#define UC_LIMIT_THREADS         256
/* Bodies (of If, Loop, Scan) within bodies: exporters' stay below 10. */
#define UC_LIMIT_GRAPH_DEPTH     64
/* Plans a session keeps, one a set of input shapes. */
#define UC_LIMIT_PLANS           16

#endif
